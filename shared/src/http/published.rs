//! Answers that are the same for everybody, which others may keep.

use axum::{
    Json,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::keyring;

/// A document in JSON that may be kept as long as functions keep what it is made of, with an `ETag`: who
/// has it already gets a 304 (RFC 9110, section 13.1.2).
pub fn published(request: &HeaderMap, document: &Value) -> Response {
    let digest = Sha256::digest(document.to_string());
    let tag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(&digest[..16]));
    let asked = request.get_all(header::IF_NONE_MATCH).iter();
    let is_known = asked.filter_map(|value| value.to_str().ok()).any(|list| {
        let mut tags = list.split(',').map(str::trim);
        tags.any(|one| one == "*" || one.trim_start_matches("W/") == tag)
    });
    let mut response = match is_known {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => Json(document).into_response(),
    };
    let age = format!("public, max-age={}", keyring::MAX_AGE);
    for (name, value) in [(header::ETAG, tag), (header::CACHE_CONTROL, age)] {
        // Both are visible ASCII.
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
