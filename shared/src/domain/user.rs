//! `django.contrib.auth.models.User`, without its password.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

use super::{
    EmailAddress, GroupId, PermissionId, PersonName, UserName, password::PersonalAttributes,
};

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
    /// Sessions of the admin pages that began before this have ended; set when he is deactivated
    /// or leaves the staff. In seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sessions_valid_after: Option<i64>,
    /// Counts the changes, for optimistic locking.
    pub version: u64,
}

/// What the admin pages filter users by. Each is rare enough for an index of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flag {
    /// `is_superuser`.
    Superuser,
    /// `is_staff`.
    Staff,
    /// Not `is_active`.
    Inactive,
}

impl Flag {
    /// All flags, the rarest first.
    pub const ALL: [Self; 3] = [Self::Superuser, Self::Staff, Self::Inactive];

    /// Its name in the table's keys.
    pub fn name(self) -> &'static str {
        match self {
            Self::Superuser => "SUPERUSER",
            Self::Staff => "STAFF",
            Self::Inactive => "INACTIVE",
        }
    }
}

impl User {
    /// Whether he has a flag.
    pub fn has(&self, flag: Flag) -> bool {
        match flag {
            Flag::Superuser => self.is_superuser,
            Flag::Staff => self.is_staff,
            Flag::Inactive => !self.is_active,
        }
    }

    /// What his password must not be like.
    pub fn attributes(&self) -> PersonalAttributes<'_> {
        PersonalAttributes {
            username: self.username.as_str(),
            first_name: self.first_name.as_str(),
            last_name: self.last_name.as_str(),
            email: self.email.as_str(),
        }
    }

    /// Django's `get_full_name`.
    pub fn full_name(&self) -> String {
        let name = format!("{} {}", self.first_name.as_str(), self.last_name.as_str());
        name.trim().to_owned()
    }

    /// Whether he counts for the rule that one active superuser remains.
    pub fn is_active_superuser(&self) -> bool {
        self.is_active && self.is_superuser
    }

    /// When a session that begins now counts as begun: after whatever has ended others.
    pub fn session_begins(&self, now: i64) -> i64 {
        let begins = self.issued_at(now);
        self.sessions_valid_after
            .map_or(begins, |after| begins.max(after))
    }

    /// Whether a session that began then has been ended: by a change of his password, or since he
    /// was deactivated or left the staff.
    pub fn has_ended_session_of(&self, begun: i64) -> bool {
        let ends = [self.tokens_valid_after, self.sessions_valid_after];
        ends.into_iter().flatten().any(|after| begun < after)
    }

    /// The first `iat` that his tokens may carry: the second after his last change of password,
    /// so that tokens of that very second are refused and new ones are not.
    pub fn issued_at(&self, now: i64) -> i64 {
        self.tokens_valid_after.map_or(now, |after| now.max(after))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn user(tokens: Option<i64>, sessions: Option<i64>) -> User {
        let user = json!({
            "id": 7, "username": "ann", "email": "", "first_name": "", "last_name": "",
            "is_active": true, "is_staff": true, "is_superuser": false, "date_joined": 0,
            "tokens_valid_after": tokens, "sessions_valid_after": sessions, "version": 1,
        });
        serde_json::from_value(user).unwrap()
    }

    #[test]
    fn a_session_ends_with_what_comes_after_the_look_at_the_password() {
        // Begun at 100; the password is changed, or the user deactivated, in second 99, 100, 105.
        for (at, ended) in [(99, false), (100, true), (105, true)] {
            let begun = user(None, None).session_begins(100);
            assert_eq!(user(Some(at + 1), None).has_ended_session_of(begun), ended);
            assert_eq!(user(None, Some(at + 1)).has_ended_session_of(begun), ended);
        }
    }

    #[test]
    fn a_session_that_begins_in_the_second_of_a_change_goes_on() {
        for changed in [
            user(Some(101), None),
            user(None, Some(101)),
            user(Some(101), Some(101)),
        ] {
            let begun = changed.session_begins(100);
            assert!(!changed.has_ended_session_of(begun));
        }
    }
}
