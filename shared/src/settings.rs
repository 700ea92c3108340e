//! Every environment variable: its name, type and default, in groups by concern. A function reads
//! the groups that it needs, once, when it starts.

mod environment;
mod key;
mod keys;
mod mail;
mod tokens;

use std::env;

use ipnet::IpNet;
use secrecy::SecretString;
use thiserror::Error;

use environment::Environment;
pub use environment::time;
use key::long_enough;
pub use key::{Algorithm, KeyState, TokenKey};
pub(crate) use key::{ed25519, p256, rsa};
pub use keys::{KeyDocument, KeyEntry, KeySource, Keys};
pub use mail::{AccountSettings, EmailBackend, LinkSettings, MailPolicy, SenderSettings};
pub use tokens::{Reuse, TokenClaim, TokenSettings};

/// The service's settings, named as in SimpleJWT and Django where they have one.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Access and refresh tokens.
    pub tokens: TokenSettings,
    /// The DynamoDB table.
    pub table: TableSettings,
    /// Logins.
    pub logins: LoginSettings,
    /// The admin pages.
    pub pages: PageSettings,
    /// Account life.
    pub accounts: AccountSettings,
    /// How mails are sent.
    pub sender: SenderSettings,
    /// Who may reach the service at all.
    pub edge: EdgeSettings,
    /// `REQUIRED_PERMISSIONS`: comma-separated labels that the authorizer asks for; none unless
    /// set.
    pub required_permissions: Vec<String>,
    /// `CORS_ALLOWED_ORIGINS`: comma-separated, for `manage runserver` only.
    pub cors_allowed_origins: Vec<String>,
    /// Logs and metrics.
    pub telemetry: TelemetrySettings,
    /// Where a Lambda function finds AWS.
    pub aws: AwsSettings,
}

/// A rate in DRF's form, such as `100/hour`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub count: u64,
    /// In so many seconds.
    pub seconds: i64,
}

/// The DynamoDB table.
#[derive(Clone, Debug)]
pub struct TableSettings {
    /// `TABLE_NAME`.
    pub name: String,
    /// `AUDIT_RETENTION_DAYS`: how long the log of changes is kept; 365 unless set, 0 is for ever.
    pub audit_retention_days: i64,
}

/// Logins, and the limits of failed ones. A limit of 0 is none.
#[derive(Clone, Debug)]
pub struct LoginSettings {
    /// `UPDATE_LAST_LOGIN`: whether a login writes the user's `last_login`; false unless set.
    pub update_last_login: bool,
    /// `LOGIN_FAILURE_LIMIT`: attempts for one username from one source address; 30 unless set.
    pub failures_per_account_and_address: u64,
    /// `LOGIN_FAILURE_LIMIT_PER_ACCOUNT`: failures for one username from addresses that it has no
    /// session from; 300 unless set.
    pub failures_per_account: u64,
    /// `LOGIN_FAILURE_LIMIT_PER_ADDRESS`: failures from one source address; 300 unless set.
    pub failures_per_address: u64,
    /// `LOGIN_FAILURE_WINDOW`: seconds of the windows that they are counted in; 900 unless set.
    pub failure_window: i64,
    /// `LOGIN_FAILURE_TIME`: the least time in milliseconds that a failed login takes; 0 unless set,
    /// which is the time of one hash.
    pub failure_time: u64,
    /// `THROTTLE_RATE_REGISTER`: registrations from one source address; 100/hour unless set, none if
    /// it is set to nothing.
    pub register_rate: Option<Rate>,
}

/// The admin pages.
#[derive(Clone, Debug)]
pub struct PageSettings {
    /// `SESSION_IDLE_AGE`: seconds without a request after which a session ends; 3,600 unless set.
    pub session_idle_age: i64,
    /// `SESSION_COOKIE_AGE`: seconds from the login after which it ends; 43,200 unless set.
    pub session_age: i64,
    /// `CSRF_TRUSTED_ORIGINS`: comma-separated origins, such as `https://admin.example.com`, whose
    /// forms are taken beside those of the pages' own host; none unless set.
    pub csrf_trusted_origins: Vec<String>,
}

/// Who may reach the service at all.
#[derive(Clone, Debug)]
pub struct EdgeSettings {
    /// `ORIGIN_SECRET`: what a proxy before the service, such as CloudFront, sends in the header
    /// `X-Origin-Verify`, and the comma-separated `ORIGIN_SECRET_FALLBACKS`, which are taken too
    /// while it is replaced. Requests without one of them are refused; if there is none, none is
    /// asked for. At least 32 bytes each.
    pub origin_secrets: Vec<SecretString>,
    /// `DISABLE_ADMIN`: whether the admin pages are left out; false unless set.
    pub disable_admin: bool,
    /// `ADMIN_NETWORKS`: comma-separated networks, such as `192.0.2.0/24, 2001:db8::/32`, from which
    /// alone the admin pages can be reached; any unless set.
    pub admin_networks: Vec<IpNet>,
}

/// Logs and metrics.
#[derive(Clone, Debug)]
pub struct TelemetrySettings {
    /// `METRICS_NAMESPACE`: where a function's metrics appear in CloudWatch; `UserManagement`
    /// unless set.
    pub metrics_namespace: String,
    /// `AWS_LAMBDA_LOG_LEVEL`, which Lambda sets; INFO unless set. Above it the line of each
    /// request is left out, and with it the metrics.
    pub log_level: tracing::Level,
}

/// Where a Lambda function finds AWS, by the variables that Lambda sets and the AWS SDKs know.
#[derive(Clone, Debug, Default)]
pub struct AwsSettings {
    /// `AWS_REGION`.
    pub region: Option<String>,
    /// `AWS_ENDPOINT_URL_DYNAMODB`, else `AWS_ENDPOINT_URL`; AWS's own unless set.
    pub dynamodb_endpoint: Option<String>,
    /// `AWS_ENDPOINT_URL_SECRETS_MANAGER`, else `AWS_ENDPOINT_URL`; AWS's own unless set.
    pub secrets_manager_endpoint: Option<String>,
    /// `AWS_CA_BUNDLE`: a PEM file of the certificates to trust instead of Amazon's.
    pub ca_bundle: Option<String>,
}

/// A setting that is missing or malformed; the text names it.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct SettingsError(String);

impl SettingsError {
    /// An error with that text, which names the setting.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

/// Days that changes are remembered unless set.
pub const AUDIT_RETENTION_DAYS: i64 = 365;
impl Settings {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// The first setting that is missing or malformed, by its name.
    pub fn from_env() -> Result<Self, SettingsError> {
        Self::from_lookup(|name| env::var(name).ok())
    }

    /// Reads settings from `lookup`.
    ///
    /// # Errors
    /// The first setting that is missing or malformed, by its name.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let env = Environment::new(&lookup);
        Ok(Self {
            tokens: TokenSettings::read(&env)?,
            table: TableSettings::read(&env)?,
            logins: LoginSettings::read(&env)?,
            pages: PageSettings::read(&env)?,
            accounts: AccountSettings::read(&env)?,
            sender: SenderSettings::read(&env)?,
            edge: EdgeSettings::read(&env)?,
            required_permissions: env.list("REQUIRED_PERMISSIONS"),
            cors_allowed_origins: env.list("CORS_ALLOWED_ORIGINS"),
            telemetry: TelemetrySettings::read(&env),
            aws: AwsSettings::read(&env),
        })
    }
}

impl TableSettings {
    fn read(env: &Environment<'_>) -> Result<Self, SettingsError> {
        let days = |name| env.number(name, "days", 0..=36_500, AUDIT_RETENTION_DAYS);
        Ok(Self {
            name: env.required("TABLE_NAME")?,
            audit_retention_days: days("AUDIT_RETENTION_DAYS")?,
        })
    }
}

impl LoginSettings {
    fn read(env: &Environment<'_>) -> Result<Self, SettingsError> {
        let failures = |name, default| env.number(name, "failures", 0..=1_000_000, default);
        Ok(Self {
            update_last_login: env.flag("UPDATE_LAST_LOGIN")?,
            failures_per_account_and_address: failures("LOGIN_FAILURE_LIMIT", 30)?,
            failures_per_account: failures("LOGIN_FAILURE_LIMIT_PER_ACCOUNT", 300)?,
            failures_per_address: failures("LOGIN_FAILURE_LIMIT_PER_ADDRESS", 300)?,
            failure_window: env.seconds("LOGIN_FAILURE_WINDOW", 1, 900)?,
            failure_time: env.number("LOGIN_FAILURE_TIME", "milliseconds", 0..=10_000, 0)?,
            register_rate: env.rate("THROTTLE_RATE_REGISTER", "100/hour")?,
        })
    }
}

impl PageSettings {
    fn read(env: &Environment<'_>) -> Result<Self, SettingsError> {
        Ok(Self {
            session_idle_age: env.seconds("SESSION_IDLE_AGE", 1, 3600)?,
            session_age: env.seconds("SESSION_COOKIE_AGE", 1, 43_200)?,
            csrf_trusted_origins: env.list("CSRF_TRUSTED_ORIGINS"),
        })
    }
}

impl EdgeSettings {
    fn read(env: &Environment<'_>) -> Result<Self, SettingsError> {
        let (current, before) = ("ORIGIN_SECRET", "ORIGIN_SECRET_FALLBACKS");
        let secrets = env
            .get(current)
            .map(|text| long_enough(current, text))
            .into_iter();
        let fallbacks = env
            .list(before)
            .into_iter()
            .map(|text| long_enough(before, text));
        if env.get(current).is_none() && !env.list(before).is_empty() {
            let text = "ORIGIN_SECRET_FALLBACKS is set, but ORIGIN_SECRET is not";
            return Err(SettingsError::new(text));
        }
        Ok(Self {
            origin_secrets: secrets.chain(fallbacks).collect::<Result<_, _>>()?,
            disable_admin: env.flag("DISABLE_ADMIN")?,
            admin_networks: env.networks("ADMIN_NETWORKS")?,
        })
    }
}

impl TelemetrySettings {
    fn read(env: &Environment<'_>) -> Self {
        Self {
            metrics_namespace: env
                .get("METRICS_NAMESPACE")
                .unwrap_or_else(|| "UserManagement".to_owned()),
            // Lambda's names of levels, of which `tracing` lacks FATAL. Nothing finer than INFO is
            // compiled into a function.
            log_level: match env.get("AWS_LAMBDA_LOG_LEVEL").as_deref() {
                Some("ERROR" | "FATAL") => tracing::Level::ERROR,
                Some("WARN") => tracing::Level::WARN,
                _ => tracing::Level::INFO,
            },
        }
    }
}

impl AwsSettings {
    fn read(env: &Environment<'_>) -> Self {
        let endpoint = |service| env.get(service).or_else(|| env.get("AWS_ENDPOINT_URL"));
        Self {
            region: env.get("AWS_REGION"),
            dynamodb_endpoint: endpoint("AWS_ENDPOINT_URL_DYNAMODB"),
            secrets_manager_endpoint: endpoint("AWS_ENDPOINT_URL_SECRETS_MANAGER"),
            ca_bundle: env.get("AWS_CA_BUNDLE"),
        }
    }
}
