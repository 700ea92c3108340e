//! Groups and the markers of their names.

use std::collections::BTreeSet;

use super::{
    Refusal, Store, StoreError,
    items::{Item, from_item, number, to_item},
    keys::{self, Entity, GROUPS, Key},
    layout::Layout,
    marker::{release, take, taken},
    queries::Direction,
    versioned::{Versioned, changed},
    writes::Write,
};
use crate::{
    domain::{
        Group, GroupId, GroupLabel, GroupName, PermissionId, UserId,
        log_entry::{Model, Object},
    },
    input::FieldErrors,
};

/// How many rows of the index of members are read at once.
const ROWS: usize = 1000;

impl Store {
    /// All groups, in order of id.
    pub async fn groups(&self) -> Result<Vec<Group>, StoreError> {
        self.table.partition(GROUPS).await
    }

    /// The ids and names of all groups, in order of id, without their permissions.
    pub async fn group_labels(&self) -> Result<Vec<GroupLabel>, StoreError> {
        self.table.labels(GROUPS).await
    }

    /// How many groups there are; of more than `most`, at least so many.
    pub async fn group_count(&self, most: usize) -> Result<usize, StoreError> {
        self.table.count(GROUPS, most).await
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

    /// The users that the index of a group's members names; the index lags behind.
    pub async fn index_of_members(&self, group: GroupId) -> Result<Vec<UserId>, StoreError> {
        let pk = keys::member(group, UserId(0)).pk;
        let (forward, most) = (Direction::Forward, ROWS);
        let (mut ids, mut after) = (Vec::new(), None);
        loop {
            let mut rows = self.table.index_rows(&pk, "", after, forward, most).await?;
            let found = rows.iter().filter_map(|row| row.sort_key.parse().ok());
            ids.extend(found.map(UserId));
            after = rows.pop();
            if after.is_none() {
                return Ok(ids);
            }
        }
    }

    /// The ids of a group's permissions that are deleted: a write of the set drops them.
    pub async fn gone_permissions(
        &self,
        group: &Group,
    ) -> Result<BTreeSet<PermissionId>, StoreError> {
        let found = self.permissions_of(&group.permission_ids).await?;
        let found: BTreeSet<_> = found.into_iter().map(|permission| permission.id).collect();
        Ok(group.permission_ids.difference(&found).copied().collect())
    }

    /// The field error of a name that belongs to another group than `but`.
    pub async fn group_name_taken(
        &self,
        name: &GroupName,
        but: Option<GroupId>,
    ) -> Result<FieldErrors, StoreError> {
        let owner = self.owner_of(&Entity::GroupName(name)).await?;
        Ok(taken(owner, but.map(|id| id.0), Refusal::GroupNameTaken))
    }
}

impl Versioned for Group {
    fn key(&self) -> Key {
        Entity::Group(self.id).key()
    }

    fn version_mut(&mut self) -> &mut u64 {
        &mut self.version
    }

    fn creation(&self, _: Layout) -> Result<Vec<Write>, StoreError> {
        Ok(vec![
            Write::create(group_item(self)?, Refusal::Exists),
            take_name(self),
        ])
    }

    fn change(before: &Self, after: &Self, _: Layout) -> Result<Vec<Write>, StoreError> {
        let (old, new) = (group_item(before)?, group_item(after)?);
        let mut writes = vec![Write::change(before.key(), &old, &new, before.version)];
        if before.name != after.name {
            writes.push(take_name(after));
            writes.push(release_name(before));
        }
        Ok(writes)
    }

    fn deletion(&self, _: Layout) -> Vec<Write> {
        let group = Write::delete_if(self.key(), "version", number(self.version));
        vec![group, release_name(self)]
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
            from_django: _,
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

fn take_name(group: &Group) -> Write {
    let name = Entity::GroupName(&group.name);
    take(&name, group.id.0, Refusal::GroupNameTaken)
}

fn release_name(group: &Group) -> Write {
    release(&Entity::GroupName(&group.name), group.id.0)
}
