//! `POST /api/auth/login/`: a username and a password for a pair of tokens.

use axum::{Json, extract::State};
use serde::Serialize;
use shared::{
    accounts::login::log_in,
    app::App,
    domain::names::AnyText,
    hashing::Password,
    http::{ApiError, JsonOrForm, extract::SourceAddress},
    input::Presence,
    jwt::TokenType,
};

/// A pair of tokens.
#[derive(Serialize)]
pub struct Tokens {
    refresh: String,
    access: String,
}

pub async fn login(
    State(app): State<App>,
    SourceAddress(address): SourceAddress,
    body: JsonOrForm,
) -> Result<Json<Tokens>, ApiError> {
    let (username, password) = credentials(body)?;
    // Before the password is looked at: a change of it meanwhile ends these tokens too.
    let now = app.clock.now();
    let user = log_in(&app, &username, &password, address, |_| true).await?;
    if app.settings.logins.update_last_login {
        app.store.set_last_login(user.id, now).await?;
    }
    let jwt = app.keys.current(now).await;
    Ok(Json(Tokens {
        refresh: jwt.issue(TokenType::Refresh, &user, now),
        access: jwt.issue(TokenType::Access, &user, now),
    }))
}

fn credentials(body: JsonOrForm) -> Result<(String, Password), ApiError> {
    let mut fields = body.fields()?;
    let username = fields.text::<AnyText>("username", Presence::Required);
    let password = fields.text::<AnyText>("password", Presence::Required);
    match (username, password) {
        (Some(username), Some(password)) => {
            Ok((username.into_inner(), Password::new(password.into_inner())))
        }
        _ => Err(fields.into_errors().into()),
    }
}
