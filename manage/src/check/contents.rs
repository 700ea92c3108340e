//! All of a table, in memory.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use shared::store::{
    Store, StoreError,
    items::{Item, from_item},
    keys::{self, Key},
};

/// All items of a table.
pub struct Contents {
    /// By partition key and sort key.
    pub items: BTreeMap<(String, String), Item>,
}

impl Contents {
    /// Reads the whole table.
    ///
    /// # Errors
    /// The table's failure.
    pub async fn read(store: &Store) -> Result<Self, StoreError> {
        let (client, name) = store.table().parts();
        let mut items = BTreeMap::new();
        let mut pages = client
            .scan()
            .table_name(name)
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        while let Some(item) = pages.next().await {
            let item = item.map_err(|error| StoreError::from_scan(&error))?;
            let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned();
            if let (Some(pk), Some(sk)) = (text(keys::PK), text(keys::SK)) {
                items.insert((pk, sk), item);
            }
        }
        Ok(Self { items })
    }

    /// An item.
    pub fn get(&self, key: &Key) -> Option<&Item> {
        self.items.get(&(key.pk.clone(), key.sk.clone()))
    }

    /// An item as a value, if it exists and can be read.
    pub fn read_one<T: DeserializeOwned>(&self, key: &Key) -> Option<T> {
        from_item(self.get(key)?.clone()).ok()
    }

    /// The items of partitions that begin so, with that sort key if it is given.
    ///
    /// # Errors
    /// An item cannot be read.
    pub fn all<T: DeserializeOwned>(
        &self,
        prefix: &str,
        sk: Option<&str>,
    ) -> Result<Vec<T>, StoreError> {
        let wanted =
            |(pk, key): &(String, String)| pk.starts_with(prefix) && sk.is_none_or(|sk| key == sk);
        let found = self.items.iter().filter(|(key, _)| wanted(key));
        found.map(|(_, item)| from_item(item.clone())).collect()
    }

    /// The items of a partition.
    ///
    /// # Errors
    /// An item cannot be read.
    pub fn partition<T: DeserializeOwned>(&self, pk: &str) -> Result<Vec<T>, StoreError> {
        let found = self.items.iter().filter(|((key, _), _)| key == pk);
        found.map(|(_, item)| from_item(item.clone())).collect()
    }
}
