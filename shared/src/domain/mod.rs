//! Users, groups, permissions and the rules of their parts: pure types, no I/O.

mod email;
mod extra;
pub mod field_error;
pub mod group;
pub mod log_entry;
pub mod names;
pub mod password;
pub mod permission;
pub mod quotas;
pub mod user;
pub mod words;

pub use extra::Extra;
pub use field_error::{FieldError, Unique};
pub use group::{Group, GroupChange, GroupId, GroupLabel};
pub use log_entry::Actor;
pub use names::{Codename, EmailAddress, GroupName, PermissionName, PersonName, UserName};
pub use permission::{ContentType, Permission, PermissionChange, PermissionId};
pub use user::{Flag, NewUser, User, UserChange, UserId};
pub use words::{Words, searchable};

use std::collections::BTreeSet;

/// How a set of ids changes.
#[derive(Clone, Debug)]
pub enum SetChange<T> {
    /// It becomes this one.
    Replace(BTreeSet<T>),
    /// It gets these.
    Add(BTreeSet<T>),
    /// It loses these.
    Remove(BTreeSet<T>),
}

impl<T: Copy + Ord> SetChange<T> {
    /// The set with the change.
    pub fn apply(&self, before: &BTreeSet<T>) -> BTreeSet<T> {
        match self {
            Self::Replace(after) => after.clone(),
            Self::Add(added) => before | added,
            Self::Remove(removed) => before - removed,
        }
    }
}
