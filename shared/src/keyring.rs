//! The keys of tokens at hand: given once, or read from AWS Secrets Manager and read again, so
//! that a rotation logs nobody out.

use std::sync::{Arc, PoisonError, RwLock};

use aws_sdk_secretsmanager::{Client, error::DisplayErrorContext};
use thiserror::Error;
use tokio::sync::Mutex;

use crate::{
    jwt::{Jwt, Signed, TokenError},
    mail::links::{LinkTokens, Subject},
    settings::{Algorithm, Keys, SettingsError, TokenSettings},
    tags::Tags,
};

/// Seconds after which a secret is read again.
pub const MAX_AGE: i64 = 300;
/// Seconds after the last reading for which keys that cannot be read again are used: an hour, in
/// which people can mend it. Without an end, keys that were replaced after a leak would be good for
/// as long as a function lives.
const USABLE: i64 = 3600;
/// What the log says, at level ERROR, when keys cannot be read: an alarm of the template looks for it.
pub const NOT_READ: &str = "the signing key could not be read";
/// Seconds between two reads that bad signatures or failures ask for.
const PAUSE: i64 = 10;

/// Signs and verifies with the keys of the moment. Cheap to clone.
#[derive(Clone)]
pub struct Keyring {
    inner: Arc<Inner>,
}

struct Inner {
    settings: Arc<TokenSettings>,
    made: RwLock<Made>,
    secret: Option<SecretSource>,
}

/// What is made of the keys.
#[derive(Clone)]
struct Made {
    jwt: Arc<Jwt>,
    tags: Arc<Tags>,
    links: Arc<LinkTokens>,
}

impl Made {
    fn of(keys: &Keys, settings: &Arc<TokenSettings>) -> Self {
        Self {
            jwt: Arc::new(Jwt::new(Arc::clone(settings), keys)),
            tags: Arc::new(Tags::new(keys)),
            links: Arc::new(LinkTokens::new(keys)),
        }
    }
}

/// A secret and when it was read.
struct SecretSource {
    client: Client,
    arn: String,
    /// Held while it is read, so that it is read once however many ask.
    last: Mutex<Reads>,
}

/// In seconds since 1970.
#[derive(Default)]
struct Reads {
    tried: i64,
    done: Option<i64>,
    /// Why the last one failed.
    failure: String,
}

impl Reads {
    /// Whether the keys are not older than `age`.
    fn is_within(&self, age: i64, now: i64) -> bool {
        self.done.is_some_and(|done| now < done + age)
    }

    fn failed(&mut self, error: &SecretError) {
        self.failure.clone_from(&error.0);
        tracing::error!(%error, "{NOT_READ}");
    }
}

/// The secret could not be read: Secrets Manager's reason, or what is wrong with its text.
#[derive(Debug, Error)]
#[error("SIGNING_KEY_SECRET_ARN: {0}")]
pub struct SecretError(String);

impl From<SettingsError> for SecretError {
    fn from(error: SettingsError) -> Self {
        Self(error.to_string())
    }
}

impl Keyring {
    /// Keys that stay as they are.
    pub fn fixed(settings: &TokenSettings, keys: &Keys) -> Self {
        Self::new(settings, keys, None)
    }

    /// The keys of a secret, read now (seconds since 1970) and again later. Where it cannot be read now,
    /// none are [ready](Self::ready) until a request has read it.
    ///
    /// # Errors
    /// None that has to do with the secret.
    pub async fn from_secret(
        settings: &TokenSettings,
        client: Client,
        arn: String,
        now: i64,
    ) -> Result<Self, SettingsError> {
        let mut source = SecretSource {
            client,
            arn,
            last: Mutex::default(),
        };
        let read = source.read(settings.algorithm).await;
        let last = source.last.get_mut();
        last.tried = now;
        let keys = match read {
            Ok(keys) => {
                last.done = Some(now);
                keys
            }
            Err(error) => {
                last.failed(&error);
                // No request is answered with it.
                Keys::hmac(&format!("{:032x}", rand::random::<u128>()), &[])?
            }
        };
        Ok(Self::new(settings, &keys, Some(source)))
    }

    fn new(settings: &TokenSettings, keys: &Keys, secret: Option<SecretSource>) -> Self {
        let settings = Arc::new(settings.clone());
        let made = RwLock::new(Made::of(keys, &settings));
        Self {
            inner: Arc::new(Inner {
                settings,
                made,
                secret,
            }),
        }
    }

    fn made(&self) -> Made {
        // A whole value is put there in one step, which no panic can tear.
        let made = self.inner.made.read();
        made.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The keys at hand, without a look whether they are still the secret's.
    pub fn at_hand(&self) -> Arc<Jwt> {
        self.made().jwt
    }

    /// The keys, read again if that was five minutes ago. A failure leaves those at hand,
    /// for [an hour](Self::ready).
    pub async fn current(&self, now: i64) -> Arc<Jwt> {
        let due = |last: &Reads| !last.is_within(MAX_AGE, now);
        self.read_again_if(now, due).await;
        self.at_hand()
    }

    /// Reads the keys again if that was five minutes ago, and makes sure that they are fit for use.
    /// Once for each request.
    ///
    /// # Errors
    /// They could not be read again for an hour, or not once yet.
    pub async fn ready(&self, now: i64) -> Result<(), SecretError> {
        self.current(now).await;
        let Some(source) = &self.inner.secret else {
            return Ok(());
        };
        let last = source.last.lock().await;
        if last.is_within(USABLE, now) {
            return Ok(());
        }
        let since = last.done.map_or("yet", |_| "again for an hour");
        let failure = &last.failure;
        let text = format!("the keys could not be read {since}: {failure}");
        Err(SecretError(text))
    }

    /// What a token claims that one of the keys signed, and the keys. If none of those at hand
    /// signed it, they are read again: another instance may have read a new key before.
    ///
    /// # Errors
    /// None of the keys signed it.
    pub async fn open(&self, token: &str, now: i64) -> Result<(Arc<Jwt>, Signed), TokenError> {
        let jwt = self.current(now).await;
        if let Some(signed) = jwt.open(token) {
            return Ok((jwt, signed));
        }
        if self.inner.secret.is_none() {
            return Err(TokenError::Invalid);
        }
        self.read_again_if(now, |_| true).await;
        let jwt = self.at_hand();
        let signed = jwt.open(token).ok_or(TokenError::Invalid)?;
        Ok((jwt, signed))
    }

    /// Makes and verifies tags with the keys, which are read again as by [`Keyring::current`].
    pub async fn tags(&self, now: i64) -> Arc<Tags> {
        self.current(now).await;
        self.made().tags
    }

    /// The token of a link, made now (seconds since 1970).
    pub async fn link_token(&self, subject: Subject<'_>, now: i64) -> String {
        self.current(now).await;
        self.made().links.make(subject, now)
    }

    /// Whether the token of a link is good. If none of the keys at hand made it, they are read again,
    /// as by [`Keyring::open`].
    pub async fn is_link_token(
        &self,
        subject: Subject<'_>,
        token: &str,
        now: i64,
        timeout: i64,
    ) -> bool {
        self.current(now).await;
        if self.made().links.is_good(subject, token, now, timeout) {
            return true;
        }
        self.read_again_if(now, |_| true).await;
        self.made().links.is_good(subject, token, now, timeout)
    }

    /// Whether a text has this tag, made for this purpose. If none of the keys at hand made it, they
    /// are read again, as by [`Keyring::open`].
    pub async fn is_tag(&self, purpose: &str, text: &str, tag: &str, now: i64) -> bool {
        if self.tags(now).await.is_tag(purpose, text, tag) {
            return true;
        }
        self.read_again_if(now, |_| true).await;
        self.tags(now).await.is_tag(purpose, text, tag)
    }

    async fn read_again_if(&self, now: i64, wanted: impl Fn(&Reads) -> bool) {
        let Some(source) = &self.inner.secret else {
            return;
        };
        let mut last = source.last.lock().await;
        // Without any keys, all requests wait for them.
        let pause = last.done.map_or(1, |_| PAUSE);
        if !wanted(&last) || now < last.tried + pause {
            return;
        }
        last.tried = now;
        match source.read(self.inner.settings.algorithm).await {
            Ok(keys) => {
                last.done = Some(now);
                let made = Made::of(&keys, &self.inner.settings);
                let at_hand = self.inner.made.write();
                *at_hand.unwrap_or_else(PoisonError::into_inner) = made;
            }
            Err(error) => last.failed(&error),
        }
    }
}

impl SecretSource {
    async fn read(&self, algorithm: Algorithm) -> Result<Keys, SecretError> {
        let answer = self
            .client
            .get_secret_value()
            .secret_id(&self.arn)
            .send()
            .await
            .map_err(|error| SecretError(DisplayErrorContext(error).to_string()))?;
        let text = answer.secret_string().unwrap_or_default();
        Ok(Keys::from_secret(text, algorithm)?)
    }
}
