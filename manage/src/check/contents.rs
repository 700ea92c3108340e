//! A part of a table, with what it refers to.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use shared::store::{
    StoreError,
    items::{Item, from_item},
    keys::Key,
};

/// Items by their keys.
pub type Items = BTreeMap<Key, Item>;

/// Some items of a table, beside what they refer to and what is read once for all of them.
pub struct Contents<'a> {
    /// The items to look at.
    pub items: Items,
    /// What they refer to.
    pub around: Items,
    /// What all refer to: rights, the catalogue, sequences, the set of superusers, the layout.
    pub common: &'a Items,
}

impl Contents<'_> {
    /// An item.
    pub fn get(&self, key: &Key) -> Option<&Item> {
        let places = [&self.items, &self.around, self.common];
        places.into_iter().find_map(|items| items.get(key))
    }

    /// An item as a value, if it exists and can be read.
    pub fn read_one<T: DeserializeOwned>(&self, key: &Key) -> Option<T> {
        from_item(self.get(key)?.clone()).ok()
    }

    /// Those of the items to look at whose partition key begins so, with that sort key if it is given.
    ///
    /// # Errors
    /// An item cannot be read.
    pub fn all<T: DeserializeOwned>(
        &self,
        prefix: &str,
        sk: Option<&str>,
    ) -> Result<Vec<T>, StoreError> {
        let is_wanted = |key: &Key| key.pk.starts_with(prefix) && sk.is_none_or(|sk| key.sk == sk);
        let found = self.items.iter().filter(|(key, _)| is_wanted(key));
        found.map(|(_, item)| from_item(item.clone())).collect()
    }
}
