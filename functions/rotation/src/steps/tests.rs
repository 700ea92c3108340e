use super::*;

const NOW: i64 = 1_800_000_000;
const DAY: i64 = 86_400;
const KNOWN: Lifetimes = Lifetimes {
    refresh: Some(DAY),
    leeway: 10,
    legacy_until: None,
};

fn older() -> KeyDocument {
    let text = r#"{"current": "a-key-of-the-tests-0123456789abcdefgh", "previous": ""}"#;
    KeyDocument::read(text, Algorithm::Hs256).unwrap()
}

fn step(document: &mut KeyDocument, at: i64, is_forced: bool) -> Result<Vec<Step>, TooEarly> {
    let algorithm = Some(Algorithm::EdDsa);
    let done = advance(document, algorithm, KNOWN, NOW + at, is_forced).unwrap();
    let keys = document.keys().expect("keys that can be read");
    assert!(keys.signing().state == KeyState::Current);
    done
}

fn states(document: &KeyDocument) -> Vec<(&str, KeyState)> {
    let keys = document.keys.iter();
    keys.map(|key| (key.alg.name(), key.state)).collect()
}

use KeyState::{Current, Next, Previous};

#[test]
fn a_key_is_published_then_signs_and_the_one_before_goes_with_its_last_token() {
    let mut keys = older();
    let published = step(&mut keys, 0, false).unwrap();
    let kid = keys.keys[1].kid.clone().unwrap();
    assert_eq!(published, [Step::Published(kid.clone())]);
    assert_eq!(states(&keys), [("HS256", Current), ("EdDSA", Next)]);
    let early = step(&mut keys, PUBLISHED_FOR - 1, false);
    assert_eq!(
        early,
        Err(TooEarly::Unknown(kid.clone(), NOW + PUBLISHED_FOR))
    );
    let promoted = step(&mut keys, PUBLISHED_FOR, false).unwrap();
    assert_eq!(promoted, [Step::Promoted(kid.clone())]);
    assert_eq!(states(&keys), [("HS256", Previous), ("EdDSA", Current)]);
    assert!(
        keys.link_key.starts_with("a-key-of-the-tests"),
        "links stay good"
    );

    // A key without a name holds up no rotation.
    step(&mut keys, PUBLISHED_FOR + 1, false).unwrap();
    step(&mut keys, PUBLISHED_FOR + 2, true).unwrap();
    let named = [("HS256", Previous), ("EdDSA", Previous), ("EdDSA", Current)];
    assert_eq!(states(&keys), named);
    let gone = PUBLISHED_FOR + 2 + keyring::MAX_AGE + DAY + 10;
    let dropped = step(&mut keys, gone - 1, false).unwrap();
    assert_eq!(
        dropped,
        [Step::Dropped("without a name (HS256)".to_owned())]
    );
    let early = step(&mut keys, gone - 1, false);
    assert_eq!(early, Err(TooEarly::InUse(kid.clone(), NOW + gone)));
    assert_eq!(step(&mut keys, gone, false), Ok(vec![Step::Dropped(kid)]));
    assert_eq!(states(&keys), [("EdDSA", Current)]);
}

#[test]
fn a_step_that_is_forced_is_done_at_once() {
    let mut keys = older();
    for _ in 0..4 {
        step(&mut keys, 0, true).unwrap();
    }
    assert_eq!(
        states(&keys),
        [("HS256", Previous), ("EdDSA", Previous), ("EdDSA", Current)]
    );
    step(&mut keys, 0, true).unwrap();
    assert_eq!(states(&keys), [("HS256", Previous), ("EdDSA", Current)]);
}

#[test]
fn without_a_known_lifetime_no_named_key_is_dropped() {
    let mut keys = older();
    let unknown = Lifetimes {
        refresh: None,
        ..KNOWN
    };
    for _ in 0..4 {
        let done = advance(&mut keys, None, unknown, NOW, true).unwrap();
        done.unwrap();
    }
    let late = NOW + 1000 * DAY;
    let done = advance(&mut keys, None, unknown, late, false).unwrap();
    assert!(matches!(done, Err(TooEarly::NoLifetime(_))), "{done:?}");
}

#[test]
fn another_services_key_stays_until_its_tokens_are_no_more_accepted() {
    let mut keys = older();
    accept(
        &mut keys,
        "djangos-key-of-the-tests-0123456789abc".to_owned(),
        NOW,
    );
    accept(
        &mut keys,
        "djangos-key-of-the-tests-0123456789abc".to_owned(),
        NOW,
    );
    assert_eq!(states(&keys), [("HS256", Current), ("HS256", Previous)]);
    let until = Lifetimes {
        legacy_until: Some(NOW + 30 * DAY),
        ..KNOWN
    };
    let at = |days: i64| {
        let mut copy =
            KeyDocument::read(&serde_json::to_string(&keys).unwrap(), Algorithm::Hs256).unwrap();
        let done = advance(&mut copy, None, until, NOW + days * DAY, false).unwrap();
        matches!(done.unwrap()[..], [Step::Dropped(_)])
    };
    assert!(!at(29));
    assert!(at(30));
}

#[test]
fn after_a_leak_no_key_is_left() {
    let before = older();
    let after = replace(&before, None, NOW).unwrap();
    assert_eq!(states(&after), [("HS256", Current)]);
    assert_ne!(after.keys[0].key, before.keys[0].key);
    assert_ne!(after.link_key, before.link_key);
    assert!(after.keys().unwrap().links().iter().count() == 2);
}

#[test]
fn every_algorithm_has_new_keys_of_its_own() {
    for algorithm in Algorithm::ALL {
        let [one, two] = [0, 1].map(|_| generate::key(algorithm, Current, NOW).unwrap());
        assert_ne!(one.key, two.key);
        assert_ne!(one.kid, two.kid);
        let link_key = generate::text();
        let keys = vec![one];
        let document = KeyDocument {
            keys,
            link_key,
            replaces: None,
        };
        assert_eq!(document.keys().unwrap().signing().algorithm, algorithm);
    }
}
