//! `POST /api/auth/users/{id}/assign_groups/`: replaces the set of groups a user is in.

use axum::{Json, extract::State};
use shared::{
    accounts,
    app::App,
    domain::{Group, GroupId, SetChange, UserChange},
    http::{ApiError, JsonOrForm, Profile, can::ChangeUser},
};

use crate::access::Managed;

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
    let user = accounts::users::change(&app.store, caller.actor(), target, &change).await?;
    // The groups have just been read.
    Ok(Json(Profile::in_groups(&user, groups.into_values())))
}
