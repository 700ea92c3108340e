//! The keys of tokens, and where they are.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::{SettingsError, environment::Environment};

/// The keys of tokens.
#[derive(Clone, Debug)]
pub struct Keys {
    /// Signs and verifies. At least 32 bytes (RFC 7518, section 3.2).
    pub signing_key: SecretString,
    /// Verify but do not sign.
    pub fallbacks: Vec<SecretString>,
}

/// Where the keys of tokens are.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// `SIGNING_KEY` and the comma-separated `SIGNING_KEY_FALLBACKS`.
    Given(Keys),
    /// `SIGNING_KEY_SECRET_ARN`: a secret of AWS Secrets Manager, see [`Keys::from_secret`].
    Secret(String),
}

/// The shortest key that is as strong as its hash (RFC 7518, section 3.2).
const SHORTEST_KEY: usize = 32;

impl KeySource {
    pub(super) fn read(env: &Environment<'_>) -> Result<Self, SettingsError> {
        let fallbacks = env.texts("SIGNING_KEY_FALLBACKS")?;
        let Some(arn) = env.get("SIGNING_KEY_SECRET_ARN") else {
            let fallbacks = fallbacks
                .into_iter()
                .map(|text| key("SIGNING_KEY_FALLBACKS", text));
            return Ok(Self::Given(Keys {
                signing_key: key("SIGNING_KEY", env.required("SIGNING_KEY")?)?,
                fallbacks: fallbacks.collect::<Result<_, _>>()?,
            }));
        };
        if env.get("SIGNING_KEY").is_some() || !fallbacks.is_empty() {
            let text =
                "SIGNING_KEY_SECRET_ARN is set, but SIGNING_KEY or SIGNING_KEY_FALLBACKS too";
            return Err(SettingsError::new(text));
        }
        Ok(Self::Secret(arn))
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
            return Err(SettingsError::new(
                r#"the secret of SIGNING_KEY_SECRET_ARN is not {"current": "…", "previous": "…"}"#,
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

    /// All keys, the one that signs first.
    pub fn all(&self) -> impl Iterator<Item = &[u8]> {
        let keys = std::iter::once(&self.signing_key).chain(&self.fallbacks);
        keys.map(|key| key.expose_secret().as_bytes())
    }
}

/// A key, which must be long enough.
pub(super) fn key(name: &str, text: String) -> Result<SecretString, SettingsError> {
    if text.len() < SHORTEST_KEY {
        return Err(SettingsError::new(format!(
            "{name} has a key shorter than {SHORTEST_KEY} bytes"
        )));
    }
    Ok(text.into())
}
