//! `django.contrib.auth.models.Group`.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

use super::{GroupName, PermissionId, SetChange};

/// A group's primary key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GroupId(pub u64);

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A named set of permissions that users join.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// The primary key.
    pub id: GroupId,
    /// Unique, with regard to case.
    pub name: GroupName,
    /// What its members may do. May name permissions that are gone: readers ignore those.
    #[serde(
        default,
        skip_serializing_if = "BTreeSet::is_empty",
        with = "serde_dynamo::number_set"
    )]
    pub permission_ids: BTreeSet<PermissionId>,
    /// Whether a load of Django's dump made it, so that a later one may rename or delete it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub from_django: bool,
    /// Counts the changes, for optimistic locking.
    pub version: u64,
}

/// What profiles, lists and choices show of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupLabel {
    /// The primary key.
    pub id: GroupId,
    /// Unique, with regard to case.
    pub name: GroupName,
}

impl From<Group> for GroupLabel {
    fn from(Group { id, name, .. }: Group) -> Self {
        Self { id, name }
    }
}

/// A change of a group: what is absent stays as it is.
#[derive(Clone, Debug, Default)]
pub struct GroupChange {
    /// The name.
    pub name: Option<GroupName>,
    /// What its members may do.
    pub permissions: Option<SetChange<PermissionId>>,
}

impl GroupChange {
    /// The group with the change.
    pub fn apply(&self, group: &Group) -> Group {
        let Self { name, permissions } = self;
        let mut group = group.clone();
        group.name = name.clone().unwrap_or(group.name);
        if let Some(permissions) = permissions {
            group.permission_ids = permissions.apply(&group.permission_ids);
        }
        group
    }
}
