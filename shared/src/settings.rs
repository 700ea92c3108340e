//! Every environment variable: its name, type and default. Read once, when a function starts.

use std::{env, fmt, ops::RangeInclusive, str::FromStr};

use jsonwebtoken::Algorithm;
use serde::Deserialize;

use crate::store::AUDIT_RETENTION_DAYS;

/// A text that is never printed.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// The keys of tokens.
#[derive(Clone, Debug)]
pub struct Keys {
    /// Signs and verifies. At least 32 bytes (RFC 7518, section 3.2).
    pub signing_key: Secret,
    /// Verify but do not sign.
    pub fallbacks: Vec<Secret>,
}

/// Where the keys of tokens are.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// `SIGNING_KEY` and the comma-separated `SIGNING_KEY_FALLBACKS`.
    Given(Keys),
    /// `SIGNING_KEY_SECRET_ARN`: a secret of AWS Secrets Manager, see [`Keys::from_secret`].
    Secret(String),
}

/// The service's settings, named as in SimpleJWT and Django where they have one.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `SIGNING_KEY` and `SIGNING_KEY_FALLBACKS`, or `SIGNING_KEY_SECRET_ARN`.
    pub keys: KeySource,
    /// `ALGORITHM`: HS256 (the default), HS384 or HS512.
    pub algorithm: Algorithm,
    /// `ACCESS_TOKEN_LIFETIME` in seconds, 300 unless told.
    pub access_token_lifetime: i64,
    /// `REFRESH_TOKEN_LIFETIME` in seconds, 86,400 unless told.
    pub refresh_token_lifetime: i64,
    /// `UPDATE_LAST_LOGIN`: whether a login writes the user's `last_login`; false unless told.
    pub update_last_login: bool,
    /// `LEEWAY` in seconds for `exp`, `iat` and `nbf`; 0 unless told.
    pub leeway: i64,
    /// `AUDIENCE`: the `aud` that tokens carry and must carry; none unless told.
    pub audience: Option<String>,
    /// `ISSUER`: the `iss` that tokens carry and must carry; none unless told.
    pub issuer: Option<String>,
    /// `TABLE_NAME`: the DynamoDB table.
    pub table_name: String,
    /// `CORS_ALLOWED_ORIGINS`: comma-separated, for `manage runserver` only.
    pub cors_allowed_origins: Vec<String>,
    /// `REQUIRED_PERMISSIONS`: comma-separated labels that the authorizer asks for; none unless
    /// told.
    pub required_permissions: Vec<String>,
    /// How many failed logins there may be before nobody is let in.
    pub login_failures: LoginFailures,
    /// How long somebody may be logged in to the admin pages.
    pub sessions: Sessions,
    /// `CSRF_TRUSTED_ORIGINS`: comma-separated origins, such as `https://admin.example.com`, whose
    /// forms the admin pages take beside their own; none unless told.
    pub csrf_trusted_origins: Vec<String>,
    /// `AUDIT_RETENTION_DAYS`: how long the log of changes is kept, 365 unless told; 0 is for ever.
    pub audit_retention_days: i64,
    /// `METRICS_NAMESPACE`: where a function's metrics appear in CloudWatch; `UserManagement`
    /// unless told.
    pub metrics_namespace: String,
    /// `AWS_LAMBDA_LOG_LEVEL`, which Lambda sets: INFO unless told. Above it the line of each
    /// request is left out, and with it the metrics.
    pub log_level: tracing::Level,
    /// Where a Lambda function finds AWS.
    pub aws: AwsSettings,
}

/// The limits of failed logins. One of 0 is none.
#[derive(Clone, Debug)]
pub struct LoginFailures {
    /// `LOGIN_FAILURE_LIMIT`: for one username, 30 unless told.
    pub per_account: u64,
    /// `LOGIN_FAILURE_LIMIT_PER_ADDRESS`: from one source address, 300 unless told.
    pub per_address: u64,
    /// `LOGIN_FAILURE_WINDOW`: in so many seconds from the first, 900 unless told.
    pub window: i64,
}

/// The limits of a session of the admin pages, in seconds.
#[derive(Clone, Debug)]
pub struct Sessions {
    /// `SESSION_IDLE_AGE`: without a request, 3,600 unless told.
    pub idle_age: i64,
    /// `SESSION_COOKIE_AGE`: from the login, 43,200 unless told.
    pub age: i64,
}

/// Where a Lambda function finds AWS, by the variables that Lambda sets and the AWS SDKs know.
#[derive(Clone, Debug, Default)]
pub struct AwsSettings {
    /// `AWS_REGION`.
    pub region: Option<String>,
    /// `AWS_ENDPOINT_URL_DYNAMODB`, else `AWS_ENDPOINT_URL`; AWS's own unless told.
    pub dynamodb_endpoint: Option<String>,
    /// `AWS_ENDPOINT_URL_SECRETS_MANAGER`, else `AWS_ENDPOINT_URL`; AWS's own unless told.
    pub secrets_manager_endpoint: Option<String>,
    /// `AWS_CA_BUNDLE`: a PEM file of the certificates to trust instead of Amazon's.
    pub ca_bundle: Option<String>,
}

/// A setting that is missing or malformed; the text names it.
#[derive(Debug)]
pub struct SettingsError(String);

impl SettingsError {
    /// An error with that text, which names the setting.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SettingsError {}

/// The shortest key that is as strong as its hash (RFC 7518, section 3.2).
const SHORTEST_KEY: usize = 32;

impl Settings {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// The first setting that is missing or malformed, by its name.
    pub fn from_env() -> Result<Self, SettingsError> {
        Self::from_lookup(|name| env::var(name).ok())
    }

    /// Reads settings from `lookup`; an empty text counts as not set, since a SAM template can
    /// declare a variable only with some value.
    ///
    /// # Errors
    /// The first setting that is missing or malformed, by its name.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let get = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let required =
            |name: &str| get(name).ok_or_else(|| SettingsError(format!("{name} is not set")));
        let list = |name: &str| -> Vec<String> {
            let value = get(name).unwrap_or_default();
            value
                .split(',')
                .map(str::trim)
                .filter(|v| !v.is_empty())
                .map(str::to_owned)
                .collect()
        };
        let failures =
            |name: &str, default| number(get(name), name, "failures", 0..=1_000_000_u64, default);
        let fallbacks = list("SIGNING_KEY_FALLBACKS");
        let keys = match get("SIGNING_KEY_SECRET_ARN") {
            None => KeySource::Given(Keys {
                signing_key: key("SIGNING_KEY", required("SIGNING_KEY")?)?,
                fallbacks: fallbacks
                    .into_iter()
                    .map(|text| key("SIGNING_KEY_FALLBACKS", text))
                    .collect::<Result<_, _>>()?,
            }),
            Some(arn) if get("SIGNING_KEY").is_none() && fallbacks.is_empty() => {
                KeySource::Secret(arn)
            }
            Some(_) => {
                return Err(SettingsError(
                    "SIGNING_KEY_SECRET_ARN is set, but SIGNING_KEY or SIGNING_KEY_FALLBACKS too"
                        .to_owned(),
                ));
            }
        };
        Ok(Self {
            keys,
            algorithm: algorithm(get("ALGORITHM").as_deref().unwrap_or("HS256"))?,
            access_token_lifetime: seconds(
                get("ACCESS_TOKEN_LIFETIME"),
                "ACCESS_TOKEN_LIFETIME",
                1,
                300,
            )?,
            refresh_token_lifetime: seconds(
                get("REFRESH_TOKEN_LIFETIME"),
                "REFRESH_TOKEN_LIFETIME",
                1,
                86_400,
            )?,
            update_last_login: flag(get("UPDATE_LAST_LOGIN"), "UPDATE_LAST_LOGIN")?,
            leeway: seconds(get("LEEWAY"), "LEEWAY", 0, 0)?,
            audience: get("AUDIENCE"),
            issuer: get("ISSUER"),
            table_name: required("TABLE_NAME")?,
            cors_allowed_origins: list("CORS_ALLOWED_ORIGINS"),
            required_permissions: list("REQUIRED_PERMISSIONS"),
            login_failures: LoginFailures {
                per_account: failures("LOGIN_FAILURE_LIMIT", 30)?,
                per_address: failures("LOGIN_FAILURE_LIMIT_PER_ADDRESS", 300)?,
                window: seconds(get("LOGIN_FAILURE_WINDOW"), "LOGIN_FAILURE_WINDOW", 1, 900)?,
            },
            sessions: Sessions {
                idle_age: seconds(get("SESSION_IDLE_AGE"), "SESSION_IDLE_AGE", 1, 3600)?,
                age: seconds(get("SESSION_COOKIE_AGE"), "SESSION_COOKIE_AGE", 1, 43_200)?,
            },
            csrf_trusted_origins: list("CSRF_TRUSTED_ORIGINS"),
            audit_retention_days: number(
                get("AUDIT_RETENTION_DAYS"),
                "AUDIT_RETENTION_DAYS",
                "days",
                0..=36_500,
                AUDIT_RETENTION_DAYS,
            )?,
            metrics_namespace: get("METRICS_NAMESPACE")
                .unwrap_or_else(|| "UserManagement".to_owned()),
            log_level: log_level(get("AWS_LAMBDA_LOG_LEVEL")),
            aws: AwsSettings {
                region: get("AWS_REGION"),
                dynamodb_endpoint: get("AWS_ENDPOINT_URL_DYNAMODB")
                    .or_else(|| get("AWS_ENDPOINT_URL")),
                secrets_manager_endpoint: get("AWS_ENDPOINT_URL_SECRETS_MANAGER")
                    .or_else(|| get("AWS_ENDPOINT_URL")),
                ca_bundle: get("AWS_CA_BUNDLE"),
            },
        })
    }
}

impl Keys {
    /// Reads the text of a secret: `{"current": "…", "previous": "…"}`, where `previous`, which
    /// may be empty or absent, verifies but does not sign.
    ///
    /// # Errors
    /// It has another form, or a key is too short; the error never shows the text.
    pub fn from_secret(text: &str) -> Result<Self, SettingsError> {
        #[derive(Deserialize)]
        struct Text {
            current: String,
            #[serde(default)]
            previous: String,
        }
        let Ok(Text { current, previous }) = serde_json::from_str(text) else {
            return Err(SettingsError(
                r#"the secret of SIGNING_KEY_SECRET_ARN is not {"current": "…", "previous": "…"}"#
                    .to_owned(),
            ));
        };
        let name = "the secret of SIGNING_KEY_SECRET_ARN";
        Ok(Self {
            signing_key: key(name, current)?,
            fallbacks: match previous.as_str() {
                "" => Vec::new(),
                _ => vec![key(name, previous)?],
            },
        })
    }
}

fn key(name: &str, text: String) -> Result<Secret, SettingsError> {
    if text.len() < SHORTEST_KEY {
        return Err(SettingsError(format!(
            "{name} has a key shorter than {SHORTEST_KEY} bytes"
        )));
    }
    Ok(Secret(text))
}

fn algorithm(name: &str) -> Result<Algorithm, SettingsError> {
    match name {
        "HS256" => Ok(Algorithm::HS256),
        "HS384" => Ok(Algorithm::HS384),
        "HS512" => Ok(Algorithm::HS512),
        _ => Err(SettingsError(
            "ALGORITHM is not one of HS256, HS384, HS512".to_owned(),
        )),
    }
}

/// Lambda's names of log levels, of which `tracing` lacks FATAL.
fn log_level(name: Option<String>) -> tracing::Level {
    match name.as_deref() {
        Some("ERROR" | "FATAL") => tracing::Level::ERROR,
        Some("WARN") => tracing::Level::WARN,
        // Nothing finer is compiled into a function.
        _ => tracing::Level::INFO,
    }
}

/// Ten years: longer lifetimes are slips of the keyboard.
const LONGEST: i64 = 315_360_000;

fn seconds(
    value: Option<String>,
    name: &str,
    least: i64,
    default: i64,
) -> Result<i64, SettingsError> {
    number(value, name, "seconds", least..=LONGEST, default)
}

fn number<T: FromStr + PartialOrd + fmt::Display>(
    value: Option<String>,
    name: &str,
    unit: &str,
    range: RangeInclusive<T>,
    default: T,
) -> Result<T, SettingsError> {
    let Some(text) = value else {
        return Ok(default);
    };
    let number = text.trim().parse().ok();
    number
        .filter(|number| range.contains(number))
        .ok_or_else(|| {
            let (least, most) = (range.start(), range.end());
            SettingsError(format!(
                "{name} is not a number of {unit} from {least} to {most}"
            ))
        })
}

fn flag(value: Option<String>, name: &str) -> Result<bool, SettingsError> {
    match value.as_deref().map(str::to_ascii_lowercase).as_deref() {
        None | Some("false" | "0") => Ok(false),
        Some("true" | "1") => Ok(true),
        Some(_) => Err(SettingsError(format!("{name} is neither true nor false"))),
    }
}
