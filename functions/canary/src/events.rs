//! The events that API Gateway would send, in payload format 2.0.

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use shared::http::ORIGIN_SECRET_HEADER;

/// Of a network for documentation (RFC 5737): the attempts to log in count for it.
const ADDRESS: &str = "192.0.2.1";
/// A name that leads nowhere (RFC 2606).
const HOST: &str = "canary.invalid";
const AGENT: &str = "user-management-canary";

/// A request to a route, as it comes from the proxy that has the secret.
pub(crate) fn request(
    method: &str,
    path: &str,
    access: Option<&str>,
    origin_secret: Option<&SecretString>,
    body: &Value,
) -> Value {
    let mut headers = json!({
        "content-type": "application/json",
        "host": HOST,
        "user-agent": AGENT,
        "x-forwarded-for": ADDRESS,
        "x-forwarded-proto": "https",
    });
    if let Some(access) = access {
        headers["authorization"] = format!("Bearer {access}").into();
    }
    if let Some(secret) = origin_secret {
        headers[ORIGIN_SECRET_HEADER.as_str()] = secret.expose_secret().into();
    }
    let mut event = json!({
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": headers,
        "requestContext": context(method, path),
        "isBase64Encoded": false,
    });
    if !body.is_null() {
        event["body"] = body.to_string().into();
    }
    event
}

/// A question to the authorizer.
pub(crate) fn question(access: &str) -> Value {
    let authorization = format!("Bearer {access}");
    json!({
        "version": "2.0",
        "type": "REQUEST",
        "identitySource": [authorization],
        "headers": {"authorization": authorization, "host": HOST},
        "requestContext": context("GET", "/"),
    })
}

fn context(method: &str, path: &str) -> Value {
    json!({
        "domainName": HOST,
        "http": {
            "method": method,
            "path": path,
            "protocol": "HTTP/1.1",
            "sourceIp": ADDRESS,
            "userAgent": AGENT,
        },
        "requestId": "canary",
        "stage": "$default",
    })
}
