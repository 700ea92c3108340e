//! `POST /api/auth/token/verify/`: whether a token of any type is genuine and not expired.
//! As in SimpleJWT without rotation, neither the blacklist nor the user is looked at.

use axum::{Json, extract::State};
use serde_json::{Value, json};
use shared::{
    app::App,
    http::{ApiError, JsonOrForm},
};

use crate::refresh::token_field;

pub async fn verify(State(app): State<App>, body: JsonOrForm) -> Result<Json<Value>, ApiError> {
    let token = token_field(body, "token")?;
    let now = app.clock.now();
    let opened = app.keys.open(&token, now).await;
    opened
        .and_then(|(jwt, signed)| jwt.check_untyped(&signed, now))
        .map_err(ApiError::BadToken)?;
    Ok(Json(json!({})))
}
