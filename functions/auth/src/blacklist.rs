//! `POST /api/auth/token/blacklist/`: ends a refresh token. Access tokens made from it live on.

use axum::{Json, extract::State};
use serde_json::{Value, json};
use shared::{app::App, error::ApiError, http::JsonOrForm, jwt::TokenError};

use crate::refresh::{claims, token_field};

pub async fn blacklist(State(app): State<App>, body: JsonOrForm) -> Result<Json<Value>, ApiError> {
    let token = token_field(body, "refresh")?;
    let claims = claims(&app, &token, app.clock.now()).await?;
    if app.store.blacklist(&claims.jti, claims.exp).await? {
        Ok(Json(json!({})))
    } else {
        Err(ApiError::BadToken(TokenError::Blacklisted))
    }
}
