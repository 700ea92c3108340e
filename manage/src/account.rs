//! The account that a command is about.

use shared::{
    domain::{EmailAddress, User, UserId, names::TextField},
    store::Store,
};

use crate::CommandError;

/// The user with that username, as it is typed or else in NFKC.
///
/// # Errors
/// They do not exist, or the table's failure.
pub async fn named(store: &Store, username: &str) -> Result<User, CommandError> {
    let user = store.user_typed(username).await?;
    user.ok_or_else(|| unknown(username))
}

/// The error for an account that does not exist.
pub fn unknown(text: &str) -> CommandError {
    CommandError::new(format!("user '{text}' does not exist"))
}

/// Every user whose username, id or email address a text is.
///
/// # Errors
/// There is none, or the table's failure.
pub async fn called(store: &Store, text: &str) -> Result<Vec<User>, CommandError> {
    let mut found = Vec::new();
    found.extend(store.user_typed(text).await?);
    if let Ok(id) = text.parse() {
        found.extend(store.user(UserId(id)).await?);
    }
    if let Ok(email) = EmailAddress::parse(text.into()) {
        found.extend(store.user_by_email(&email).await?);
    }
    found.sort_by_key(|user| user.id);
    found.dedup_by_key(|user| user.id);
    if found.is_empty() {
        return Err(unknown(text));
    }
    Ok(found)
}
