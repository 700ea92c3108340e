//! What the commands of mails share: the settings of the environment, the key of links, the sender.

use std::{env, fs, io::ErrorKind};

use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_http_client::tls::TrustStore;
use clap::Args;
use mailer::{From, Mailer, Sender};
use secrecy::{ExposeSecret, SecretString};
use shared::{
    app::App,
    aws::{PATIENT, https_client},
    clock::Clock,
    settings::{EmailBackend, SenderSettings, Settings},
};

use crate::{
    CommandError, random_text, rotatekey,
    target::{OpenTarget, Target},
};

/// Which key makes the links.
#[derive(Args)]
pub struct LinkKey {
    /// The secret in AWS Secrets Manager that has the keys, by ARN or name: the deployment's output
    /// SigningKeyArn. Else LINK_KEY, or SIGNING_KEY, or SIGNING_KEY_SECRET_ARN, or the key beside an
    /// embedded database.
    #[arg(long, value_name = "SECRET")]
    secret: Option<String>,
}

impl LinkKey {
    async fn read(&self, target: &Target) -> Result<SecretString, CommandError> {
        let given = variable("LINK_KEY").or_else(|| variable("SIGNING_KEY"));
        let given = given.filter(|_| self.secret.is_none());
        if let Some(key) = given {
            return Ok(key.into());
        }
        let secret = self.secret.clone();
        if let Some(secret) = secret.or_else(|| variable("SIGNING_KEY_SECRET_ARN")) {
            return rotatekey::read_link_key(&secret).await;
        }
        let missing = || CommandError::new("no signing key: set SIGNING_KEY, or use --secret");
        let path = target.key_file().ok_or_else(missing)?;
        match fs::read_to_string(&path) {
            Ok(key) => Ok(key.trim().to_owned().into()),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(missing()),
            Err(error) => {
                let path = path.display();
                Err(CommandError::new(format!("cannot read {path}: {error}")))
            }
        }
    }
}

/// The service of the environment's settings on an open table.
///
/// # Errors
/// There is no key, or a setting is malformed.
pub async fn app(target: &Target, open: &OpenTarget, key: &LinkKey) -> Result<App, CommandError> {
    let key = key.read(target).await?;
    let (client, table) = open.store.table().parts();
    let backend = target.is_embedded().then_some("console");
    let settings = settings(key.expose_secret(), table, backend)?;
    Ok(App::local(settings, client.clone(), Clock::System)?)
}

/// A mailer of a service, by the settings of the environment.
///
/// # Errors
/// Its mails are off, or a setting is malformed.
pub async fn mailer(app: App) -> Result<Mailer, CommandError> {
    let (sender, from) = sender(&app.settings.sender).await?;
    let links = app.settings.accounts.links.clone();
    let links = links.ok_or_else(|| CommandError::new("EMAIL_FRONTEND_DOMAIN is not set"))?;
    Ok(Mailer::new(app, sender, from, links))
}

/// How mails are sent, by the settings of the environment alone.
///
/// # Errors
/// A setting is malformed.
pub fn sender_settings() -> Result<SenderSettings, CommandError> {
    // No link is made and no table is read.
    Ok(settings(&random_text(), "none", None)?.sender)
}

/// The sender of settings, and the address that its mails are from.
///
/// # Errors
/// A setting is malformed.
pub async fn sender(settings: &SenderSettings) -> Result<(Sender, From), CommandError> {
    let aws = match settings.backend {
        EmailBackend::Ses => {
            let config = aws_config::from_env()
                .http_client(https_client(TrustStore::default())?)
                .timeout_config(PATIENT.timeouts());
            config.load().await
        }
        // Nothing is asked of AWS.
        _ => SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .build(),
    };
    let from = From::parse(&settings.from)?;
    Ok((Sender::new(settings, &aws)?, from))
}

/// The settings of the environment, with this key and table. Unless it says how, mails go by `backend`,
/// else by the settings' default.
fn settings(key: &str, table: &str, backend: Option<&str>) -> Result<Settings, CommandError> {
    let backend = backend.filter(|_| variable("EMAIL_HOST").is_none());
    let backend = variable("EMAIL_BACKEND").or_else(|| backend.map(str::to_owned));
    Ok(Settings::from_lookup(|name| match name {
        "SIGNING_KEY" => Some(key.to_owned()),
        // The one above makes the links, and no token is signed.
        "SIGNING_KEY_FALLBACKS" | "SIGNING_KEY_SECRET_ARN" | "LINK_KEY" | "ALGORITHM" => None,
        "TABLE_NAME" => Some(table.to_owned()),
        "EMAIL_BACKEND" => backend.clone(),
        name => env::var(name).ok(),
    })?)
}

/// A variable; an empty one counts as not set.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
