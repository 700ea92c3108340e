//! The steps of a rotation: the next key is published, signs once everybody can know it, and the one
//! before it goes when its last token has expired.

use std::fmt;

use shared::{
    keyring,
    settings::{Algorithm, KeyDocument, KeyEntry, KeyState},
};

use crate::{Failure, generate};

/// Seconds for which the next key of others is published before it signs. API Gateway's JWT authorizer
/// may keep keys for two hours, whatever the document's `max-age` says; and a function publishes a key
/// once it has read the secret again.
pub const PUBLISHED_FOR: i64 = 7200 + keyring::MAX_AGE;

/// What the tokens of a stack allow.
#[derive(Clone, Copy, Debug)]
pub struct Lifetimes {
    /// `REFRESH_TOKEN_LIFETIME`, if it is known.
    pub refresh: Option<i64>,
    /// `LEEWAY`.
    pub leeway: i64,
    /// `LEGACY_TOKENS_UNTIL`.
    pub legacy_until: Option<i64>,
}

/// What was done to a key, by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// It is published, and will sign.
    Published(String),
    /// It signs from now on.
    Promoted(String),
    /// Its tokens are refused from now on.
    Dropped(String),
}

/// Why the next step is not done yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TooEarly {
    /// Not everybody can know the key before this time, in seconds since 1970.
    Unknown(String, i64),
    /// Tokens of the key may be good until this time, in seconds since 1970.
    InUse(String, i64),
    /// How long its tokens are good is not known.
    NoLifetime(String),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Published(key) => write!(f, "Key {key} is published, and does not sign yet."),
            Self::Promoted(key) => write!(
                f,
                "Key {key} signs from now on. Functions learn of it within five minutes, or with the \
                 first token that it signed; the key before it still verifies."
            ),
            Self::Dropped(key) => write!(f, "Key {key} is dropped: its tokens are refused."),
        }
    }
}

/// The name of a key for people.
fn name(key: &KeyEntry) -> String {
    let unnamed = || format!("without a name ({})", key.alg.name());
    key.kid.clone().unwrap_or_else(unnamed)
}

/// Does the next step, with `is_forced` even if it is too early. A new key is of `algorithm`, else of
/// that of the current one. `now` is in seconds since 1970.
///
/// # Errors
/// The system makes no key.
pub fn advance(
    document: &mut KeyDocument,
    algorithm: Option<Algorithm>,
    lifetimes: Lifetimes,
    now: i64,
    is_forced: bool,
) -> Result<Result<Vec<Step>, TooEarly>, Failure> {
    let all = document.keys.iter_mut();
    // In the older form of a secret keys have no age.
    all.filter(|key| key.since == 0)
        .for_each(|key| key.since = now);
    if let Some(next) = in_state(document, KeyState::Next) {
        let ready = next.since.saturating_add(published_for(next));
        if now < ready && !is_forced {
            return Ok(Err(TooEarly::Unknown(name(next), ready)));
        }
        return Ok(Ok(vec![promote(document, now)]));
    }
    match drop_previous(document, lifetimes, now, is_forced) {
        Ok(dropped) if dropped.is_empty() => {}
        done => return Ok(done),
    }
    let current = in_state(document, KeyState::Current).map(|key| key.alg);
    let algorithm = algorithm.or(current).unwrap_or(Algorithm::Rs256);
    let next = generate::key(algorithm, KeyState::Next, now)?;
    let step = Step::Published(name(&next));
    document.keys.push(next);
    Ok(Ok(vec![step]))
}

fn in_state(document: &KeyDocument, state: KeyState) -> Option<&KeyEntry> {
    document.keys.iter().find(|key| key.state == state)
}

/// Nobody but the functions verifies by an HMAC key, and they look it up when they meet it.
fn published_for(next: &KeyEntry) -> i64 {
    match next.alg.is_hmac() {
        true => keyring::MAX_AGE,
        false => PUBLISHED_FOR,
    }
}

fn promote(document: &mut KeyDocument, now: i64) -> Step {
    let mut promoted = String::new();
    for key in &mut document.keys {
        match key.state {
            KeyState::Previous => continue,
            KeyState::Current => key.state = KeyState::Previous,
            KeyState::Next => {
                key.state = KeyState::Current;
                promoted = name(key);
            }
        }
        key.since = now;
    }
    Step::Promoted(promoted)
}

/// Drops the keys whose tokens have expired. One without a name may be another service's, which holds up
/// no rotation.
fn drop_previous(
    document: &mut KeyDocument,
    lifetimes: Lifetimes,
    now: i64,
    is_forced: bool,
) -> Result<Vec<Step>, TooEarly> {
    let is_previous = |key: &KeyEntry| key.state == KeyState::Previous;
    let good_until = |key: &KeyEntry| {
        // A function may sign by it until it has read the secret again.
        let lasts = keyring::MAX_AGE + lifetimes.refresh? + lifetimes.leeway;
        let last = key.since.saturating_add(lasts);
        let legacy = lifetimes.legacy_until.filter(|_| key.kid.is_none());
        Some(legacy.map_or(last, |until| last.max(until)))
    };
    let has_expired = |key: &KeyEntry| good_until(key).is_some_and(|until| now >= until);
    let goes =
        |key: &KeyEntry| is_previous(key) && (has_expired(key) || is_forced && key.kid.is_some());
    let dropped: Vec<Step> = document
        .keys
        .iter()
        .filter(|key| goes(key))
        .map(|key| Step::Dropped(name(key)))
        .collect();
    let mut named = document.keys.iter().filter(|key| is_previous(key));
    let waiting = named.find(|key| key.kid.is_some() && !goes(key));
    if dropped.is_empty()
        && let Some(key) = waiting
    {
        return Err(match good_until(key) {
            Some(until) => TooEarly::InUse(name(key), until),
            None => TooEarly::NoLifetime(name(key)),
        });
    }
    document.keys.retain(|key| !goes(key));
    Ok(dropped)
}

/// Replaces every key, also that of links, cookies and forms: nothing that was signed before is good.
///
/// # Errors
/// The system makes no key.
pub fn replace(
    document: &KeyDocument,
    algorithm: Option<Algorithm>,
    now: i64,
) -> Result<KeyDocument, Failure> {
    let current = in_state(document, KeyState::Current).map(|key| key.alg);
    let algorithm = algorithm.or(current).unwrap_or(Algorithm::Rs256);
    Ok(KeyDocument {
        keys: vec![generate::key(algorithm, KeyState::Current, now)?],
        link_key: generate::text(),
        replaces: None,
    })
}

/// Adds another service's HMAC key, such as Django's `SECRET_KEY`: tokens of it, which name no key, are
/// accepted, until `LEGACY_TOKENS_UNTIL` if that is set. One that is there is left.
pub fn accept(document: &mut KeyDocument, key: String, now: i64) {
    if document.keys.iter().any(|there| there.key == key) {
        return;
    }
    document.keys.push(KeyEntry {
        kid: None,
        alg: Algorithm::Hs256,
        key,
        state: KeyState::Previous,
        since: now,
    });
}

#[cfg(test)]
mod tests;
