//! `manage rotatekey`: a new signing key, without logging anyone out.

use aws_sdk_secretsmanager::{Client, error::DisplayErrorContext};
use aws_smithy_http_client::tls::TrustStore;
use clap::Args;
use secrecy::ExposeSecret;
use serde_json::json;
use shared::{
    aws::{PATIENT, https_client},
    settings::Keys,
};

use crate::{CommandError, random_text};

/// Options of `rotatekey`.
#[derive(Args)]
pub struct Options {
    /// The ARN or the name of the secret in AWS Secrets Manager, by the AWS SDK's ordinary
    /// environment: the deployment's output SigningKeyArn.
    #[arg(value_name = "SECRET")]
    secret: String,
}

/// Rotates the key.
///
/// # Errors
/// The secret cannot be read or written, or is no signing key.
pub async fn rotatekey(options: Options) -> Result<(), CommandError> {
    rotate(&client().await?, &options.secret).await?;
    println!(
        "The new key signs from now on, and the one before it still verifies. Functions learn of \
         it within five minutes, or with the first token that it signed."
    );
    Ok(())
}

/// Rotates the key twice, so that no token signed before verifies.
///
/// # Errors
/// As [`rotatekey`].
pub async fn replace(secret: &str) -> Result<(), CommandError> {
    let client = client().await?;
    rotate(&client, secret).await?;
    rotate(&client, secret).await
}

/// Reads the keys of a secret.
///
/// # Errors
/// The secret cannot be read, or is no signing key.
pub async fn read(secret: &str) -> Result<Keys, CommandError> {
    get(&client().await?, secret).await
}

async fn client() -> Result<Client, CommandError> {
    let config = aws_config::from_env()
        .http_client(https_client(TrustStore::default())?)
        .timeout_config(PATIENT.timeouts())
        .load()
        .await;
    Ok(Client::new(&config))
}

/// Makes the current key of a secret the previous one, and a new random key the current one.
///
/// # Errors
/// The secret cannot be read or written, or is no signing key.
pub async fn rotate(client: &Client, secret: &str) -> Result<(), CommandError> {
    let keys = get(client, secret).await?;
    let new = json!({"current": random_text(), "previous": keys.signing_key.expose_secret()});
    let put = client
        .put_secret_value()
        .secret_id(secret)
        .secret_string(new.to_string())
        .send();
    put.await.map_err(|error| failed("write", secret, &error))?;
    Ok(())
}

async fn get(client: &Client, secret: &str) -> Result<Keys, CommandError> {
    let read = client.get_secret_value().secret_id(secret).send().await;
    let text = read
        .map_err(|error| failed("read", secret, &error))?
        .secret_string
        .unwrap_or_default();
    Ok(Keys::from_secret(&text)?)
}

fn failed(verb: &str, secret: &str, error: &(dyn std::error::Error + 'static)) -> CommandError {
    let causes = DisplayErrorContext(error);
    CommandError::new(format!("cannot {verb} the secret {secret}: {causes}"))
}
