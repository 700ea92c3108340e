//! Argon2 (RFC 9106) as `Argon2PasswordHasher` of Django encodes it:
//! `argon2$argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>`.

use std::hint::black_box;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ::argon2::{Algorithm, Block, Params, Version};
use base64ct::{Base64Unpadded, Encoding};
use subtle::ConstantTimeEq;

use super::{fields, number};

/// The parameters of new hashes: the first choice of OWASP's password storage cheat sheet.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const HASH_BYTES: usize = 32;

/// Stored parameters beyond these are not computed: a damaged row must not stop the service.
const MAX_MEMORY_KIB: u32 = 256 * 1024;
const MAX_PASSES: u32 = 16;
const MAX_LANES: u32 = 16;
const MAX_HASH_BYTES: usize = 128;

/// Django's salts are text: 22 letters and digits, 131 bits. It replaces hashes whose salt is
/// shorter, so new ones have the same form and survive a way back.
const SALT_CHARS: usize = 22;
const SALT_ALPHABET: &[u8; 62] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// A stored hash with its parameters, within bounds.
pub(super) struct Stored {
    algorithm: Algorithm,
    version: Version,
    params: Params,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl Stored {
    /// Reads what follows `argon2$`. Hashes from before version 1.3 have no `v=`.
    pub(super) fn parse(rest: &str) -> Option<Self> {
        let (algorithm, rest) = rest.split_once('$')?;
        let algorithm = match algorithm {
            "argon2d" => Algorithm::Argon2d,
            "argon2i" => Algorithm::Argon2i,
            "argon2id" => Algorithm::Argon2id,
            _ => return None,
        };
        let (version, rest) = match rest.strip_prefix("v=") {
            Some(rest) => rest.split_once('$')?,
            None => ("16", rest),
        };
        let version = match version {
            "16" => Version::V0x10,
            "19" => Version::V0x13,
            _ => return None,
        };
        let [costs, salt, hash] = fields(rest)?;
        let (memory, costs) = costs.strip_prefix("m=")?.split_once(",t=")?;
        let (passes, lanes) = costs.split_once(",p=")?;
        let (memory, passes, lanes) = (number(memory)?, number(passes)?, number(lanes)?);
        if memory > MAX_MEMORY_KIB || passes > MAX_PASSES || lanes > MAX_LANES {
            return None;
        }
        let salt = Base64Unpadded::decode_vec(salt).ok()?;
        let hash = Base64Unpadded::decode_vec(hash).ok()?;
        if hash.len() > MAX_HASH_BYTES {
            return None;
        }
        let params = Params::new(memory, passes, lanes, Some(hash.len())).ok()?;
        Some(Self {
            algorithm,
            version,
            params,
            salt,
            hash,
        })
    }

    /// What a verification takes.
    pub(super) fn memory_kib(&self) -> u32 {
        self.params.m_cost()
    }

    /// Django's `must_update`: any parameter differs from a new hash's, or the salt is shorter.
    pub(super) fn is_outdated(&self) -> bool {
        self.algorithm != Algorithm::Argon2id
            || self.version != Version::V0x13
            || self.params != current()
            || self.salt.len() < SALT_CHARS
    }
}

/// Computes Argon2 in memory that is kept from one hash to the next: mapping and clearing 19 MiB
/// anew takes nearly as long as the hash, and the allocator does not give all of it back.
pub(super) struct Argon2 {
    pool: Mutex<Vec<Vec<Block>>>,
    keep: usize,
    #[cfg(test)]
    computations: std::sync::atomic::AtomicUsize,
}

impl Argon2 {
    /// Keeps the memory of at most so many hashes.
    pub(super) fn keeping(keep: usize) -> Self {
        Self {
            pool: Mutex::new(Vec::new()),
            keep,
            #[cfg(test)]
            computations: Default::default(),
        }
    }

    /// A new hash with a new salt, encoded.
    pub(super) fn hash(&self, password: &[u8]) -> String {
        let salt = new_salt();
        let mut hash = [0; HASH_BYTES];
        self.compute(
            Algorithm::Argon2id,
            Version::V0x13,
            current(),
            password,
            salt.as_bytes(),
            &mut hash,
        )
        // The parameters are constants, and the pool has the memory they ask for.
        .expect("the current parameters are valid");
        let salt = Base64Unpadded::encode_string(salt.as_bytes());
        let hash = Base64Unpadded::encode_string(&hash);
        format!("argon2$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${salt}${hash}")
    }

    /// `None` if it could not be computed: for want of memory, or a salt below eight bytes.
    pub(super) fn matches(&self, stored: &Stored, password: &[u8]) -> Option<bool> {
        let mut hash = vec![0; stored.hash.len()];
        let (algorithm, version) = (stored.algorithm, stored.version);
        let params = stored.params.clone();
        self.compute(
            algorithm,
            version,
            params,
            password,
            &stored.salt,
            &mut hash,
        )?;
        Some(hash.ct_eq(&stored.hash).into())
    }

    /// The work of verifying a current hash, and nothing else.
    pub(super) fn waste(&self, password: &[u8]) {
        let salt = [0; SALT_CHARS];
        let mut hash = [0; HASH_BYTES];
        let (algorithm, version) = (Algorithm::Argon2id, Version::V0x13);
        self.compute(algorithm, version, current(), password, &salt, &mut hash);
        black_box(hash);
    }

    fn compute(
        &self,
        algorithm: Algorithm,
        version: Version,
        params: Params,
        password: &[u8],
        salt: &[u8],
        hash: &mut [u8],
    ) -> Option<()> {
        let pooled = params.block_count() <= MEMORY_KIB as usize;
        let argon2 = ::argon2::Argon2::new(algorithm, version, params);
        if !pooled {
            return argon2.hash_password_into(password, salt, hash).ok();
        }
        // Two statements, so that the lock is not held while new memory is cleared.
        let kept = self.pool().pop();
        let mut memory = kept.unwrap_or_else(|| vec![Block::new(); MEMORY_KIB as usize]);
        #[cfg(test)]
        self.computations
            .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let done = argon2.hash_password_into_with_memory(password, salt, hash, &mut memory[..]);
        let mut pool = self.pool();
        if pool.len() < self.keep {
            pool.push(memory);
        }
        done.ok()
    }

    /// The pool is a list of scratch memory: it has no state that a panic could have torn.
    fn pool(&self) -> MutexGuard<'_, Vec<Vec<Block>>> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.pool().len()
    }

    #[cfg(test)]
    pub(super) fn computations(&self) -> usize {
        self.computations.load(std::sync::atomic::Ordering::Relaxed)
    }
}

fn current() -> Params {
    // Constants within the crate's limits.
    Params::new(MEMORY_KIB, PASSES, LANES, Some(HASH_BYTES)).expect("valid parameters")
}

/// Django's `get_random_string`, from the randomness of the operating system.
fn new_salt() -> String {
    // The largest multiple of 62 below 256: a byte beyond it would favour some characters.
    const FAIR: u8 = 248;
    let mut salt = String::with_capacity(SALT_CHARS);
    while salt.len() < SALT_CHARS {
        let mut random = [0; 2 * SALT_CHARS];
        // No fallback: a password hashed with a guessable salt is worse than a failed request.
        getrandom::fill(&mut random).expect("the operating system gives random bytes");
        let fair = random.iter().filter(|byte| **byte < FAIR);
        let chars = fair.map(|byte| char::from(SALT_ALPHABET[usize::from(byte % 62)]));
        salt.extend(chars.take(SALT_CHARS - salt.len()));
    }
    salt
}
