//! Markers: items that make a name unique, under the name and with the id of its owner.

use super::{
    Refusal, Store, StoreError,
    items::{Item, attributes, number, number_of},
    keys::Entity,
    writes::Write,
};
use crate::input::FieldErrors;

/// The attribute that holds the owner's id.
fn owner_attribute(marker: &Entity<'_>) -> &'static str {
    match marker {
        Entity::GroupName(_) => "group_id",
        Entity::Codename(..) => "permission_id",
        _ => "user_id",
    }
}

/// A marker's item.
pub fn item(marker: &Entity<'_>, owner: u64) -> Item {
    let mut item = attributes(&marker.key());
    item.insert(owner_attribute(marker).to_owned(), number(owner));
    item
}

/// Takes a name, which must be free: else `taken`.
pub(super) fn take(entity: &Entity<'_>, owner: u64, taken: Refusal) -> Write {
    Write::create(item(entity, owner), taken)
}

/// Gives up a name, which must still be the owner's.
pub(super) fn release(entity: &Entity<'_>, owner: u64) -> Write {
    Write::delete_if(entity.key(), owner_attribute(entity), number(owner))
}

/// The owner that a marker names.
pub fn owner(entity: &Entity<'_>, item: &Item) -> Option<u64> {
    number_of(item, owner_attribute(entity))
}

/// The attribute with the owners of an address that came from Django with several.
pub const OWNERS: &str = "user_ids";

/// The owners of an address: one, or those who share it.
pub fn owners(item: &Item) -> Vec<u64> {
    let shared = item.get(OWNERS).and_then(|ids| ids.as_ns().ok());
    let shared = shared.into_iter().flatten();
    let mut owners: Vec<u64> = shared.filter_map(|id| id.parse().ok()).collect();
    owners.extend(number_of(item, "user_id"));
    owners.sort_unstable();
    owners
}

/// The field error of a name whose owner is another than `but`.
pub(super) fn taken(owner: Option<u64>, but: Option<u64>, refusal: Refusal) -> FieldErrors {
    let mut errors = FieldErrors::default();
    if let (true, Some((field, error))) = (owner.is_some() && owner != but, refusal.field_error()) {
        errors.add(field, [error]);
    }
    errors
}

impl Store {
    /// The id of the object that has a name: one read.
    pub(super) async fn owner_of(&self, entity: &Entity<'_>) -> Result<Option<u64>, StoreError> {
        let item = self.table.get_item(entity.key()).await?;
        Ok(item.and_then(|item| owner(entity, &item)))
    }
}
