//! bcrypt as `BCryptSHA256PasswordHasher` and `BCryptPasswordHasher` of Django encode it:
//! `bcrypt_sha256$$2b$<cost>$<salt, 22 characters><hash, 31 characters>`.

use base64ct::{Base64Bcrypt, Encoding};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::fields;

/// The lowest cost that bcrypt defines, and sixteen times what Django uses.
const COSTS: std::ops::RangeInclusive<u32> = 4..=16;
const SALT_BYTES: usize = 16;
const SALT_CHARS: usize = 22;
/// bcrypt computes 24 bytes and stores all but the last.
const HASH_BYTES: usize = 23;

/// A stored hash with its parameters, within bounds.
pub(super) struct Stored {
    cost: u32,
    salt: [u8; SALT_BYTES],
    hash: [u8; HASH_BYTES],
}

impl Stored {
    /// Reads what follows the algorithm's name. The versions name repaired mistakes of other
    /// implementations than those that Django used.
    pub(super) fn parse(rest: &str) -> Option<Self> {
        let ["", "2a" | "2b" | "2x" | "2y", cost, data] = fields(rest)? else {
            return None;
        };
        if cost.len() != 2 || !cost.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let cost = cost.parse().ok().filter(|cost| COSTS.contains(cost))?;
        let (encoded_salt, encoded_hash) = data.split_at_checked(SALT_CHARS)?;
        let mut salt = [0; SALT_BYTES];
        let mut hash = [0; HASH_BYTES];
        let salt_bytes = Base64Bcrypt::decode(encoded_salt, &mut salt).ok()?.len();
        let hash_bytes = Base64Bcrypt::decode(encoded_hash, &mut hash).ok()?.len();
        (salt_bytes == SALT_BYTES && hash_bytes == HASH_BYTES).then_some(Self { cost, salt, hash })
    }

    /// Compares a password itself, of which bcrypt uses 72 bytes.
    pub(super) fn matches_plain(&self, password: &[u8]) -> bool {
        // The C string that Django's library hashes ends at a zero byte, so it takes none.
        if password.contains(&0) {
            return false;
        }
        let mut key = password.to_vec();
        key.push(0);
        key.truncate(72);
        self.is_hash_of(&key)
    }

    /// Compares the SHA-256 of a password.
    pub(super) fn matches(&self, password: &[u8]) -> bool {
        // bcrypt takes a C string: the digest in lower-case hexadecimal, and a zero byte.
        let mut key = [0; 65];
        for (pair, byte) in key.chunks_exact_mut(2).zip(Sha256::digest(password)) {
            let digit = |half: u8| b"0123456789abcdef"[usize::from(half)];
            pair.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
        }
        self.is_hash_of(&key)
    }

    fn is_hash_of(&self, key: &[u8]) -> bool {
        let hash = ::bcrypt::bcrypt(self.cost, self.salt, key);
        hash[..HASH_BYTES].ct_eq(&self.hash).into()
    }
}
