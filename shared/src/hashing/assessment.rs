//! What a stored hash is worth, without a password: for a load that judges a dump.

use super::{Hasher, PasswordHash, argon2, bcrypt, pbkdf2, scrypt, weak};

/// What a stored hash is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assessment {
    /// It is of the form and cost of new ones.
    Current,
    /// It can be verified, and the next login replaces it.
    Verifiable,
    /// MD5 or SHA-1: it has to be wrapped.
    Weak,
    /// No password: empty, or Django's `!`.
    Unusable,
    /// A known form that is damaged, or costs more than is computed here.
    TooCostly,
    /// An unknown form: nobody can log in with it.
    Unknown,
}

impl PasswordHash {
    /// What it is worth.
    pub fn assess(&self) -> Assessment {
        let encoded = self.expose();
        if encoded.is_empty() || encoded.starts_with('!') {
            return Assessment::Unusable;
        }
        if weak::Weak::parse(encoded).is_some() {
            return Assessment::Weak;
        }
        let Some((algorithm, rest)) = encoded.split_once('$') else {
            return Assessment::Unknown;
        };
        let is_readable = match algorithm {
            "argon2" => match argon2::Stored::parse(rest) {
                Some(stored) if !stored.is_outdated() => return Assessment::Current,
                stored => stored.is_some(),
            },
            "pbkdf2_sha256" | "pbkdf2_wrapped_md5" | "pbkdf2_wrapped_sha1" => {
                pbkdf2::Stored::parse(rest, pbkdf2::Digest::Sha256).is_some()
            }
            "pbkdf2_sha1" => pbkdf2::Stored::parse(rest, pbkdf2::Digest::Sha1).is_some(),
            "bcrypt_sha256" | "bcrypt" => bcrypt::Stored::parse(rest).is_some(),
            "scrypt" => scrypt::Stored::parse(rest).is_some(),
            "wrapped" => weak::Wrapped::parse(rest)
                .is_some_and(|wrapped| argon2::Stored::parse(wrapped.argon2).is_some()),
            _ => return Assessment::Unknown,
        };
        if is_readable {
            Assessment::Verifiable
        } else {
            Assessment::TooCostly
        }
    }

    /// The memory that its verification takes, in MiB; none where it is of no account.
    pub fn memory_mib(&self) -> Option<u32> {
        let (algorithm, rest) = self.expose().split_once('$')?;
        match algorithm {
            "argon2" => Some(argon2::Stored::parse(rest)?.memory_kib() / 1024),
            "scrypt" => Some(scrypt::Stored::parse(rest)?.memory_mib()),
            _ => None,
        }
    }
}

impl Hasher {
    /// A weak hash, hashed once more with Argon2id; none of another form.
    pub fn wrap_blocking(&self, weak: &PasswordHash) -> Option<PasswordHash> {
        let weak = weak::Weak::parse(weak.expose())?;
        let argon2 = self.workshop.argon2.hash(weak.digest().as_bytes());
        Some(PasswordHash(weak.wrapped(&argon2)))
    }

    /// Whether a stored hash is what [`wrap_blocking`](Self::wrap_blocking) made of a weak one.
    pub fn is_wrapped_blocking(&self, stored: &PasswordHash, weak: &PasswordHash) -> bool {
        let Some(weak) = weak::Weak::parse(weak.expose()) else {
            return false;
        };
        let wrapped = stored.expose().strip_prefix("wrapped$");
        let argon2 =
            wrapped.and_then(|rest| argon2::Stored::parse(weak::Wrapped::parse(rest)?.argon2));
        let digest = weak.digest().as_bytes();
        argon2.is_some_and(|stored| self.workshop.argon2.matches(&stored, digest) == Some(true))
    }
}
