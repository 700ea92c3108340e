//! `POST /api/auth/groups/{id}/assign_permissions/` and `remove_permissions/`: add to and take
//! from what a group's members may do.

use std::collections::BTreeSet;

use axum::{Json, extract::State};
use serde_json::{Value, json};
use shared::{
    app::App,
    domain::{Group, Permission, PermissionId},
    error::ApiError,
    http::{JsonOrForm, authority::may_add, can::ChangeGroup},
    store::nothing_forbids,
};

use crate::detail::Managed;

pub async fn assign(
    Managed { caller, group }: Managed<ChangeGroup>,
    State(app): State<App>,
    body: JsonOrForm,
) -> Result<Json<Value>, ApiError> {
    let permissions = body.listed::<Permission>(&app, "permission_ids").await?;
    let gone = app.store.gone_permissions(&group).await?;
    let (store, who, added) = (&app.store, &caller.0, &permissions);
    let judge = |group: Group| async move {
        may_add(store, who, &group.permission_ids, added.values()).await
    };
    let change = |group: &Group| {
        let mut ids = group.permission_ids.clone();
        ids.extend(added.keys().copied().map(PermissionId));
        Ok::<_, ApiError>(with(group, &ids, &gone))
    };
    store
        .update_group(group, caller.actor(), judge, change)
        .await?;
    Ok(Json(
        json!({"message": "Permissions assigned successfully"}),
    ))
}

pub async fn remove(
    Managed { caller, group }: Managed<ChangeGroup>,
    State(app): State<App>,
    body: JsonOrForm,
) -> Result<Json<Value>, ApiError> {
    let permissions = body.listed::<Permission>(&app, "permission_ids").await?;
    let gone = app.store.gone_permissions(&group).await?;
    let change = |group: &Group| {
        let mut ids = group.permission_ids.clone();
        ids.retain(|id| !permissions.contains_key(&id.0));
        Ok::<_, ApiError>(with(group, &ids, &gone))
    };
    app.store
        .update_group(group, caller.actor(), nothing_forbids, change)
        .await?;
    Ok(Json(json!({"message": "Permissions removed successfully"})))
}

/// The group with these permissions, but for those that are gone.
fn with(group: &Group, ids: &BTreeSet<PermissionId>, gone: &BTreeSet<PermissionId>) -> Group {
    Group {
        permission_ids: ids.difference(gone).copied().collect(),
        ..group.clone()
    }
}
