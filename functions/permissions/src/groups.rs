//! `POST /api/auth/permissions/{id}/assign_to_group/` and `remove_from_group/`.

use axum::{Json, extract::State};
use serde_json::{Value, json};
use shared::{
    app::App,
    domain::Group,
    error::{ApiError, FieldErrors},
    http::JsonOrForm,
};

use crate::detail::Managed;

pub async fn assign(
    managed: Managed,
    State(app): State<App>,
    body: JsonOrForm,
) -> Result<Json<Value>, ApiError> {
    change(managed, &app, body, true).await?;
    Ok(Json(
        json!({"message": "Permission assigned to group successfully"}),
    ))
}

pub async fn remove(
    managed: Managed,
    State(app): State<App>,
    body: JsonOrForm,
) -> Result<Json<Value>, ApiError> {
    change(managed, &app, body, false).await?;
    Ok(Json(
        json!({"message": "Permission removed from group successfully"}),
    ))
}

async fn change(
    Managed { caller, permission }: Managed,
    app: &App,
    body: JsonOrForm,
    held: bool,
) -> Result<(), ApiError> {
    let group = read(app, body).await?;
    let gone = app.store.gone_permissions(&group).await?;
    let change = |group: &Group| {
        let mut group = group.clone();
        group.permission_ids.retain(|id| !gone.contains(id));
        if held {
            group.permission_ids.insert(permission.id);
        } else {
            group.permission_ids.remove(&permission.id);
        }
        Ok::<_, ApiError>(group)
    };
    app.store
        .update_group(group, caller.actor(), change)
        .await?;
    Ok(())
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
