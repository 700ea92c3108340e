//! What every handler works with: built once at start, cheap to clone, the axum state.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::{
    hashing::Hasher,
    http::log::Reporter,
    keyring::Keyring,
    settings::{KeySource, Settings, SettingsError},
    store::Store,
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
    /// Tells of every request.
    pub reporter: Reporter,
}

impl App {
    /// Puts the parts together.
    pub fn new(
        settings: Arc<Settings>,
        client: aws_sdk_dynamodb::Client,
        keys: Keyring,
        clock: Clock,
        reporter: Reporter,
    ) -> Self {
        Self {
            store: Store::new(client, &settings.table_name)
                .with_audit(clock.clone(), settings.audit_retention_days),
            keys,
            hasher: Hasher::default(),
            clock,
            reporter,
            settings,
        }
    }

    /// A service outside of Lambda: with the keys of the settings, and lines for people.
    ///
    /// # Errors
    /// The keys are in AWS Secrets Manager, where only functions look.
    pub fn local(
        settings: Settings,
        client: aws_sdk_dynamodb::Client,
        clock: Clock,
    ) -> Result<Self, SettingsError> {
        let settings = Arc::new(settings);
        let KeySource::Given(keys) = &settings.keys else {
            let text = "SIGNING_KEY_SECRET_ARN is for Lambda functions only";
            return Err(SettingsError::new(text));
        };
        let keys = Keyring::fixed(Arc::clone(&settings), keys);
        Ok(Self::new(settings, client, keys, clock, Reporter::Lines))
    }
}

/// Where the time comes from, so that tests can set it.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// A time that stands until it is changed, in seconds since 1970.
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    /// Whole seconds since 1970-01-01 UTC (RFC 7519's NumericDate).
    pub fn now(&self) -> i64 {
        match self {
            Self::System => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| {
                    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
                }),
            Self::Fixed(time) => time.load(Ordering::SeqCst),
        }
    }

    /// Milliseconds since 1970-01-01 UTC.
    pub fn now_in_ms(&self) -> i64 {
        match self {
            Self::System => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| {
                    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
                }),
            Self::Fixed(_) => self.now() * 1000,
        }
    }
}
