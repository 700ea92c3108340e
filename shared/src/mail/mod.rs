//! Mails that are owed, and the links in them. What sends them is the function `mailer`.

pub mod links;

use serde::{Deserialize, Serialize};

use crate::domain::{EmailAddress, UserId};

/// What a mail is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A link that activates an account that was never active, or confirms a new address.
    Activation,
    /// A link that sets a new password, which somebody asked for.
    PasswordReset,
    /// A link that sets a new username, which somebody asked for.
    UsernameReset,
    /// A link that sets the first password of an account that others made.
    Invitation,
    /// The account is ready.
    Confirmation,
    /// The password was changed.
    PasswordChanged,
    /// The username was changed.
    UsernameChanged,
    /// The address was changed: to the one before.
    EmailChanged,
    /// A session was ended, since a replaced token of it was used again.
    SessionEnded,
}

/// A mail that is owed. It holds no token: the link is made when it is sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mail {
    /// In the order of time, and unique.
    pub id: String,
    /// What it is about.
    pub kind: Kind,
    /// The account that it is about. None if somebody asked for it by the address alone: then those who
    /// have the address get it, if anybody does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// The address it goes to. If the account has another by then, it is dropped, except one of
    /// [`Kind::EmailChanged`].
    pub to: EmailAddress,
    /// When it was owed, in seconds since 1970.
    pub created: i64,
    /// When the table may forget it, in seconds since 1970.
    pub ttl: i64,
    /// The source address of the request that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The `User-Agent` of that request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// How often it was tried and failed.
    #[serde(default)]
    pub tries: u64,
    /// Until when a mailer has it in its hands, in seconds since 1970.
    pub claimed_until: i64,
}

/// How long a mail is owed, in seconds: a week.
const KEPT: i64 = 7 * 86_400;

impl Mail {
    /// A mail that is owed from `now` (seconds since 1970) on.
    pub fn new(kind: Kind, user_id: Option<UserId>, to: EmailAddress, now: i64) -> Self {
        Self {
            id: format!("{now:010}{:016x}", rand::random::<u64>()),
            kind,
            user_id,
            to,
            created: now,
            ttl: now + KEPT,
            address: None,
            user_agent: None,
            tries: 0,
            claimed_until: 0,
        }
    }
}
