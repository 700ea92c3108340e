//! The keys of tokens and links, and where they are.

use std::collections::HashSet;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::{
    Algorithm, KeyState, SettingsError, TokenKey, environment::Environment, key::long_enough,
};

/// The keys of a service.
#[derive(Clone, Debug)]
pub struct Keys {
    /// Of tokens: the first signs, all verify.
    tokens: Vec<TokenKey>,
    /// Of links, cookies and forms, which HMAC alone proves: the first makes them, all check them.
    links: Vec<SecretString>,
}

/// Where the keys are.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// `SIGNING_KEY`, the comma-separated `SIGNING_KEY_FALLBACKS`, and `LINK_KEY`.
    Given(Keys),
    /// `SIGNING_KEY_SECRET_ARN`: a secret of AWS Secrets Manager, see [`Keys::from_secret`].
    Secret(String),
}

/// The text of a secret. It has no `Debug` form, since it holds the keys.
#[derive(Deserialize, Serialize)]
pub struct KeyDocument {
    /// One of them is current.
    pub keys: Vec<KeyEntry>,
    /// Makes the tokens of links, and the tags of cookies and forms; at least 32 bytes.
    pub link_key: String,
    /// The version of the secret that this one is made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
}

/// A key in a secret.
#[derive(Clone, Deserialize, Serialize)]
pub struct KeyEntry {
    /// What tokens name it by: the thumbprint of a public key (RFC 7638), random for HMAC. A key
    /// whose tokens name none has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// What it signs by.
    pub alg: Algorithm,
    /// The text of an HMAC key, or a private key in PKCS#8 as base64 or PEM.
    pub key: String,
    /// Where it is in its life.
    pub state: KeyState,
    /// Since when, in seconds since 1970.
    pub since: i64,
}

/// What errors call the secret.
const SECRET: &str = "the secret of SIGNING_KEY_SECRET_ARN";

impl KeySource {
    pub(super) fn read(env: &Environment<'_>) -> Result<Self, SettingsError> {
        let fallbacks = env.texts("SIGNING_KEY_FALLBACKS")?;
        let algorithm = algorithm(env)?;
        let Some(arn) = env.get("SIGNING_KEY_SECRET_ARN") else {
            let signing_key = env.required("SIGNING_KEY")?;
            let link_key = match env.get("LINK_KEY") {
                None if !algorithm.is_hmac() => env.required("LINK_KEY").map(Some)?,
                key => key,
            };
            let keys = Keys::given(algorithm, signing_key, fallbacks, link_key)?;
            return Ok(Self::Given(keys));
        };
        let others = ["SIGNING_KEY", "LINK_KEY"].map(|name| env.get(name));
        if others.iter().any(Option::is_some) || !fallbacks.is_empty() {
            let text = "SIGNING_KEY_SECRET_ARN is set, but SIGNING_KEY, SIGNING_KEY_FALLBACKS or \
                        LINK_KEY too";
            return Err(SettingsError::new(text));
        }
        Ok(Self::Secret(arn))
    }
}

/// `ALGORITHM`: that of `SIGNING_KEY`, and of a secret in the older form if it is HMAC.
pub(super) fn algorithm(env: &Environment<'_>) -> Result<Algorithm, SettingsError> {
    let Some(name) = env.get("ALGORITHM") else {
        return Ok(Algorithm::Hs256);
    };
    Algorithm::named(&name).ok_or_else(|| {
        let all = Algorithm::ALL.map(Algorithm::name).join(", ");
        SettingsError::new(format!("ALGORITHM is not one of {all}"))
    })
}

impl Keys {
    /// One HMAC key that signs and makes links, and others that verify and check them, as in Django.
    ///
    /// # Errors
    /// One of them is too short.
    pub fn hmac(signing_key: &str, fallbacks: &[&str]) -> Result<Self, SettingsError> {
        let fallbacks = fallbacks.iter().map(|&text| text.to_owned()).collect();
        Self::given(Algorithm::Hs256, signing_key.to_owned(), fallbacks, None)
    }

    /// The keys of the environment. A fallback in PEM is of `algorithm`; as a text it is an HMAC key:
    /// of `algorithm` too, or if that is none of HMAC, of HS256.
    fn given(
        algorithm: Algorithm,
        signing_key: String,
        fallbacks: Vec<String>,
        link_key: Option<String>,
    ) -> Result<Self, SettingsError> {
        let mut tokens = vec![TokenKey::read("SIGNING_KEY", algorithm, signing_key)?];
        for text in fallbacks {
            let is_private = text.starts_with("-----BEGIN ");
            let algorithm = match algorithm.is_hmac() || is_private {
                true => algorithm,
                false => Algorithm::Hs256,
            };
            let mut key = TokenKey::read("SIGNING_KEY_FALLBACKS", algorithm, text)?;
            (key.state, key.is_fallback) = (KeyState::Previous, true);
            tokens.push(key);
        }
        let link_key = link_key.map(|text| long_enough("LINK_KEY", text));
        Self::new(tokens, link_key.transpose()?)
    }

    /// Reads the text of a secret, see [`KeyDocument`]. The older form is
    /// `{"current": "…", "previous": "…"}`: HMAC keys of `algorithm` if that is one of HMAC, else of
    /// HS256. There `previous`, which may be empty or absent, verifies but does not sign.
    ///
    /// # Errors
    /// It has another form, or a key is too short; the error never shows the text.
    pub fn from_secret(text: &str, algorithm: Algorithm) -> Result<Self, SettingsError> {
        KeyDocument::read(text, algorithm)?.keys()
    }

    fn new(tokens: Vec<TokenKey>, link_key: Option<SecretString>) -> Result<Self, SettingsError> {
        let hmac = tokens.iter().filter(|key| key.algorithm.is_hmac());
        let texts = hmac.filter_map(|key| std::str::from_utf8(key.signing()).ok());
        let links: Vec<SecretString> = link_key
            .into_iter()
            .chain(texts.map(SecretString::from))
            .collect();
        if links.is_empty() {
            return Err(SettingsError::new("LINK_KEY is not set"));
        }
        let mut kids = HashSet::new();
        let named = tokens.iter().filter_map(|key| key.kid.as_deref());
        if let Some(kid) = named.into_iter().find(|kid| !kids.insert(*kid)) {
            return Err(SettingsError::new(format!("two keys have the kid {kid}")));
        }
        Ok(Self { tokens, links })
    }

    /// The key that signs.
    pub fn signing(&self) -> &TokenKey {
        // Every way to make keys puts it there.
        &self.tokens[0]
    }

    /// All keys of tokens, the one that signs first.
    pub fn tokens(&self) -> &[TokenKey] {
        &self.tokens
    }

    /// All keys of links, the one that makes them first.
    pub fn links(&self) -> &[SecretString] {
        &self.links
    }
}

impl KeyDocument {
    /// Reads the text of a secret in either form, as [`Keys::from_secret`]. In the older form keys
    /// have no `kid` and are of no known age; links are made by the current one.
    ///
    /// # Errors
    /// It has another form; the error never shows the text.
    pub fn read(text: &str, algorithm: Algorithm) -> Result<Self, SettingsError> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Document(KeyDocument),
            Older {
                current: String,
                #[serde(default)]
                previous: String,
            },
        }
        let alg = match algorithm.is_hmac() {
            true => algorithm,
            false => Algorithm::Hs256,
        };
        let entry = |key: String, state| KeyEntry {
            kid: None,
            alg,
            key,
            state,
            since: 0,
        };
        match serde_json::from_str(text) {
            Ok(Form::Document(document)) => Ok(document),
            Ok(Form::Older { current, previous }) => {
                let link_key = current.clone();
                let mut keys = vec![entry(current, KeyState::Current)];
                if !previous.is_empty() {
                    keys.push(entry(previous, KeyState::Previous));
                }
                Ok(Self {
                    keys,
                    link_key,
                    replaces: None,
                })
            }
            Err(_) => Err(SettingsError::new(format!(
                r#"{SECRET} is not {{"keys": […], "link_key": "…"}}, nor {{"current": "…", "previous": "…"}}"#
            ))),
        }
    }

    /// Its keys, made ready for use.
    ///
    /// # Errors
    /// A key is malformed or too short, two have the same `kid`, or not exactly one is current.
    pub fn keys(&self) -> Result<Keys, SettingsError> {
        let read = |entry: &KeyEntry| {
            let mut key = TokenKey::read(SECRET, entry.alg, entry.key.clone())?;
            key.state = entry.state;
            if entry.kid.is_some() {
                key.kid.clone_from(&entry.kid);
            }
            Ok(key)
        };
        let mut tokens = self
            .keys
            .iter()
            .map(read)
            .collect::<Result<Vec<_>, SettingsError>>()?;
        tokens.sort_by_key(|key| key.state);
        let current = |key: &&TokenKey| key.state == KeyState::Current;
        if tokens.iter().filter(current).count() != 1 {
            let text = format!("{SECRET} has not exactly one current key");
            return Err(SettingsError::new(text));
        }
        Keys::new(tokens, Some(long_enough(SECRET, self.link_key.clone())?))
    }
}
