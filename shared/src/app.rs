//! What every handler works with: built once at start, cheap to clone, the axum state.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::{hashing::Hasher, jwt::Jwt, settings::Settings, store::Store};

/// The parts of the service.
#[derive(Clone)]
pub struct App {
    /// The settings it was started with.
    pub settings: Arc<Settings>,
    /// The DynamoDB table.
    pub store: Store,
    /// Issues and verifies tokens.
    pub jwt: Arc<Jwt>,
    /// Hashes and verifies passwords.
    pub hasher: Hasher,
    /// The time.
    pub clock: Clock,
}

impl App {
    /// Puts the parts together.
    pub fn new(settings: Settings, client: aws_sdk_dynamodb::Client, clock: Clock) -> Self {
        Self {
            store: Store::new(client, &settings.table_name),
            jwt: Arc::new(Jwt::new(&settings)),
            hasher: Hasher::default(),
            clock,
            settings: Arc::new(settings),
        }
    }

    /// The app of a Lambda function: settings from the environment, the table by the SDK's
    /// ordinary configuration.
    ///
    /// # Errors
    /// A setting that is missing or malformed.
    pub fn from_env() -> Result<Self, crate::settings::SettingsError> {
        let settings = Settings::from_env()?;
        let client = crate::store::connect_from_lambda();
        Ok(Self::new(settings, client, Clock::System))
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
}
