//! The field `current_password`: the caller proves that they are the owner of their account.

use shared::{
    accounts::{
        Refused,
        login::{self, Attempt},
        sessions::Client,
    },
    app::App,
    domain::{FieldError, User, names::AnyText},
    hashing::Password,
    http::ApiError,
    input::{Fields, Presence},
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
    let Some(trimmed) = fields.text::<AnyText>(FIELD, Presence::Required) else {
        return Ok(());
    };
    let typed = fields.untrimmed::<AnyText>(FIELD, Presence::Required);
    let typed = typed.filter(|typed| *typed != trimmed);
    let untrimmed = typed.map(|typed| Password::new(typed.into_inner()));
    let password = Password::new(trimmed.into_inner());
    let attempt = Attempt {
        username: caller.username.as_str(),
        password: &password,
        untrimmed: untrimmed.as_ref(),
        normalises: false,
        address: client.address,
    };
    match login::check(app, attempt, |user| user.id == caller.id).await {
        Ok(_) => Ok(()),
        Err(Refused::WrongCredentials) => {
            fields.error(FIELD, FieldError::said("Invalid password."));
            Ok(())
        }
        Err(refused) => Err(refused.into()),
    }
}
