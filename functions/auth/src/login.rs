//! `POST /api/auth/login/`: a username and a password for a pair of tokens.

use axum::{Json, extract::State};
use serde::Serialize;
use shared::{
    app::App,
    domain::{User, UserName, names::AnyText},
    error::ApiError,
    hashing::{Password, PasswordHash, Verification},
    http::{
        JsonOrForm,
        log::{Event, note_event, note_user},
    },
    input::Presence,
    jwt::TokenType,
};

/// A pair of tokens.
#[derive(Serialize)]
pub struct Tokens {
    refresh: String,
    access: String,
}

pub async fn login(State(app): State<App>, body: JsonOrForm) -> Result<Json<Tokens>, ApiError> {
    let (username, password) = credentials(body)?;
    let found = match UserName::stored(&username) {
        Some(name) => app.store.user_by_name(&name).await?,
        None => None,
    };
    let (user, stored) = found.map_or((None, None), |(user, stored)| (Some(user), stored));
    if let Some(user) = &user {
        note_user(user.id);
    }
    // Hashed even where there is no account, so that both take as long.
    let verification = app.hasher.verify(&password, stored.as_ref()).await;
    let user = user
        .filter(|user| user.is_active && verification != Verification::Wrong)
        .ok_or_else(|| {
            note_event(Event::FailedLogin);
            ApiError::WrongCredentials
        })?;
    if verification == Verification::CorrectButOutdated {
        rehash(&app, &user, &password, stored.as_ref()).await?;
    }
    let now = app.clock.now();
    if app.settings.update_last_login {
        app.store.set_last_login(user.id, now).await?;
    }
    let jwt = app.keys.current(now).await;
    note_event(Event::Login);
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

/// Django's `must_update`: an older hash is replaced while the password is at hand.
async fn rehash(
    app: &App,
    user: &User,
    password: &Password,
    stored: Option<&PasswordHash>,
) -> Result<(), ApiError> {
    let Some(old) = stored else { return Ok(()) };
    let new = app.hasher.hash(password).await;
    Ok(app.store.rehash(user.id, old, &new).await?)
}
