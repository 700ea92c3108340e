//! The field `current_password`: the caller proves that they are the owner of their account.

use shared::{
    accounts::{
        Refused,
        login::{self, Attempt},
        sessions::Client,
    },
    app::App,
    domain::{FieldError, User},
    forms::TypedPassword,
    http::ApiError,
    input::Fields,
};

const FIELD: &str = "current_password";

/// Checks it as a login does, and counts it with the logins. What is wrong goes to the fields.
///
/// # Errors
/// Too many attempts, or the table's failure.
pub async fn check(
    app: &App,
    caller: &User,
    client: &Client,
    fields: &mut Fields,
) -> Result<(), ApiError> {
    let Some(typed) = TypedPassword::read(fields, FIELD) else {
        return Ok(());
    };
    let attempt = Attempt {
        username: caller.username.as_str(),
        password: &typed.password,
        untrimmed: typed.untrimmed.as_ref(),
        normalises: false,
        address: client.address,
    };
    match login::check_own(app, caller, attempt).await {
        Ok(()) => Ok(()),
        Err(Refused::WrongCredentials) => {
            fields.error(FIELD, FieldError::said("Invalid password."));
            Ok(())
        }
        Err(refused) => Err(refused.into()),
    }
}
