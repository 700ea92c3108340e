//! `POST /api/auth/users/set_username/`: a new username for the caller, by their password.

use axum::{extract::State, response::Response};
use shared::{
    accounts::{self, Refused},
    app::App,
    forms::{NewUserName, as_new_username},
    http::{
        ApiError, Caller, JsonOrForm,
        describe::{Body, Field, Kind, Object, Operation, Refusal},
        extract::RequestClient,
        no_content,
    },
};

use crate::current_password;

pub static SET_USERNAME: Operation = Operation {
    summary: "Set a new username",
    notes: "A wrong password counts as a failed login.",
    body: Some(Body {
        form: &Object {
            name: "SetUsername",
            fields: &[
                Field::new("current_password", Kind::Password),
                Field::new("new_username", Kind::Limited(150)),
                Field::new("re_new_username", Kind::Text)
                    .optional()
                    .about("Required with `SET_USERNAME_RETYPE`."),
            ],
        },
        sample: r#"{"current_password": "sample-Pass-phrase-1", "new_username": "sample-anna"}"#,
    }),
    refusals: &[Refusal::Throttled],
    ..Operation::NEW
};

pub async fn set_username(
    Caller(caller): Caller,
    State(app): State<App>,
    RequestClient(client): RequestClient,
    body: JsonOrForm,
) -> Result<Response, ApiError> {
    let retypes = app.settings.accounts.set_username_retype;
    let mut fields = body.fields()?;
    current_password::check(&app, &caller, &client, &mut fields).await?;
    let new = NewUserName::read(&app.store, &mut fields, retypes).await?;
    let Some(new) = new else {
        return Err(fields.into_errors().into());
    };
    let name = new.checked()?;
    accounts::users::rename(&app.store, &caller, &name, &client)
        .await
        .map_err(of_new_username)?;
    Ok(no_content())
}

/// A refusal whose errors are of the field `new_username`.
pub fn of_new_username(refused: Refused) -> ApiError {
    match refused {
        Refused::Invalid(errors) => as_new_username(errors).into(),
        refused => refused.into(),
    }
}
