//! The catalogue: the label of every permission in one item, in several copies so that no key is read
//! by everybody. It is written in each transaction that makes, relabels or deletes a permission.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::AttributeValue;

use super::{
    Store, StoreError, WriteError,
    items::{Item, attributes, from_item, number, text},
    keys::Entity,
    layout::Layout,
    writes::{Condition, Write},
};
use crate::domain::{Group, GroupId, Permission, PermissionId, quotas::Taken};

/// How many copies there are.
pub const COPIES: u8 = 8;

/// The attribute that says that no permission is missing.
pub const IS_WHOLE: &str = "is_whole";

/// Labels by permission.
pub type Labels = BTreeMap<PermissionId, String>;

/// The attribute of a permission.
pub fn attribute(id: PermissionId) -> String {
    format!("p{id}")
}

/// The keys of the copies.
pub fn copies() -> impl Iterator<Item = Entity<'static>> {
    (0..COPIES).map(Entity::Catalogue)
}

/// The labels in a copy, unless a migration is still filling it.
fn labels(item: &Item) -> Option<Labels> {
    item.get(IS_WHOLE)?;
    let label = |(name, value): (&String, &AttributeValue)| {
        let id = name.strip_prefix('p')?.parse().ok()?;
        Some((PermissionId(id), value.as_s().ok()?.clone()))
    };
    Some(item.iter().filter_map(label).collect())
}

/// The writes of the catalogue in the transaction of a permission's change.
pub(super) fn entries(
    layout: Layout,
    before: Option<&Permission>,
    after: Option<&Permission>,
) -> Vec<Write> {
    let (old, new) = (before.map(Permission::label), after.map(Permission::label));
    let Some(permission) = after.or(before).filter(|_| old != new) else {
        return Vec::new();
    };
    if layout < Layout::APART {
        return Vec::new();
    }
    let name = attribute(permission.id);
    let write = |copy: Entity<'_>| match &new {
        Some(label) => Write::set(copy.key(), Item::from([(name.clone(), text(label))])),
        None => Write::remove(copy.key(), &name),
    };
    copies().map(write).collect()
}

/// Says of a copy that no permission is missing.
pub fn whole(copy: &Entity<'_>) -> Write {
    let set = Item::from([(IS_WHOLE.to_owned(), AttributeValue::Bool(true))]);
    Write::set(copy.key(), set)
}

/// The writes that make all copies anew, without a label.
pub fn emptied(is_whole: bool) -> Vec<Write> {
    let write = |copy: Entity<'_>| {
        let mut item = attributes(&copy.key());
        if is_whole {
            item.insert(IS_WHOLE.to_owned(), AttributeValue::Bool(true));
        }
        Write::put(item)
    };
    copies().map(write).collect()
}

impl Store {
    /// Those of the groups that exist, in order of id, and the labels of at least all permissions
    /// that they and `ids` name: one round trip, on a table of the current layout.
    pub(super) async fn groups_and_labels(
        &self,
        groups: &BTreeSet<GroupId>,
        ids: &BTreeSet<PermissionId>,
    ) -> Result<(Vec<Group>, Labels), StoreError> {
        let copy = Entity::Catalogue(rand::random_range(0..COPIES)).key();
        let wanted = groups.iter().map(|id| Entity::Group(*id).key());
        let mut found = self.table.batch_get(wanted.chain([copy.clone()])).await?;
        let copy = found.remove(&copy);
        let groups: Vec<Group> = groups
            .iter()
            .filter_map(|id| found.remove(&Entity::Group(*id).key()))
            .map(from_item)
            .collect::<Result<_, _>>()?;
        let labels = match copy.as_ref().and_then(labels) {
            Some(labels) => labels,
            None => {
                let of_groups = groups.iter().flat_map(|group| &group.permission_ids);
                let ids = of_groups.chain(ids).copied().collect();
                labels_of(self.permissions_of(&ids).await?)
            }
        };
        Ok((groups, labels))
    }

    /// What all permissions take of their quotas: one read.
    ///
    /// # Errors
    /// The table's failure.
    pub async fn taken_by_permissions(&self) -> Result<Taken, StoreError> {
        let labels = self.all_labels().await?;
        Ok(Taken::by(labels.values().map(String::as_str)))
    }

    /// The label of every permission.
    pub(super) async fn all_labels(&self) -> Result<Labels, StoreError> {
        let copy = Entity::Catalogue(rand::random_range(0..COPIES)).key();
        let copy = self.table.get_item(copy).await?;
        match copy.as_ref().and_then(labels) {
            Some(labels) => Ok(labels),
            None => Ok(labels_of(self.permissions().await?)),
        }
    }

    /// Puts a permission's label into every copy of the catalogue, for a migration.
    ///
    /// # Errors
    /// [`Refusal::Stale`](super::Refusal::Stale) if the permission is not as it is known, or the
    /// table's failure.
    pub async fn catalogue(&self, permission: &Permission) -> Result<(), WriteError> {
        let key = Entity::Permission(permission.id).key();
        let mut unchanged = Write::touch(key, Item::new());
        unchanged.condition = Condition::Equals("version", number(permission.version));
        let mut writes = vec![unchanged];
        writes.extend(entries(Layout::APART, None, Some(permission)));
        self.table.write(writes).await
    }
}

fn labels_of(permissions: Vec<Permission>) -> Labels {
    let labels = permissions.into_iter();
    labels.map(|one| (one.id, one.label())).collect()
}
