//! `GET`, `PUT`, `PATCH`, `DELETE /api/auth/users/{id}/`.

use axum::{Json, extract::State, response::Response};
use shared::{
    accounts,
    app::App,
    forms::profile_change,
    http::{ApiError, JsonOrForm, Profile, can::DeleteUser, extract::RequestClient, no_content},
    input::Presence,
};

use crate::access::{Editable, Managed, Readable};

pub async fn retrieve(
    Readable(user): Readable,
    State(app): State<App>,
) -> Result<Json<Profile>, ApiError> {
    Ok(Json(Profile::of(&user, &app.store).await?))
}

pub async fn update(
    Editable { caller, target }: Editable,
    State(App { store, .. }): State<App>,
    RequestClient(client): RequestClient,
    body: JsonOrForm,
) -> Result<Json<Profile>, ApiError> {
    let fields = body.fields()?;
    let change = profile_change(&store, fields, &caller.0, &target, Presence::Required).await?;
    let actor = caller.actor();
    let user = accounts::users::change_from(&store, actor, &client, target, &change).await?;
    Ok(Json(Profile::of(&user, &store).await?))
}

pub async fn destroy(
    Managed { caller, target }: Managed<DeleteUser>,
    State(app): State<App>,
) -> Result<Response, ApiError> {
    accounts::users::delete(&app.store, caller.actor(), target).await?;
    Ok(no_content())
}
