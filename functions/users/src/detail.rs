//! `GET`, `PUT`, `PATCH`, `DELETE /api/auth/users/{id}/`.

use axum::{Json, extract::State, response::Response};
use shared::{
    app::App,
    domain::User,
    error::ApiError,
    forms::ProfileInput,
    http::{
        JsonOrForm, Profile,
        authority::{may_change, may_decide_over},
        can::DeleteUser,
        no_content,
    },
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
    State(app): State<App>,
    body: JsonOrForm,
) -> Result<Json<Profile>, ApiError> {
    let input = ProfileInput::read(&app, body.fields()?, &caller.0, &target).await?;
    let (here, who, input) = (&app, &caller.0, &input);
    let judge = |user: User| async move {
        may_change(who, &user)?;
        if !input.changes_account(&user) {
            return Ok(());
        }
        match may_decide_over(&here.store, who, &user).await {
            Err(refusal @ ApiError::PermissionDenied) => {
                // Field errors come first, and the transaction that would tell is not tried.
                input.taken(here, user.id).await?;
                Err(refusal)
            }
            judged => judged,
        }
    };
    let change = |user: &User| Ok::<_, ApiError>(input.apply(user));
    let user = app
        .store
        .update_user(target, caller.actor(), judge, change)
        .await?;
    Ok(Json(Profile::of(&user, &app.store).await?))
}

pub async fn destroy(
    Managed { caller, target }: Managed<DeleteUser>,
    State(app): State<App>,
) -> Result<Response, ApiError> {
    let (store, who) = (&app.store, &caller.0);
    let judge = |user: User| async move { may_decide_over(store, who, &user).await };
    store.delete_user(target, caller.actor(), judge).await?;
    Ok(no_content())
}
