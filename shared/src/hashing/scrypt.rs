//! scrypt (RFC 7914) as `ScryptPasswordHasher` of Django encodes it:
//! `scrypt$<n>$<salt>$<r>$<p>$<hash>`.

use ::scrypt::Params;
use base64ct::{Base64, Encoding};
use subtle::ConstantTimeEq;

use super::{fields, number};

const MAX_MEMORY_BYTES: u64 = 256 * 1024 * 1024;
/// Bounds the memory that each lane adds; Django uses 8.
const MAX_BLOCK_SIZE: u32 = 1024;
const MAX_LANES: u32 = 16;
const HASH_BYTES: usize = 64;

/// A stored hash with its parameters, within bounds.
pub(super) struct Stored<'a> {
    params: Params,
    salt: &'a str,
    hash: [u8; HASH_BYTES],
}

impl<'a> Stored<'a> {
    /// Reads what follows `scrypt$`. The salt is text and used as it is.
    pub(super) fn parse(rest: &'a str) -> Option<Self> {
        let [n, salt, r, p, encoded] = fields(rest)?;
        let (n, r, p) = (number(n)?, number(r)?, number(p)?);
        let memory = u64::from(n) * u64::from(r) * 128;
        if n < 2 || !n.is_power_of_two() || memory > MAX_MEMORY_BYTES {
            return None;
        }
        if r > MAX_BLOCK_SIZE || p > MAX_LANES || salt.is_empty() {
            return None;
        }
        // A u32's logarithm is below 32.
        let params = Params::new(n.ilog2() as u8, r, p).ok()?;
        let mut hash = [0; HASH_BYTES];
        let decoded = Base64::decode(encoded, &mut hash).ok()?;
        (decoded.len() == HASH_BYTES).then_some(Self { params, salt, hash })
    }

    /// What a verification takes.
    pub(super) fn memory_mib(&self) -> u32 {
        let bytes = (128_u64 << self.params.log_n()) * u64::from(self.params.r());
        u32::try_from(bytes >> 20).unwrap_or(u32::MAX)
    }

    /// `None` never occurs: it would mean a hash of a length that scrypt cannot make.
    pub(super) fn matches(&self, password: &[u8]) -> Option<bool> {
        let mut hash = [0; HASH_BYTES];
        ::scrypt::scrypt(password, self.salt.as_bytes(), &self.params, &mut hash).ok()?;
        Some(hash.ct_eq(&self.hash).into())
    }
}
