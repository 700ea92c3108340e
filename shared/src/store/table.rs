//! Speaks DynamoDB: reads, conditional writes, transactions and their retries.

use std::{collections::HashMap, sync::Arc, time::Duration};

use aws_sdk_dynamodb::{
    Client,
    config::retry::RetryConfig,
    error::{DisplayErrorContext, ProvideErrorMetadata, SdkError},
    operation::transact_write_items::TransactWriteItemsError,
    types::{KeysAndAttributes, ReturnValue},
};
use serde::de::DeserializeOwned;
use tokio::sync::Notify;

use super::{
    StoreError, budget,
    items::{Item, attributes, from_item, key_of, number, number_of},
    keys::{Key, MAILS},
    writes::{Action, Refusal, Write, WriteError},
};

/// Most keys that one BatchGetItem takes.
const BATCH: usize = 100;
/// Most writes that one transaction takes.
pub(super) const TRANSACTION: usize = 100;
/// How often a write that met another one, or a throttled batch, is tried.
const TRIES: u32 = 10;

/// One DynamoDB table.
#[derive(Clone)]
pub struct Table {
    pub(super) client: Client,
    pub(super) name: String,
    owed: Arc<Notify>,
}

impl Table {
    /// The table of that name.
    pub fn new(client: Client, name: &str) -> Self {
        Self {
            client,
            name: name.to_owned(),
            owed: Arc::default(),
        }
    }

    /// Tells when this process has written a mail that is owed.
    pub fn owed(&self) -> Arc<Notify> {
        Arc::clone(&self.owed)
    }

    /// The client and the name, for what only operators do (making the table, reading all of it).
    pub fn parts(&self) -> (&Client, &str) {
        (&self.client, &self.name)
    }

    /// One item, strongly consistent, read into a type.
    pub async fn get<T: DeserializeOwned>(&self, key: Key) -> Result<Option<T>, StoreError> {
        self.get_item(key).await?.map(from_item).transpose()
    }

    /// One item, strongly consistent.
    pub(super) async fn get_item(&self, key: Key) -> Result<Option<Item>, StoreError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.name)
            .set_key(Some(attributes(&key)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| failure("GetItem", error))?;
        Ok(answer.item)
    }

    /// Several items, strongly consistent, by key; what does not exist is absent. Batches of 100
    /// run at once, and keys that DynamoDB did not get to are asked for again.
    pub async fn batch_get(
        &self,
        keys: impl IntoIterator<Item = Key>,
    ) -> Result<HashMap<Key, Item>, StoreError> {
        let mut keys: Vec<Key> = keys.into_iter().collect();
        // A key named twice in one batch is a ValidationException.
        keys.sort_unstable();
        keys.dedup();
        match keys.len() {
            0 => return Ok(HashMap::new()),
            1..=BATCH => return self.get_batch(&keys).await,
            _ => {}
        }
        let batches = keys.chunks(BATCH).map(|batch| self.get_batch(batch));
        let mut found = HashMap::with_capacity(keys.len());
        for items in futures_util::future::try_join_all(batches).await? {
            found.extend(items);
        }
        Ok(found)
    }

    async fn get_batch(&self, keys: &[Key]) -> Result<HashMap<Key, Item>, StoreError> {
        let mut wanted: Vec<Item> = keys.iter().map(attributes).collect();
        let mut found = HashMap::with_capacity(keys.len());
        for attempt in 0..TRIES {
            let request = KeysAndAttributes::builder()
                .set_keys(Some(std::mem::take(&mut wanted)))
                .consistent_read(true)
                .build()
                .map_err(|error| StoreError::new("BatchGetItem", error))?;
            let answer = self
                .client
                .batch_get_item()
                .request_items(&self.name, request)
                .send()
                .await
                .map_err(|error| failure("BatchGetItem", error))?;
            for item in answer
                .responses
                .into_iter()
                .flatten()
                .flat_map(|(_, items)| items)
            {
                if let Some(key) = key_of(&item) {
                    found.insert(key, item);
                }
            }
            wanted = answer
                .unprocessed_keys
                .into_iter()
                .flatten()
                .flat_map(|(_, left)| left.keys)
                .collect();
            if wanted.is_empty() {
                return Ok(found);
            }
            pause(attempt).await;
        }
        Err(StoreError::new("BatchGetItem", "keys stayed unprocessed"))
    }

    /// The next id of a sequence.
    pub async fn next(&self, sequence: Key) -> Result<u64, StoreError> {
        let answer = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(attributes(&sequence)))
            .update_expression("ADD #value :one")
            .expression_attribute_names("#value", "value")
            .expression_attribute_values(":one", number(1))
            .return_values(ReturnValue::UpdatedNew)
            .send()
            .await
            .map_err(|error| failure("UpdateItem", error))?;
        answer
            .attributes
            .as_ref()
            .and_then(|item| number_of(item, "value"))
            .ok_or_else(|| StoreError::new("UpdateItem", "the sequence has no number"))
    }

    /// Puts an item in one try: unlike others, which the SDK sends again, it never comes twice.
    pub(super) async fn put_once(&self, item: Item) -> Result<(), StoreError> {
        let once = aws_sdk_dynamodb::config::Builder::new().retry_config(RetryConfig::disabled());
        self.client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(item))
            .customize()
            .config_override(once)
            .send()
            .await
            .map(drop)
            .map_err(|error| failure("PutItem", error))
    }

    /// Carries out all of the writes or none.
    ///
    /// One write goes alone, which costs half of a transaction; more go as one transaction, and
    /// are tried again with the same token when they met another one.
    ///
    /// # Errors
    /// Conditions failed, or the table did not answer.
    pub async fn write(&self, mut writes: Vec<Write>) -> Result<(), WriteError> {
        match writes.len() {
            0 => Ok(()),
            1 => {
                let write = writes.remove(0);
                let owes = is_mail(&write);
                self.write_one(write).await?;
                self.note_owed(owes);
                Ok(())
            }
            _ => self.transact(&writes).await,
        }
    }

    fn note_owed(&self, owes: bool) {
        if owes {
            self.owed.notify_one();
        }
    }

    /// Carries out all of the writes or none as a transaction, even if it is one write. A transaction
    /// whose answer was lost is not refused, when it is tried again, for what it did itself.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub async fn transact(&self, writes: &[Write]) -> Result<(), WriteError> {
        let token = format!("{:032x}", rand::random::<u128>());
        let items = writes
            .iter()
            .map(|write| write.to_transaction(&self.name))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| StoreError::new("TransactWriteItems", error))?;
        for attempt in 0..TRIES {
            let sent = self
                .client
                .transact_write_items()
                .set_transact_items(Some(items.clone()))
                .client_request_token(&token)
                .send()
                .await;
            let Err(error) = sent else {
                self.note_owed(writes.iter().any(is_mail));
                return Ok(());
            };
            let refused = refusals(&error, writes);
            if !refused.is_empty() {
                return Err(WriteError::Refused(refused));
            }
            if !met_another(&error) {
                return Err(failure("TransactWriteItems", error).into());
            }
            if attempt + 1 == TRIES && was_throttled(&error) {
                return Err(failure("TransactWriteItems", error).into());
            }
            pause(attempt).await;
        }
        Err(WriteError::Contended)
    }

    async fn write_one(&self, write: Write) -> Result<(), WriteError> {
        for attempt in 0..TRIES {
            let Err((code, error)) = self.send_one(&write).await else {
                return Ok(());
            };
            match code.as_deref() {
                Some("ConditionalCheckFailedException") => {
                    return Err(WriteError::Refused(vec![write.refusal]));
                }
                Some("TransactionConflictException") => pause(attempt).await,
                _ => return Err(error.into()),
            }
        }
        Err(WriteError::Contended)
    }

    /// Sends one write by itself; an error comes with DynamoDB's code for it.
    async fn send_one(&self, write: &Write) -> Result<(), (Option<String>, StoreError)> {
        let expression = write.expression();
        match &write.action {
            Action::Put(item) => self
                .client
                .put_item()
                .table_name(&self.name)
                .set_item(Some(item.clone()))
                .set_condition_expression(expression.condition)
                .set_expression_attribute_names(expression.names)
                .set_expression_attribute_values(expression.values)
                .send()
                .await
                .map(drop)
                .map_err(|error| coded("PutItem", error)),
            Action::Update { key, .. } => self
                .client
                .update_item()
                .table_name(&self.name)
                .set_key(Some(attributes(key)))
                .set_update_expression(expression.update)
                .set_condition_expression(expression.condition)
                .set_expression_attribute_names(expression.names)
                .set_expression_attribute_values(expression.values)
                .send()
                .await
                .map(drop)
                .map_err(|error| coded("UpdateItem", error)),
            Action::Delete(key) => self
                .client
                .delete_item()
                .table_name(&self.name)
                .set_key(Some(attributes(key)))
                .set_condition_expression(expression.condition)
                .set_expression_attribute_names(expression.names)
                .set_expression_attribute_values(expression.values)
                .send()
                .await
                .map(drop)
                .map_err(|error| coded("DeleteItem", error)),
            Action::Check(_) => {
                let reason = "a check is for transactions";
                Err((None, StoreError::new("ConditionCheck", reason)))
            }
        }
    }
}

fn is_mail(write: &Write) -> bool {
    matches!(&write.action, Action::Put(_))
        && write.key().is_some_and(|key| key.pk.starts_with(MAILS))
}

/// The rules that a cancelled transaction broke: its reasons stand in the order of its writes.
fn refusals(error: &SdkError<TransactWriteItemsError>, writes: &[Write]) -> Vec<Refusal> {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
        error.as_service_error()
    else {
        return Vec::new();
    };
    cancelled
        .cancellation_reasons()
        .iter()
        .zip(writes)
        .filter(|(reason, _)| reason.code() == Some("ConditionalCheckFailed"))
        .map(|(_, write)| write.refusal)
        .collect()
}

/// Whether a transaction was cancelled by nothing but other writes or throttling. The SDK itself
/// tries again after other errors, TransactionInProgressException too.
fn met_another(error: &SdkError<TransactWriteItemsError>) -> bool {
    let mut codes = cancelled_by(error).into_iter().peekable();
    codes.peek().is_some()
        && codes.all(|code| code == "TransactionConflict" || THROTTLED.contains(&code))
}

/// Whether throttling cancelled a transaction, which no client can do anything about.
fn was_throttled(error: &SdkError<TransactWriteItemsError>) -> bool {
    let codes = cancelled_by(error);
    codes.iter().any(|code| THROTTLED.contains(code))
}

const THROTTLED: [&str; 2] = ["ThrottlingError", "ProvisionedThroughputExceeded"];

/// The codes of the reasons for which a transaction was cancelled.
fn cancelled_by(error: &SdkError<TransactWriteItemsError>) -> Vec<&str> {
    let reasons = match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
            cancelled.cancellation_reasons()
        }
        _ => &[],
    };
    let codes = reasons.iter().filter_map(|reason| reason.code());
    codes.filter(|code| *code != "None").collect()
}

/// Waits before another try: full jitter under a bound that doubles from 20 ms to half a second.
pub(crate) async fn pause(attempt: u32) {
    let bound = 20_u64.saturating_mul(1 << attempt.min(5)).min(500);
    budget::sleep(Duration::from_millis(rand::random_range(1..=bound))).await;
}

pub(super) fn failure<E, R>(operation: &'static str, error: SdkError<E, R>) -> StoreError
where
    SdkError<E, R>: std::error::Error + 'static,
{
    StoreError::new(operation, DisplayErrorContext(&error).to_string())
}

fn coded<E, R>(operation: &'static str, error: SdkError<E, R>) -> (Option<String>, StoreError)
where
    E: ProvideErrorMetadata,
    SdkError<E, R>: std::error::Error + 'static,
{
    let code = error
        .as_service_error()
        .and_then(|service| service.code())
        .map(str::to_owned);
    (code, failure(operation, error))
}
