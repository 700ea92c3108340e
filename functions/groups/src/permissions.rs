//! `POST /api/auth/groups/{id}/assign_permissions/` and `remove_permissions/`: add to and take
//! from what a group's members may do.

use std::collections::BTreeSet;

use axum::{Json, extract::State};
use serde_json::{Value, json};
use shared::{
    accounts,
    app::App,
    domain::{GroupChange, Permission, PermissionId, SetChange},
    http::{
        ApiError, JsonOrForm,
        can::ChangeGroup,
        describe::{Answer, Body, Content, Field, Kind, MESSAGE, Object, Operation, PathId},
    },
};

use crate::detail::Managed;

pub static ASSIGN: Operation = Operation {
    summary: "Add permissions to a group",
    id: PathId::Key(1002),
    body: BODY,
    answer: Answer::ok(
        Content::One(&MESSAGE),
        r#"{"message": "Permissions assigned successfully"}"#,
    ),
    ..Operation::NEW
};

pub static REMOVE: Operation = Operation {
    summary: "Take permissions from a group",
    id: PathId::Key(1001),
    body: BODY,
    answer: Answer::ok(
        Content::One(&MESSAGE),
        r#"{"message": "Permissions removed successfully"}"#,
    ),
    ..Operation::NEW
};

const BODY: Option<Body> = Some(Body {
    form: &Object {
        name: "GroupPermissions",
        fields: &[Field::new("permission_ids", Kind::Ids)],
    },
    sample: r#"{"permission_ids": [1001]}"#,
});

pub async fn assign(
    group: Managed<ChangeGroup>,
    State(app): State<App>,
    body: JsonOrForm,
) -> Result<Json<Value>, ApiError> {
    change(group, &app, body, SetChange::Add).await?;
    Ok(Json(
        json!({"message": "Permissions assigned successfully"}),
    ))
}

pub async fn remove(
    group: Managed<ChangeGroup>,
    State(app): State<App>,
    body: JsonOrForm,
) -> Result<Json<Value>, ApiError> {
    change(group, &app, body, SetChange::Remove).await?;
    Ok(Json(json!({"message": "Permissions removed successfully"})))
}

async fn change(
    Managed { caller, group }: Managed<ChangeGroup>,
    app: &App,
    body: JsonOrForm,
    how: impl Fn(BTreeSet<PermissionId>) -> SetChange<PermissionId>,
) -> Result<(), ApiError> {
    let permissions = body.listed::<Permission>(app, "permission_ids").await?;
    let ids = permissions.into_keys().map(PermissionId).collect();
    let change = GroupChange {
        permissions: Some(how(ids)),
        ..GroupChange::default()
    };
    let changed = accounts::groups::change(&app.store, caller.actor(), group, &change).await;
    changed.map_err(|refused| refused.under("permissions", "permission_ids"))?;
    Ok(())
}
