//! `POST /api/auth/login/`, `jwt/create/`: a username and a password for a pair of tokens.

use axum::{Json, extract::State};
use serde::Serialize;
use shared::{
    accounts::{
        left_undone,
        login::{Attempt, log_in},
        sessions,
    },
    app::App,
    domain::names::AnyText,
    forms::TypedPassword,
    http::{
        ApiError, JsonOrForm,
        describe::{Answer, Body, Content, Field, Kind, Object, Operation, Refusal},
        extract::RequestClient,
    },
    input::Presence,
};

/// A pair of tokens. A refresh without rotation gives only the second.
#[derive(Serialize)]
pub struct Tokens {
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh: Option<String>,
    access: String,
}

impl From<sessions::Tokens> for Tokens {
    fn from(tokens: sessions::Tokens) -> Self {
        let sessions::Tokens { refresh, access } = tokens;
        Self { refresh, access }
    }
}

pub static LOGIN: Operation = Operation {
    summary: "Log in",
    notes: "Begins a session. Failed attempts are counted by username and by address.",
    body: Some(Body {
        form: &CREDENTIALS,
        sample: r#"{"username": "sample-ann", "password": "sample-Pass-phrase-1"}"#,
    }),
    answer: Answer::ok(
        Content::One(&TOKENS),
        r#"{"refresh": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.c2ln", "access": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.c2ln"}"#,
    ),
    refusals: &[Refusal::WrongCredentials, Refusal::Throttled],
    ..Operation::NEW
};

static CREDENTIALS: Object = Object {
    name: "TokenObtainPair",
    fields: &[
        Field::new("username", Kind::Text),
        Field::new("password", Kind::Password),
    ],
};

static TOKENS: Object = Object {
    name: "TokenObtainPair",
    fields: &[
        Field::new("refresh", Kind::Token),
        Field::new("access", Kind::Token),
    ],
};

pub async fn login(
    State(app): State<App>,
    RequestClient(client): RequestClient,
    body: JsonOrForm,
) -> Result<Json<Tokens>, ApiError> {
    let (username, typed) = credentials(body)?;
    let username = username.into_inner();
    let attempt = Attempt {
        username: &username,
        password: &typed.password,
        untrimmed: typed.untrimmed.as_ref(),
        normalises: false,
        address: client.address,
    };
    let user = log_in(&app, attempt, |_| true).await?;
    let now = app.clock.now();
    if app.settings.logins.update_last_login {
        left_undone(app.store.set_last_login(user.id, now).await);
    }
    let jwt = app.keys.current(now).await;
    Ok(Json(
        sessions::begin(&app, &jwt, &user, &client).await?.into(),
    ))
}

fn credentials(body: JsonOrForm) -> Result<(AnyText, TypedPassword), ApiError> {
    let mut fields = body.fields()?;
    let username = fields.text("username", Presence::Required);
    let password = TypedPassword::read(&mut fields, "password");
    let both = username.zip(password);
    both.ok_or_else(|| fields.into_errors().into())
}
