//! JSON Web Tokens taken apart, damaged and signed by hand.
//!
//! Deliberately not the library the service signs with: the two must agree on the format, not on their mistakes.

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value, json};
use sha2::{Sha256, Sha384, Sha512};

/// Without padding, and as forgiving as the recorder was about the bits that the last character leaves over.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(base64::engine::DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// The claims of a token; `None` for text that is no token. The signature is not looked at.
pub fn claims(text: &str) -> Option<Map<String, Value>> {
    let [head, body, signature] = parts(text)?;
    let alphabet = |part: &str| {
        part.bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    if !alphabet(signature) {
        return None;
    }
    let header = object(head)?;
    header.contains_key("alg").then(|| object(body)).flatten()
}

/// A token with these claims, under `alg` with `key`. `header` is added to the usual two members.
pub fn sign(
    claims: &Map<String, Value>,
    key: &str,
    alg: &str,
    header: &Map<String, Value>,
) -> Result<String, String> {
    let mut head = Map::from_iter([
        ("alg".to_owned(), alg.into()),
        ("typ".to_owned(), "JWT".into()),
    ]);
    head.extend(header.clone());
    let data = format!("{}.{}", encode(&head), encode(claims));
    let signature = match alg {
        "none" => Vec::new(),
        "HS256" => mac::<Hmac<Sha256>>(key, &data),
        "HS384" => mac::<Hmac<Sha384>>(key, &data),
        "HS512" => mac::<Hmac<Sha512>>(key, &data),
        other => return Err(format!("no signature of kind {other}")),
    };
    Ok(format!("{data}.{}", BASE64.encode(signature)))
}

/// A text in base64url, as djoser's `encode_uid`.
pub fn encoded(text: &str) -> String {
    BASE64.encode(text)
}

/// The text of a uid; `None` where it is none.
pub fn decoded(uid: &str) -> Option<String> {
    String::from_utf8(BASE64.decode(uid).ok()?).ok()
}

/// The token damaged in the way `how` says; `None` when there is no such way.
pub fn tamper(how: &str, token: &str) -> Option<String> {
    let [head, body, signature] = parts(token)?;
    Some(match how {
        "badsig" => {
            let first = if signature.starts_with('A') { 'B' } else { 'A' };
            format!("{head}.{body}.{first}{}", signature.get(1..)?)
        }
        "nosig" => format!("{head}.{body}."),
        "twoparts" => format!("{head}.{body}"),
        "algnone" => {
            let none = json!({"alg": "none", "typ": "JWT"});
            format!("{}.{body}.", BASE64.encode(none.to_string()))
        }
        "payload" => {
            let mut claims = object(body)?;
            let own = claims.get("user_id").is_some_and(|id| id == 1 || id == "1");
            claims.insert("user_id".to_owned(), if own { "2" } else { "1" }.into());
            format!("{head}.{}.{signature}", encode(&claims))
        }
        _ => return None,
    })
}

fn parts(token: &str) -> Option<[&str; 3]> {
    token.split('.').collect::<Vec<_>>().try_into().ok()
}

fn object(part: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&BASE64.decode(part).ok()?).ok()
}

fn encode(part: &Map<String, Value>) -> String {
    BASE64.encode(serde_json::to_vec(part).expect("a JSON object can be written"))
}

fn mac<M: Mac + KeyInit>(key: &str, data: &str) -> Vec<u8> {
    let mut mac =
        <M as KeyInit>::new_from_slice(key.as_bytes()).expect("an HMAC key may be of any length");
    mac.update(data.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

#[test]
fn a_signature_is_the_one_everybody_computes() {
    // {"sub":"a"} under HS256 and the key "secret", computed elsewhere.
    let claims = Map::from_iter([("sub".to_owned(), "a".into())]);
    let token = sign(&claims, "secret", "HS256", &Map::new()).expect("HS256 is known");
    assert_eq!(
        token,
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhIn0.qBdA9L_PTGPhu7ipY7Xs4Eol-m79U_HNIifGEFJXeJQ"
    );
    assert_eq!(self::claims(&token), Some(claims));
}

#[test]
fn each_way_of_tampering_changes_only_what_it_says() {
    let claims = Map::from_iter([("user_id".to_owned(), "1".into())]);
    let token = sign(&claims, "key", "HS512", &Map::new()).expect("HS512 is known");
    let tampered = |how| tamper(how, &token).expect("the way is known");
    let [head, body, signature] = parts(&token).expect("a token has three parts");

    assert_eq!(tampered("twoparts"), format!("{head}.{body}"));
    assert_eq!(tampered("nosig"), format!("{head}.{body}."));
    assert!(tampered("algnone").ends_with(&format!(".{body}.")));
    assert_ne!(tampered("badsig"), token);
    assert_eq!(tampered("badsig").len(), token.len());
    let other = tampered("payload");
    assert!(other.starts_with(head) && other.ends_with(signature));
    assert_eq!(self::claims(&other).expect("still a token")["user_id"], "2");
    assert_eq!(tamper("otherwise", &token), None);
}
