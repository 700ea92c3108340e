//! `GET` and `POST /api/auth/permissions/`.

use axum::{Json, extract::State, http::StatusCode};
use shared::{
    accounts,
    app::App,
    forms::new_permission,
    http::{
        ApiError, Can, JsonOrForm,
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
    State(App { store, .. }): State<App>,
    body: JsonOrForm,
) -> Result<(StatusCode, Json<PermissionDetail>), ApiError> {
    let (name, codename, content_type) = new_permission(&store, body.fields()?).await?;
    let actor = caller.actor();
    let made = accounts::permissions::create(&store, actor, name, codename, content_type).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}
