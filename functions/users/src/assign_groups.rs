//! `POST /api/auth/users/{id}/assign_groups/`: replaces the set of groups a user is in.

use axum::{Json, extract::State};
use shared::{
    accounts,
    app::App,
    domain::{Group, GroupId, SetChange, UserChange},
    http::{
        ApiError, JsonOrForm, PROFILE, Profile,
        can::ChangeUser,
        describe::{Answer, Body, Content, Field, Kind, Object, Operation, PathId},
    },
};

use crate::access::Managed;

pub static ASSIGN: Operation = Operation {
    summary: "Replace the groups of a user",
    id: PathId::Key(1003),
    body: Some(Body {
        form: &Object {
            name: "AssignGroups",
            fields: &[Field::new("group_ids", Kind::Ids)],
        },
        sample: r#"{"group_ids": [1001, 1002]}"#,
    }),
    answer: Answer::ok(
        Content::One(&PROFILE),
        r#"{"id": 1003, "username": "sample-bob", "email": "sample-bob@example.com", "first_name": "Bob", "last_name": "Sample", "groups": [{"id": 1001, "name": "Sample editors"}, {"id": 1002, "name": "Sample readers"}]}"#,
    ),
    ..Operation::NEW
};

pub async fn assign_groups(
    Managed { caller, target }: Managed<ChangeUser>,
    State(app): State<App>,
    body: JsonOrForm,
) -> Result<Json<Profile>, ApiError> {
    let groups = body.listed::<Group>(&app, "group_ids").await?;
    let change = UserChange {
        groups: Some(SetChange::Replace(
            groups.keys().copied().map(GroupId).collect(),
        )),
        ..UserChange::default()
    };
    let user = accounts::users::change(&app.store, caller.actor(), target, &change)
        .await
        .map_err(|refused| refused.under("groups", "group_ids"))?;
    // The groups have just been read.
    Ok(Json(Profile::in_groups(&user, groups.into_values())))
}
