//! What old versions of Django left: MD5 and SHA-1 of a salt and a password, bare or wrapped in a
//! stronger hash. Bare ones are never compared: a load wraps them in Argon2id at once, as
//! `wrapped$md5$<salt>$<Argon2 encoding>`, and the next login replaces that.

use md5::Md5;
use sha1::{Digest, Sha1};

/// A digest that is too quick for a password by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Md5,
    Sha1,
}

impl Algorithm {
    pub(super) fn parse(name: &str) -> Option<Self> {
        match name {
            "md5" => Some(Self::Md5),
            "sha1" => Some(Self::Sha1),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
        }
    }

    fn hex_digits(self) -> usize {
        match self {
            Self::Md5 => 32,
            Self::Sha1 => 40,
        }
    }

    /// The digest of a salt and a password, in hexadecimal digits.
    pub(super) fn digest(self, salt: &str, password: &[u8]) -> String {
        fn hex(digest: impl AsRef<[u8]>) -> String {
            let bytes = digest.as_ref().iter();
            bytes.map(|byte| format!("{byte:02x}")).collect()
        }
        let input = [salt.as_bytes(), password].concat();
        match self {
            Self::Md5 => hex(Md5::digest(&input)),
            Self::Sha1 => hex(Sha1::digest(&input)),
        }
    }
}

/// A bare weak hash.
pub(super) struct Weak<'a> {
    algorithm: Algorithm,
    salt: &'a str,
    digest: &'a str,
}

impl<'a> Weak<'a> {
    /// `md5$salt$…`, `sha1$salt$…`, either without a salt, or an MD5 by itself.
    pub(super) fn parse(encoded: &'a str) -> Option<Self> {
        let (algorithm, salt, digest) = match encoded.split_once('$') {
            None => (Algorithm::Md5, "", encoded),
            Some((algorithm, rest)) => {
                let (salt, digest) = rest.split_once('$')?;
                (Algorithm::parse(algorithm)?, salt, digest)
            }
        };
        let is_digest = digest.len() == algorithm.hex_digits()
            && digest
                .bytes()
                .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        is_digest.then_some(Self {
            algorithm,
            salt,
            digest,
        })
    }

    /// What is hashed anew.
    pub(super) fn digest(&self) -> &'a str {
        self.digest
    }

    /// The encoding around an Argon2 encoding of the digest.
    pub(super) fn wrapped(&self, argon2: &str) -> String {
        format!("wrapped${}${}${argon2}", self.algorithm.name(), self.salt)
    }
}

/// A wrapped weak hash: how to get the digest, and the Argon2 encoding of it without its name.
pub(super) struct Wrapped<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) salt: &'a str,
    pub(super) argon2: &'a str,
}

impl<'a> Wrapped<'a> {
    /// Reads what follows `wrapped$`.
    pub(super) fn parse(rest: &'a str) -> Option<Self> {
        let (algorithm, rest) = rest.split_once('$')?;
        let (salt, argon2) = rest.split_once('$')?;
        Some(Self {
            algorithm: Algorithm::parse(algorithm)?,
            salt,
            argon2: argon2.strip_prefix("argon2$")?,
        })
    }
}
