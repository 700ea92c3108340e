//! `POST /api/auth/groups/{id}/assign_permissions/` and `remove_permissions/`: add to and take
//! from what a group's members may do.

use std::collections::BTreeSet;

use axum::{Json, extract::State};
use serde_json::{Value, json};
use shared::{
    app::App,
    domain::{Group, PermissionId},
    error::{ApiError, FieldErrors},
    http::JsonOrForm,
    input::Presence,
};

use crate::{detail::Managed, input::resolve};

pub async fn assign(
    managed: Managed,
    State(app): State<App>,
    body: JsonOrForm,
) -> Result<Json<Value>, ApiError> {
    let ids = read(&app, body).await?;
    change(managed, &app, |held| held.union(&ids).copied().collect()).await?;
    Ok(Json(
        json!({"message": "Permissions assigned successfully"}),
    ))
}

pub async fn remove(
    managed: Managed,
    State(app): State<App>,
    body: JsonOrForm,
) -> Result<Json<Value>, ApiError> {
    let ids = read(&app, body).await?;
    change(managed, &app, |held| {
        held.difference(&ids).copied().collect()
    })
    .await?;
    Ok(Json(json!({"message": "Permissions removed successfully"})))
}

async fn change(
    Managed { caller, group }: Managed,
    app: &App,
    change: impl Fn(&BTreeSet<PermissionId>) -> BTreeSet<PermissionId>,
) -> Result<(), ApiError> {
    let gone = app.store.gone_permissions(&group).await?;
    let change = |group: &Group| {
        let permission_ids = change(&group.permission_ids)
            .difference(&gone)
            .copied()
            .collect();
        Ok::<_, ApiError>(Group {
            permission_ids,
            ..group.clone()
        })
    };
    app.store
        .update_group(group, caller.actor(), change)
        .await?;
    Ok(())
}

async fn read(app: &App, body: JsonOrForm) -> Result<BTreeSet<PermissionId>, ApiError> {
    const FIELD: &str = "permission_ids";
    let mut fields = body.fields()?;
    let Some(list) = fields.pk_list(FIELD, Presence::Required) else {
        return Err(fields.into_errors().into());
    };
    resolve(app, &list)
        .await?
        .map_err(|text| FieldErrors::one(FIELD, text).into())
}
