//! PBKDF2 (RFC 8018) with HMAC-SHA256 as `PBKDF2PasswordHasher`, Django's default, encodes it:
//! `pbkdf2_sha256$<iterations>$<salt>$<hash>`.

use base64ct::{Base64, Encoding};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::{fields, number};

/// Ten times what Django 5.2 uses.
const MAX_ITERATIONS: u32 = 10_000_000;
const HASH_BYTES: usize = 32;

/// A stored hash with its parameters, within bounds.
pub(super) struct Stored<'a> {
    iterations: u32,
    salt: &'a str,
    hash: [u8; HASH_BYTES],
}

impl<'a> Stored<'a> {
    /// Reads what follows `pbkdf2_sha256$`. The salt is text and used as it is.
    pub(super) fn parse(rest: &'a str) -> Option<Self> {
        let [iterations, salt, encoded] = fields(rest)?;
        let iterations = number(iterations)?;
        if iterations > MAX_ITERATIONS || salt.is_empty() {
            return None;
        }
        let mut hash = [0; HASH_BYTES];
        let decoded = Base64::decode(encoded, &mut hash).ok()?;
        (decoded.len() == HASH_BYTES).then_some(Self {
            iterations,
            salt,
            hash,
        })
    }

    pub(super) fn matches(&self, password: &[u8]) -> bool {
        let mut hash = [0; HASH_BYTES];
        let salt = self.salt.as_bytes();
        ::pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, self.iterations, &mut hash);
        hash.ct_eq(&self.hash).into()
    }
}
