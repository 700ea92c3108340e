//! PBKDF2 (RFC 8018) as `PBKDF2PasswordHasher`, Django's default, and `PBKDF2SHA1PasswordHasher` encode
//! it: `pbkdf2_sha256$<iterations>$<salt>$<hash>`.

use base64ct::{Base64, Encoding};
use sha1::Sha1;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::{fields, number};

/// Ten times what Django 5.2 uses.
const MAX_ITERATIONS: u32 = 10_000_000;
const MAX_HASH_BYTES: usize = 32;

/// The hash function inside.
#[derive(Clone, Copy)]
pub(super) enum Digest {
    Sha256,
    Sha1,
}

impl Digest {
    fn bytes(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha1 => 20,
        }
    }
}

/// A stored hash with its parameters, within bounds.
pub(super) struct Stored<'a> {
    digest: Digest,
    iterations: u32,
    pub(super) salt: &'a str,
    hash: [u8; MAX_HASH_BYTES],
}

impl<'a> Stored<'a> {
    /// Reads what follows the algorithm's name. The salt is text and used as it is.
    pub(super) fn parse(rest: &'a str, digest: Digest) -> Option<Self> {
        let [iterations, salt, encoded] = fields(rest)?;
        let iterations = number(iterations)?;
        if iterations > MAX_ITERATIONS || salt.is_empty() {
            return None;
        }
        let mut hash = [0; MAX_HASH_BYTES];
        let decoded = Base64::decode(encoded, &mut hash).ok()?;
        (decoded.len() == digest.bytes()).then_some(Self {
            digest,
            iterations,
            salt,
            hash,
        })
    }

    pub(super) fn matches(&self, password: &[u8]) -> bool {
        let mut hash = [0; MAX_HASH_BYTES];
        let (salt, bytes) = (self.salt.as_bytes(), self.digest.bytes());
        let out = &mut hash[..bytes];
        match self.digest {
            Digest::Sha256 => {
                ::pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, self.iterations, out);
            }
            Digest::Sha1 => ::pbkdf2::pbkdf2_hmac::<Sha1>(password, salt, self.iterations, out),
        }
        hash[..bytes].ct_eq(&self.hash[..bytes]).into()
    }
}
