//! `POST /api/auth/token/blacklist/`: ends a refresh token. Access tokens made from it live on.

use axum::{Json, extract::State};
use serde_json::{Value, json};
use shared::{
    app::App,
    http::{ApiError, JsonOrForm},
    jwt::TokenError,
};

use crate::refresh::{claims, token_field};

pub async fn blacklist(State(app): State<App>, body: JsonOrForm) -> Result<Json<Value>, ApiError> {
    let token = token_field(body, "refresh")?;
    let (_, claims) = claims(&app, &token, app.clock.now()).await?;
    // A token is taken until its leeway ends, so its entry must count as long.
    let until = claims.exp.saturating_add(app.settings.tokens.leeway);
    if app.store.blacklist(&claims.jti, until).await? {
        Ok(Json(json!({})))
    } else {
        Err(ApiError::BadToken(TokenError::Blacklisted))
    }
}
