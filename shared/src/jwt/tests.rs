use ::hmac::{Hmac, KeyInit, Mac};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;
use sha2::Sha256;

use super::{claims::LAST_DATE, *};

mod keys;
use crate::{
    domain::UserId,
    settings::{KeySource, Settings},
};

const KEY: &str = "a-signing-key-of-the-tests-0123456789abcdef";
const OTHER: &str = "another-signing-key-of-the-tests-0123456789";
const NOW: i64 = 1_800_000_000;

fn jwt(change: &[(&str, &str)]) -> Jwt {
    let usual = [("SIGNING_KEY", KEY), ("TABLE_NAME", "users")];
    let lookup = |name: &str| {
        let found = change.iter().chain(&usual).find(|(key, _)| *key == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let settings = Settings::from_lookup(lookup).unwrap();
    let KeySource::Given(keys) = &settings.tokens.keys else {
        panic!("keys are given")
    };
    Jwt::new(Arc::new(settings.tokens.clone()), keys)
}

/// A token made without the library under test.
fn signed(header: &Value, claims: &Value, key: &str) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(message.as_bytes());
    format!(
        "{message}.{}",
        URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
    )
}

fn claims() -> Value {
    json!({"token_type": "access", "exp": NOW + 300, "iat": NOW, "jti": "x", "user_id": "7"})
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

fn verify(header: &Value, claims: &Value) -> Result<Option<UserId>, TokenError> {
    let token = signed(header, claims, KEY);
    jwt(&[])
        .verify(&token, TokenType::Access, NOW)
        .map(|claims| claims.user_id())
}

fn outcome(claims: &Value) -> Result<Option<UserId>, TokenError> {
    verify(&json!({"alg": "HS256", "typ": "JWT"}), claims)
}

#[test]
fn a_good_token_names_its_user() {
    assert_eq!(outcome(&claims()), Ok(Some(UserId(7))));
    assert_eq!(outcome(&with("user_id", json!(7))), Ok(Some(UserId(7))));
    assert_eq!(
        outcome(&with("user_id", json!(" 07 "))),
        Ok(Some(UserId(7)))
    );
    for nobody in [
        json!("abc"),
        json!(-7),
        json!(7.5),
        json!(true),
        json!(null),
        json!([7]),
    ] {
        assert_eq!(outcome(&with("user_id", nobody)), Ok(None));
    }
}

#[test]
fn missing_claims_are_told_in_simplejwts_order() {
    assert_eq!(outcome(&without("exp")), Err(TokenError::NoExp));
    assert_eq!(outcome(&without("jti")), Err(TokenError::NoId));
    assert_eq!(outcome(&without("token_type")), Err(TokenError::NoType));
    assert_eq!(
        outcome(&with("token_type", json!("refresh"))),
        Err(TokenError::WrongType)
    );
    assert_eq!(outcome(&json!({})), Err(TokenError::NoExp));
}

#[test]
fn times_are_compared_as_pyjwt_does() {
    assert_eq!(outcome(&with("exp", json!(NOW))), Err(TokenError::Expired));
    assert_eq!(outcome(&with("exp", json!(NOW + 1))), Ok(Some(UserId(7))));
    assert_eq!(
        outcome(&with("exp", json!("soon"))),
        Err(TokenError::Invalid)
    );
    assert_eq!(outcome(&with("exp", json!(true))), Err(TokenError::Expired));
    assert_eq!(
        outcome(&with("iat", json!(NOW + 60))),
        Err(TokenError::Invalid)
    );
    assert_eq!(
        outcome(&with("nbf", json!(NOW + 60))),
        Err(TokenError::Invalid)
    );
    assert_eq!(outcome(&with("nbf", json!(NOW - 60))), Ok(Some(UserId(7))));
    assert_eq!(
        outcome(&with("exp", json!(i64::MIN))),
        Err(TokenError::Expired)
    );
}

#[test]
fn an_end_that_is_no_date_is_invalid() {
    for exp in [
        json!(i64::MAX),
        json!(1e300),
        json!("9999999999"),
        json!([]),
        json!(null),
    ] {
        assert_eq!(outcome(&with("exp", exp)), Err(TokenError::Invalid));
    }
    assert_eq!(outcome(&with("exp", json!(LAST_DATE))), Ok(Some(UserId(7))));
}

#[test]
fn the_algorithm_is_the_keys_whatever_the_header_says() {
    for algorithm in [
        json!("none"),
        json!("HS512"),
        json!("RS256"),
        json!("hs256"),
        json!(null),
    ] {
        assert_eq!(
            verify(&json!({ "alg": algorithm }), &claims()),
            Err(TokenError::Invalid)
        );
    }
    assert_eq!(verify(&json!({}), &claims()), Err(TokenError::Invalid));
}

#[test]
fn a_header_that_asks_for_more_is_refused() {
    let header = |name: &str, value: Value| json!({"alg": "HS256", name: value});
    for (name, value) in [
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("crit", json!("b64")),
        ("b64", json!(false)),
        ("kid", json!(null)),
        ("kid", json!(5)),
    ] {
        assert_eq!(
            verify(&header(name, value), &claims()),
            Err(TokenError::Invalid),
            "{name}"
        );
    }
    assert_eq!(
        verify(&header("kid", json!("k")), &claims()),
        Ok(Some(UserId(7)))
    );
    assert_eq!(
        verify(&header("typ", json!("other")), &claims()),
        Ok(Some(UserId(7)))
    );
}

#[test]
fn a_changed_token_is_invalid() {
    let token = signed(&json!({"alg": "HS256"}), &claims(), KEY);
    let jwt = jwt(&[]);
    for changed in [
        "",
        "a",
        "a.b",
        "a.b.c",
        "..",
        &token[..token.len() - 1],
        &format!("{token}.x"),
    ] {
        let refused = jwt.verify(changed, TokenType::Access, NOW).map(|_| ());
        assert_eq!(refused, Err(TokenError::Invalid), "{changed}");
    }
    let strange = signed(&json!({"alg": "HS256"}), &claims(), OTHER);
    assert_eq!(
        jwt.verify(&strange, TokenType::Access, NOW).map(|_| ()),
        Err(TokenError::Invalid)
    );
}

#[test]
fn a_segment_has_all_of_its_padding_or_none_as_in_pyjwt() {
    // Signatures of 32, 48 and 64 bytes lack one, no and two characters of padding.
    for (algorithm, whole) in [("HS256", 1), ("HS384", 0), ("HS512", 2)] {
        let jwt = jwt(&[("ALGORITHM", algorithm)]);
        let user = crate::domain::NewUser::named(Default::default(), NOW).into_user(UserId(7));
        let token = jwt.issue(TokenType::Access, &user, NOW);
        for padding in 0..9 {
            let padded = format!("{token}{}", "=".repeat(padding));
            let taken = jwt.verify(&padded, TokenType::Access, NOW).is_ok();
            assert_eq!(
                taken,
                padding == 0 || padding == whole,
                "{algorithm} {padding}"
            );
        }
    }
}

#[test]
fn a_fallback_key_verifies() {
    let token = signed(&json!({"alg": "HS256"}), &claims(), OTHER);
    let jwt = jwt(&[("SIGNING_KEY_FALLBACKS", OTHER)]);
    assert!(jwt.verify(&token, TokenType::Access, NOW).is_ok());
}

#[test]
fn audience_and_issuer_must_be_held_where_they_are_set() {
    let jwt = jwt(&[("AUDIENCE", "shop"), ("ISSUER", "us")]);
    let verify = |claims: &Value| {
        let token = signed(&json!({"alg": "HS256"}), claims, KEY);
        jwt.verify(&token, TokenType::Access, NOW).map(|_| ())
    };
    let mut held = claims();
    held["aud"] = json!(["other", "shop"]);
    held["iss"] = json!("us");
    assert_eq!(verify(&held), Ok(()));
    assert_eq!(verify(&claims()), Err(TokenError::Invalid));
    held["iss"] = json!("them");
    assert_eq!(verify(&held), Err(TokenError::Invalid));
}

#[test]
fn a_refresh_keeps_the_claims_that_a_site_added_and_makes_its_own_anew() {
    use crate::domain::{NewUser, UserName};
    // The fallback holds a comma.
    let keys = [(
        "SIGNING_KEY_FALLBACKS",
        r#"["a,key,with,commas,0123456789abcdefgh"]"#,
    )];
    let (jwt, header) = (jwt(&keys), json!({"alg": "HS256", "typ": "JWT"}));
    let refresh = json!({
        "token_type": "refresh", "exp": NOW + 900, "iat": NOW - 10, "jti": "x", "user_id": 7,
        "tenant": {"name": "a"}, "nbf": 5,
    });
    let token = signed(&header, &refresh, "a,key,with,commas,0123456789abcdefgh");
    let claims = jwt.verify(&token, TokenType::Refresh, NOW).unwrap();
    let user = NewUser::named(UserName::default(), NOW).into_user(UserId(7));
    let holder = claims.holder(user.id);
    let issued = Issued {
        further: holder.further.clone(),
        ..Issued::to(&holder.user_id)
    };
    let access = jwt.access(issued, NOW);
    let access = jwt.open(&access).unwrap().claims;
    assert_eq!(access["tenant"], json!({"name": "a"}));
    assert_eq!(access["user_id"], 7);
    assert_eq!(access["token_type"], "access");
    assert_eq!(access["exp"], NOW + 300);
    assert_eq!(access.get("nbf"), None);
    assert_ne!(access["jti"], "x");
}

#[test]
fn of_several_audiences_a_token_carries_all_and_must_carry_one() {
    let both = jwt(&[("AUDIENCE", "shop, blog")]);
    let verify = |audience: Value| {
        let mut claims = claims();
        claims["aud"] = audience;
        let token = signed(&json!({"alg": "HS256"}), &claims, KEY);
        both.verify(&token, TokenType::Access, NOW).is_ok()
    };
    assert!(verify(json!("blog")) && verify(json!(["other", "shop"])));
    assert!(!verify(json!("other")) && !verify(json!([])) && !verify(json!("shop, blog")));
    let token = both.access(Issued::to(&json!("7")), NOW);
    for (audience, is_held) in [("shop", true), ("blog", true), ("other", false)] {
        let one = jwt(&[("AUDIENCE", audience)]);
        assert_eq!(one.verify(&token, TokenType::Access, NOW).is_ok(), is_held);
    }
}
