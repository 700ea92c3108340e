//! `POST /api/auth/token/refresh/`: a refresh token for an access token.

use axum::{Json, extract::State};
use serde::Serialize;
use shared::{
    app::App,
    domain::names::AnyText,
    error::ApiError,
    http::JsonOrForm,
    input::Presence,
    jwt::{TokenError, TokenType},
};

/// A new access token.
#[derive(Serialize)]
pub struct Access {
    access: String,
}

pub async fn refresh(State(app): State<App>, body: JsonOrForm) -> Result<Json<Access>, ApiError> {
    let token = token_field(body, "refresh")?;
    let now = app.clock.now();
    let claims = app.jwt.verify(&token, TokenType::Refresh, now).map_err(ApiError::BadToken)?;
    let (blacklisted, user) = app.store.token_and_user(&claims.jti, claims.user_id(), now).await?;
    if blacklisted {
        return Err(ApiError::BadToken(TokenError::Blacklisted));
    }
    let user = user.filter(|user| user.is_active).ok_or(ApiError::NoActiveAccount)?;
    if claims.is_revoked_for(&user) {
        return Err(ApiError::BadToken(TokenError::Invalid));
    }
    Ok(Json(Access { access: app.jwt.refresh(&claims, &user, now) }))
}

/// The one field of a token endpoint.
pub fn token_field(body: JsonOrForm, name: &'static str) -> Result<String, ApiError> {
    let mut fields = body.fields()?;
    match fields.text::<AnyText>(name, Presence::Required) {
        Some(token) => Ok(token.into_inner()),
        None => Err(fields.into_errors().into()),
    }
}
