//! The DynamoDB table: one file per entity, on top of [`table`] and [`keys`].

mod access;
pub mod attempts;
mod budget;
pub mod catalogue;
mod credentials;
mod expression;
mod groups;
pub mod history;
pub mod items;
pub mod keys;
pub mod layout;
pub mod marker;
pub mod moving;
mod naming;
pub mod outbox;
pub mod pager;
mod permissions;
pub mod queries;
mod sdk;
pub mod sessions;
mod slow;
pub mod table;
pub mod tokens;
pub mod user_model;
mod user_rows;
mod users;
mod versioned;
pub mod writes;

use std::fmt;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;

use crate::{
    aws::{self, LocalEndpoint},
    clock::Clock,
    settings::{AUDIT_RETENTION_DAYS, MailPolicy},
};
pub use budget::within;
pub use credentials::{Ends, Expected, PasswordChange, StoredHash};
use history::Audit;
pub use marker::owners as email_owners;
pub use naming::name_row;
pub use sdk::configure;
pub use table::Table;
pub use user_rows::{flag_row, membership, shared_email};
pub use versioned::Versioned;
pub use writes::{Refusal, WriteError};

/// Everything the service keeps.
#[derive(Clone)]
pub struct Store {
    table: Table,
    audit: Audit,
    known: layout::Known,
    mails: MailPolicy,
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
            known: layout::Known::default(),
            mails: MailPolicy::default(),
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

    /// The store that owes these mails for changes; without it, none.
    #[must_use]
    pub fn with_mails(mut self, mails: MailPolicy) -> Self {
        self.mails = mails;
        self
    }

    /// Which mails a change is followed by.
    pub fn mails(&self) -> MailPolicy {
        self.mails
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
    Client::from_conf(configure(config))
}

/// A client of an engine on this machine.
pub fn connect_to(endpoint: &LocalEndpoint) -> Client {
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

    /// The failure of an operation of DynamoDB, with its reason.
    pub fn new(operation: &'static str, reason: impl fmt::Display) -> Self {
        Self {
            operation,
            reason: reason.to_string(),
        }
    }
}
