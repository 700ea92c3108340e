//! Keys as jsonwebtoken takes them, and as others read them.

use jsonwebtoken::{EncodingKey, signature::Verifier};
use serde_json::Value;

use super::crypto::Verifies;
use crate::settings::{Algorithm, KeyState, TokenKey};

/// A key that verifies.
pub(super) struct Verifying {
    pub(super) kid: Option<String>,
    algorithm: Algorithm,
    /// Made once, as a verification takes little more than its making; none if the key is none of the
    /// algorithm's.
    key: Option<Verifies>,
    pub(super) until: i64,
    pub(super) is_older: bool,
}

impl Verifying {
    /// A key beside the one that signs.
    pub(super) fn of(key: &TokenKey, signing: &TokenKey, legacy_until: Option<i64>) -> Self {
        let bytes = key.verifying();
        // Tokens that name no key although the one that signs has a name are from before it had.
        let is_legacy = key.kid.is_none() && key.state == KeyState::Previous;
        let is_older = is_legacy && signing.kid.is_some();
        let is_unasked = key.is_fallback && !signing.algorithm.is_hmac();
        Self {
            kid: key.kid.clone(),
            algorithm: key.algorithm,
            key: Verifies::new(by_name(key.algorithm), bytes).ok(),
            until: match legacy_until {
                Some(until) if is_legacy => until,
                None if is_legacy && is_unasked => i64::MIN,
                _ => i64::MAX,
            },
            is_older,
        }
    }

    /// Whether a token with this `alg` and, where keys have names, this `kid` is one of the key's.
    pub(super) fn is_named(&self, alg: &str, kid: Option<Option<&str>>) -> bool {
        let is_its = kid.is_none_or(|kid| kid == self.kid.as_deref());
        is_its && self.algorithm.name() == alg
    }

    /// Whether the key made a signature.
    pub(super) fn signed(&self, message: &[u8], signature: &Vec<u8>) -> bool {
        let key = self.key.as_ref();
        key.is_some_and(|key| key.verify(message, signature).is_ok())
    }
}

/// The key that signs, as jsonwebtoken takes it.
pub(super) fn encoding(key: &TokenKey) -> EncodingKey {
    let bytes = key.signing();
    match key.algorithm {
        Algorithm::Rs256 => EncodingKey::from_rsa_der(bytes),
        Algorithm::Es256 => EncodingKey::from_ec_der(bytes),
        Algorithm::EdDsa => EncodingKey::from_ed_der(bytes),
        _ => EncodingKey::from_secret(bytes),
    }
}

/// A public key as others read it.
pub(super) fn jwk(members: Vec<(&'static str, String)>) -> Value {
    let members = members.into_iter();
    Value::Object(
        members
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect(),
    )
}

/// An algorithm as jsonwebtoken has it.
pub(super) fn by_name(algorithm: Algorithm) -> jsonwebtoken::Algorithm {
    match algorithm {
        Algorithm::Hs256 => jsonwebtoken::Algorithm::HS256,
        Algorithm::Hs384 => jsonwebtoken::Algorithm::HS384,
        Algorithm::Hs512 => jsonwebtoken::Algorithm::HS512,
        Algorithm::Rs256 => jsonwebtoken::Algorithm::RS256,
        Algorithm::Es256 => jsonwebtoken::Algorithm::ES256,
        Algorithm::EdDsa => jsonwebtoken::Algorithm::EdDSA,
    }
}
