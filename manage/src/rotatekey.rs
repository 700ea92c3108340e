//! `manage rotatekey`: the next step to a new signing key, without logging anyone out.

use std::time::Duration;

use aws_sdk_secretsmanager::Client;
use aws_smithy_http_client::tls::TrustStore;
use clap::Args;
use jiff::Timestamp;
use rotation::{
    Described, Failure, Secret,
    steps::{TooEarly, accept, advance, replace as replaced},
};
use secrecy::{ExposeSecret, SecretString};
use shared::{
    aws::{PATIENT, https_client},
    clock::Clock,
    keyring::MAX_AGE,
    settings::{Algorithm, KeyDocument},
};
use tokio::time::sleep;

use crate::{CommandError, leaked::Witness, smoketest::Address};

/// Options of `rotatekey`.
#[derive(Args)]
pub struct Options {
    /// The ARN or the name of the secret in AWS Secrets Manager, by the AWS SDK's ordinary
    /// environment: the deployment's output SigningKeyArn.
    #[arg(value_name = "SECRET")]
    secret: String,
    /// What a new key signs by; that of the present one unless told.
    #[arg(long, value_name = "ALGORITHM", value_parser = algorithm)]
    algorithm: Option<Algorithm>,
    /// Do the next step even if it logs people out: promote a key that not everybody can know yet, or
    /// drop one whose tokens are in use. With --leaked, replace the keys even if the service cannot
    /// prove that it uses them.
    #[arg(long)]
    force: bool,
    /// After a leak: replace every key at once, so that no token, session of the admin pages and link
    /// from before is good.
    #[arg(long, requires = "url")]
    leaked: bool,
    /// Where the service is, to prove there that the keys are replaced.
    #[arg(long, value_name = "URL")]
    url: Option<Address>,
    /// Also accept tokens of the keys in SIGNING_KEY_FALLBACKS (comma-separated), such as Django's
    /// SECRET_KEY, and do no step.
    #[arg(long, conflicts_with_all = ["force", "leaked", "algorithm"])]
    accept_fallbacks: bool,
    /// Seconds that a refresh token is good; what the secret's tag RefreshTokenLifetime says unless
    /// told.
    #[arg(long, value_name = "SECONDS")]
    refresh_token_lifetime: Option<i64>,
}

fn algorithm(text: &str) -> Result<Algorithm, CommandError> {
    let all = Algorithm::ALL.map(Algorithm::name).join(", ");
    Algorithm::named(text).ok_or_else(|| CommandError::new(format!("it is not one of {all}")))
}

/// Does the next step of a rotation.
///
/// # Errors
/// It is too early, the secret cannot be read or written, or is no signing key.
pub async fn rotatekey(options: Options) -> Result<(), CommandError> {
    let secret = Secret::new(client().await?, &options.secret);
    if options.leaked {
        return leaked(&secret, &options).await;
    }
    if options.accept_fallbacks {
        let keys = fallbacks()?;
        let count = keys.len();
        accept_all(&secret, keys).await?;
        println!("Tokens of {count} more key(s) are accepted.");
        return Ok(());
    }
    let mut described = secret.described().await?;
    let lifetime = &mut described.lifetimes.refresh;
    *lifetime = options.refresh_token_lifetime.or(*lifetime);
    for line in rotate(&secret, options.algorithm, described, now(), options.force).await? {
        println!("{line}");
    }
    Ok(())
}

/// The keys of `SIGNING_KEY_FALLBACKS`: comma-separated, or a JSON array if one holds a comma.
fn fallbacks() -> Result<Vec<String>, CommandError> {
    let text = std::env::var("SIGNING_KEY_FALLBACKS").unwrap_or_default();
    let keys: Vec<String> = match text.starts_with('[') {
        // The error may quote a key.
        true => serde_json::from_str(&text)
            .map_err(|_| CommandError::new("SIGNING_KEY_FALLBACKS is no array of texts"))?,
        false => text.split(',').map(|key| key.trim().to_owned()).collect(),
    };
    let keys: Vec<String> = keys.into_iter().filter(|key| !key.is_empty()).collect();
    match keys.is_empty() {
        true => Err(CommandError::new("SIGNING_KEY_FALLBACKS is not set")),
        false => Ok(keys),
    }
}

/// Does the next step, and says what was done.
///
/// # Errors
/// As [`rotatekey`].
pub async fn rotate(
    secret: &Secret,
    algorithm: Option<Algorithm>,
    described: Described,
    now: i64,
    is_forced: bool,
) -> Result<Vec<String>, CommandError> {
    let current = secret.current(described.algorithm).await?;
    let mut document = KeyDocument::read(&current.text, described.algorithm)?;
    let lifetimes = described.lifetimes;
    let steps = match advance(&mut document, algorithm, lifetimes, now, is_forced)? {
        Ok(steps) => steps,
        Err(early) => return Err(CommandError::new(why(&early))),
    };
    secret.replace(&current, document).await?;
    Ok(steps.iter().map(ToString::to_string).collect())
}

fn why(early: &TooEarly) -> String {
    match early {
        TooEarly::Unknown(key, at) => format!(
            "not everybody who verifies tokens can know key {key} before {}: run this again then, or \
             use --force",
            utc(*at)
        ),
        TooEarly::InUse(key, at) => format!(
            "tokens of key {key} may be good until {}: run this again then, or use --force",
            utc(*at)
        ),
        TooEarly::NoLifetime(key) => format!(
            "how long tokens of key {key} are good is not known: deploy the stack's template, or use \
             --refresh-token-lifetime"
        ),
    }
}

/// Accepts tokens of further HMAC keys.
///
/// # Errors
/// A key is too short, or the secret cannot be read or written.
pub async fn accept_all(secret: &Secret, keys: Vec<String>) -> Result<(), CommandError> {
    let algorithm = secret.described().await?.algorithm;
    let current = secret.current(algorithm).await?;
    let mut document = KeyDocument::read(&current.text, algorithm)?;
    for key in keys {
        accept(&mut document, key, now());
    }
    secret.replace(&current, document).await?;
    Ok(())
}

/// Replaces every key, so that no token signed before verifies.
///
/// # Errors
/// The secret cannot be read or written, or is no signing key.
pub async fn replace(secret: &str) -> Result<(), CommandError> {
    let secret = Secret::new(client().await?, secret);
    replace_all(&secret, None, now()).await?;
    Ok(())
}

/// Replaces every key, and gives the documents before and after.
///
/// # Errors
/// As [`replace`].
pub async fn replace_all(
    secret: &Secret,
    algorithm: Option<Algorithm>,
    now: i64,
) -> Result<(KeyDocument, KeyDocument), CommandError> {
    let older = secret.described().await?.algorithm;
    let current = secret.current(older).await?;
    let after = replaced(&current.document, algorithm, now)?;
    let text = serde_json::to_string(&after);
    let copy = KeyDocument::read(&text.unwrap_or_default(), older)?;
    secret.replace(&current, after).await?;
    Ok((current.document, copy))
}

/// Why a refusal would prove nothing.
const NOT_TAKEN: &str = "the service takes no token of this secret's key: set AUDIENCE and ISSUER as the \
                         stack has them, and see that it is the stack's URL; or use --force";
/// How often the service is asked after a leak.
const PAUSE: Duration = Duration::from_secs(5);

/// Replaces every key, and asks the service until every function has read the new ones: for as long as
/// one may use those that it has.
async fn leaked(secret: &Secret, options: &Options) -> Result<(), CommandError> {
    let url = options.url.clone();
    let url = url.ok_or_else(|| CommandError::new("--leaked needs --url"))?;
    let witness = Witness::of(url)?;
    // A refusal proves nothing where the key was never taken, so that is asked before the change.
    let before = secret.current(secret.described().await?.algorithm).await?;
    match witness.takes(&before.document.keys()?, now()).await {
        Ok(true) => {}
        doubt if options.force => {
            let doubt = doubt.map_or_else(|error| error.to_string(), |_| NOT_TAKEN.to_owned());
            println!("A refusal will prove nothing: {doubt}");
        }
        Ok(false) => return Err(CommandError::new(NOT_TAKEN)),
        Err(error) => return Err(error),
    }
    let (before, after) = replace_all(secret, options.algorithm, now()).await?;
    println!("Every key is replaced. Asking the service until no function can have an old one:");
    let (old, new) = (before.keys()?, after.keys()?);
    let start = now();
    let mut refused_since = None;
    let mut asked = 0;
    while refused_since.is_none() || now() < start + MAX_AGE {
        // An answer that fails says nothing, and the next one is asked for.
        let takes_new = witness.takes(&new, now()).await;
        let takes_old = witness.takes(&old, now()).await;
        asked += 1;
        refused_since = match (takes_old, takes_new) {
            (Ok(false), Ok(true)) => refused_since.or(Some(now() - start)),
            _ => None,
        };
        if now() > start + 2 * MAX_AGE {
            let text = "every key is replaced, but the service does not prove it: look at its logs";
            return Err(CommandError::new(text));
        }
        sleep(PAUSE).await;
    }
    println!(
        "Proven: from {} s after that on every token of the old key was refused, and those of the new \
         key were taken; asked {asked} times over {} s, for which a function may use keys before it \
         reads them again. Others who fetched the published keys may use them for {} s more.",
        refused_since.unwrap_or_default(),
        now() - start,
        MAX_AGE
    );
    Ok(())
}

/// Reads the key of links of a secret.
///
/// # Errors
/// The secret cannot be read, or is no signing key.
pub async fn read_link_key(secret: &str) -> Result<SecretString, CommandError> {
    let secret = Secret::new(client().await?, secret);
    let current = secret.current(Algorithm::Hs256).await?;
    let keys = current.document.keys()?;
    Ok(keys.links()[0].expose_secret().into())
}

async fn client() -> Result<Client, CommandError> {
    let config = aws_config::from_env()
        .http_client(https_client(TrustStore::default())?)
        .timeout_config(PATIENT.timeouts())
        .load()
        .await;
    Ok(Client::new(&config))
}

fn now() -> i64 {
    Clock::System.now()
}

/// A time in seconds since 1970 for people, in UTC.
fn utc(seconds: i64) -> String {
    let time = Timestamp::from_second(seconds);
    time.map_or_else(|_| seconds.to_string(), |time| time.to_string())
}

impl From<Failure> for CommandError {
    fn from(failure: Failure) -> Self {
        Self::new(failure.to_string())
    }
}
