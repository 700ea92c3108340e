//! Groups and the markers of their names.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{
    Actor, CHANGE_TRIES, ChangeError, Refusal, Store, StoreError, WriteError,
    keys::{Entity, GROUPS, Sequence},
    table::{Item, from_item, number, to_item},
    writes::Write,
};
use crate::domain::{Group, GroupId, GroupName, PermissionId};

#[derive(Serialize, Deserialize)]
struct Marker {
    group_id: GroupId,
}

impl Store {
    /// All groups, in order of id.
    pub async fn groups(&self) -> Result<Vec<Group>, StoreError> {
        self.table.partition(GROUPS).await
    }

    /// The group with that id.
    pub async fn group(&self, id: GroupId) -> Result<Option<Group>, StoreError> {
        self.table.get(Entity::Group(id).key()).await
    }

    /// Those of the groups that exist, in order of id.
    pub async fn groups_of(&self, ids: &BTreeSet<GroupId>) -> Result<Vec<Group>, StoreError> {
        let mut found = self
            .table
            .batch_get(ids.iter().map(|id| Entity::Group(*id).key()))
            .await?;
        ids.iter()
            .filter_map(|id| found.remove(&Entity::Group(*id).key()))
            .map(from_item)
            .collect()
    }

    /// The ids of a group's permissions that are gone: a write of the set drops them.
    pub async fn gone_permissions(
        &self,
        group: &Group,
    ) -> Result<BTreeSet<PermissionId>, StoreError> {
        let found = self.permissions_of(&group.permission_ids).await?;
        let found: BTreeSet<_> = found.into_iter().map(|permission| permission.id).collect();
        Ok(group.permission_ids.difference(&found).copied().collect())
    }

    /// Makes a group.
    ///
    /// # Errors
    /// The name is taken.
    pub async fn create_group(&self, name: GroupName, _actor: Actor) -> Result<Group, WriteError> {
        let id = self
            .table
            .next(Entity::Sequence(Sequence::Group).key())
            .await
            .map_err(WriteError::Failed)?;
        let group = Group {
            id: GroupId(id),
            name,
            permission_ids: BTreeSet::new(),
            version: 1,
        };
        let writes = vec![
            Write::create(
                group_item(&group).map_err(WriteError::Failed)?,
                Refusal::Exists,
            ),
            name_marker(&group).map_err(WriteError::Failed)?,
        ];
        self.table.write(writes).await?;
        Ok(group)
    }

    /// Whether a name belongs to another group than `but`.
    pub async fn group_name_taken(
        &self,
        name: &GroupName,
        but: Option<GroupId>,
    ) -> Result<bool, StoreError> {
        let marker: Option<Marker> = self.table.get(Entity::GroupName(name).key()).await?;
        Ok(marker.is_some_and(|marker| Some(marker.group_id) != but))
    }

    /// Changes a group: `change` is applied to what the table holds, and again if somebody else
    /// changed it meanwhile. `known` spares the first read.
    ///
    /// # Errors
    /// The group is gone; the name is taken.
    pub async fn update_group<E>(
        &self,
        known: Group,
        _actor: Actor,
        change: impl Fn(&Group) -> Result<Group, E>,
    ) -> Result<Group, ChangeError<E>> {
        let mut before = known;
        for _ in 0..CHANGE_TRIES {
            let mut after = change(&before).map_err(ChangeError::Rule)?;
            if after == before {
                return Ok(before);
            }
            let key = Entity::Group(before.id).key();
            let mut writes = vec![Write::change(
                key,
                &group_item(&before)?,
                &group_item(&after)?,
                before.version,
            )];
            if before.name != after.name {
                writes.push(name_marker(&after)?);
                writes.push(forget_name(&before));
            }
            match self.table.write(writes).await {
                Ok(()) => {
                    after.version = before.version + 1;
                    return Ok(after);
                }
                Err(WriteError::Refused(refusals)) if !refusals.contains(&Refusal::Stale) => {
                    return Err(ChangeError::Refused(refusals));
                }
                Err(WriteError::Refused(_)) => {
                    before = self.group(before.id).await?.ok_or(ChangeError::Gone)?
                }
                Err(WriteError::Failed(error)) => return Err(error.into()),
            }
        }
        Err(StoreError::new("update_group", "changed by others without end").into())
    }

    /// Deletes a group. Its members keep the id, which every read ignores from then on.
    ///
    /// # Errors
    /// The group is gone.
    pub async fn delete_group(
        &self,
        known: Group,
        _actor: Actor,
    ) -> Result<(), ChangeError<std::convert::Infallible>> {
        let mut group = known;
        for _ in 0..CHANGE_TRIES {
            let key = Entity::Group(group.id).key();
            let writes = vec![
                Write::delete_if(key, "version", number(group.version)),
                forget_name(&group),
            ];
            match self.table.write(writes).await {
                Ok(()) => return Ok(()),
                Err(WriteError::Refused(_)) => {
                    group = self.group(group.id).await?.ok_or(ChangeError::Gone)?
                }
                Err(WriteError::Failed(error)) => return Err(error.into()),
            }
        }
        Err(StoreError::new("delete_group", "changed by others without end").into())
    }
}

fn group_item(group: &Group) -> Result<Item, StoreError> {
    to_item(&Entity::Group(group.id).key(), group)
}

fn name_marker(group: &Group) -> Result<Write, StoreError> {
    let item = to_item(
        &Entity::GroupName(&group.name).key(),
        &Marker { group_id: group.id },
    )?;
    Ok(Write::create(item, Refusal::GroupNameTaken))
}

fn forget_name(group: &Group) -> Write {
    Write::delete_if(
        Entity::GroupName(&group.name).key(),
        "group_id",
        number(group.id),
    )
}
