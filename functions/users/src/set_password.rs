//! `POST /api/auth/users/set_password/`: a new password for the caller, by the present one.

use axum::{extract::State, response::Response};
use shared::{
    accounts,
    app::App,
    domain::Actor,
    forms::NewPassword,
    http::{
        ApiError, JsonOrForm,
        extract::{CallerSession, RequestClient},
        no_content,
    },
};

use crate::current_password;

pub async fn set_password(
    CallerSession(caller, sid): CallerSession,
    State(app): State<App>,
    RequestClient(client): RequestClient,
    body: JsonOrForm,
) -> Result<Response, ApiError> {
    let settings = &app.settings.accounts;
    let mut fields = body.fields()?;
    let new = NewPassword::read(&mut fields, settings.set_password_retype);
    current_password::check(&app, &caller, &client, &mut fields).await?;
    let (Some(new), false) = (new, fields.has_errors()) else {
        return Err(fields.into_errors().into());
    };
    let password = new.checked(Some(&caller))?;
    let ends = accounts::users::ended_by_password(settings, sid.as_deref());
    let (actor, client) = (Actor::User(&caller), Some(&client));
    let (store, hasher) = (&app.store, &app.hasher);
    accounts::users::replace_password(store, hasher, actor, &caller, &password, ends, client)
        .await?;
    Ok(no_content())
}
