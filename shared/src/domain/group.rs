//! `django.contrib.auth.models.Group`.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

use super::{GroupName, PermissionId};

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
    /// Counts the changes, for optimistic locking.
    pub version: u64,
}
