//! `GET` and `POST /api/auth/permissions/`.

use axum::{Json, extract::State, http::StatusCode};
use shared::{
    app::App,
    error::ApiError,
    http::{Admin, JsonOrForm},
};

use crate::{detail::PermissionDetail, input::PermissionInput};

pub async fn list(
    _: Admin,
    State(app): State<App>,
) -> Result<Json<Vec<PermissionDetail>>, ApiError> {
    Ok(Json(
        app.store
            .permissions()
            .await?
            .into_iter()
            .map(Into::into)
            .collect(),
    ))
}

pub async fn create(
    admin: Admin,
    State(app): State<App>,
    body: JsonOrForm,
) -> Result<(StatusCode, Json<PermissionDetail>), ApiError> {
    let (name, codename, content_type) = PermissionInput::read(&app, body).await?.into_new()?;
    let permission = app
        .store
        .create_permission(name, codename, content_type, admin.actor())
        .await?;
    Ok((StatusCode::CREATED, Json(permission.into())))
}
