//! `django.contrib.auth.models.User`, without its password.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

use super::{EmailAddress, GroupId, PermissionId, PersonName, UserName};

/// A user's primary key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(pub u64);

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A user as the table holds him: everything but the secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct User {
    /// The primary key.
    pub id: UserId,
    /// Unique, with regard to case.
    pub username: UserName,
    /// Unique without regard to case; may be empty for accounts made on the command line.
    pub email: EmailAddress,
    /// May be empty.
    pub first_name: PersonName,
    /// May be empty.
    pub last_name: PersonName,
    /// A user who is not active cannot log in, and his tokens are refused.
    pub is_active: bool,
    /// An admin of the API.
    pub is_staff: bool,
    /// Holds every permission.
    pub is_superuser: bool,
    /// The groups he is in. May name groups that are gone: readers ignore those.
    #[serde(
        default,
        skip_serializing_if = "BTreeSet::is_empty",
        with = "serde_dynamo::number_set"
    )]
    pub group_ids: BTreeSet<GroupId>,
    /// The permissions he holds himself. May name permissions that are gone.
    #[serde(
        default,
        skip_serializing_if = "BTreeSet::is_empty",
        with = "serde_dynamo::number_set"
    )]
    pub permission_ids: BTreeSet<PermissionId>,
    /// Seconds since 1970.
    pub date_joined: i64,
    /// Seconds since 1970; kept only with `UPDATE_LAST_LOGIN`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_login: Option<i64>,
    /// Tokens with an `iat` before this are refused; set by every change of the password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_valid_after: Option<i64>,
    /// Counts the changes, for optimistic locking.
    pub version: u64,
}

impl User {
    /// Whether he counts for the rule that one active superuser remains.
    pub fn is_active_superuser(&self) -> bool {
        self.is_active && self.is_superuser
    }

    /// The first `iat` that his tokens may carry: the second after his last change of password,
    /// so that tokens of that very second are refused and new ones are not.
    pub fn issued_at(&self, now: i64) -> i64 {
        self.tokens_valid_after.map_or(now, |after| now.max(after))
    }
}
