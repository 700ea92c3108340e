//! New keys.

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair},
};
use rsa::{PrivateKey, pkcs8::EncodePrivateKey};
use shared::settings::{Algorithm, KeyEntry, KeyState, TokenKey};

use crate::Failure;

/// Bits of a new RSA key (NIST SP 800-57, part 1, table 2: as strong as P-224).
const RSA_BITS: usize = 2048;

/// A new key of an algorithm, since `now` (seconds since 1970). Its name is the thumbprint of its public
/// part (RFC 7638); that of an HMAC key is random.
///
/// # Errors
/// The system has no random numbers.
pub fn key(algorithm: Algorithm, state: KeyState, now: i64) -> Result<KeyEntry, Failure> {
    let failed = || Failure::new("the system made no key");
    let random = SystemRandom::new();
    let der = match algorithm {
        Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => None,
        Algorithm::Rs256 => {
            let key = PrivateKey::new(&mut rand::rng(), RSA_BITS).map_err(|_| failed())?;
            let der = key.to_pkcs8_der().map_err(|_| failed())?;
            Some(der.as_bytes().to_vec())
        }
        Algorithm::Es256 => {
            let by = &ECDSA_P256_SHA256_FIXED_SIGNING;
            let der = EcdsaKeyPair::generate_pkcs8(by, &random).map_err(|_| failed())?;
            Some(der.as_ref().to_vec())
        }
        Algorithm::EdDsa => {
            let der = Ed25519KeyPair::generate_pkcs8(&random).map_err(|_| failed())?;
            Some(der.as_ref().to_vec())
        }
    };
    let (kid, key) = match der {
        None => (Some(text()[..16].to_owned()), text()),
        Some(der) => {
            let text = STANDARD.encode(der);
            let key = TokenKey::private("the new key", algorithm, &text)?;
            (key.kid, text)
        }
    };
    Ok(KeyEntry {
        kid,
        alg: algorithm,
        key,
        state,
        since: now,
    })
}

/// 512 random bits as text.
pub fn text() -> String {
    let digits = || format!("{:032x}", rand::random::<u128>());
    [digits(), digits(), digits(), digits()].concat()
}
