//! The DynamoDB table: one file per entity, on top of [`table`] and [`keys`].

mod expression;
pub mod groups;
pub mod keys;
pub mod listing;
pub mod permissions;
pub mod table;
pub mod tokens;
pub mod users;
mod versioned;
pub mod writes;

use std::fmt;

use aws_sdk_dynamodb::Client;

pub use table::{Table, WriteError};
pub use writes::{Actor, ChangeError, Refusal};

/// Everything the service keeps.
#[derive(Clone)]
pub struct Store {
    table: Table,
}

impl Store {
    /// The store in the table of that name.
    pub fn new(client: Client, table: &str) -> Self {
        Self {
            table: Table::new(client, table),
        }
    }

    /// The table beneath, for what only operators and tests do.
    pub fn table(&self) -> &Table {
        &self.table
    }
}

/// A client by the SDK's ordinary environment: region, credentials, `AWS_ENDPOINT_URL`.
pub async fn connect_from_env() -> Client {
    let config = aws_config::from_env()
        .http_client(https_client())
        .load()
        .await;
    Client::from_conf(table::configure(&config))
}

/// A client of an engine on this machine, which asks for no real credentials.
pub fn connect_to(endpoint: &str) -> Client {
    let credentials =
        aws_sdk_dynamodb::config::Credentials::new("local", "local", None, None, "runserver");
    let config = aws_config::SdkConfig::builder()
        .behavior_version(aws_config::BehaviorVersion::latest())
        .region(aws_config::Region::new("us-east-1"))
        .credentials_provider(aws_sdk_dynamodb::config::SharedCredentialsProvider::new(
            credentials,
        ))
        .endpoint_url(endpoint)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .sleep_impl(aws_sdk_dynamodb::config::SharedAsyncSleep::new(
            aws_smithy_async::rt::sleep::TokioSleep::new(),
        ))
        .build();
    Client::from_conf(table::configure(&config))
}

fn https_client() -> aws_sdk_dynamodb::config::SharedHttpClient {
    use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
    aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https()
}

/// The table did not answer, or answered what it must not: the operation and the reason.
#[derive(Debug)]
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

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.operation, self.reason)
    }
}

impl std::error::Error for StoreError {}
