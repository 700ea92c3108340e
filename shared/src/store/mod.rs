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

use aws_config::{
    BehaviorVersion, Region, SdkConfig, environment::EnvironmentVariableCredentialsProvider,
};
use aws_sdk_dynamodb::{
    Client,
    config::{Credentials, SharedAsyncSleep, SharedCredentialsProvider, SharedHttpClient},
};
use aws_smithy_async::rt::sleep::TokioSleep;

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

/// The client of a Lambda function, whose region and credentials are in its environment: the
/// SDK's chain of other sources would be most of its code and is never asked. `AWS_ENDPOINT_URL`
/// names another endpoint than AWS's; an empty one is none, as a template must declare it.
pub fn connect_from_lambda() -> Client {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    connect(
        SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new()),
        variable("AWS_REGION"),
        variable("AWS_ENDPOINT_URL_DYNAMODB").or_else(|| variable("AWS_ENDPOINT_URL")),
        https_client(),
    )
}

/// A client of an engine on this machine, which asks for no real credentials.
pub fn connect_to(endpoint: &str) -> Client {
    let credentials = Credentials::new("local", "local", None, None, "runserver");
    connect(
        SharedCredentialsProvider::new(credentials),
        Some("us-east-1".to_owned()),
        Some(endpoint.to_owned()),
        aws_smithy_http_client::Builder::new().build_http(),
    )
}

fn connect(
    credentials: SharedCredentialsProvider,
    region: Option<String>,
    endpoint: Option<String>,
    http: SharedHttpClient,
) -> Client {
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .credentials_provider(credentials)
        .http_client(http);
    config.set_region(region.map(Region::new));
    config.set_endpoint_url(endpoint);
    client(&config.build())
}

/// A client by a configuration from elsewhere, with this service's retries and time limits.
pub fn client(config: &SdkConfig) -> Client {
    Client::from_conf(table::configure(config))
}

/// HTTPS by rustls with ring, which unlike aws-lc costs no start-up time.
pub fn https_client() -> SharedHttpClient {
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
