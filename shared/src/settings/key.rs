//! A key of tokens. The algorithm belongs to the key, never to the token (RFC 8725, section 3.1).

use std::fmt::Write;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ring::{
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair,
    },
};
use rustls::pki_types::{PrivateKeyDer, pem::PemObject};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::SettingsError;

/// `ALGORITHM`: how tokens are signed, by the names of RFC 7518, section 3.1, and RFC 8037.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub enum Algorithm {
    /// HMAC with SHA-256, the default.
    #[serde(rename = "HS256")]
    Hs256,
    /// HMAC with SHA-384.
    #[serde(rename = "HS384")]
    Hs384,
    /// HMAC with SHA-512.
    #[serde(rename = "HS512")]
    Hs512,
    /// RSASSA-PKCS1-v1_5 with SHA-256: what the JWT authorizer of API Gateway verifies.
    #[serde(rename = "RS256")]
    Rs256,
    /// ECDSA with P-256 and SHA-256.
    #[serde(rename = "ES256")]
    Es256,
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Hs256,
        Self::Hs384,
        Self::Hs512,
        Self::Rs256,
        Self::Es256,
        Self::EdDsa,
    ];

    /// Its name in the header of a token.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }

    /// The algorithm of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    /// Whether who verifies could also sign: such a key is never published.
    pub fn is_hmac(self) -> bool {
        matches!(self, Self::Hs256 | Self::Hs384 | Self::Hs512)
    }
}

/// Where a key is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyState {
    /// It signs.
    Current,
    /// It will sign: published, so that others know it by then.
    Next,
    /// It signed: tokens of it are still about.
    Previous,
}

/// A key of tokens.
#[derive(Clone, Debug)]
pub struct TokenKey {
    /// What tokens name it by. Those of HMAC keys without one, as Django's, name none.
    pub kid: Option<String>,
    /// What it signs by.
    pub algorithm: Algorithm,
    /// Where it is in its life.
    pub state: KeyState,
    /// Whether it is there for tokens of another service, as Django's, rather than by a rotation.
    pub is_fallback: bool,
    /// The text of an HMAC key; the DER of a private key, in PKCS#8, or PKCS#1 for RSA.
    secret: SecretSlice<u8>,
    public: Option<PublicKey>,
}

/// What others verify with.
#[derive(Clone, Debug)]
struct PublicKey {
    /// As ring takes it: RSAPublicKey in DER, a point uncompressed, 32 bytes.
    bytes: Vec<u8>,
    /// The members of its JSON Web Key that make the key, in the order of their names.
    members: Vec<(&'static str, String)>,
}

/// The shortest HMAC key that is as strong as its hash (RFC 7518, section 3.2).
const SHORTEST_KEY: usize = 32;

impl TokenKey {
    /// An HMAC key. The text is used as it is.
    ///
    /// # Errors
    /// It is shorter than 32 bytes; `name` says where it is from.
    pub fn hmac(name: &str, algorithm: Algorithm, text: String) -> Result<Self, SettingsError> {
        let text = long_enough(name, text)?;
        Ok(Self {
            kid: None,
            algorithm,
            state: KeyState::Current,
            is_fallback: false,
            secret: text.expose_secret().as_bytes().to_vec().into(),
            public: None,
        })
    }

    /// A private key, in PEM or as base64 of its DER; `kid` is its thumbprint (RFC 7638).
    ///
    /// # Errors
    /// It is none of the algorithm, or weaker than 2,048 bits of RSA; `name` says where it is from.
    pub fn private(name: &str, algorithm: Algorithm, text: &str) -> Result<Self, SettingsError> {
        let refused = || {
            let algorithm = algorithm.name();
            SettingsError::new(format!(
                "{name} is no private key for {algorithm} in PKCS#8"
            ))
        };
        let der = der(text).ok_or_else(refused)?;
        let public = PublicKey::of(algorithm, &der).ok_or_else(refused)?;
        Ok(Self {
            kid: Some(public.thumbprint()),
            algorithm,
            state: KeyState::Current,
            is_fallback: false,
            secret: der.into(),
            public: Some(public),
        })
    }

    /// A key of either kind.
    ///
    /// # Errors
    /// As those two.
    pub fn read(name: &str, algorithm: Algorithm, text: String) -> Result<Self, SettingsError> {
        if algorithm.is_hmac() {
            return Self::hmac(name, algorithm, text);
        }
        Self::private(name, algorithm, &text)
    }

    /// What signs: the text of an HMAC key, or the DER of a private one.
    pub fn signing(&self) -> &[u8] {
        self.secret.expose_secret()
    }

    /// What verifies: the text of an HMAC key, or the public key as ring takes it.
    pub fn verifying(&self) -> &[u8] {
        match &self.public {
            Some(public) => &public.bytes,
            None => self.signing(),
        }
    }

    /// The members of the public JSON Web Key (RFC 7517): name and value. An HMAC key has none.
    pub fn jwk(&self) -> Option<Vec<(&'static str, String)>> {
        let mut members = self.public.as_ref()?.members.clone();
        members.push(("kid", self.kid.clone()?));
        members.push(("alg", self.algorithm.name().to_owned()));
        members.push(("use", "sig".to_owned()));
        Some(members)
    }
}

impl PublicKey {
    fn of(algorithm: Algorithm, der: &[u8]) -> Option<Self> {
        let encoded = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let text = str::to_owned;
        match algorithm {
            Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => None,
            Algorithm::Rs256 => {
                let pair = rsa(der)?;
                let parts = ring::rsa::PublicKeyComponents::<Vec<u8>>::from(pair.public());
                Some(Self {
                    bytes: pair.public().as_ref().to_vec(),
                    members: vec![
                        ("e", encoded(&parts.e)),
                        ("kty", text("RSA")),
                        ("n", encoded(&parts.n)),
                    ],
                })
            }
            Algorithm::Es256 => {
                let pair = p256(der)?;
                let bytes = pair.public_key().as_ref().to_vec();
                // The mark of an uncompressed point, and two coordinates of equal length.
                let (x, y) = bytes.get(1..)?.split_at_checked(bytes.len() / 2)?;
                let members = vec![
                    ("crv", text("P-256")),
                    ("kty", text("EC")),
                    ("x", encoded(x)),
                    ("y", encoded(y)),
                ];
                Some(Self { members, bytes })
            }
            Algorithm::EdDsa => {
                let bytes = ed25519(der)?.public_key().as_ref().to_vec();
                let members = vec![
                    ("crv", text("Ed25519")),
                    ("kty", text("OKP")),
                    ("x", encoded(&bytes)),
                ];
                Some(Self { members, bytes })
            }
        }
    }

    /// RFC 7638: SHA-256 of the members, which need no escapes.
    fn thumbprint(&self) -> String {
        let mut json = String::new();
        for (name, value) in &self.members {
            let comma = if json.is_empty() { '{' } else { ',' };
            // Writing to a text cannot fail.
            let _ = write!(json, r#"{comma}"{name}":"{value}""#);
        }
        json.push('}');
        URL_SAFE_NO_PAD.encode(Sha256::digest(json))
    }
}

/// The pair of an RSA key of 2,048 bits or more.
pub(crate) fn rsa(der: &[u8]) -> Option<RsaKeyPair> {
    let pair = RsaKeyPair::from_pkcs8(der);
    pair.or_else(|_| RsaKeyPair::from_der(der)).ok()
}

pub(crate) fn p256(der: &[u8]) -> Option<EcdsaKeyPair> {
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der, &SystemRandom::new()).ok()
}

pub(crate) fn ed25519(der: &[u8]) -> Option<Ed25519KeyPair> {
    // OpenSSL writes the private part alone.
    Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).ok()
}

/// The DER of a private key in PEM, whose lines may be joined by `\n` as in a `.env` file, or in
/// base64.
fn der(text: &str) -> Option<Vec<u8>> {
    let text = text.trim();
    if !text.starts_with("-----BEGIN ") {
        return STANDARD.decode(text).ok();
    }
    let lines = text.replace("\\n", "\n");
    let key = PrivateKeyDer::from_pem_slice(lines.as_bytes()).ok()?;
    Some(key.secret_der().to_vec())
}

/// A key, which must be long enough.
pub(super) fn long_enough(name: &str, text: String) -> Result<SecretString, SettingsError> {
    if text.len() < SHORTEST_KEY {
        return Err(SettingsError::new(format!(
            "{name} has a key shorter than {SHORTEST_KEY} bytes"
        )));
    }
    Ok(text.into())
}
