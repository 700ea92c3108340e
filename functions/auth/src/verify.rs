//! `POST /api/auth/token/verify/`, `jwt/verify/`: whether a token of any type is genuine and not
//! expired. As in SimpleJWT, only with BLACKLIST_AFTER_ROTATION is a used up refresh token refused; the user
//! is never looked at.

use axum::{Json, extract::State};
use serde_json::{Value, json};
use shared::{
    accounts::sessions,
    app::App,
    domain::FieldError,
    http::{
        ApiError, JsonOrForm,
        describe::{Answer, Body, Content, EMPTY, Field, Kind, Object, Operation, Refusal},
    },
    input::{FieldErrors, NON_FIELD_ERRORS},
    jwt::{TokenError, TokenType},
};

use crate::refresh::token_field;

pub static VERIFY: Operation = Operation {
    summary: "Check a token",
    notes: "Its signature and its times, not its user. With `ROTATE_REFRESH_TOKENS` a refresh token that is blacklisted, replaced or of an ended session is a 400.",
    body: Some(Body {
        form: &TOKEN,
        sample: r#"{"token": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ0b2tlbl90eXBlIjoiYWNjZXNzIiwiZXhwIjo0MTAyNDQ0ODAwLCJpYXQiOjE3NjcyMjU2MDAsImp0aSI6IjU4YWM2YTQxNGY0Mzg3NWY5NjMwMGQ1ODNkNDczZGI1IiwidXNlcl9pZCI6IjEwMDIifQ.g5Go7uTPMo-iyog9dl8zM5BktLD9J0gMnBJaOlQx6Uc"}"#,
    }),
    answer: Answer::ok(Content::One(&EMPTY), "{}"),
    refusals: &[Refusal::BadToken],
    ..Operation::NEW
};

static TOKEN: Object = Object {
    name: "TokenVerify",
    fields: &[Field::new("token", Kind::Token)],
};

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
