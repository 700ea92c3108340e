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
    hashing::Password,
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
    let (username, password, untrimmed) = credentials(body)?;
    let attempt = Attempt {
        username: &username,
        password: &password,
        untrimmed: untrimmed.as_ref(),
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

/// The username, the password as SimpleJWT reads it, and with its outer spaces if it had some.
fn credentials(body: JsonOrForm) -> Result<(String, Password, Option<Password>), ApiError> {
    let mut fields = body.fields()?;
    let username = fields.text::<AnyText>("username", Presence::Required);
    let password = fields.text::<AnyText>("password", Presence::Required);
    match (username, password) {
        (Some(username), Some(password)) => {
            let typed = fields.untrimmed::<AnyText>("password", Presence::Required);
            let untrimmed = typed.filter(|typed| *typed != password);
            let password = Password::new(password.into_inner());
            let untrimmed = untrimmed.map(|typed| Password::new(typed.into_inner()));
            Ok((username.into_inner(), password, untrimmed))
        }
        _ => Err(fields.into_errors().into()),
    }
}
