//! Groups and the markers of their names.

use std::{collections::BTreeSet, convert::Infallible};

use serde::{Deserialize, Serialize};

use super::{
    Actor, ChangeError, Refusal, Store, StoreError, WriteError,
    keys::{Entity, GROUPS, Key, Sequence},
    table::{Item, from_item, number, to_item},
    versioned::{Versioned, Writes, changed, nothing_forbids},
    writes::Write,
};
use crate::domain::{
    Group, GroupId, GroupName, PermissionId,
    log::{ActionFlag, Model, Object},
};

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
    pub async fn create_group(&self, name: GroupName, actor: Actor) -> Result<Group, WriteError> {
        self.create_group_with(name, BTreeSet::new(), actor).await
    }

    /// Makes a group with permissions.
    ///
    /// # Errors
    /// The name is taken.
    pub async fn create_group_with(
        &self,
        name: GroupName,
        permission_ids: BTreeSet<PermissionId>,
        actor: Actor,
    ) -> Result<Group, WriteError> {
        let id = self
            .table
            .next(Entity::Sequence(Sequence::Group).key())
            .await
            .map_err(WriteError::Failed)?;
        let group = Group {
            id: GroupId(id),
            name,
            permission_ids,
            version: 1,
        };
        self.insert_group(group, actor).await
    }

    /// Puts a new group, whose id the caller gives.
    ///
    /// # Errors
    /// The id or the name is taken.
    pub async fn insert_group(&self, group: Group, actor: Actor) -> Result<Group, WriteError> {
        let mut writes = vec![
            Write::create(
                group_item(&group).map_err(WriteError::Failed)?,
                Refusal::Exists,
            ),
            name_marker(&group).map_err(WriteError::Failed)?,
        ];
        let logged = self.log(&actor, group.logged(ActionFlag::Addition));
        writes.extend(logged.map_err(WriteError::Failed)?);
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

    /// Changes a group; see the rules of optimistic locking.
    ///
    /// # Errors
    /// The group is gone; the name is taken.
    pub async fn update_group<E, J>(
        &self,
        known: Group,
        actor: Actor,
        judge: impl Fn(Group) -> J,
        change: impl Fn(&Group) -> Result<Group, E>,
    ) -> Result<Group, ChangeError<E>>
    where
        J: Future<Output = Result<(), E>>,
    {
        self.update(known, actor, judge, change).await
    }

    /// Deletes a group. Its members keep the id, which every read ignores from then on.
    ///
    /// # Errors
    /// The group is gone.
    pub async fn delete_group(
        &self,
        known: Group,
        actor: Actor,
    ) -> Result<(), ChangeError<Infallible>> {
        self.delete(known, actor, nothing_forbids).await
    }
}

impl Versioned for Group {
    fn key(&self) -> Key {
        Entity::Group(self.id).key()
    }

    fn version_mut(&mut self) -> &mut u64 {
        &mut self.version
    }

    fn change(before: &Self, after: &Self) -> Result<Writes, StoreError> {
        let (old, new) = (group_item(before)?, group_item(after)?);
        let mut whole = vec![Write::change(before.key(), &old, &new, before.version)];
        if before.name != after.name {
            whole.push(name_marker(after)?);
            whole.push(forget_name(before));
        }
        Ok(Writes {
            whole,
            ..Writes::default()
        })
    }

    fn deletion(&self) -> Writes {
        let group = Write::delete_if(self.key(), "version", number(self.version));
        Writes {
            whole: vec![group, forget_name(self)],
            ..Writes::default()
        }
    }

    fn object(&self) -> Object {
        Object {
            model: Model::Group,
            id: self.id.0,
        }
    }

    fn repr(&self) -> String {
        self.name.as_str().to_owned()
    }

    fn changed_fields(before: &Self, after: &Self) -> Vec<&'static str> {
        let Self {
            id: _,
            name,
            permission_ids,
            version: _,
        } = after;
        changed([
            ("Name", before.name != *name),
            ("Permissions", before.permission_ids != *permission_ids),
        ])
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
