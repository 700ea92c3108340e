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
        extract::{RegistrationRate, RequestClient},
    },
    telemetry::{Event, note_event},
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
    let user = accounts::users::register(store, &app.hasher, user, &password, &client).await?;
    note_event(Event::Registration.of(user.id).by_oneself());
    Ok((StatusCode::CREATED, Json(user.into())))
}
