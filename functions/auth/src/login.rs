//! `POST /api/auth/login/`, `jwt/create/`: a username and a password for a pair of tokens.

use axum::{Json, extract::State};
use serde::Serialize;
use shared::{
    accounts::{
        login::{Attempt, log_in},
        sessions,
    },
    app::App,
    domain::names::AnyText,
    forms::TypedPassword,
    http::{ApiError, JsonOrForm, extract::RequestClient},
    input::Presence,
};

/// A pair of tokens. A refresh without rotation gives only the second.
#[derive(Serialize)]
pub struct Tokens {
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh: Option<String>,
    access: String,
}

impl From<sessions::Tokens> for Tokens {
    fn from(tokens: sessions::Tokens) -> Self {
        let sessions::Tokens { refresh, access } = tokens;
        Self { refresh, access }
    }
}

pub async fn login(
    State(app): State<App>,
    RequestClient(client): RequestClient,
    body: JsonOrForm,
) -> Result<Json<Tokens>, ApiError> {
    let (username, typed) = credentials(body)?;
    let username = username.into_inner();
    let attempt = Attempt {
        username: &username,
        password: &typed.password,
        untrimmed: typed.untrimmed.as_ref(),
        normalises: false,
        address: client.address,
    };
    let user = log_in(&app, attempt, |_| true).await?;
    let now = app.clock.now();
    if app.settings.logins.update_last_login {
        app.store.set_last_login(user.id, now).await?;
    }
    let jwt = app.keys.current(now).await;
    Ok(Json(
        sessions::begin(&app, &jwt, &user, &client).await?.into(),
    ))
}

fn credentials(body: JsonOrForm) -> Result<(AnyText, TypedPassword), ApiError> {
    let mut fields = body.fields()?;
    let username = fields.text("username", Presence::Required);
    let password = TypedPassword::read(&mut fields, "password");
    let both = username.zip(password);
    both.ok_or_else(|| fields.into_errors().into())
}
