//! The environment of the hook, which `template.yaml` writes.

use secrecy::SecretString;
use shared::settings::{AwsSettings, SettingsError};

/// What the hook is told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `CANARY_SECRET_ARN`: the secret with the account.
    pub(crate) secret: String,
    /// The versions to try.
    pub(crate) versions: Versions,
    /// `REQUIRED_PERMISSIONS`: whether the authorizer asks for permissions, which the account may
    /// lack.
    pub(crate) asks_permissions: bool,
    /// `ORIGIN_SECRET`: what the functions ask a proxy for, if they do.
    pub(crate) origin_secret: Option<SecretString>,
    /// `AWS_REGION` and `AWS_CA_BUNDLE`.
    pub(crate) aws: AwsSettings,
    /// `AWS_ENDPOINT_URL`: where AWS is, if it is not AWS's own.
    pub(crate) endpoint: Option<String>,
}

/// The ARN of each function with the number of its new version: `AUTH_VERSION` and so on.
#[derive(Clone, Debug)]
pub(crate) struct Versions {
    pub(crate) auth: String,
    pub(crate) users: String,
    pub(crate) groups: String,
    pub(crate) permissions: String,
    pub(crate) admin: String,
    pub(crate) authorizer: String,
}

impl Settings {
    /// Reads settings from `lookup`. An empty text counts as not set.
    ///
    /// # Errors
    /// The first setting that is missing, by its name.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let get = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let required =
            |name| get(name).ok_or_else(|| SettingsError::new(format!("{name} is not set")));
        Ok(Self {
            secret: required("CANARY_SECRET_ARN")?,
            versions: Versions {
                auth: required("AUTH_VERSION")?,
                users: required("USERS_VERSION")?,
                groups: required("GROUPS_VERSION")?,
                permissions: required("PERMISSIONS_VERSION")?,
                admin: required("ADMIN_VERSION")?,
                authorizer: required("AUTHORIZER_VERSION")?,
            },
            asks_permissions: get("REQUIRED_PERMISSIONS").is_some(),
            origin_secret: get("ORIGIN_SECRET").map(SecretString::from),
            aws: AwsSettings {
                region: get("AWS_REGION"),
                ca_bundle: get("AWS_CA_BUNDLE"),
                ..AwsSettings::default()
            },
            endpoint: get("AWS_ENDPOINT_URL"),
        })
    }
}
