//! `GET` and `POST /api/auth/permissions/`.

use axum::{Json, extract::State, http::StatusCode};
use shared::{
    app::App,
    error::ApiError,
    forms::PermissionInput,
    http::{
        Can, JsonOrForm,
        can::{AddPermission, ViewPermission},
        paging::Whole,
    },
};

use crate::detail::PermissionDetail;

pub async fn list(
    _: Can<ViewPermission>,
    _: Whole,
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
    caller: Can<AddPermission>,
    State(app): State<App>,
    body: JsonOrForm,
) -> Result<(StatusCode, Json<PermissionDetail>), ApiError> {
    let input = PermissionInput::read(&app, body.fields()?).await?;
    input.may_be_made(&app, &caller.0).await?;
    let (name, codename, content_type) = input.into_new()?;
    let permission = app
        .store
        .create_permission(name, codename, content_type, caller.actor())
        .await?;
    Ok((StatusCode::CREATED, Json(permission.into())))
}
