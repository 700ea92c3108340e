//! What tests see of the table beneath a service.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, DeleteRequest, PutRequest, WriteRequest},
};
use shared::store::items::Item;

use crate::Observed;

/// Most writes that one BatchWriteItem takes.
const BATCH: usize = 25;

impl Observed {
    /// The raw client and the table's name, for what no product code does.
    pub fn raw(&self) -> (&Client, &str) {
        self.table.table().parts()
    }

    /// All items by `PK / SK`.
    pub async fn items(&self) -> BTreeMap<String, Item> {
        let (client, table) = self.raw();
        let scan = client.scan().table_name(table).consistent_read(true);
        let items = scan.into_paginator().items().send();
        let items = items.collect::<Result<Vec<Item>, _>>().await;
        let key = |item: &Item| format!("{} / {}", text(item, "PK"), text(item, "SK"));
        let items = items.expect("a scan").into_iter();
        items.map(|item| (key(&item), item)).collect()
    }

    /// Makes the table what it was when these items were read.
    pub async fn restore(&self, items: &BTreeMap<String, Item>) {
        let mut now = self.items().await;
        let mut writes = Vec::new();
        for (key, item) in items {
            if now.remove(key).as_ref() != Some(item) {
                let put = PutRequest::builder().set_item(Some(item.clone()));
                let put = put.build().expect("a put");
                writes.push(WriteRequest::builder().put_request(put).build());
            }
        }
        for item in now.into_values() {
            let key = ["PK", "SK"].map(|name| (name.to_owned(), item[name].clone()));
            let delete = DeleteRequest::builder().set_key(Some(key.into()));
            let delete = delete.build().expect("a deletion");
            writes.push(WriteRequest::builder().delete_request(delete).build());
        }
        let (client, table) = self.raw();
        for part in writes.chunks(BATCH) {
            let batch = client.batch_write_item();
            let written = batch.request_items(table, part.to_vec()).send().await;
            let left = written.expect("a batch").unprocessed_items;
            assert!(
                left.is_none_or(|left| left.is_empty()),
                "not all is written"
            );
        }
    }

    /// All that a request may change, without what chance decides: secrets, the names of tokens,
    /// the places of entries in the log, and ids that were taken and not used.
    pub async fn state(&self) -> BTreeMap<String, Item> {
        let mut state = BTreeMap::new();
        for (mut key, mut item) in self.items().await {
            if key.starts_with("SEQUENCE") {
                continue;
            }
            if key.starts_with("TOKEN#") {
                "TOKEN".clone_into(&mut key);
                item.remove("PK");
            }
            if let Some((object, _)) = key.split_once(" / ").filter(|_| key.starts_with("LOG#")) {
                key = object.to_owned();
                item.remove("SK");
                item.remove("GSI1SK");
            }
            item.remove("password");
            // Another entry of the same object is one more.
            while state.contains_key(&key) {
                key.push('+');
            }
            state.insert(key, item);
        }
        state
    }

    /// The keys of all items whose key begins so.
    pub async fn keys(&self, prefix: &str) -> Vec<String> {
        let keys = self.items().await.into_keys();
        keys.filter(|key| key.starts_with(prefix)).collect()
    }
}

/// A text attribute of an item.
fn text<'a>(item: &'a Item, name: &str) -> &'a str {
    let value = item.get(name).map(AttributeValue::as_s);
    value.and_then(Result::ok).map_or("", String::as_str)
}
