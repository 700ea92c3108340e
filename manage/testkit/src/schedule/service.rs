//! The service of an operation.

use std::{sync::Arc, time::Duration};

use aws_sdk_dynamodb::{
    Client as DynamoDb,
    config::{retry::RetryConfig, timeout::TimeoutConfig},
};
use shared::{app::App, aws::LocalEndpoint, clock::Clock, store::connect_to};

use crate::{Client, serve, settings};

/// Names of variables with their values.
pub(super) type Settings = Vec<(&'static str, &'static str)>;

/// The service of one operation.
#[derive(Clone)]
pub struct Service {
    /// Sends requests to it.
    pub client: Client,
    /// Its parts.
    pub app: App,
    endpoint: LocalEndpoint,
    settings: Arc<Settings>,
}

impl Service {
    pub(super) async fn at(endpoint: LocalEndpoint, settings: &Settings, clock: Clock) -> Self {
        let app = app(&endpoint, settings, clock);
        Self {
            client: serve(app.clone()).await,
            app,
            endpoint,
            settings: Arc::new(settings.clone()),
        }
    }

    /// The same on a process that has just started, and knows nothing of the table.
    pub fn anew(&self) -> App {
        app(&self.endpoint, &self.settings, self.app.clock.clone())
    }
}

/// A service that waits for its turns for as long as they take, and sends no call twice.
fn app(endpoint: &LocalEndpoint, settings: &Settings, clock: Clock) -> App {
    let config = connect_to(endpoint).config().to_builder();
    let config = config
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::disabled());
    let client = DynamoDb::from_conf(config.build());
    let mut app = App::local(self::settings(settings), client, clock).expect("keys");
    app.database_budget = Duration::from_secs(1000);
    app
}
