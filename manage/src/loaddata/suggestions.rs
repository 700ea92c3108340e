//! Settings that the password hashes of a dump ask for.

use std::time::Instant;

use shared::hashing::{Hasher, Password, PasswordHash};

use super::collecting::Survey;

/// How much longer than a hash of this service's own another may take before it is noticed.
const NOTICED: f64 = 1.3;
/// The template's memory of the functions that hash, in MB, and that of a whole core.
const USUAL_MEMORY: u64 = 1024;
const WHOLE_CORE: u64 = 1769;

/// Proposes settings for the hashes seen: the least time of a failed login, in milliseconds, that
/// hides which of them take longer to verify than this service's own; and the memory of functions.
pub fn suggest(survey: &mut Survey) {
    let (report, kinds) = (&mut survey.report, &survey.kinds);
    if report.users.new + report.users.changed == 0 {
        return;
    }
    let (hasher, password) = (Hasher::default(), Password::new("a wrong one".to_owned()));
    let time = |hash: Option<&PasswordHash>| {
        let started = Instant::now();
        let _ = hasher.verify_blocking(&password, hash);
        started.elapsed()
    };
    // The first hash of all makes the scratch memory too.
    time(None);
    let own = time(None);
    let Some(slowest) = kinds.values().map(|hash| time(Some(hash))).max() else {
        return;
    };
    if slowest > own.mul_f64(NOTICED) {
        // Half as much again, since functions may be slower than this machine, and no odd numbers.
        let least = (slowest.as_millis() * 3 / 2).div_ceil(10) * 10;
        let least = u64::try_from(least).unwrap_or(u64::MAX);
        report.suggestions.insert("LOGIN_FAILURE_TIME", least);
    }
    let memory = kinds.values().filter_map(PasswordHash::memory_mib).max();
    let memory = u64::from(memory.unwrap_or(0)) * 2 + 128;
    let needed = if slowest.as_millis() > 250 {
        memory.max(WHOLE_CORE)
    } else {
        memory
    };
    if needed > USUAL_MEMORY {
        report.suggestions.insert("HashingMemorySize", needed);
    }
}
