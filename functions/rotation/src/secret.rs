//! The secret in AWS Secrets Manager, which is replaced only as it was read.

use aws_sdk_secretsmanager::{Client, error::DisplayErrorContext};
use shared::settings::{Algorithm, KeyDocument};

use crate::{Failure, generate, steps::Lifetimes};

/// The label of the version that functions read.
const CURRENT: &str = "AWSCURRENT";
/// The label of a version that Secrets Manager's own rotation makes.
const PENDING: &str = "AWSPENDING";
/// The label of a version that a command makes, until it is the current one.
const MADE: &str = "rotatekey";

/// A secret with keys.
pub struct Secret {
    client: Client,
    /// Its ARN or name.
    id: String,
}

/// What its tags say of the stack's tokens, and when it was made.
#[derive(Clone, Copy, Debug)]
pub struct Described {
    /// `ALGORITHM`, by which keys of the older form sign.
    pub algorithm: Algorithm,
    /// How long tokens are good.
    pub lifetimes: Lifetimes,
    /// In seconds since 1970.
    pub created: Option<i64>,
}

/// A version of it.
pub struct Version {
    /// Its id.
    pub id: String,
    /// What it holds.
    pub document: KeyDocument,
    /// The text of that.
    pub text: String,
}

impl Secret {
    /// A secret by its ARN or name.
    pub fn new(client: Client, id: impl Into<String>) -> Self {
        let id = id.into();
        Self { client, id }
    }

    /// The version that functions read. Keys of the older form are of `algorithm` if that is one of
    /// HMAC.
    ///
    /// # Errors
    /// It cannot be read, or holds no keys.
    pub async fn current(&self, algorithm: Algorithm) -> Result<Version, Failure> {
        self.version(CURRENT, None, algorithm).await
    }

    /// The version that a rotation of Secrets Manager makes, by the rotation's token.
    ///
    /// # Errors
    /// It is not there, cannot be read, or holds no keys.
    pub async fn pending(&self, token: &str, algorithm: Algorithm) -> Result<Version, Failure> {
        self.version(PENDING, Some(token), algorithm).await
    }

    async fn version(
        &self,
        label: &str,
        id: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<Version, Failure> {
        let call = self.client.get_secret_value().secret_id(&self.id);
        let call = call
            .version_stage(label)
            .set_version_id(id.map(str::to_owned));
        let answer = call.send().await;
        let answer = answer.map_err(|error| self.failed("read", &error))?;
        let text = answer.secret_string.unwrap_or_default();
        let document = KeyDocument::read(&text, algorithm)?;
        document.keys()?;
        Ok(Version {
            id: answer.version_id.unwrap_or_default(),
            document,
            text,
        })
    }

    /// Makes a document the version that functions read, if `before` still is. Secrets Manager moves a
    /// label in one step, and only from the version that it is said to be on.
    ///
    /// # Errors
    /// Somebody else changed the secret in between, or it cannot be written.
    pub async fn replace(&self, before: &Version, document: KeyDocument) -> Result<(), Failure> {
        let token = generate::text()[..32].to_owned();
        self.put(&token, MADE, before, document).await?;
        self.promote(&token, &before.id).await
    }

    /// Makes a document the pending version of a rotation of Secrets Manager.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn prepare(
        &self,
        token: &str,
        before: &Version,
        document: KeyDocument,
    ) -> Result<(), Failure> {
        self.put(token, PENDING, before, document).await
    }

    async fn put(
        &self,
        token: &str,
        label: &str,
        before: &Version,
        mut document: KeyDocument,
    ) -> Result<(), Failure> {
        document.replaces = Some(before.id.clone());
        document.keys()?;
        let text = serde_json::to_string(&document);
        // Texts and numbers, which are always JSON.
        let text = text.map_err(|_| Failure::new("the keys have no text"))?;
        let call = self.client.put_secret_value().secret_id(&self.id);
        let call = call.client_request_token(token).version_stages(label);
        let put = call.secret_string(text).send().await;
        put.map_err(|error| self.failed("write", &error))?;
        Ok(())
    }

    /// Makes a version the one that functions read, if `before` still is.
    ///
    /// # Errors
    /// Somebody else changed the secret in between, or it cannot be written.
    pub async fn promote(&self, version: &str, before: &str) -> Result<(), Failure> {
        let call = self.client.update_secret_version_stage();
        let call = call.secret_id(&self.id).version_stage(CURRENT);
        let call = call
            .move_to_version_id(version)
            .remove_from_version_id(before);
        let Err(error) = call.send().await else {
            return Ok(());
        };
        // The SDK may have retried a call whose answer was lost.
        match self.current_id().await? {
            id if id == version => Ok(()),
            id if id != before => Err(Failure::Conflict),
            _ => Err(self.failed("write", &error)),
        }
    }

    async fn current_id(&self) -> Result<String, Failure> {
        let call = self.client.get_secret_value().secret_id(&self.id);
        let answer = call.version_stage(CURRENT).send().await;
        let answer = answer.map_err(|error| self.failed("read", &error))?;
        Ok(answer.version_id.unwrap_or_default())
    }

    /// Gives up a pending version, so that the next rotation begins anew.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn give_up(&self, token: &str) -> Result<(), Failure> {
        let call = self.client.update_secret_version_stage();
        let call = call.secret_id(&self.id).version_stage(PENDING);
        let done = call.remove_from_version_id(token).send().await;
        done.map_err(|error| self.failed("write", &error))?;
        Ok(())
    }

    /// What its tags say of the stack's tokens, and when it was made.
    ///
    /// # Errors
    /// It cannot be read, or a tag is malformed.
    pub async fn described(&self) -> Result<Described, Failure> {
        let answer = self.client.describe_secret().secret_id(&self.id).send();
        let answer = answer.await.map_err(|error| self.failed("read", &error))?;
        let tag = |name: &str| {
            let found = answer.tags().iter().find(|tag| tag.key() == Some(name));
            found
                .and_then(|tag| tag.value())
                .filter(|text| !text.is_empty())
        };
        let lifetimes = Lifetimes {
            refresh: tag("RefreshTokenLifetime").and_then(|text| text.parse().ok()),
            leeway: tag("Leeway")
                .and_then(|text| text.parse().ok())
                .unwrap_or(0),
            legacy_until: match tag("LegacyTokensUntil") {
                Some(text) => Some(shared::settings::time(text).ok_or_else(|| {
                    Failure::new("the tag LegacyTokensUntil of the secret is no time")
                })?),
                None => None,
            },
        };
        Ok(Described {
            algorithm: tag("Algorithm")
                .and_then(Algorithm::named)
                .unwrap_or(Algorithm::Hs256),
            lifetimes,
            created: answer.created_date().map(|date| date.secs()),
        })
    }

    fn failed(&self, verb: &str, error: &(dyn std::error::Error + 'static)) -> Failure {
        let causes = DisplayErrorContext(error);
        Failure::new(format!("cannot {verb} the secret {}: {causes}", self.id))
    }
}
