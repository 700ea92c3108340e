//! `POST /api/auth/permissions/{id}/assign_to_group/` and `remove_from_group/`.

use std::collections::BTreeSet;

use axum::{Json, extract::State};
use serde_json::{Value, json};
use shared::{
    accounts::{self, Refused},
    app::App,
    domain::{FieldError, Group, GroupChange, PermissionId, SetChange},
    forms,
    http::{
        ApiError, JsonOrForm,
        can::ChangeGroup,
        describe::{Answer, Body, Content, Field, Kind, MESSAGE, Object, Operation, PathId},
    },
    input::FieldErrors,
};

use crate::detail::Managed;

pub static ASSIGN: Operation = Operation {
    summary: "Add a permission to a group",
    id: PathId::Key(1001),
    body: Some(Body {
        form: &TO_GROUP,
        sample: r#"{"group_id": 1002}"#,
    }),
    answer: Answer::ok(
        Content::One(&MESSAGE),
        r#"{"message": "Permission assigned to group successfully"}"#,
    ),
    ..Operation::NEW
};

pub static REMOVE: Operation = Operation {
    summary: "Take a permission from a group",
    id: PathId::Key(1001),
    body: Some(Body {
        form: &TO_GROUP,
        sample: r#"{"group_id": 1001}"#,
    }),
    answer: Answer::ok(
        Content::One(&MESSAGE),
        r#"{"message": "Permission removed from group successfully"}"#,
    ),
    ..Operation::NEW
};

static TO_GROUP: Object = Object {
    name: "PermissionGroup",
    fields: &[Field::new("group_id", Kind::Id)],
};

pub async fn assign(
    permission: Managed<ChangeGroup>,
    State(app): State<App>,
    body: JsonOrForm,
) -> Result<Json<Value>, ApiError> {
    change(permission, &app, body, SetChange::Add).await?;
    Ok(Json(
        json!({"message": "Permission assigned to group successfully"}),
    ))
}

pub async fn remove(
    permission: Managed<ChangeGroup>,
    State(app): State<App>,
    body: JsonOrForm,
) -> Result<Json<Value>, ApiError> {
    change(permission, &app, body, SetChange::Remove).await?;
    Ok(Json(
        json!({"message": "Permission removed from group successfully"}),
    ))
}

async fn change(
    Managed { caller, permission }: Managed<ChangeGroup>,
    app: &App,
    body: JsonOrForm,
    how: impl Fn(BTreeSet<PermissionId>) -> SetChange<PermissionId>,
) -> Result<(), ApiError> {
    let group: Group = forms::named(&app.store, body.fields()?, "group_id").await?;
    let unknown = FieldError::NoSuchObject(group.id.to_string());
    let change = GroupChange {
        permissions: Some(how(BTreeSet::from([permission.id]))),
        ..GroupChange::default()
    };
    let changed = accounts::groups::change(&app.store, caller.actor(), group, &change).await;
    changed.map(drop).map_err(|refused| match refused {
        // It was deleted since it was read.
        Refused::NotFound => FieldErrors::one("group_id", unknown).into(),
        refused => refused.under("permissions", "group_id").into(),
    })
}
