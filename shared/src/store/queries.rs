//! What is read in order: the items of a partition, and the rows of the index.

use serde::de::DeserializeOwned;

use super::{
    StoreError,
    items::{Item, attributes, from_item, key_of, text},
    keys::{GSI1, GSI1PK, GSI1SK, Key},
    table::{Table, failure},
};

impl Table {
    /// All items of one partition, in order, strongly consistent.
    pub async fn partition<T: DeserializeOwned>(&self, pk: &str) -> Result<Vec<T>, StoreError> {
        let mut items = Vec::new();
        let mut start = None;
        loop {
            let answer = self
                .client
                .query()
                .table_name(&self.name)
                .consistent_read(true)
                .key_condition_expression("PK = :pk")
                .expression_attribute_values(":pk", text(pk))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(|error| failure("Query", error))?;
            for item in answer.items.into_iter().flatten() {
                items.push(from_item(item)?);
            }
            start = answer.last_evaluated_key;
            if start.is_none() {
                return Ok(items);
            }
        }
    }

    /// Up to `limit` items of one partition, the last first, from before the key `before`, strongly
    /// consistent; with the last one's key if there may be more.
    pub async fn newest(
        &self,
        pk: &str,
        before: Option<Key>,
        limit: usize,
    ) -> Result<(Vec<Item>, Option<Key>), StoreError> {
        let answer = self
            .client
            .query()
            .table_name(&self.name)
            .consistent_read(true)
            .scan_index_forward(false)
            .key_condition_expression("PK = :pk")
            .expression_attribute_values(":pk", text(pk))
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .set_exclusive_start_key(before.as_ref().map(attributes))
            .send()
            .await
            .map_err(|error| failure("Query", error))?;
        let last = answer.last_evaluated_key.as_ref().and_then(key_of);
        Ok((answer.items.unwrap_or_default(), last))
    }

    /// Up to `limit` rows of one index partition in order: those whose sort key begins with
    /// `prefix`, after the row `after`. The index is eventually consistent and holds keys only.
    pub async fn index_page(
        &self,
        pk: &str,
        prefix: &str,
        after: Option<IndexRow>,
        limit: usize,
    ) -> Result<Vec<IndexRow>, StoreError> {
        self.index_rows(pk, prefix, after, limit, true).await
    }

    /// As [`Table::index_page`] in the opposite order: the rows before `before`, the last first.
    pub async fn index_page_back(
        &self,
        pk: &str,
        prefix: &str,
        before: Option<IndexRow>,
        limit: usize,
    ) -> Result<Vec<IndexRow>, StoreError> {
        self.index_rows(pk, prefix, before, limit, false).await
    }

    async fn index_rows(
        &self,
        pk: &str,
        prefix: &str,
        after: Option<IndexRow>,
        limit: usize,
        forward: bool,
    ) -> Result<Vec<IndexRow>, StoreError> {
        let mut rows = Vec::new();
        let mut start = after.map(|row| row.attributes(pk));
        loop {
            let query = self.client.query().table_name(&self.name).index_name(GSI1);
            let query = query.scan_index_forward(forward);
            let query = if prefix.is_empty() {
                query.key_condition_expression("GSI1PK = :pk")
            } else {
                query
                    .key_condition_expression("GSI1PK = :pk AND begins_with(GSI1SK, :prefix)")
                    .expression_attribute_values(":prefix", text(prefix))
            };
            let answer = query
                .expression_attribute_values(":pk", text(pk))
                .limit(i32::try_from(limit - rows.len()).unwrap_or(i32::MAX))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(|error| failure("Query", error))?;
            rows.extend(
                answer
                    .items
                    .into_iter()
                    .flatten()
                    .filter_map(IndexRow::from_item),
            );
            start = answer.last_evaluated_key;
            if start.is_none() || rows.len() >= limit {
                return Ok(rows);
            }
        }
    }
}

/// A row of the index: the item's key and its place.
#[derive(Clone, Debug)]
pub struct IndexRow {
    /// The item.
    pub key: Key,
    /// Its sort key in the index.
    pub sort_key: String,
}

impl IndexRow {
    fn from_item(item: Item) -> Option<Self> {
        Some(Self {
            key: key_of(&item)?,
            sort_key: item.get(GSI1SK)?.as_s().ok()?.clone(),
        })
    }

    fn attributes(self, pk: &str) -> Item {
        let mut item = attributes(&self.key);
        item.insert(GSI1PK.to_owned(), text(pk));
        item.insert(GSI1SK.to_owned(), text(&self.sort_key));
        item
    }
}
