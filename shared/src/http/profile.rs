//! A user as the API shows them.

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;

use super::describe::{Field, Kind, Object};
use crate::{
    domain::{Group, GroupId, GroupLabel, User},
    store::{Store, StoreError},
};

/// [`GroupLabel`] in the document.
pub static GROUP_NAME: Object = Object {
    name: "GroupName",
    fields: &[Field::new("id", Kind::Id), Field::new("name", Kind::Text)],
};

/// A user's profile, with their groups in order of id.
#[derive(Debug, Serialize)]
pub struct Profile {
    id: u64,
    username: String,
    email: String,
    first_name: String,
    last_name: String,
    groups: Vec<GroupLabel>,
}

/// [`Profile`] in the document.
pub static PROFILE: Object = Object {
    name: "User",
    fields: &[
        Field::new("id", Kind::Id),
        Field::new("username", Kind::Text),
        Field::new("email", Kind::Text).about("Empty if the account has no address."),
        Field::new("first_name", Kind::Text),
        Field::new("last_name", Kind::Text),
        Field::new("groups", Kind::Many(&GROUP_NAME)).about("In order of id."),
    ],
};

impl Profile {
    /// The profile of one user: a read if they are in groups, else none.
    pub async fn of(user: &User, store: &Store) -> Result<Self, StoreError> {
        let names = group_names(store, user.group_ids.clone()).await?;
        Ok(Self::with(user, &names))
    }

    /// The profile of a user whose groups are at hand.
    pub fn in_groups(user: &User, groups: impl IntoIterator<Item = Group>) -> Self {
        Self::with(user, &named(groups))
    }

    /// The names of the groups of several users: one read.
    pub(super) async fn names_for(
        users: &[User],
        store: &Store,
    ) -> Result<HashMap<GroupId, GroupLabel>, StoreError> {
        let ids = users.iter().flat_map(|user| &user.group_ids).copied();
        group_names(store, ids.collect()).await
    }

    /// Deleted groups are not in `names`, and so not in the profile.
    pub(super) fn with(user: &User, names: &HashMap<GroupId, GroupLabel>) -> Self {
        Self {
            id: user.id.0,
            username: user.username.as_str().to_owned(),
            email: user.email.as_str().to_owned(),
            first_name: user.first_name.as_str().to_owned(),
            last_name: user.last_name.as_str().to_owned(),
            groups: user
                .group_ids
                .iter()
                .filter_map(|id| names.get(id).cloned())
                .collect(),
        }
    }
}

async fn group_names(
    store: &Store,
    ids: BTreeSet<GroupId>,
) -> Result<HashMap<GroupId, GroupLabel>, StoreError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    Ok(named(store.groups_of(&ids).await?))
}

fn named(groups: impl IntoIterator<Item = Group>) -> HashMap<GroupId, GroupLabel> {
    let labels = groups.into_iter().map(GroupLabel::from);
    labels.map(|label| (label.id, label)).collect()
}
