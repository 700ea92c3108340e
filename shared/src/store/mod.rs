//! The DynamoDB table: one file per entity, on top of [`table`] and [`keys`].

mod access;
pub mod attempts;
mod credentials;
mod expression;
mod groups;
pub mod history;
pub mod items;
pub mod keys;
mod markers;
pub mod moving;
pub mod pager;
mod permissions;
mod queries;
mod sdk;
pub mod sessions;
pub mod table;
pub mod tokens;
mod users;
mod versioned;
pub mod writes;

use std::fmt;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;

use crate::{aws, clock::Clock, settings::AUDIT_RETENTION_DAYS};
pub use credentials::{Expected, StoredHash};
use history::Audit;
pub use markers::owners as email_owners;
pub use table::{Table, WriteError};
pub use versioned::Versioned;
pub use writes::Refusal;

/// Everything the service keeps.
#[derive(Clone)]
pub struct Store {
    table: Table,
    audit: Audit,
}

impl Store {
    /// The store in the table of that name.
    pub fn new(client: Client, table: &str) -> Self {
        Self {
            table: Table::new(client, table),
            audit: Audit {
                clock: Clock::System,
                retention_days: AUDIT_RETENTION_DAYS,
            },
        }
    }

    /// The store whose log of changes goes by that clock, and is kept for so many days.
    #[must_use]
    pub fn with_audit(mut self, clock: Clock, retention_days: i64) -> Self {
        self.audit = Audit {
            clock,
            retention_days,
        };
        self
    }

    /// The time, in seconds since 1970.
    pub fn now(&self) -> i64 {
        self.audit.clock.now()
    }

    /// The table beneath, for what only operators and tests do.
    pub fn table(&self) -> &Table {
        &self.table
    }
}

/// A client with this service's retries and time limits.
pub fn client(config: &SdkConfig) -> Client {
    Client::from_conf(sdk::configure(config))
}

/// Opens a connection by reading an item that every table has. A failure is left to the first
/// request, which tries again.
pub async fn warm_up(client: &Client, table: &str) {
    let table = Table::new(client.clone(), table);
    let read = table.get::<serde::de::IgnoredAny>(keys::Entity::ActiveSuperusers.key());
    if let Err(error) = read.await {
        tracing::warn!(%error, "the table cannot be reached yet");
    }
}

/// A client of an engine on this machine, which asks for no real credentials.
pub fn connect_to(endpoint: &str) -> Client {
    client(&aws::local(endpoint))
}

/// The table did not answer, or answered what it must not: the operation and the reason.
#[derive(Debug, thiserror::Error)]
#[error("{operation}: {reason}")]
pub struct StoreError {
    operation: &'static str,
    reason: String,
}

impl StoreError {
    /// The failure of a scan, which only operators' commands make.
    pub fn from_scan(error: &(dyn std::error::Error + 'static)) -> Self {
        Self::new("Scan", aws_sdk_dynamodb::error::DisplayErrorContext(error))
    }

    pub(crate) fn new(operation: &'static str, reason: impl fmt::Display) -> Self {
        Self {
            operation,
            reason: reason.to_string(),
        }
    }
}
