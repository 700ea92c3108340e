//! Every environment variable: its name, type and default. Read once, when a function starts.

use std::{env, fmt};

use jsonwebtoken::Algorithm;

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

/// The service's settings, named as in SimpleJWT and Django where they have one.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `SIGNING_KEY`: signs and verifies tokens. At least 32 bytes (RFC 7518, section 3.2).
    pub signing_key: Secret,
    /// `SIGNING_KEY_FALLBACKS`: comma-separated keys that verify but do not sign.
    pub signing_key_fallbacks: Vec<Secret>,
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
}

/// A setting that is missing or malformed; the text names it.
#[derive(Debug)]
pub struct SettingsError(String);

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
        Ok(Self {
            signing_key: key("SIGNING_KEY", required("SIGNING_KEY")?)?,
            signing_key_fallbacks: list("SIGNING_KEY_FALLBACKS")
                .into_iter()
                .map(|text| key("SIGNING_KEY_FALLBACKS", text))
                .collect::<Result<_, _>>()?,
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

/// Ten years: longer lifetimes are slips of the keyboard.
const LONGEST: i64 = 315_360_000;

fn seconds(
    value: Option<String>,
    name: &str,
    least: i64,
    default: i64,
) -> Result<i64, SettingsError> {
    let Some(text) = value else {
        return Ok(default);
    };
    text.trim()
        .parse()
        .ok()
        .filter(|seconds| (least..=LONGEST).contains(seconds))
        .ok_or_else(|| {
            SettingsError(format!(
                "{name} is not a number of seconds from {least} to {LONGEST}"
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
