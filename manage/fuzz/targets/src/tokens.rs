//! JSON Web Tokens.

use std::sync::LazyLock;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use shared::jwt::{Issued, Jwt, TokenType, is_sid};

use crate::{
    lines,
    service::{NOW, hmac, jwt},
};

/// The last second of the year 9999.
const LAST_DATE: i64 = 253_402_300_799;

/// A token: as it stands, or from its header and claims, each a line, which are signed here. What is
/// taken has what a token has.
pub fn tokens(data: &[u8]) {
    static PLAIN: LazyLock<Jwt> = LazyLock::new(|| jwt(&[]));
    static STRICT: LazyLock<Jwt> = LazyLock::new(|| {
        jwt(&[
            ("AUDIENCE", "api,shop"),
            ("ISSUER", "https://example.com"),
            ("LEEWAY", "315360000"),
        ])
    });
    let Some((header, claims)) = lines(data) else {
        return;
    };
    // Nobody but who has the key makes a token.
    assert!(PLAIN.open(header).is_none());
    let encode = |part: &str| URL_SAFE_NO_PAD.encode(part);
    let message = format!("{}.{}", encode(header), encode(claims));
    let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(hmac(&message)));
    for (jwt, leeway) in [(&*PLAIN, 0), (&*STRICT, 315_360_000)] {
        let Some(signed) = jwt.open(&token) else {
            continue;
        };
        assert_eq!(
            serde_json::from_str::<Value>(header).unwrap()["alg"],
            "HS256"
        );
        let given: Value = serde_json::from_str(claims).unwrap();
        assert!(given.is_object());
        if let Some(id) = jwt.token_id(&signed, NOW) {
            assert_eq!(given["jti"], id);
        }
        for now in [NOW, 0, i64::MAX / 4] {
            let _ = jwt.check_untyped(&signed, now);
        }
        for (kind, name) in [
            (TokenType::Access, "access"),
            (TokenType::Refresh, "refresh"),
        ] {
            let Ok(checked) = jwt.check(&signed, kind, NOW) else {
                continue;
            };
            assert_eq!(given["token_type"], name);
            assert!(checked.exp > NOW - leeway && checked.exp <= LAST_DATE);
            assert!(checked.iat.is_none_or(|iat| iat <= NOW + leeway.max(1)));
            assert!(checked.sid.as_deref().is_none_or(is_sid));
            assert_eq!(given["jti"], checked.jti.as_str());
            let Some(id) = checked.user_id() else {
                continue;
            };
            // A refresh hands on what the token says of its user.
            let holder = checked.holder(id);
            let issued = Issued {
                sid: checked.sid.as_deref(),
                further: holder.further.clone(),
                ..Issued::to(&holder.user_id)
            };
            let next = jwt.verify(&jwt.access(issued, NOW), TokenType::Access, NOW);
            let next = next.unwrap();
            assert_eq!((next.user_id(), &next.sid), (Some(id), &checked.sid));
            assert_eq!(json!(next.holder(id).further), json!(holder.further));
        }
    }
}
