//! Items of the table, and what they are read into and made of.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
};

use aws_sdk_dynamodb::types::AttributeValue;
use serde::de::DeserializeOwned;

use super::{
    StoreError,
    keys::{GSI1PK, GSI1SK, Key, PK, SK},
};

/// An item's attributes.
pub type Item = HashMap<String, AttributeValue>;

/// The key of an item.
pub fn key_of(item: &Item) -> Option<Key> {
    Some(Key {
        pk: item.get(PK)?.as_s().ok()?.clone(),
        sk: item.get(SK)?.as_s().ok()?.clone(),
    })
}

/// A key's attributes.
pub fn attributes(key: &Key) -> Item {
    HashMap::from([
        (PK.to_owned(), text(&key.pk)),
        (SK.to_owned(), text(&key.sk)),
    ])
}

/// A text attribute.
pub fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

/// A number attribute.
pub fn number(value: impl fmt::Display) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// A number set attribute of one number.
pub fn number_set(value: impl fmt::Display) -> AttributeValue {
    AttributeValue::Ns(vec![value.to_string()])
}

/// A number attribute of an item, if it has one.
pub fn number_of(item: &Item, name: &str) -> Option<u64> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

/// Reads an item; attributes that the type does not know are left alone.
pub fn from_item<T: DeserializeOwned>(item: Item) -> Result<T, StoreError> {
    serde_dynamo::aws_sdk_dynamodb_1::from_item(item)
        .map_err(|error| StoreError::new("item", error))
}

/// An item of a value, under its key.
pub fn to_item<T: serde::Serialize>(key: &Key, value: &T) -> Result<Item, StoreError> {
    let mut item: Item = serde_dynamo::aws_sdk_dynamodb_1::to_item(value)
        .map_err(|error| StoreError::new("item", error))?;
    item.extend(attributes(key));
    Ok(item)
}

/// Adds index keys to an item.
pub fn indexed(mut item: Item, index: &Key) -> Item {
    item.insert(GSI1PK.to_owned(), text(&index.pk));
    item.insert(GSI1SK.to_owned(), text(&index.sk));
    item
}

/// What an update has to name: the attributes that differ, and those that are gone.
pub fn difference(before: &Item, after: &Item) -> (Item, BTreeSet<String>) {
    let set = after
        .iter()
        .filter(|(name, value)| before.get(*name) != Some(value))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let removed = before
        .keys()
        .filter(|name| !after.contains_key(*name))
        .cloned()
        .collect();
    (set, removed)
}
