//! `POST /api/auth/users/register/`: anybody makes himself an account.

use axum::{Json, extract::State, http::StatusCode};
use serde::Serialize;
use shared::{
    app::App,
    domain::User,
    error::ApiError,
    forms::Registration,
    http::{
        JsonOrForm, OptionalCaller,
        log::{Event, note_event},
    },
    store::Actor,
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
    State(app): State<App>,
    body: JsonOrForm,
) -> Result<(StatusCode, Json<Registered>), ApiError> {
    let Registration { user, password } = Registration::read(&app, body.fields()?).await?;
    // The id is taken while the password is hashed.
    let (id, hash) = tokio::join!(app.store.next_user_id(), app.hasher.hash(&password));
    let user = app
        .store
        .create_user(id?, user, &hash, Actor::Registration)
        .await?;
    note_event(Event::Registration);
    Ok((StatusCode::CREATED, Json(user.into())))
}
