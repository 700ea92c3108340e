//! A step's path, headers and body as the recorder sent them.

use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::scenario::{Body, Step};
use super::variables::{Variables, plain};

/// Python's list of what a request target may hold as it is.
pub const SAFE: &str = "/%?&=+:;,@!$'()*~-._[]";

/// Headers and a body, ready to be sent.
pub type Content = (HeaderMap, Option<Vec<u8>>);

/// The headers and the body of a step.
pub fn content(variables: &Variables, step: &Step) -> Result<Content, String> {
    let form = |pairs: &[(String, Value)]| {
        let pairs = pairs.iter().map(|(name, value)| {
            let value = plain(&variables.value(value)?);
            Ok(format!("{}={}", quote(name, ""), quote(&value, "")))
        });
        pairs.collect::<Result<Vec<_>, String>>()
    };
    let body = match &step.body {
        Body::None => None,
        Body::Json(json) => Some(variables.json(json)?.into_bytes()),
        Body::Text(text) => Some(variables.text(text)?.into_bytes()),
        Body::Base64(text) => Some(STANDARD.decode(text).map_err(|e| e.to_string())?),
        Body::Form(pairs) => Some(form(pairs)?.join("&").into_bytes()),
    };
    let mut headers = HeaderMap::new();
    let kind = match &step.body {
        Body::None => None,
        Body::Form(_) => Some("application/x-www-form-urlencoded"),
        _ => Some("application/json"),
    };
    if let Some(kind) = kind {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    for (name, value) in &step.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|e| e.to_string())?;
        if value.is_null() {
            headers.remove(name);
        } else {
            headers.insert(name, header(&plain(&variables.value(value)?))?);
        }
    }
    if let Some(user) = &step.bearer {
        let token = plain(&variables.lookup(&format!("{user}.access"))?);
        headers.insert(AUTHORIZATION, header(&format!("Bearer {token}"))?);
    }
    Ok((headers, body))
}

/// From bytes, as a header may hold more than ASCII.
fn header(text: &str) -> Result<HeaderValue, String> {
    HeaderValue::from_bytes(text.as_bytes()).map_err(|e| e.to_string())
}

/// Percent-encodes every byte of `text` but the unreserved ones and those in `safe`.
pub fn quote(text: &str, safe: &str) -> String {
    text.bytes()
        .map(|byte| {
            let kept = byte.is_ascii_alphanumeric() || b"_.-~".contains(&byte);
            if kept || safe.as_bytes().contains(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

#[test]
fn a_path_is_quoted_as_the_recorder_quoted_it() {
    for (path, target) in [
        ("/users/1.5/?a=b&c=[d]%20", "/users/1.5/?a=b&c=[d]%20"),
        (
            "/a b/\u{e9}\"<>#/\u{1f600}",
            "/a%20b/%C3%A9%22%3C%3E%23/%F0%9F%98%80",
        ),
    ] {
        assert_eq!(quote(path, SAFE), target);
    }
    assert_eq!(quote("a/b+c@d ~", ""), "a%2Fb%2Bc%40d%20~");
}
