//! The parts of the service: built once at start, cheap to clone, the state of every handler.

use std::{sync::Arc, time::Duration};

use crate::{
    clock::Clock,
    hashing::Hasher,
    keyring::Keyring,
    settings::{KeySource, Settings, SettingsError},
    store::{self, Store, StoreError},
    telemetry::Reporter,
};

/// The parts of the service.
#[derive(Clone)]
pub struct App {
    /// The settings it was started with.
    pub settings: Arc<Settings>,
    /// The DynamoDB table.
    pub store: Store,
    /// Issues and verifies tokens.
    pub keys: Keyring,
    /// Hashes and verifies passwords.
    pub hasher: Hasher,
    /// The time.
    pub clock: Clock,
    /// Logs every request.
    pub reporter: Reporter,
    /// For how long a request may wait for DynamoDB in all.
    pub database_budget: Duration,
}

/// Much more than DynamoDB takes, and little enough for requests that wait for it not to use up what
/// an account may run at once.
pub const DATABASE_BUDGET: Duration = Duration::from_secs(3);

impl App {
    /// Puts the parts together.
    pub fn new(
        settings: Settings,
        store: Store,
        keys: Keyring,
        clock: Clock,
        reporter: Reporter,
    ) -> Self {
        Self {
            store: store
                .with_audit(clock.clone(), settings.table.audit_retention_days)
                .with_mails(settings.accounts.mails),
            keys,
            hasher: Hasher::default(),
            clock,
            reporter,
            database_budget: DATABASE_BUDGET,
            settings: Arc::new(settings),
        }
    }

    /// A service outside of Lambda: with the keys of the settings, and log lines for people.
    ///
    /// # Errors
    /// The keys are in AWS Secrets Manager, where only functions look.
    pub fn local(
        settings: Settings,
        client: aws_sdk_dynamodb::Client,
        clock: Clock,
    ) -> Result<Self, SettingsError> {
        let KeySource::Given(keys) = &settings.tokens.keys else {
            let text = "SIGNING_KEY_SECRET_ARN is for Lambda functions only";
            return Err(SettingsError::new(text));
        };
        let keys = Keyring::fixed(&settings.tokens, keys);
        let store = Store::new(client, &settings.table.name);
        Ok(Self::new(settings, store, keys, clock, Reporter::Lines))
    }

    /// Answers a request with keys that are fit for use, and within [`Self::database_budget`].
    ///
    /// # Errors
    /// The keys of tokens are too old, and cannot be read again.
    pub async fn answer<R>(&self, request: impl Future<Output = R>) -> Result<R, StoreError> {
        let ready = self.keys.ready(self.clock.now()).await;
        ready.map_err(|error| StoreError::new("GetSecretValue", error))?;
        Ok(store::within(self.database_budget, request).await)
    }
}
