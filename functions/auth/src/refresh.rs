//! `POST /api/auth/token/refresh/`, `jwt/refresh/`: a refresh token for an access token, and with
//! rotation for the next refresh token.

use std::sync::Arc;

use axum::{Json, extract::State};
use shared::{
    accounts::sessions,
    app::App,
    domain::names::AnyText,
    http::{
        ApiError, JsonOrForm,
        describe::{Answer, Body, Content, Field, Kind, Object, Operation, Refusal},
        extract::RequestClient,
    },
    input::Presence,
    jwt::{Claims, Jwt, TokenError, TokenType},
};

use crate::login::Tokens;

pub static REFRESH: Operation = Operation {
    summary: "Get a new access token",
    notes: "With `ROTATE_REFRESH_TOKENS` the answer also has the refresh token that replaces this one.",
    body: Some(Body {
        form: &REFRESH_TOKEN,
        sample: r#"{"refresh": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ0b2tlbl90eXBlIjoicmVmcmVzaCIsImV4cCI6NDEwMjQ0NDgwMCwiaWF0IjoxNzY3MjI1NjAwLCJqdGkiOiIwN2QxMzJjY2E3YTYzNThmZjE2NmRmNWI5ODE3YmQ3ZSIsInVzZXJfaWQiOiIxMDAyIn0.Cowmay9raF8cPrMUVHOpbw3oMiW20fk9d0YurXWc5LU"}"#,
    }),
    answer: Answer::ok(
        Content::One(&REFRESHED),
        r#"{"access": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.c2ln"}"#,
    ),
    refusals: &[Refusal::BadToken, Refusal::Conflict],
    ..Operation::NEW
};

pub static REFRESH_TOKEN: Object = Object {
    name: "TokenRefresh",
    fields: &[Field::new("refresh", Kind::Token)],
};

static REFRESHED: Object = Object {
    name: "TokenRefresh",
    fields: &[
        Field::new("refresh", Kind::Token)
            .optional()
            .about("Only with `ROTATE_REFRESH_TOKENS`."),
        Field::new("access", Kind::Token),
    ],
};

pub async fn refresh(
    State(app): State<App>,
    RequestClient(client): RequestClient,
    body: JsonOrForm,
) -> Result<Json<Tokens>, ApiError> {
    let token = token_field(body, "refresh")?;
    let (jwt, claims) = claims(&app, &token).await?;
    let tokens = sessions::refresh(&app, &jwt, &claims, &client).await?;
    Ok(Json(tokens.into()))
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
pub async fn claims(app: &App, token: &str) -> Result<(Arc<Jwt>, Claims), ApiError> {
    let now = app.clock.now();
    let opened = app.keys.open(token, now).await;
    let (jwt, signed) = opened.map_err(ApiError::BadToken)?;
    let error = match jwt.check(&signed, TokenType::Refresh, now) {
        Ok(claims) => return Ok((jwt, claims)),
        Err(error) => error,
    };
    let blacklisted = match jwt.token_id(&signed, now) {
        Some(jti) => app.store.is_blacklisted(jti).await?,
        None => false,
    };
    Err(ApiError::BadToken(if blacklisted {
        TokenError::Blacklisted
    } else {
        error
    }))
}
