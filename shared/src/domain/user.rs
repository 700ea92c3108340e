//! `django.contrib.auth.models.User`, without its password.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

use super::{
    EmailAddress, Extra, GroupId, PermissionId, PersonName, SetChange, UserName,
    password::PersonalAttributes,
};

/// A user's primary key.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
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
    /// The microseconds beyond, where Django gave them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub date_joined_micros: u32,
    /// Seconds since 1970; kept only with `UPDATE_LAST_LOGIN`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_login: Option<i64>,
    /// The microseconds beyond, where Django gave them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub last_login_micros: u32,
    /// Whether the address came from Django with other users who have it too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shares_email: bool,
    /// Whether they were never active, and wait for the link of a mail.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub awaits_activation: bool,
    /// A new address, which waits for the link of a mail to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending_email: Option<EmailAddress>,
    /// Whether a load of Django's dump made them, so that a later one may delete them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub from_django: bool,
    /// Further fields of a custom user model of Django.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
    /// Counts what ends every session of the user: a new password, a deactivation, "end all
    /// sessions". A session is live only with the user's present epoch.
    #[serde(default)]
    pub epoch: u64,
    /// Counts how often the user left the staff, which ends their sessions of the admin pages.
    #[serde(default)]
    pub staff_epoch: u64,
    /// Tokens that belong to no session (of Django, or an older version) are refused with an `iat`
    /// before this. Only ever rises, with the epoch. In seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_valid_after: Option<i64>,
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
    /// Whether they wait for the link of a mail, and are not active until then.
    pub awaits_activation: bool,
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
            awaits_activation: false,
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
            awaits_activation,
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
            date_joined_micros: 0,
            last_login: None,
            last_login_micros: 0,
            shares_email: false,
            awaits_activation,
            pending_email: None,
            from_django: false,
            extra: Extra::default(),
            epoch: 0,
            staff_epoch: 0,
            tokens_valid_after: None,
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
        let address = user.email.lower();
        user.email = email.clone().unwrap_or(user.email);
        user.shares_email &= user.email.lower() == address;
        user.first_name = first_name.clone().unwrap_or(user.first_name);
        user.last_name = last_name.clone().unwrap_or(user.last_name);
        user.is_active = is_active.unwrap_or(user.is_active);
        user.awaits_activation &= !user.is_active;
        user.is_staff = is_staff.unwrap_or(user.is_staff);
        user.is_superuser = is_superuser.unwrap_or(user.is_superuser);
        if let Some(last_login) = last_login.filter(|time| *time != user.last_login) {
            (user.last_login, user.last_login_micros) = (last_login, 0);
        }
        if let Some(joined) = date_joined.filter(|time| *time != user.date_joined) {
            (user.date_joined, user.date_joined_micros) = (joined, 0);
        }
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

    /// Ends all sessions and tokens at `now` (seconds since 1970).
    pub fn end_sessions(&mut self, now: i64) {
        self.epoch += 1;
        let last = self.tokens_valid_after.unwrap_or(i64::MIN);
        self.tokens_valid_after = Some((now + 1).max(last.saturating_add(1)));
    }

    /// Whether a token that belongs to no session is still good: issued after whatever ended the
    /// sessions, and not before the user joined (to another user with the same id, whom a restore of
    /// the table has lost).
    pub fn accepts_token_of(&self, iat: Option<i64>) -> bool {
        let is_late_enough = |least: i64| iat.is_some_and(|iat| iat >= least);
        self.tokens_valid_after.is_none_or(is_late_enough)
            && iat.is_none_or(|iat| iat >= self.date_joined.saturating_sub(CLOCK_SKEW))
    }
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// How far the clocks of two machines that issue tokens may differ, in seconds.
const CLOCK_SKEW: i64 = 60;

#[cfg(test)]
mod tests {
    use super::*;

    fn user() -> User {
        NewUser::named(UserName::default(), 1000).into_user(UserId(7))
    }

    #[test]
    fn each_end_of_sessions_raises_the_epoch_and_the_date_whatever_the_clock_says() {
        let mut ann = user();
        for (now, after) in [(2000, 2001), (2000, 2002), (1000, 2003), (3000, 3001)] {
            let epoch = ann.epoch;
            ann.end_sessions(now);
            assert_eq!(
                (ann.epoch, ann.tokens_valid_after),
                (epoch + 1, Some(after))
            );
        }
    }

    #[test]
    fn a_token_without_a_session_is_refused_from_before_an_end_or_the_beginning() {
        let mut ann = user();
        for (iat, good) in [
            (None, true),
            (Some(1000), true),
            (Some(940), true),
            (Some(939), false),
        ] {
            assert_eq!(ann.accepts_token_of(iat), good, "{iat:?}");
        }
        ann.end_sessions(2000);
        for (iat, good) in [(None, false), (Some(2000), false), (Some(2001), true)] {
            assert_eq!(ann.accepts_token_of(iat), good, "{iat:?}");
        }
    }
}
