//! Groups, and what their members may do.

use std::collections::BTreeSet;

use super::{
    Refused,
    changes::{self, Judged, judge},
    rights,
};
use crate::{
    domain::{Actor, Group, GroupChange, GroupId, GroupName, PermissionId, SetChange, quotas},
    input::FieldErrors,
    store::{Store, StoreError, keys::Sequence},
};

impl Judged for Group {
    async fn is_allowed(
        store: &Store,
        actor: Actor<'_>,
        before: Option<&Self>,
        after: Option<&Self>,
    ) -> Result<bool, StoreError> {
        rights::group(store, actor, before, after).await
    }

    fn crowded(before: Option<&Self>, after: &Self) -> FieldErrors {
        let mut errors = FieldErrors::default();
        let before = before.map_or(0, |group| group.permission_ids.len());
        let most = quotas::PERMISSIONS_OF_GROUP;
        let error = quotas::crowded(before, after.permission_ids.len(), most);
        errors.extend_one("permissions", error);
        errors
    }

    async fn taken(&self, store: &Store) -> Result<FieldErrors, StoreError> {
        store.group_name_taken(&self.name, Some(self.id)).await
    }
}

/// Makes a group.
///
/// # Errors
/// The name is taken, there are too many groups, the actor may not give the permissions, or the table's
/// failure.
pub async fn create(
    store: &Store,
    actor: Actor<'_>,
    name: GroupName,
    permission_ids: BTreeSet<PermissionId>,
) -> Result<Group, Refused> {
    let mut group = Group {
        // No group has this id, so that every other owner of the name counts.
        id: GroupId(0),
        name,
        permission_ids,
        from_django: false,
        version: 1,
    };
    judge(store, actor, None, Some(&group)).await?;
    group.id = GroupId(store.next_id(Sequence::Group).await?);
    must_fit(store, group.id).await?;
    Ok(store.insert(group, Vec::new(), actor).await?)
}

/// Refuses one group more than there may be. Several that are made at the same time may all fit.
async fn must_fit(store: &Store, id: GroupId) -> Result<(), Refused> {
    // Ids are never used twice: so many were never made.
    if id.0 <= quotas::GROUPS as u64 {
        return Ok(());
    }
    let there = store.group_count(quotas::GROUPS).await?;
    let error = quotas::full(there, there + 1, quotas::GROUPS, "groups");
    let mut errors = FieldErrors::default();
    errors.extend_one("name", error);
    errors.into_result().map_err(Refused::Invalid)
}

/// Changes a group. Permissions that are deleted leave its set with the first change of it.
///
/// # Errors
/// The group is deleted, the name is taken, the actor may not do it, or the table's failure.
pub async fn change(
    store: &Store,
    actor: Actor<'_>,
    group: Group,
    change: &GroupChange,
) -> Result<Group, Refused> {
    let gone = match change.permissions {
        None | Some(SetChange::Replace(_)) => BTreeSet::new(),
        Some(SetChange::Add(_) | SetChange::Remove(_)) => store.gone_permissions(&group).await?,
    };
    let apply = |group: &Group| {
        let mut group = change.apply(group);
        group.permission_ids.retain(|id| !gone.contains(id));
        group
    };
    changes::change(store, actor, group, apply).await
}

/// Deletes a group. Its members keep the id, which every read ignores from then on.
///
/// # Errors
/// The group is deleted already, the actor may not do it, or the table's failure.
pub async fn delete(store: &Store, actor: Actor<'_>, group: Group) -> Result<(), Refused> {
    changes::delete(store, actor, group).await
}
