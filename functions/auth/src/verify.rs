//! `POST /api/auth/token/verify/`, `jwt/verify/`: whether a token of any type is genuine and not
//! expired. As in SimpleJWT, only with BLACKLIST_AFTER_ROTATION is a used up refresh token refused; the user
//! is never looked at.

use axum::{Json, extract::State};
use serde_json::{Value, json};
use shared::{
    accounts::sessions,
    app::App,
    domain::FieldError,
    http::{ApiError, JsonOrForm},
    input::{FieldErrors, NON_FIELD_ERRORS},
    jwt::{TokenError, TokenType},
};

use crate::refresh::token_field;

pub async fn verify(State(app): State<App>, body: JsonOrForm) -> Result<Json<Value>, ApiError> {
    let token = token_field(body, "token")?;
    let now = app.clock.now();
    let opened = app.keys.open(&token, now).await;
    let (jwt, signed) = opened.map_err(ApiError::BadToken)?;
    jwt.check_untyped(&signed, now)
        .map_err(ApiError::BadToken)?;
    if app.settings.tokens.blacklist_after_rotation
        && let Ok(claims) = jwt.check(&signed, TokenType::Refresh, now)
        && sessions::is_used_up(&app, &claims).await?
    {
        // SimpleJWT's serializer says so, not its view: a 400.
        let error = FieldError::said(TokenError::Blacklisted.text());
        return Err(FieldErrors::one(NON_FIELD_ERRORS, error).into());
    }
    Ok(Json(json!({})))
}
