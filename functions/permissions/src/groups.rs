//! `POST /api/auth/permissions/{id}/assign_to_group/` and `remove_from_group/`.

use std::collections::BTreeSet;

use axum::{Json, extract::State};
use serde_json::{Value, json};
use shared::{
    app::App,
    domain::{Group, PermissionId},
    error::{ApiError, FieldErrors},
    http::{JsonOrForm, authority::may_add, can::ChangeGroup},
    store::nothing_forbids,
};

use crate::detail::Managed;

pub async fn assign(
    Managed { caller, permission }: Managed<ChangeGroup>,
    State(app): State<App>,
    body: JsonOrForm,
) -> Result<Json<Value>, ApiError> {
    let group = read(&app, body).await?;
    let gone = app.store.gone_permissions(&group).await?;
    let (store, who, added) = (&app.store, &caller.0, &permission);
    let judge =
        |group: Group| async move { may_add(store, who, &group.permission_ids, [added]).await };
    let change = |group: &Group| {
        let mut group = without(group, &gone);
        group.permission_ids.insert(added.id);
        Ok::<_, ApiError>(group)
    };
    store
        .update_group(group, caller.actor(), judge, change)
        .await?;
    Ok(Json(
        json!({"message": "Permission assigned to group successfully"}),
    ))
}

pub async fn remove(
    Managed { caller, permission }: Managed<ChangeGroup>,
    State(app): State<App>,
    body: JsonOrForm,
) -> Result<Json<Value>, ApiError> {
    let group = read(&app, body).await?;
    let gone = app.store.gone_permissions(&group).await?;
    let change = |group: &Group| {
        let mut group = without(group, &gone);
        group.permission_ids.remove(&permission.id);
        Ok::<_, ApiError>(group)
    };
    app.store
        .update_group(group, caller.actor(), nothing_forbids, change)
        .await?;
    Ok(Json(
        json!({"message": "Permission removed from group successfully"}),
    ))
}

/// The group without the permissions that are gone.
fn without(group: &Group, gone: &BTreeSet<PermissionId>) -> Group {
    let mut group = group.clone();
    group.permission_ids.retain(|id| !gone.contains(id));
    group
}

async fn read(app: &App, body: JsonOrForm) -> Result<Group, ApiError> {
    const FIELD: &str = "group_id";
    let mut fields = body.fields()?;
    let Some(list) = fields.pk(FIELD) else {
        return Err(fields.into_errors().into());
    };
    let groups = list
        .resolve(&app.store)
        .await?
        .map_err(|text| FieldErrors::one(FIELD, text))?;
    groups.into_values().next().ok_or(ApiError::NotFound)
}
