//! The use cases: what is done to users, groups and permissions, and logins. Each owns its rule
//! (see [`rights`]), the write, the history, and what must be forgotten with a change. The JSON API,
//! the admin pages and the commands read input, call one, and render its answer or its refusal.

mod changes;
pub mod groups;
pub mod links;
pub mod lockout;
pub mod login;
pub mod logout;
pub mod mails;
pub mod new_users;
pub mod permissions;
pub mod rights;
pub mod sessions;
pub mod throttle;
pub mod users;

use crate::{
    forms::FormError,
    input::FieldErrors,
    jwt::TokenError,
    store::{Refusal, StoreError, WriteError, writes::begun},
};

/// Why something was not done.
#[derive(Debug)]
pub enum Refused {
    /// What is wrong with the input, a taken name included.
    Invalid(FieldErrors),
    /// The actor does not have the right.
    PermissionDenied,
    /// No active superuser would remain.
    LastSuperuser,
    /// The object does not exist, or no longer.
    NotFound,
    /// A wrong username or password, or a deactivated account.
    WrongCredentials,
    /// Too many attempts; the seconds to wait.
    Throttled(i64),
    /// A token that SimpleJWT's token endpoints refuse.
    Token(TokenError),
    /// What became meanwhile of the user who asks for it.
    Gone(Gone),
    /// A refresh token of a deleted or deactivated user.
    NoActiveAccount,
    /// The link of a mail for an account that is active already.
    StaleLink,
    /// Other requests changed the object at the same time, again and again.
    Conflict,
    /// The table did not answer.
    Unavailable(StoreError),
}

/// What became of the user who asks for something, while it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone {
    /// They were deleted.
    Deleted,
    /// They were deactivated.
    Inactive,
    /// The session of the request has ended.
    SessionEnded,
}

/// Logs the failure of what a request does beside what it is for: that is done, and the answer says so.
pub fn left_undone(beside: Result<(), StoreError>) {
    if let Err(error) = beside {
        tracing::warn!(%error, "left undone");
    }
}

impl Refused {
    /// The same, where a form calls a field of the model otherwise.
    #[must_use]
    pub fn under(self, field: &'static str, name: &'static str) -> Self {
        match self {
            Self::Invalid(errors) => Self::Invalid(errors.renamed(field, name)),
            other => other,
        }
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error)
    }
}

impl From<FormError> for Refused {
    fn from(error: FormError) -> Self {
        match error {
            FormError::Invalid(errors) => Self::Invalid(errors),
            FormError::Unavailable(error) => Self::Unavailable(error),
        }
    }
}

impl From<WriteError> for Refused {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Refused(refusals) => broken_rules(&refusals),
            WriteError::Contended => Self::Conflict,
            WriteError::Failed(error) => Self::Unavailable(error),
        }
    }
}

/// The answer to a write that broke rules of the table: field errors before the last superuser, as
/// everywhere.
fn broken_rules(refusals: &[Refusal]) -> Refused {
    if refusals.contains(&Refusal::Begun) {
        return begun().into();
    }
    let mut errors = FieldErrors::default();
    for (field, error) in refusals.iter().filter_map(|refusal| refusal.field_error()) {
        errors.add(field, [error]);
    }
    if !errors.is_empty() {
        Refused::Invalid(errors)
    } else if refusals.contains(&Refusal::SessionEnded) {
        Refused::Gone(Gone::SessionEnded)
    } else if refusals.contains(&Refusal::LastSuperuser) {
        Refused::LastSuperuser
    } else {
        // An id given twice: trying again is right.
        Refused::Unavailable(StoreError::new("write", format!("refused: {refusals:?}")))
    }
}
