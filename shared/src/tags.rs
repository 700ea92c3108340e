//! Tags prove that a text was made here: of cookies, and of the tokens of forms.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::ExposeSecret;
use sha2::Sha256;

use crate::settings::Keys;

/// What the keys of tags are derived from a signing key with. No token signs it: what a token
/// signs has no spaces.
const LABEL: &[u8] = b"tags of cookies and forms";

/// Makes and verifies tags: HMAC-SHA256 (RFC 2104) under keys that nothing else uses.
pub struct Tags {
    /// The first makes tags, all verify them.
    keys: Vec<Hmac<Sha256>>,
}

impl Tags {
    /// The keys derived from those of links.
    pub fn new(keys: &Keys) -> Self {
        let derived = keys.links().iter().map(|key| {
            let key = keyed(key.expose_secret().as_bytes()).chain_update(LABEL);
            keyed(&key.finalize().into_bytes())
        });
        Self {
            keys: derived.collect(),
        }
    }

    /// The tag of a text, made for one purpose, in base64url. A purpose has no line break.
    pub fn tag(&self, purpose: &str, text: &str) -> String {
        let tag = message(&self.keys[0], purpose, text).finalize();
        URL_SAFE_NO_PAD.encode(tag.into_bytes())
    }

    /// Whether one of the keys made a tag; compared in constant time.
    pub fn is_tag(&self, purpose: &str, text: &str, tag: &str) -> bool {
        let Ok(tag) = URL_SAFE_NO_PAD.decode(tag) else {
            return false;
        };
        let made = |key| message(key, purpose, text).verify_slice(&tag).is_ok();
        self.keys.iter().any(made)
    }
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    // HMAC takes keys of every length.
    Hmac::new_from_slice(key).expect("a key")
}

fn message(key: &Hmac<Sha256>, purpose: &str, text: &str) -> Hmac<Sha256> {
    let message = format!("{purpose}\n{text}");
    key.clone().chain_update(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(signing_key: &str, fallbacks: &[&str]) -> Tags {
        let long = |key: &str| key.repeat(11);
        let fallbacks: Vec<String> = fallbacks.iter().map(|key| long(key)).collect();
        let fallbacks: Vec<&str> = fallbacks.iter().map(String::as_str).collect();
        Tags::new(&Keys::hmac(&long(signing_key), &fallbacks).unwrap())
    }

    #[test]
    fn a_tag_is_its_texts_its_purposes_and_its_keys() {
        let made = tags("one", &[]).tag("session", "7.x");
        assert_eq!(made.len(), 43);
        assert!(tags("one", &[]).is_tag("session", "7.x", &made));
        assert!(tags("two", &["one"]).is_tag("session", "7.x", &made));
        assert!(!tags("two", &[]).is_tag("session", "7.x", &made));
        assert!(!tags("one", &[]).is_tag("session", "8.x", &made));
        assert!(!tags("one", &[]).is_tag("form", "7.x", &made));
        for forged in ["", "é", &made[..42], &format!("{made}=")] {
            assert!(!tags("one", &[]).is_tag("session", "7.x", forged));
        }
    }

    #[test]
    fn a_tag_is_made_by_the_signing_key_and_by_no_fallback() {
        let made = tags("two", &["one"]).tag("session", "7.x");
        assert_eq!(made, tags("two", &[]).tag("session", "7.x"));
    }

    #[test]
    fn the_key_of_tags_is_not_the_key_of_tokens() {
        let direct = message(&keyed("one".repeat(11).as_bytes()), "session", "7.x").finalize();
        let direct = URL_SAFE_NO_PAD.encode(direct.into_bytes());
        assert_ne!(direct, tags("one", &[]).tag("session", "7.x"));
    }
}
