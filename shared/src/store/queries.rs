//! What is read in order: the items of a partition, and the rows of the index.

use aws_sdk_dynamodb::{
    error::SdkError,
    operation::{
        query::builders::QueryFluentBuilder,
        scan::{ScanError, builders::ScanFluentBuilder},
    },
    types::Select,
};
use aws_smithy_async::future::pagination_stream::PaginationStream;
use serde::de::DeserializeOwned;

use super::{
    StoreError,
    items::{Item, attributes, from_item, key_of, text},
    keys::{GSI1, GSI1PK, GSI1SK, Key},
    table::{Table, failure},
};

/// How many items a page of a scan or of the index has at most. DynamoDB's own limit is their size; the embedded engine
/// holds all that may follow where it is not told a number.
pub const PAGE: i32 = 2000;

/// Items of a whole table, one after the other.
pub struct Scan(PaginationStream<Result<Item, SdkError<ScanError>>>);

impl Scan {
    /// The next item; none at the end.
    ///
    /// # Errors
    /// The table's failure.
    pub async fn next(&mut self) -> Result<Option<Item>, StoreError> {
        let next = self.0.next().await.transpose();
        next.map_err(|error| failure("Scan", error))
    }
}

/// The items of all pages.
async fn all(query: QueryFluentBuilder) -> Result<Vec<Item>, StoreError> {
    let items = query.into_paginator().items().send();
    let items = items.collect::<Result<Vec<Item>, _>>().await;
    items.map_err(|error| failure("Query", error))
}

impl Table {
    /// All items of one partition, in order, strongly consistent.
    pub async fn partition<T: DeserializeOwned>(&self, pk: &str) -> Result<Vec<T>, StoreError> {
        let items = self.partition_items(pk).await?;
        items.into_iter().map(from_item).collect()
    }

    /// The same, as the table holds them.
    pub async fn partition_items(&self, pk: &str) -> Result<Vec<Item>, StoreError> {
        all(self.of_partition(pk)).await
    }

    /// All items of one partition read into a type that has only an `id` and a `name`; the rest is not sent.
    pub async fn labels<T: DeserializeOwned>(&self, pk: &str) -> Result<Vec<T>, StoreError> {
        let query = self.of_partition(pk).projection_expression("id, #name");
        // `name` is a reserved word.
        let items = all(query.expression_attribute_names("#name", "name")).await?;
        items.into_iter().map(from_item).collect()
    }

    fn of_partition(&self, pk: &str) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.name)
            .consistent_read(true)
            .key_condition_expression("PK = :pk")
            .expression_attribute_values(":pk", text(pk))
    }

    /// Up to `limit` items of one partition, from behind the key `after` in the direction of reading,
    /// strongly consistent; with the last one's key if there may be more.
    pub async fn page(
        &self,
        pk: &str,
        after: Option<Key>,
        direction: Direction,
        limit: usize,
    ) -> Result<(Vec<Item>, Option<Key>), StoreError> {
        let answer = self
            .client
            .query()
            .table_name(&self.name)
            .consistent_read(true)
            .scan_index_forward(direction == Direction::Forward)
            .key_condition_expression("PK = :pk")
            .expression_attribute_values(":pk", text(pk))
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .set_exclusive_start_key(after.as_ref().map(attributes))
            .send()
            .await
            .map_err(|error| failure("Query", error))?;
        let last = answer.last_evaluated_key.as_ref().and_then(key_of);
        Ok((answer.items.unwrap_or_default(), last))
    }

    /// How many items a partition has, strongly consistent; of more than `most`, at least so many. Costs
    /// as much as reading them.
    pub async fn count(&self, pk: &str, most: usize) -> Result<usize, StoreError> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.name)
            .consistent_read(true)
            .select(Select::Count)
            .key_condition_expression("PK = :pk")
            .expression_attribute_values(":pk", text(pk))
            .limit(PAGE)
            .into_paginator()
            .send();
        let mut count = 0;
        while count < most
            && let Some(page) = pages.next().await
        {
            let page = page.map_err(|error| failure("Query", error))?;
            count += usize::try_from(page.count).unwrap_or_default();
        }
        Ok(count)
    }

    /// All items, in no order: reads the whole table, for operators' commands.
    pub fn scan_all(&self) -> Scan {
        Scan(self.scan_pages().into_paginator().items().send())
    }

    fn scan_pages(&self) -> ScanFluentBuilder {
        let scan = self.client.scan().table_name(&self.name);
        scan.consistent_read(true).limit(PAGE)
    }

    /// The items whose partition key begins so, as [`Self::scan_all`].
    pub fn scan(&self, prefix: &str) -> Scan {
        let scan = self
            .scan_pages()
            .filter_expression("begins_with(PK, :prefix)")
            .expression_attribute_values(":prefix", text(prefix));
        Scan(scan.into_paginator().items().send())
    }

    /// Up to `limit` rows of one index partition: those whose sort key begins with `prefix`, from
    /// the row `after` on. The index is eventually consistent and holds keys only.
    pub async fn index_rows(
        &self,
        pk: &str,
        prefix: &str,
        after: Option<IndexRow>,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<IndexRow>, StoreError> {
        let query = self.client.query().table_name(&self.name).index_name(GSI1);
        let query = if prefix.is_empty() {
            query.key_condition_expression("GSI1PK = :pk")
        } else {
            query
                .key_condition_expression("GSI1PK = :pk AND begins_with(GSI1SK, :prefix)")
                .expression_attribute_values(":prefix", text(prefix))
        };
        let mut items = query
            .expression_attribute_values(":pk", text(pk))
            .scan_index_forward(direction == Direction::Forward)
            .limit(i32::try_from(limit).unwrap_or(PAGE).min(PAGE))
            .set_exclusive_start_key(after.map(|row| row.attributes(pk)))
            .into_paginator()
            .items()
            .send();
        let mut rows = Vec::new();
        while rows.len() < limit
            && let Some(item) = items
                .try_next()
                .await
                .map_err(|error| failure("Query", error))?
        {
            rows.extend(IndexRow::from_item(item));
        }
        Ok(rows)
    }
}

/// The order in which rows are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// That of their sort keys.
    Forward,
    /// The opposite one.
    Backward,
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
