//! The forms of users, groups and permissions: what the JSON API and the admin pages both take.

mod account;
mod group;
mod permission;
mod related;
mod user;

pub use account::{
    NewPassword, NewUserName, TypedPassword, addressee, as_new_username, given_link, required_link,
};
pub use group::{group_change, group_name};
pub use permission::{new_permission, permission_change};
pub use related::{Lookup, listed, named};
pub use user::{NewAccount, invited, new_password, profile_change};

use crate::{domain::FieldError, input::FieldErrors, store::StoreError};

/// Why a form could not be read.
#[derive(Debug)]
pub enum FormError {
    /// What is wrong with it.
    Invalid(FieldErrors),
    /// The table did not answer.
    Unavailable(StoreError),
}

impl FormError {
    fn field(field: &'static str, error: FieldError) -> Self {
        Self::Invalid(FieldErrors::one(field, error))
    }
}

impl From<FieldErrors> for FormError {
    fn from(errors: FieldErrors) -> Self {
        Self::Invalid(errors)
    }
}

impl From<StoreError> for FormError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error)
    }
}
