//! Keys that others can verify with, and what is tried with them (RFC 8725).

use ring::signature::{self, KeyPair};

use super::*;
use crate::settings::{KeyDocument, KeyEntry, KeyState};

const RS256: &str = include_str!("../rs256.pem");
const ES256: &str = include_str!("../es256.pem");
const EDDSA: &str = include_str!("../eddsa.pem");
const KEYS: [(&str, &str); 3] = [("RS256", RS256), ("ES256", ES256), ("EdDSA", EDDSA)];
const LINK: &str = "a-link-key-of-the-tests-0123456789abcdefgh";

fn of(algorithm: &str, key: &str, more: &[(&str, &str)]) -> Jwt {
    let all = [
        ("ALGORITHM", algorithm),
        ("SIGNING_KEY", key),
        ("LINK_KEY", LINK),
    ];
    jwt(&[&all, more].concat())
}

fn issued(jwt: &Jwt) -> String {
    jwt.access(Issued::to(&json!("7")), NOW)
}

fn is_good(jwt: &Jwt, token: &str) -> bool {
    jwt.verify(token, TokenType::Access, NOW).is_ok()
}

fn header(token: &str) -> Value {
    let (header, _) = token.split_once('.').unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap()
}

/// A token with that header, signed by a private key in PEM.
fn signed_by(pem: &str, header: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(&claims()));
    let key = TokenKey::private("test", Algorithm::EdDsa, pem).unwrap();
    let pair = signature::Ed25519KeyPair::from_pkcs8_maybe_unchecked(key.signing()).unwrap();
    let signature = pair.sign(message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[test]
fn a_private_key_signs_and_its_public_part_verifies() {
    for (algorithm, key) in KEYS {
        let jwt = of(algorithm, key, &[]);
        let token = issued(&jwt);
        assert!(is_good(&jwt, &token), "{algorithm}");
        let keys = jwt.key_set();
        let published = &keys["keys"][0];
        let expected = json!({"typ": "JWT", "alg": algorithm, "kid": published["kid"]});
        assert_eq!(header(&token), expected);
        assert_eq!(published["alg"], algorithm);
        assert_eq!(published["use"], "sig");
        let (start, last) = token.split_at(token.len() - 20);
        let swapped: String = last.chars().rev().collect();
        assert!(!is_good(&jwt, &format!("{start}{swapped}")), "{algorithm}");
    }
}

#[test]
fn only_public_parts_are_published_and_of_hmac_keys_none() {
    for (algorithm, key) in KEYS {
        let fallbacks = [("SIGNING_KEY_FALLBACKS", OTHER)];
        let keys = of(algorithm, key, &fallbacks).key_set();
        let keys = keys["keys"].as_array().unwrap();
        assert_eq!(keys.len(), 1, "{keys:?}");
        let mut members: Vec<&String> = keys[0].as_object().unwrap().keys().collect();
        members.sort();
        let expected = match algorithm {
            "RS256" => "alg e kid kty n use",
            "ES256" => "alg crv kid kty use x y",
            _ => "alg crv kid kty use x",
        };
        assert_eq!(
            members
                .iter()
                .map(|it| it.as_str())
                .collect::<Vec<_>>()
                .join(" "),
            expected
        );
    }
    assert_eq!(
        jwt(&[("SIGNING_KEY_FALLBACKS", OTHER)]).key_set(),
        json!({"keys": []})
    );
}

#[test]
fn the_name_of_a_key_is_its_thumbprint() {
    // The key of RFC 8037, appendix A.1 and A.3.
    let seed = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
    let seed = URL_SAFE_NO_PAD.decode(seed).unwrap();
    let mut der = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20".to_vec();
    der.extend(seed);
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let key = TokenKey::private("test", Algorithm::EdDsa, &text).unwrap();
    assert_eq!(
        key.kid.as_deref(),
        Some("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")
    );
    let jwk = key.jwk().unwrap();
    let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    assert!(jwk.contains(&("x", x.to_owned())), "{jwk:?}");
}

#[test]
fn a_token_that_is_signed_with_the_public_key_as_an_hmac_key_is_refused() {
    for (algorithm, key) in KEYS {
        let jwt = of(algorithm, key, &[("SIGNING_KEY_FALLBACKS", OTHER)]);
        let of_key = TokenKey::private("test", Algorithm::named(algorithm).unwrap(), key).unwrap();
        let jwk = jwt.key_set()["keys"][0].clone();
        let bytes = of_key.verifying();
        let der = base64::engine::general_purpose::STANDARD.encode(bytes);
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{der}\n-----END PUBLIC KEY-----\n");
        let bare = String::from_utf8_lossy(bytes).into_owned();
        let forms = [
            pem.clone(),
            pem.trim().to_owned(),
            der,
            bare,
            jwk.to_string(),
        ];
        for form in forms
            .iter()
            .chain([&jwk["x"], &jwk["n"]].iter().filter_map(|it| match it {
                Value::String(text) => Some(text),
                _ => None,
            }))
        {
            for header in [
                json!({"alg": "HS256"}),
                json!({"alg": "HS256", "kid": jwk["kid"]}),
                json!({"alg": algorithm, "kid": jwk["kid"]}),
            ] {
                assert!(
                    !is_good(&jwt, &signed(&header, &claims(), form)),
                    "{algorithm} {header}"
                );
            }
        }
        // The bytes themselves, which are no text.
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let head = json!({"alg": "HS256", "kid": jwk["kid"]});
        let message = format!("{}.{}", part(&head), part(&claims()));
        let mac = Hmac::<Sha256>::new_from_slice(bytes).unwrap();
        let tag = mac.chain_update(&message).finalize().into_bytes();
        assert!(!is_good(
            &jwt,
            &format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag))
        ));
    }
}

#[test]
fn an_unsigned_token_and_one_of_another_algorithm_are_refused() {
    for (algorithm, key) in KEYS {
        let jwt = of(algorithm, key, &[]);
        let token = issued(&jwt);
        let (_, rest) = token.split_once('.').unwrap();
        let kid = header(&token)["kid"].clone();
        let (payload, _) = rest.split_once('.').unwrap();
        for alg in [
            "none", "None", "HS256", "RS384", "PS256", "ES384", "Ed25519", "",
        ] {
            let head = json!({"alg": alg, "kid": kid}).to_string();
            let head = URL_SAFE_NO_PAD.encode(head);
            assert!(!is_good(&jwt, &format!("{head}.{rest}")), "{alg}");
            assert!(!is_good(&jwt, &format!("{head}.{payload}.")), "{alg}");
        }
    }
}

#[test]
fn a_token_names_its_key_and_no_other() {
    let jwt = of("EdDSA", EDDSA, &[]);
    let kid = jwt.key_set()["keys"][0]["kid"].clone();
    let good = signed_by(EDDSA, &json!({"alg": "EdDSA", "kid": kid}));
    assert!(is_good(&jwt, &good));
    for header in [
        json!({"alg": "EdDSA"}),
        json!({"alg": "EdDSA", "kid": ""}),
        json!({"alg": "EdDSA", "kid": "another"}),
        json!({"alg": "EdDSA", "kid": null}),
        json!({"alg": "EdDSA", "kid": [kid]}),
        json!({"alg": "EdDSA", "kid": "../../dev/null"}),
    ] {
        assert!(!is_good(&jwt, &signed_by(EDDSA, &header)), "{header}");
    }
}

#[test]
fn a_token_that_brings_or_points_to_a_key_is_refused() {
    let jwt = of("EdDSA", EDDSA, &[]);
    let jwk = jwt.key_set()["keys"][0].clone();
    for (name, value) in [
        ("jwk", jwk.clone()),
        ("jku", json!("https://evil.invalid/jwks.json")),
        ("x5u", json!("https://evil.invalid/x.pem")),
        ("x5c", json!(["MIIB"])),
    ] {
        let header = json!({"alg": "EdDSA", "kid": jwk["kid"], name: value});
        assert!(!is_good(&jwt, &signed_by(EDDSA, &header)), "{name}");
    }
    // An attacker's own key in the header.
    let pair = ring::rand::SystemRandom::new();
    let der = signature::Ed25519KeyPair::generate_pkcs8(&pair).unwrap();
    let theirs = base64::engine::general_purpose::STANDARD.encode(der.as_ref());
    let public = signature::Ed25519KeyPair::from_pkcs8(der.as_ref()).unwrap();
    let x = URL_SAFE_NO_PAD.encode(public.public_key());
    let own = json!({"kty": "OKP", "crv": "Ed25519", "x": x});
    for kid in [&jwk["kid"], &json!("theirs")] {
        let header = json!({"alg": "EdDSA", "kid": kid, "jwk": own});
        assert!(!is_good(&jwt, &signed_by(&theirs, &header)));
    }
}

#[test]
fn a_key_of_another_kind_or_a_weak_one_stops_the_start() {
    for (algorithm, key) in [
        ("RS256", ES256),
        ("ES256", EDDSA),
        ("EdDSA", RS256),
        ("RS256", KEY),
    ] {
        let lookup = |name: &str| match name {
            "ALGORITHM" => Some(algorithm.to_owned()),
            "SIGNING_KEY" => Some(key.to_owned()),
            "LINK_KEY" => Some(LINK.to_owned()),
            _ => None,
        };
        let text = Settings::from_lookup(lookup)
            .map(drop)
            .unwrap_err()
            .to_string();
        let expected = format!("SIGNING_KEY is no private key for {algorithm} in PKCS#8");
        assert_eq!(text, expected);
    }
    let without = |name: &str| match name {
        "ALGORITHM" => Some("RS256".to_owned()),
        "SIGNING_KEY" => Some(RS256.replace('\n', "\\n")),
        _ => None,
    };
    let text = Settings::from_lookup(without)
        .map(drop)
        .unwrap_err()
        .to_string();
    assert_eq!(text, "LINK_KEY is not set");
}

#[test]
fn old_tokens_of_a_fallback_key_are_accepted_until_their_time() {
    let old = signed(&json!({"alg": "HS256", "typ": "JWT"}), &claims(), OTHER);
    let fallback = ("SIGNING_KEY_FALLBACKS", OTHER);
    let until = |time: &str| {
        of(
            "RS256",
            RS256,
            &[
                fallback,
                ("LEGACY_TOKENS_UNTIL", time),
                ("ISSUER", "us"),
                ("AUDIENCE", "shop"),
            ],
        )
    };
    // 2027-01-15T08:00:00Z is the time of these tests.
    assert!(is_good(&until("2027-01-15T08:00:01Z"), &old));
    assert!(!is_good(&until("2027-01-15T08:00:00Z"), &old));
    assert!(is_good(&until("2027-01-16"), &old));
    assert!(
        !is_good(&of("RS256", RS256, &[fallback]), &old),
        "not unless it is asked for"
    );
    // With a key's name it is no old token, and another service's name is not ours.
    let named = signed(&json!({"alg": "HS256", "kid": "x"}), &claims(), OTHER);
    assert!(!is_good(&until("2027-01-16"), &named));
    let theirs = signed(&json!({"alg": "HS256"}), &with("iss", json!("them")), OTHER);
    assert!(!is_good(&until("2027-01-16"), &theirs));
    // Where HMAC signs, they are accepted without an end unless there is one.
    assert!(is_good(&super::jwt(&[fallback]), &old));
    let ended = [fallback, ("LEGACY_TOKENS_UNTIL", "2027-01-15")];
    assert!(!is_good(&super::jwt(&ended), &old));
}

fn entry(alg: Algorithm, key: &str, state: KeyState, kid: Option<&str>) -> KeyEntry {
    let (key, kid) = (key.to_owned(), kid.map(str::to_owned));
    KeyEntry {
        kid,
        alg,
        key,
        state,
        since: NOW,
    }
}

#[test]
fn a_secret_has_keys_of_several_kinds_and_the_current_one_signs() {
    let keys = vec![
        entry(Algorithm::Hs256, KEY, KeyState::Previous, None),
        entry(Algorithm::EdDsa, EDDSA, KeyState::Next, None),
        entry(Algorithm::Rs256, RS256, KeyState::Current, None),
        entry(Algorithm::Hs512, OTHER, KeyState::Previous, Some("h")),
    ];
    let document = KeyDocument {
        keys,
        link_key: LINK.to_owned(),
        replaces: None,
    };
    let text = serde_json::to_string(&document).unwrap();
    let keys = Keys::from_secret(&text, Algorithm::Hs384).unwrap();
    let shown = format!("{keys:?}");
    assert!(
        !shown.contains(KEY) && !shown.contains(LINK) && !shown.contains("MII"),
        "{shown}"
    );
    let settings = Arc::clone(&jwt(&[("ISSUER", "us")]).settings);
    let jwt = Jwt::new(settings, &keys);
    assert_eq!(header(&issued(&jwt))["alg"], "RS256");
    assert!(is_good(&jwt, &issued(&jwt)));
    let algs = |jwt: &Jwt| -> Vec<Value> {
        let set = jwt.key_set();
        set["keys"]
            .as_array()
            .unwrap()
            .iter()
            .map(|key| key["alg"].clone())
            .collect()
    };
    assert_eq!(algs(&jwt), ["RS256", "EdDSA"]);
    let kid = jwt.key_set()["keys"][1]["kid"].clone();
    let next = json!({"alg": "EdDSA", "kid": kid});
    let of_us = with("iss", json!("us"));
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(&next), part(&of_us));
    let key = TokenKey::private("test", Algorithm::EdDsa, EDDSA).unwrap();
    let pair = signature::Ed25519KeyPair::from_pkcs8_maybe_unchecked(key.signing()).unwrap();
    let tag = URL_SAFE_NO_PAD.encode(pair.sign(message.as_bytes()));
    assert!(
        is_good(&jwt, &format!("{message}.{tag}")),
        "the next key verifies"
    );
    // From before the rotation: no kid, and no iss.
    assert!(is_good(
        &jwt,
        &signed(&json!({"alg": "HS256"}), &claims(), KEY)
    ));
    assert!(!is_good(
        &jwt,
        &signed(&json!({"alg": "HS384"}), &claims(), KEY)
    ));
    assert!(!is_good(
        &jwt,
        &signed(&json!({"alg": "HS512"}), &claims(), OTHER)
    ));
}

#[test]
fn a_secret_that_is_wrong_is_refused_and_not_shown() {
    let rs256 = || entry(Algorithm::Rs256, RS256, KeyState::Current, None);
    let text = |keys: Vec<KeyEntry>, link: &str| {
        let link_key = link.to_owned();
        serde_json::to_string(&KeyDocument {
            keys,
            link_key,
            replaces: None,
        })
        .unwrap()
    };
    let next = entry(Algorithm::EdDsa, EDDSA, KeyState::Next, None);
    for (text, expected) in [
        (text(vec![], LINK), "not exactly one current key"),
        (text(vec![next], LINK), "not exactly one current key"),
        (text(vec![rs256(), rs256()], LINK), "not exactly one current key"),
        (text(vec![rs256()], "short"), "shorter than 32 bytes"),
        (text(vec![entry(Algorithm::Rs256, ES256, KeyState::Current, None)], LINK), "no private key"),
        (text(vec![entry(Algorithm::Hs256, "short", KeyState::Current, None)], LINK), "shorter than"),
        (r#"{"keys": []}"#.to_owned(), "is not {"),
        (r#"{"keys": [{"alg": "none", "key": "x", "state": "current", "since": 0}], "link_key": "x"}"#.to_owned(), "is not {"),
    ] {
        let error = Keys::from_secret(&text, Algorithm::Hs256).map(drop).unwrap_err();
        let error = error.to_string();
        assert!(error.contains(expected), "{error}");
        assert!(!error.contains("short\"") && !error.contains("MII"), "{error}");
    }
}
