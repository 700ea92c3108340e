//! Password hashes, in the encodings of `django.contrib.auth.hashers`.
//!
//! New passwords are hashed with Argon2id. Everything that the hashers of Django 1.4 to 6.0 may have
//! left in a table is verified and then reported as outdated, so that the next login can replace it;
//! MD5 and SHA-1 only where a load has wrapped them.

mod argon2;
mod assessment;
mod bcrypt;
mod pbkdf2;
mod scrypt;
mod weak;

use std::fmt;
use std::sync::{Arc, LazyLock};
use std::thread::available_parallelism;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use self::argon2::Argon2;
pub use self::assessment::Assessment;

/// A password in clear text. Its `Debug` hides it, so that it cannot reach a log.
#[derive(Clone, Debug)]
pub struct Password(SecretString);

impl Password {
    /// Takes the text as it is: Django neither normalises nor shortens a password.
    pub fn new(text: String) -> Self {
        Self(text.into())
    }

    /// The text itself, for hashing and for the password rules.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// An encoded password as Django stores it in `auth_user.password`: any text, valid or not. Unlike a
/// secret of the crate `secrecy`, the table reads and writes it, and it can be compared.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Takes a stored encoding as it is; what cannot be read is found out when it is verified.
    pub fn new(encoded: String) -> Self {
        Self(encoded)
    }

    /// Of a password that nobody has (Django's `make_password(None)`): `!` and 40 random characters, so
    /// that a link to set one works once.
    ///
    /// # Panics
    ///
    /// If the operating system has no randomness to give.
    pub fn unusable() -> Self {
        let (one, other) = (rand::random::<u128>(), rand::random::<u32>());
        Self(format!("!{one:032x}{other:08x}"))
    }

    /// Whether it is of a password that nobody has (Django's `is_password_usable`).
    pub fn is_unusable(&self) -> bool {
        self.0.starts_with('!')
    }

    /// Whether somebody can have the password of an account with this hash, if it has one.
    pub fn is_usable(stored: Option<&Self>) -> bool {
        stored.is_some_and(|hash| !hash.is_unusable())
    }

    /// The encoding itself, for the store.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

/// What came of comparing a password with a stored hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verification {
    /// The password is right.
    Correct,
    /// The password is right, but its hash should be replaced by a new one of
    /// [`Hasher::hash`] (Django's `must_update`).
    CorrectButOutdated,
    /// The password is wrong, or nothing usable is stored.
    Wrong,
}

/// Hashes and verifies passwords off the async threads, at most one per core at a time, so that
/// memory stays the same however many logins arrive together.
#[derive(Clone)]
pub struct Hasher {
    workshop: Arc<LazyLock<Workshop>>,
}

struct Workshop {
    permits: Arc<Semaphore>,
    argon2: Argon2,
}

impl Default for Hasher {
    /// Counts the cores when it first hashes: that takes a score of system calls, which the start
    /// of a function need not wait for.
    fn default() -> Self {
        let workshop: LazyLock<Workshop> = LazyLock::new(|| {
            let cores = available_parallelism().map_or(1, usize::from);
            Workshop {
                permits: Arc::new(Semaphore::new(cores)),
                argon2: Argon2::keeping(cores),
            }
        });
        Self {
            workshop: Arc::new(workshop),
        }
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hasher").finish_non_exhaustive()
    }
}

impl Hasher {
    /// Makes a new Argon2id hash with a salt of its own.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime, or if the operating system has no randomness to give.
    pub async fn hash(&self, password: &Password) -> PasswordHash {
        let password = password.clone();
        self.run(move |hasher| hasher.hash_blocking(&password))
            .await
    }

    /// Compares a password with what is stored for the account, if anything is.
    ///
    /// No hash, an unusable one (Django's `!`) and an unreadable one cost an Argon2id
    /// computation all the same, as in Django's `verify_password`, so that the time taken does
    /// not tell whether the account exists.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub async fn verify(&self, password: &Password, stored: Option<&PasswordHash>) -> Verification {
        let (password, stored) = (password.clone(), stored.cloned());
        self.run(move |hasher| hasher.verify_blocking(&password, stored.as_ref()))
            .await
    }

    /// [`hash`](Self::hash) on the calling thread, for a command line.
    ///
    /// # Panics
    ///
    /// If the operating system has no randomness to give.
    pub fn hash_blocking(&self, password: &Password) -> PasswordHash {
        PasswordHash(self.workshop.argon2.hash(password.expose().as_bytes()))
    }

    /// [`verify`](Self::verify) on the calling thread, for a command line.
    pub fn verify_blocking(
        &self,
        password: &Password,
        stored: Option<&PasswordHash>,
    ) -> Verification {
        let password = password.expose().as_bytes();
        let verification = stored.and_then(|PasswordHash(encoded)| self.compare(password, encoded));
        verification.unwrap_or_else(|| {
            self.workshop.argon2.waste(password);
            Verification::Wrong
        })
    }

    /// `None` where no comparison could be made.
    fn compare(&self, password: &[u8], encoded: &str) -> Option<Verification> {
        let (algorithm, rest) = encoded.split_once('$')?;
        let (matches, outdated) = match algorithm {
            "argon2" => {
                let stored = argon2::Stored::parse(rest)?;
                (
                    self.workshop.argon2.matches(&stored, password)?,
                    stored.is_outdated(),
                )
            }
            "pbkdf2_sha256" => {
                let stored = pbkdf2::Stored::parse(rest, pbkdf2::Digest::Sha256)?;
                (stored.matches(password), true)
            }
            "pbkdf2_sha1" => {
                let stored = pbkdf2::Stored::parse(rest, pbkdf2::Digest::Sha1)?;
                (stored.matches(password), true)
            }
            // The wrapped hashers of Django's documentation.
            "pbkdf2_wrapped_md5" | "pbkdf2_wrapped_sha1" => {
                let inner = weak::Algorithm::parse(algorithm.rsplit_once('_')?.1)?;
                let stored = pbkdf2::Stored::parse(rest, pbkdf2::Digest::Sha256)?;
                let digest = inner.digest(stored.salt, password);
                (stored.matches(digest.as_bytes()), true)
            }
            "wrapped" => {
                let wrapped = weak::Wrapped::parse(rest)?;
                let stored = argon2::Stored::parse(wrapped.argon2)?;
                let digest = wrapped.algorithm.digest(wrapped.salt, password);
                (
                    self.workshop.argon2.matches(&stored, digest.as_bytes())?,
                    true,
                )
            }
            "bcrypt" => (bcrypt::Stored::parse(rest)?.matches_plain(password), true),
            "bcrypt_sha256" => (bcrypt::Stored::parse(rest)?.matches(password), true),
            "scrypt" => (scrypt::Stored::parse(rest)?.matches(password)?, true),
            _ => return None,
        };
        Some(match (matches, outdated) {
            (false, _) => Verification::Wrong,
            (true, false) => Verification::Correct,
            (true, true) => Verification::CorrectButOutdated,
        })
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce(&Self) -> T + Send + 'static) -> T {
        let permit = Arc::clone(&self.workshop.permits)
            .acquire_owned()
            .await
            .expect("nothing closes the semaphore");
        let hasher = self.clone();
        let task = tokio::task::spawn_blocking(move || {
            // Held here and not by the request, which may go away before the work is done.
            let _permit = permit;
            work(&hasher)
        });
        // A blocking task that has been asked for ends unless it panics, or the runtime that
        // also runs this very function shuts down.
        task.await.expect("hashing does not panic")
    }
}

/// A decimal number as the encodings write it: no sign, no spaces, no leading zeros. Django
/// compares whole encodings, so another spelling of the same number never verifies.
fn number(text: &str) -> Option<u32> {
    let canonical = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    if canonical { text.parse().ok() } else { None }
}

/// The fields of an encoding, if it has exactly `N`.
fn fields<const N: usize>(text: &str) -> Option<[&str; N]> {
    let mut parts = text.split('$');
    let mut fields = [""; N];
    for field in &mut fields {
        *field = parts.next()?;
    }
    parts.next().is_none().then_some(fields)
}

#[cfg(test)]
mod tests;
