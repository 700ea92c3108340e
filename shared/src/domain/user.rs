//! `django.contrib.auth.models.User`, without its password.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

use super::{
    EmailAddress, GroupId, PermissionId, PersonName, SetChange, UserName,
    password::PersonalAttributes,
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

/// A user as the table holds them: everything but the password hash.
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
    /// A user who is not active cannot log in, and their tokens are refused.
    pub is_active: bool,
    /// An admin of the API.
    pub is_staff: bool,
    /// Holds every permission.
    pub is_superuser: bool,
    /// Their groups. May name groups that are deleted: readers ignore those.
    #[serde(
        default,
        skip_serializing_if = "BTreeSet::is_empty",
        with = "serde_dynamo::number_set"
    )]
    pub group_ids: BTreeSet<GroupId>,
    /// The permissions they hold directly. May name permissions that are deleted.
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
    /// Sessions of the admin pages that began before this have ended; set when the user is
    /// deactivated or leaves the staff. In seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sessions_valid_after: Option<i64>,
    /// Counts the changes, for optimistic locking.
    pub version: u64,
}

/// A user about to be made.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// The username.
    pub username: UserName,
    /// The email address; empty for accounts made on the command line or by an admin only.
    pub email: EmailAddress,
    /// May be empty.
    pub first_name: PersonName,
    /// May be empty.
    pub last_name: PersonName,
    /// Whether they may log in.
    pub is_active: bool,
    /// Whether they are an admin.
    pub is_staff: bool,
    /// Whether they are a superuser.
    pub is_superuser: bool,
    /// Seconds since 1970.
    pub date_joined: i64,
}

impl NewUser {
    /// An active user without an address, names or flags, who joins at `now` (seconds since 1970).
    pub fn named(username: UserName, now: i64) -> Self {
        Self {
            username,
            email: EmailAddress::default(),
            first_name: PersonName::default(),
            last_name: PersonName::default(),
            is_active: true,
            is_staff: false,
            is_superuser: false,
            date_joined: now,
        }
    }

    /// What the password must not be like.
    pub fn attributes(&self) -> PersonalAttributes<'_> {
        PersonalAttributes {
            username: self.username.as_str(),
            first_name: self.first_name.as_str(),
            last_name: self.last_name.as_str(),
            email: self.email.as_str(),
        }
    }

    /// The user with an id.
    pub fn into_user(self, id: UserId) -> User {
        let Self {
            username,
            email,
            first_name,
            last_name,
            is_active,
            is_staff,
            is_superuser,
            date_joined,
        } = self;
        User {
            id,
            username,
            email,
            first_name,
            last_name,
            is_active,
            is_staff,
            is_superuser,
            group_ids: BTreeSet::new(),
            permission_ids: BTreeSet::new(),
            date_joined,
            last_login: None,
            tokens_valid_after: None,
            sessions_valid_after: None,
            version: 1,
        }
    }
}

/// A change of a user: what is absent stays as it is.
#[derive(Clone, Debug, Default)]
pub struct UserChange {
    /// The username.
    pub username: Option<UserName>,
    /// The email address.
    pub email: Option<EmailAddress>,
    /// The first name.
    pub first_name: Option<PersonName>,
    /// The last name.
    pub last_name: Option<PersonName>,
    /// Whether they may log in.
    pub is_active: Option<bool>,
    /// Whether they are an admin.
    pub is_staff: Option<bool>,
    /// Whether they are a superuser.
    pub is_superuser: Option<bool>,
    /// Their groups.
    pub groups: Option<SetChange<GroupId>>,
    /// The permissions they hold directly.
    pub permissions: Option<SetChange<PermissionId>>,
    /// When they logged in last, in seconds since 1970, or that they never did.
    pub last_login: Option<Option<i64>>,
    /// When they joined, in seconds since 1970.
    pub date_joined: Option<i64>,
}

impl UserChange {
    /// The user with the change.
    pub fn apply(&self, user: &User) -> User {
        // Exhaustive, so that a new field is not forgotten here.
        let Self {
            username,
            email,
            first_name,
            last_name,
            is_active,
            is_staff,
            is_superuser,
            groups,
            permissions,
            last_login,
            date_joined,
        } = self;
        let mut user = user.clone();
        user.username = username.clone().unwrap_or(user.username);
        user.email = email.clone().unwrap_or(user.email);
        user.first_name = first_name.clone().unwrap_or(user.first_name);
        user.last_name = last_name.clone().unwrap_or(user.last_name);
        user.is_active = is_active.unwrap_or(user.is_active);
        user.is_staff = is_staff.unwrap_or(user.is_staff);
        user.is_superuser = is_superuser.unwrap_or(user.is_superuser);
        user.last_login = last_login.unwrap_or(user.last_login);
        user.date_joined = date_joined.unwrap_or(user.date_joined);
        if let Some(groups) = groups {
            user.group_ids = groups.apply(&user.group_ids);
        }
        if let Some(permissions) = permissions {
            user.permission_ids = permissions.apply(&user.permission_ids);
        }
        user
    }
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
    /// Whether they have a flag.
    pub fn has(&self, flag: Flag) -> bool {
        match flag {
            Flag::Superuser => self.is_superuser,
            Flag::Staff => self.is_staff,
            Flag::Inactive => !self.is_active,
        }
    }

    /// What the password must not be like.
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

    /// Whether they count for the rule that one active superuser remains.
    pub fn is_active_superuser(&self) -> bool {
        self.is_active && self.is_superuser
    }

    /// When a session that begins now counts as begun: after whatever has ended others.
    pub fn session_begins(&self, now: i64) -> i64 {
        let begins = self.issued_at(now);
        self.sessions_valid_after
            .map_or(begins, |after| begins.max(after))
    }

    /// Whether a session that began then has been ended: by a change of the password, a
    /// deactivation, or by leaving the staff.
    pub fn has_ended_session_of(&self, begun: i64) -> bool {
        let ends = [self.tokens_valid_after, self.sessions_valid_after];
        ends.into_iter().flatten().any(|after| begun < after)
    }

    /// The first `iat` that a token may carry: the second after the last change of the password, so
    /// that tokens of that very second are refused and new ones are not.
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
