//! `POST /api/auth/logout/` ends a session with its access tokens; `POST /api/auth/token/blacklist/`
//! ends only the refresh token, as in SimpleJWT.

use axum::{Json, extract::State};
use serde_json::{Value, json};
use shared::{
    accounts::logout,
    app::App,
    http::{
        ApiError, JsonOrForm,
        describe::{Answer, Body, Content, EMPTY, Operation, Refusal},
    },
};

use crate::refresh::{REFRESH_TOKEN, claims, token_field};

/// The sample of both.
const SAMPLE: &str = r#"{"refresh": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ0b2tlbl90eXBlIjoicmVmcmVzaCIsImV4cCI6NDEwMjQ0NDgwMCwiaWF0IjoxNzY3MjI1NjAwLCJqdGkiOiI0NjJjZDRlYzczNzk3NTY3ZDFiYmJhY2YxOTY4MzliOSIsInVzZXJfaWQiOiIxMDAyIn0.Gm_rwWryG1CF7CJB0-UbDswpgXXuM5AMZOVNLyKVUhg"}"#;

pub static LOG_OUT: Operation = Operation {
    summary: "End a session",
    notes: "Its refresh token and its access tokens end at once. A token that belongs to no session is only blacklisted.",
    ..BLACKLIST_LIKE
};

pub static BLACKLIST: Operation = Operation {
    summary: "Blacklist a refresh token",
    notes: "Access tokens that it gave remain valid until they expire.",
    ..BLACKLIST_LIKE
};

const BLACKLIST_LIKE: Operation = Operation {
    body: Some(Body {
        form: &REFRESH_TOKEN,
        sample: SAMPLE,
    }),
    answer: Answer::ok(Content::One(&EMPTY), "{}"),
    refusals: &[Refusal::BadToken, Refusal::Conflict],
    ..Operation::NEW
};

pub async fn log_out(State(app): State<App>, body: JsonOrForm) -> Result<Json<Value>, ApiError> {
    let token = token_field(body, "refresh")?;
    let (_, claims) = claims(&app, &token).await?;
    logout::log_out(&app, &claims).await?;
    Ok(Json(json!({})))
}

pub async fn blacklist(State(app): State<App>, body: JsonOrForm) -> Result<Json<Value>, ApiError> {
    let token = token_field(body, "refresh")?;
    let (_, claims) = claims(&app, &token).await?;
    logout::blacklist(&app, &claims).await?;
    Ok(Json(json!({})))
}
