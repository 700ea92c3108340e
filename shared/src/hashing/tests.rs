//! The hashes were made by Django 5.2 with argon2-cffi 25.1 and bcrypt 5.0.

use super::Verification::{Correct, CorrectButOutdated, Wrong};
use super::*;

const ASCII: &str = "correct horse";
const UNICODE: &str = "Pässwörd 🔑 \u{639}";

const CURRENT: &str = "argon2$argon2id$v=19$m=19456,t=2,p=1$Zmg3UE92aW8zaVNHWEVOSmNtREwzSQ$\
                       aCV6U3sr/Cgk6lk7MPNzKHXgrZwxF2qdHhMfsMSeWuQ";

/// Hashes of `ASCII` with another algorithm, other parameters or a short salt.
const OUTDATED_ASCII: &[&str] = &[
    "argon2$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$pEoTT/PQJUrQ+4Qp3XrtcTufBun4D9FCw+dj/PBsWHI",
    "pbkdf2_sha256$10$saltSALT$06S1HARW+Oemxskar6cX2CIMYkzD42MuxQknnxapfa8=",
    "pbkdf2_sha256$100000$saltSALT$PbhdER0otoacTlGGPFINA41q9F6V1lfizDQbtcymTwM=",
    "bcrypt_sha256$$2b$04$3TSpElA7ruZnjdClzVWJU.BBOAz.U7hfK6AoWcGVDRYh43EY0V/W2",
    "bcrypt_sha256$$2y$04$3TSpElA7ruZnjdClzVWJU.BBOAz.U7hfK6AoWcGVDRYh43EY0V/W2",
    "scrypt$16384$s$8$5$TTyq0Ln3Thh+7H9hg2qqY4Lwuizg8PDYaatfRwwZj6RUXib23XiVmMLz0AWH3O0wGZ/Ej5knjBZZ1ruivalFUA==",
];

/// The same of `UNICODE`.
const OUTDATED_UNICODE: &[&str] = &[
    "argon2$argon2id$v=19$m=64,t=3,p=2$c29tZXNhbHRzb21lc2FsdHNvbWVzYWx0$d0kEkKHf+D9uUUC2RGDASAiXEIIRoXOo20Sj0EBKpI4",
    "argon2$argon2i$v=19$m=64,t=3,p=2$c29tZXNhbHRzb21lc2FsdHNvbWVzYWx0$zu31ijAW6Xyp//PcDjBkTy2rEYYrxaAbu+7IGXR7D9o",
    "argon2$argon2d$v=19$m=64,t=3,p=2$c29tZXNhbHRzb21lc2FsdHNvbWVzYWx0$yS7/k9kmwGGD5vGRwHVeuXo2b5QVn9U/e9g+sIBmuVg",
    "argon2$argon2i$v=16$m=64,t=2,p=1$c29tZXNhbHRzb21lc2FsdHNvbWVzYWx0$yXN3bTYqyveeqUFyDE5dRo0jw1FxAtfYGw4lARX328w",
    "argon2$argon2i$m=64,t=2,p=1$c29tZXNhbHRzb21lc2FsdHNvbWVzYWx0$yXN3bTYqyveeqUFyDE5dRo0jw1FxAtfYGw4lARX328w",
    "argon2$argon2id$v=19$m=64,t=2,p=1$c29tZXNhbHRzb21lc2FsdHNvbWVzYWx0$oRorkHEfULSTnXiTZ3jSZceXRiYfFwDYDrXUfol4WqllaS/mrL1xZXvJBOVEp6AMkRPgpkf46Uli2f1Qva8qwQ",
    // The parameters of Django's own Argon2PasswordHasher, which need more memory than is kept.
    "argon2$argon2id$v=19$m=102400,t=2,p=8$NUtuZDR1SzIzNmRzN0kwTjMwZWZwUw$f9ZAvZjY8CKGrPg68I0wXHmHRKaH5SJMd8DwcmGIqTQ",
    "pbkdf2_sha256$7$sält-ü$OQKKA71xyIC8BwZaBMsSg1lE1VL2fPkuQy/pOyNKnmA=",
    "bcrypt_sha256$$2a$04$OphhYt0NJphhS4lTm41N.ekwval2hZXzcHFLdP32x29waXVysP7Fu",
    "bcrypt_sha256$$2b$04$ssbDMyEy5ekJhrGXcfJ7neFJdnYVpajHxoXfI40Ep9r/0t/3AtIwG",
    "scrypt$16$saltSALT$2$3$2Itp88eRz0ana3pQLvts+G6gMmr7RQ6HzA5VQ65/Cxwma8jgWzCrlbjhSp7zpHJLLyQxFT82IrmlSO+J6reJsw==",
];

fn password(text: &str) -> Password {
    Password::new(text.to_owned())
}

fn verify(text: &str, encoded: &str) -> Verification {
    let stored = PasswordHash::new(encoded.to_owned());
    Hasher::default().verify_blocking(&password(text), Some(&stored))
}

#[test]
fn a_current_hash_made_by_django_is_correct() {
    assert_eq!(verify(ASCII, CURRENT), Correct);
    assert_eq!(
        verify(
            UNICODE,
            "argon2$argon2id$v=19$m=19456,t=2,p=1$WFljV0Y2MjlTRkc5UmJhREVMMDZwSw$\
             m2rk9lMFTuKzbmu7BbF8NSASxGqDcy4IPGayJMYoeps"
        ),
        Correct
    );
}

#[test]
fn djangos_other_hashes_are_correct_but_outdated() {
    for encoded in OUTDATED_ASCII {
        assert_eq!(verify(ASCII, encoded), CorrectButOutdated, "{encoded}");
    }
    for encoded in OUTDATED_UNICODE {
        assert_eq!(verify(UNICODE, encoded), CorrectButOutdated, "{encoded}");
    }
    let of_nothing = "pbkdf2_sha256$1$x$yb9iKunqNijXRQKUvO6LoyiwVgfOzKs1+3gaWy8rzxc=";
    assert_eq!(verify("", of_nothing), CorrectButOutdated);
}

#[test]
fn a_wrong_password_is_wrong_for_every_algorithm() {
    assert_eq!(verify("correct horsf", CURRENT), Wrong);
    for encoded in OUTDATED_ASCII.iter().chain(OUTDATED_UNICODE) {
        assert_eq!(verify("", encoded), Wrong, "{encoded}");
        assert_eq!(verify("Correct horse", encoded), Wrong, "{encoded}");
    }
}

#[test]
fn a_password_is_not_truncated() {
    let hasher = Hasher::default();
    let long = "ü".repeat(5_000);
    let stored = hasher.hash_blocking(&password(&long));
    let verify = |text: &str| hasher.verify_blocking(&password(text), Some(&stored));
    assert_eq!(verify(&long), Correct);
    assert_eq!(verify(&long[2..]), Wrong);
}

#[tokio::test]
async fn a_new_hash_has_djangos_form_and_verifies() {
    let hasher = Hasher::default();
    let one = hasher.hash(&password(UNICODE)).await;
    let two = hasher.hash(&password(UNICODE)).await;
    assert_ne!(one, two, "each hash has a salt of its own");
    let hash = one.expose();
    assert!(
        hash.starts_with("argon2$argon2id$v=19$m=19456,t=2,p=1$"),
        "{hash}"
    );
    let lengths: Vec<_> = hash.split('$').skip(4).map(str::len).collect();
    assert_eq!(lengths, [30, 43]);
    let verified = hasher.verify(&password(UNICODE), Some(&one)).await;
    assert_eq!(verified, Correct);
    let verified = hasher.verify(&password(ASCII), Some(&one)).await;
    assert_eq!(verified, Wrong);
}

#[tokio::test]
async fn an_account_without_a_usable_password_costs_one_computation() {
    let hasher = Hasher::default();
    assert_eq!(hasher.workshop.argon2.computations(), 0);
    assert_eq!(hasher.verify(&password(""), None).await, Wrong);
    assert_eq!(hasher.workshop.argon2.computations(), 1);
    let unusable = ["!", "!PkXq0Pj2vIHCJt2jeuTn6Wy5ZVyHp4WT1iQH0OGy", "", "!$"];
    let out_of_bounds = ["pbkdf2_sha256$10000001$s$x", "md5$a$b", "argon2$"];
    for (done, stored) in (2..).zip(unusable.iter().chain(&out_of_bounds)) {
        let stored = PasswordHash::new((*stored).to_owned());
        let verified = hasher.verify(&password("!"), Some(&stored)).await;
        assert_eq!(verified, Wrong);
        assert_eq!(hasher.workshop.argon2.computations(), done);
    }
}

#[test]
fn parameters_out_of_bounds_are_not_computed() {
    let good = [CURRENT].into_iter();
    let all: Vec<_> = good
        .chain(OUTDATED_ASCII.iter().copied())
        .chain(OUTDATED_UNICODE.iter().copied())
        .collect();
    let is_readable = |encoded: &str| {
        let (algorithm, rest) = encoded.split_once('$').unwrap();
        match algorithm {
            "argon2" => argon2::Stored::parse(rest).is_some(),
            "pbkdf2_sha256" => pbkdf2::Stored::parse(rest, pbkdf2::Digest::Sha256).is_some(),
            "bcrypt_sha256" => bcrypt::Stored::parse(rest).is_some(),
            _ => scrypt::Stored::parse(rest).is_some(),
        }
    };
    assert!(all.iter().all(|encoded| is_readable(encoded)));
    let changes = [
        (
            "m=19456",
            &[
                "m=262145",
                "m=4294967296",
                "m=0",
                "m=7",
                "m=-1",
                "m=019456",
                "m=",
                "n=19456",
            ][..],
        ),
        ("t=2", &["t=17", "t=0", "t=99999999999", "t=2,t=2", "t=+2"]),
        ("p=1$", &["p=17$", "p=0$", "p=1,data=AAAA$", "p=1$$", "$"]),
        ("v=19", &["v=20", "v=", "v", "v=19$v=19"]),
        ("argon2id", &["argon2", "ARGON2ID", "argon2id "]),
        (
            "$100000$",
            &[
                "$10000001$",
                "$0$",
                "$-1$",
                "$1e5$",
                "$0100000$",
                "$ 1$",
                "$$",
                "$٣$",
            ],
        ),
        ("$100000$saltSALT$", &["$1$$", "$1$", "$1$a$b$"]),
        (
            "$04$",
            &["$17$", "$03$", "$31$", "$99$", "$4$", "$004$", "$+4$", "$$"],
        ),
        ("$2b$", &["$2$", "$2c$", "$$2b$", "$"]),
        (
            "$16384$",
            &["$16383$", "$1$", "$0$", "$524288$", "$4294967296$", "$-2$"],
        ),
        (
            "$8$5$",
            &[
                "$8$17$",
                "$0$5$",
                "$8$0$",
                "$129$5$",
                "$4294967295$5$",
                "$8$5$5$",
            ],
        ),
        ("$s$8$5$", &["$$8$5$", "$2$s$1025$1$"]),
    ];
    for (part, replacements) in changes {
        let encoded = all.iter().find(|encoded| encoded.contains(part)).unwrap();
        for replacement in replacements {
            let changed = encoded.replacen(part, replacement, 1);
            assert!(!is_readable(&changed), "{changed}");
        }
    }
}

#[test]
fn no_corrupt_text_panics_or_verifies() {
    let cheap = OUTDATED_UNICODE.iter().filter(|e| !e.contains("m=102400"));
    for encoded in cheap {
        let chars: Vec<char> = encoded.chars().collect();
        // The last characters and the first of each field stand for the others.
        for at in (0..chars.len()).filter(|at| at % 7 == 0 || at + 4 > chars.len()) {
            for with in ["", "$", "ü", "\0", "=", "A="] {
                let mut changed: String = chars[..at].iter().collect();
                changed.push_str(with);
                changed.extend(&chars[at + 1..]);
                if changed != *encoded {
                    let verified = compare(UNICODE, &changed);
                    assert!(matches!(verified, None | Some(Wrong)), "{changed}");
                }
            }
            let truncated: String = chars[..at].iter().collect();
            let verified = compare(UNICODE, &truncated);
            assert!(matches!(verified, None | Some(Wrong)), "{truncated}");
        }
    }
}

/// Without the wasted computation, to be quick.
fn compare(text: &str, encoded: &str) -> Option<Verification> {
    Hasher::default().compare(text.as_bytes(), encoded)
}

#[test]
fn the_memory_of_a_hash_serves_the_next() {
    let hasher = Hasher::default();
    assert_eq!(hasher.workshop.argon2.kept(), 0);
    for _ in 0..3 {
        assert_eq!(hasher.verify_blocking(&password(""), None), Wrong);
        assert_eq!(hasher.workshop.argon2.kept(), 1);
    }
    // A clone shares it.
    let stored = PasswordHash::new(CURRENT.to_owned());
    let verified = hasher
        .clone()
        .verify_blocking(&password(ASCII), Some(&stored));
    assert_eq!(verified, Correct);
    assert_eq!(hasher.workshop.argon2.kept(), 1);
}

#[tokio::test]
async fn many_logins_at_once_keep_no_more_memory_than_there_are_cores() {
    let hasher = Hasher::default();
    let cores = available_parallelism().map_or(1, usize::from);
    let logins: Vec<_> = (0..4 * cores)
        .map(|_| {
            let hasher = hasher.clone();
            tokio::spawn(async move { hasher.verify(&password(""), None).await })
        })
        .collect();
    for login in logins {
        assert_eq!(login.await.unwrap(), Wrong);
    }
    assert!((1..=cores).contains(&hasher.workshop.argon2.kept()));
    assert_eq!(hasher.workshop.argon2.computations(), 4 * cores);
    assert_eq!(hasher.workshop.permits.available_permits(), cores);
}

#[test]
fn debug_output_hides_secrets() {
    assert!(!format!("{:?}", password(ASCII)).contains(ASCII));
    let stored = PasswordHash::new(CURRENT.to_owned());
    assert_eq!(format!("{stored:?}"), "PasswordHash(..)");
}

#[test]
fn a_hash_is_stored_as_plain_text() {
    let stored = PasswordHash::new(CURRENT.to_owned());
    let json = serde_json::to_value(&stored).unwrap();
    assert_eq!(json, CURRENT);
    assert!(serde_json::from_value::<PasswordHash>(json).unwrap() == stored);
}

/// Real ones of Django are in the dumps of `manage/tests/it/commands/migration/`.
#[test]
fn weak_hashes_verify_only_wrapped_and_are_replaced() {
    let hasher = Hasher::default();
    for weak in [
        "md5$salt$67a1e09bb1f83f5007dc119c14d663aa",
        "67a1e09bb1f83f5007dc119c14d663aa",
    ] {
        assert_eq!(
            PasswordHash::new(weak.to_owned()).assess(),
            Assessment::Weak
        );
        assert_eq!(verify("salt", weak), Wrong, "{weak}");
    }
    let bare = PasswordHash::new(super::weak::Algorithm::Md5.digest("", ASCII.as_bytes()));
    let wrapped = hasher.wrap_blocking(&bare).expect("a weak hash");
    assert!(!wrapped.expose().contains(bare.expose()));
    assert_eq!(verify(ASCII, wrapped.expose()), CorrectButOutdated);
    assert_eq!(verify("correct horsf", wrapped.expose()), Wrong);
    assert!(hasher.is_wrapped_blocking(&wrapped, &bare));
    let sha1 = super::weak::Algorithm::Sha1.digest("abc", ASCII.as_bytes());
    let sha1 = PasswordHash::new(format!("sha1$abc${sha1}"));
    let wrapped = hasher.wrap_blocking(&sha1).expect("a weak hash");
    assert_eq!(verify(ASCII, wrapped.expose()), CorrectButOutdated);
    assert!(!hasher.is_wrapped_blocking(&wrapped, &bare));
}
