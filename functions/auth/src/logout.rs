//! `POST /api/auth/logout/` ends a session with its access tokens; `POST /api/auth/token/blacklist/`
//! ends only the refresh token, as in SimpleJWT.

use axum::{Json, extract::State};
use serde_json::{Value, json};
use shared::{
    accounts::sessions,
    app::App,
    http::{ApiError, JsonOrForm},
};

use crate::refresh::{claims, token_field};

pub async fn log_out(State(app): State<App>, body: JsonOrForm) -> Result<Json<Value>, ApiError> {
    let token = token_field(body, "refresh")?;
    let (_, claims) = claims(&app, &token).await?;
    sessions::log_out(&app, &claims).await?;
    Ok(Json(json!({})))
}

pub async fn blacklist(State(app): State<App>, body: JsonOrForm) -> Result<Json<Value>, ApiError> {
    let token = token_field(body, "refresh")?;
    let (_, claims) = claims(&app, &token).await?;
    sessions::blacklist(&app, &claims).await?;
    Ok(Json(json!({})))
}
