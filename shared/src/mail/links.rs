//! The tokens of links: Django's `PasswordResetTokenGenerator`, bit for bit, so that a link which
//! Django mailed is good here while its `SECRET_KEY` is among the keys. Nothing is stored: a token is
//! a tag of what its use changes.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use time::OffsetDateTime;

use crate::{
    domain::{User, UserId},
    hashing::PasswordHash,
    input::related,
    python,
    settings::Keys,
};

/// The generator's `key_salt`.
const SALT: &[u8] = b"django.contrib.auth.tokens.PasswordResetTokenGenerator";
/// 2001-01-01 in seconds since 1970: tokens count from there.
const EPOCH: i64 = 978_307_200;
/// The longest number that `base36_to_int` reads.
const LONGEST_STAMP: usize = 13;

/// A link as it was sent back: it has no `Debug` form, since who reads it can use it.
pub struct Link {
    /// The account.
    pub uid: String,
    /// The proof.
    pub token: String,
}

/// Makes and checks the tokens of links.
pub struct LinkTokens {
    /// The first makes tokens, all check them.
    keys: Vec<Hmac<Sha256>>,
}

/// What a token is of. Any change of it ends the token.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// The account.
    pub id: UserId,
    /// Its password hash, as stored.
    pub password: Option<&'a PasswordHash>,
    /// Its last login, in seconds since 1970.
    pub last_login: Option<i64>,
    /// Its address, or the one that waits to be confirmed.
    pub email: &'a str,
}

impl<'a> Subject<'a> {
    /// An account as it is.
    pub fn of(user: &'a User, password: Option<&'a PasswordHash>) -> Self {
        Self {
            id: user.id,
            password,
            last_login: user.last_login,
            email: user.email.as_str(),
        }
    }
}

impl LinkTokens {
    /// The keys derived from those of links, as Django's `salted_hmac` does it.
    pub fn new(keys: &Keys) -> Self {
        let derived = keys.links().iter().map(|key| {
            let digest = Sha256::new()
                .chain_update(SALT)
                .chain_update(key.expose_secret());
            // HMAC takes keys of every length.
            Hmac::new_from_slice(&digest.finalize()).expect("a key")
        });
        Self {
            keys: derived.collect(),
        }
    }

    /// The token of a subject, made at `now` (seconds since 1970).
    pub fn make(&self, subject: Subject<'_>, now: i64) -> String {
        token(&self.keys[0], subject, (now - EPOCH).unsigned_abs())
    }

    /// Whether a token is of the subject, and at most `timeout` seconds old at `now`.
    pub fn is_good(&self, subject: Subject<'_>, given: &str, now: i64, timeout: i64) -> bool {
        let stamp = given.split_once('-').and_then(|(stamp, _)| {
            let is_short = stamp.len() <= LONGEST_STAMP;
            is_short.then(|| u64::from_str_radix(stamp, 36).ok())?
        });
        let Some(stamp) = stamp else { return false };
        let is_made_by = |key| {
            let made = token(key, subject, stamp);
            bool::from(made.as_bytes().ct_eq(given.as_bytes()))
        };
        let age = i64::try_from(stamp).map(|stamp| now - EPOCH - stamp);
        self.keys.iter().any(is_made_by) && age.is_ok_and(|age| age <= timeout)
    }
}

fn token(key: &Hmac<Sha256>, subject: Subject<'_>, stamp: u64) -> String {
    let Subject {
        id,
        password,
        last_login,
        email,
    } = subject;
    let password = password.map_or("", PasswordHash::expose);
    let last_login = last_login.map(date).unwrap_or_default();
    let text = format!("{id}{password}{last_login}{stamp}{email}");
    let tag = key.clone().chain_update(text).finalize().into_bytes();
    let digits = tag.iter().map(|byte| format!("{:x}", byte >> 4));
    format!("{}-{}", base36(stamp), digits.collect::<String>())
}

/// Python's `str()` of a naive date in UTC, to the second.
fn date(seconds: i64) -> String {
    let Ok(date) = OffsetDateTime::from_unix_timestamp(seconds) else {
        return String::new();
    };
    let (year, month, day) = date.to_calendar_date();
    let (hour, minute, second) = date.to_hms();
    let month = u8::from(month);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

/// Django's `int_to_base36`.
fn base36(mut number: u64) -> String {
    let mut digits = Vec::new();
    loop {
        digits.push(char::from_digit((number % 36) as u32, 36).unwrap_or('0'));
        number /= 36;
        if number == 0 {
            return digits.into_iter().rev().collect();
        }
    }
}

/// The uid of an account in links: its id in base64url, as Django's `urlsafe_base64_encode`.
pub fn uid(id: UserId) -> String {
    URL_SAFE_NO_PAD.encode(id.to_string())
}

/// The account that a uid names, read as leniently as Django reads it.
pub fn read_uid(uid: &str) -> Option<UserId> {
    let bytes = python::base64_decode(uid)?;
    let text = String::from_utf8(bytes).ok()?;
    related::path_id(&text).map(UserId)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "a-secret-key-of-django-0123456789abcdef";

    fn tokens(signing_key: &str, fallbacks: &[&str]) -> LinkTokens {
        LinkTokens::new(&Keys::hmac(signing_key, fallbacks).unwrap())
    }

    #[test]
    fn a_uid_is_read_as_django_reads_it() {
        assert_eq!(uid(UserId(1)), "MQ");
        for (text, id) in [
            ("MQ", Some(1)),
            ("MQ==", Some(1)),
            ("M.Q", Some(1)),
            ("MTI", Some(12)),
            ("IDEyIA", Some(12)),
            ("", None),
            ("M", None),
            ("MTIzN", None),
            ("LTE", None),
            ("_w", None),
            ("é", None),
            ("M=Q", Some(1)),
            ("MQ=x", None),
            ("MTI=Mg", Some(12)),
        ] {
            assert_eq!(read_uid(text), id.map(UserId), "{text:?}");
        }
    }

    #[test]
    fn a_token_is_djangos_of_the_same_account_key_and_second() {
        // Made by Django 5.2.19.
        let hash = PasswordHash::new("argon2$argon2id$v=19$x".to_owned());
        let subject = Subject {
            id: UserId(7),
            password: Some(&hash),
            last_login: None,
            email: "ann@example.com",
        };
        let seen = Subject {
            last_login: Some(1_795_619_040),
            ..subject
        };
        let now = 1_795_619_041;
        for (subject, token) in [
            (subject, "diltup-c3dd63aaaa67a5335f112aefe43a45c5"),
            (seen, "diltup-465d9565513240b3a6b65100bda92646"),
        ] {
            assert_eq!(tokens(KEY, &[]).make(subject, now), token);
            assert!(tokens(KEY, &[]).is_good(subject, token, now, 0));
        }
    }

    #[test]
    fn a_token_ends_with_its_time_its_keys_and_any_change_of_its_account() {
        let (hash, other) = (
            PasswordHash::new("one".to_owned()),
            PasswordHash::new("two".to_owned()),
        );
        let ann = Subject {
            id: UserId(7),
            password: Some(&hash),
            last_login: None,
            email: "ann@example.com",
        };
        let now = 1_795_619_041;
        let token = tokens(KEY, &[]).make(ann, now);
        let is_good = |subject, token: &str, at| tokens(KEY, &[]).is_good(subject, token, at, 60);
        assert!(is_good(ann, &token, now + 60));
        assert!(!is_good(ann, &token, now + 61));
        let [id, last_login] = [UserId(8), UserId(7)];
        for changed in [
            Subject { id, ..ann },
            Subject {
                password: Some(&other),
                ..ann
            },
            Subject {
                password: None,
                ..ann
            },
            Subject {
                last_login: Some(0),
                id: last_login,
                ..ann
            },
            Subject {
                email: "Ann@example.com",
                ..ann
            },
        ] {
            assert!(!is_good(changed, &token, now), "{:?}", changed.email);
        }
        assert!(
            tokens("another-key-another-key-another-key", &[KEY]).is_good(ann, &token, now, 60)
        );
        assert!(!tokens("another-key-another-key-another-key", &[]).is_good(ann, &token, now, 60));
        let upper = token.to_uppercase();
        let spaced = format!(" {token}");
        let longer = format!("{token}0");
        for forged in [
            "",
            "-",
            "abc",
            "x-y",
            &upper,
            &spaced,
            &longer,
            &token[..30],
        ] {
            assert!(!is_good(ann, forged, now), "{forged:?}");
        }
    }
}
