//! The segments of a token (RFC 7515, section 3.1), as PyJWT reads them.

use base64::{
    Engine,
    engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD},
};
use serde_json::{Map, Value};

/// The bytes of a segment, which PyJWT takes without padding or with all of it.
pub(super) fn decoded(segment: &str) -> Option<Vec<u8>> {
    let engine = if segment.ends_with('=') {
        &URL_SAFE
    } else {
        &URL_SAFE_NO_PAD
    };
    engine.decode(segment).ok()
}

/// The JSON object in a segment.
pub(super) fn json_object(segment: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&decoded(segment)?).ok()
}

/// Whether nothing in a header asks for more than is done here: RFC 7515, section 4.1.11 for
/// `crit`, RFC 7797 for `b64`; a `kid` must be a text (RFC 7515, section 4.1.4). Keys come from
/// nowhere but the settings, so a token that brings its own is refused (RFC 8725, section 3.10).
pub(super) fn understood(header: &Map<String, Value>) -> bool {
    let critical = match header.get("crit") {
        None => true,
        Some(Value::Array(names)) => {
            !names.is_empty()
                && names
                    .iter()
                    .all(|name| name == "b64" && header.contains_key("b64"))
        }
        Some(_) => false,
    };
    let brings_a_key = ["jwk", "jku", "x5u", "x5c"]
        .iter()
        .any(|name| header.contains_key(*name));
    critical
        && !brings_a_key
        && header.get("kid").is_none_or(Value::is_string)
        && header.get("b64").is_none_or(|encoded| encoded == true)
}
