//! `POST /api/auth/users/register/`: makes an account for the client.

use axum::{Json, extract::State, http::StatusCode};
use serde::Serialize;
use shared::{
    accounts,
    app::App,
    domain::User,
    forms::NewAccount,
    http::{
        ApiError, JsonOrForm, OptionalCaller,
        describe::{Answer, Body, Content, Field, Kind, Object, Operation, Refusal},
        extract::{RegistrationRate, RequestClient},
    },
    telemetry::{Event, note_event},
};

pub static REGISTER: Operation = Operation {
    summary: "Make an account",
    notes: "Usernames have letters and digits of any script, `@`, `.`, `+`, `-` and `_`, and are unique with regard to case; email addresses are unique without regard to case. Passwords must pass Django's four validators. With `SEND_ACTIVATION_EMAIL` the account is inactive until the link of a mail is opened.",
    body: Some(Body {
        form: &REGISTRATION,
        sample: r#"{"username": "sample-cid", "email": "cid@example.com", "password": "sample-Pass-phrase-1", "password2": "sample-Pass-phrase-1", "first_name": "Cid", "last_name": "Sample"}"#,
    }),
    answer: Answer::created(
        Content::One(&REGISTERED),
        r#"{"id": 1004, "username": "sample-cid", "email": "cid@example.com", "first_name": "Cid", "last_name": "Sample"}"#,
    ),
    refusals: &[Refusal::Conflict, Refusal::Throttled],
    ..Operation::NEW
};

static REGISTRATION: Object = Object {
    name: "Register",
    fields: &[
        Field::new("username", Kind::Limited(150)),
        Field::new("email", Kind::Email),
        Field::new("password", Kind::Password),
        Field::new("password2", Kind::Password)
            .about("The same again, unless `USER_CREATE_PASSWORD_RETYPE` is false."),
        Field::new("first_name", Kind::Limited(150)).optional(),
        Field::new("last_name", Kind::Limited(150)).optional(),
    ],
};

static REGISTERED: Object = Object {
    name: "Register",
    fields: &[
        Field::new("id", Kind::Id),
        Field::new("username", Kind::Text),
        Field::new("email", Kind::Text),
        Field::new("first_name", Kind::Text),
        Field::new("last_name", Kind::Text),
    ],
};

/// What a registration answers.
#[derive(Serialize)]
pub struct Registered {
    id: u64,
    username: String,
    email: String,
    first_name: String,
    last_name: String,
}

impl From<User> for Registered {
    fn from(user: User) -> Self {
        Self {
            id: user.id.0,
            username: user.username.as_str().to_owned(),
            email: user.email.as_str().to_owned(),
            first_name: user.first_name.as_str().to_owned(),
            last_name: user.last_name.as_str().to_owned(),
        }
    }
}

pub async fn register(
    _: OptionalCaller,
    _: RegistrationRate,
    State(app): State<App>,
    RequestClient(client): RequestClient,
    body: JsonOrForm,
) -> Result<(StatusCode, Json<Registered>), ApiError> {
    let (store, retypes) = (
        &app.store,
        app.settings.accounts.user_create_password_retype,
    );
    let account = NewAccount::registration(store, body.fields()?, retypes).await?;
    let NewAccount { user, password } = account;
    let user = accounts::new_users::register(store, &app.hasher, user, &password, &client).await?;
    note_event(Event::Registration.of(user.id).by_oneself());
    Ok((StatusCode::CREATED, Json(user.into())))
}
