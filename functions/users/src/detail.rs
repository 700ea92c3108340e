//! `GET`, `PUT`, `PATCH`, `DELETE /api/auth/users/{id}/`.

use axum::{Json, extract::State, response::Response};
use shared::{
    app::App,
    error::ApiError,
    http::{JsonOrForm, Profile, no_content},
};

use crate::{
    access::{Editable, Managed, Readable, may_change},
    input::ProfileInput,
};

pub async fn retrieve(
    Readable(user): Readable,
    State(app): State<App>,
) -> Result<Json<Profile>, ApiError> {
    Ok(Json(Profile::of(&user, &app.store).await?))
}

pub async fn update(
    Editable { caller, target }: Editable,
    State(app): State<App>,
    body: JsonOrForm,
) -> Result<Json<Profile>, ApiError> {
    let input = ProfileInput::read(&app, body, &caller.0, &target).await?;
    let change = |user: &_| may_change(&caller.0, user).map(|()| input.apply(user));
    let user = app
        .store
        .update_user(target, caller.actor(), change)
        .await?;
    Ok(Json(Profile::of(&user, &app.store).await?))
}

pub async fn destroy(
    Managed { caller, target }: Managed,
    State(app): State<App>,
) -> Result<Response, ApiError> {
    app.store
        .delete_user(target, caller.actor(), |user| may_change(&caller.0, user))
        .await?;
    Ok(no_content())
}
