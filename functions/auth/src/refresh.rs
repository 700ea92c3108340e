//! `POST /api/auth/token/refresh/`: a refresh token for an access token.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::Serialize;
use shared::{
    app::App,
    domain::names::AnyText,
    http::{ApiError, JsonOrForm},
    input::Presence,
    jwt::{Claims, Jwt, TokenError, TokenType},
    telemetry::{Event, note_event, note_user},
};

/// A new access token.
#[derive(Serialize)]
pub struct Access {
    access: String,
}

pub async fn refresh(State(app): State<App>, body: JsonOrForm) -> Result<Json<Access>, ApiError> {
    let token = token_field(body, "refresh")?;
    let now = app.clock.now();
    let (jwt, claims) = claims(&app, &token, now).await?;
    let (blacklisted, user) = app
        .store
        .token_and_user(&claims.jti, claims.user_id(), now)
        .await?;
    if blacklisted {
        return Err(ApiError::BadToken(TokenError::Blacklisted));
    }
    let user = user
        .filter(|user| user.is_active)
        .ok_or(ApiError::NoActiveAccount)?;
    if claims.is_revoked_for(&user) {
        return Err(ApiError::BadToken(TokenError::Invalid));
    }
    note_user(user.id);
    note_event(Event::Refresh);
    Ok(Json(Access {
        access: jwt.refresh(&claims, &user, now),
    }))
}

/// The one field of a token endpoint.
pub fn token_field(body: JsonOrForm, name: &'static str) -> Result<String, ApiError> {
    let mut fields = body.fields()?;
    match fields.text::<AnyText>(name, Presence::Required) {
        Some(token) => Ok(token.into_inner()),
        None => Err(fields.into_errors().into()),
    }
}

/// The claims of a refresh token, and the keys that verified it. As in SimpleJWT, a blacklisted
/// token is told so before what else is wrong with it; only then is the blacklist read here.
pub async fn claims(app: &App, token: &str, now: i64) -> Result<(Arc<Jwt>, Claims), ApiError> {
    let (jwt, signed) = app
        .keys
        .open(token, now)
        .await
        .map_err(ApiError::BadToken)?;
    let error = match jwt.check(&signed, TokenType::Refresh, now) {
        Ok(claims) => return Ok((jwt, claims)),
        Err(error) => error,
    };
    let blacklisted = match jwt.token_id(&signed, now) {
        Some(jti) => app.store.token_and_user(jti, None, now).await?.0,
        None => false,
    };
    Err(ApiError::BadToken(if blacklisted {
        TokenError::Blacklisted
    } else {
        error
    }))
}
