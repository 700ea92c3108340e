//! Events of API Gateway, and what a function answers to them as the Lambda runtime calls it.

use std::io;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::read::GzDecoder;
use lambda_http::{Context, lambda_runtime::LambdaEvent};
use serde_json::{Value, json};
use shared::{app::App, http::service, lambda::handler};
use tower::{Service, ServiceExt};

use crate::{Answer, contract, routes::served};

/// The host of the events.
const HOST: &str = "abc123.execute-api.eu-west-1.amazonaws.com";

/// The event of a request, in payload format 2.0.
pub fn event(method: &str, path: &str, token: Option<&str>, body: &Value) -> Value {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let mut headers = json!({
        "content-type": "application/json",
        "host": HOST,
        "x-forwarded-proto": "https",
    });
    if let Some(token) = token {
        headers["authorization"] = format!("Bearer {token}").into();
    }
    let mut event = json!({
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "domainName": HOST,
            "http": {"method": method, "path": path, "sourceIp": "192.0.2.1"},
            "requestId": "Wxyz=",
            "stage": "$default",
        },
        "isBase64Encoded": false,
    });
    if !body.is_null() {
        event["body"] = body.to_string().into();
    }
    event
}

/// What a function answers to an event.
pub async fn invoke(function: &str, app: &App, event: &Value) -> Answer {
    let answer = invoke_with_any(function, app, event).await;
    let method = event["requestContext"]["http"]["method"].as_str();
    let path = event["rawPath"].as_str().unwrap_or("/");
    contract::assert_allowed(method.unwrap_or_default(), path, &answer);
    answer
}

/// What a function answers to an event that may be none of a request.
pub async fn invoke_with_any(function: &str, app: &App, event: &Value) -> Answer {
    let payload = serde_json::from_str(&event.to_string()).expect("JSON");
    let mut handler = handler(service(served(function), app.clone()));
    let called = LambdaEvent::new(payload, Context::default());
    let answer = handler.ready().await.expect("ready").call(called).await;
    answer_of(&serde_json::to_value(answer.expect("an answer")).expect("JSON"))
}

/// An answer in payload format 2.0, read as a browser reads it.
pub fn answer_of(payload: &Value) -> Answer {
    let pairs = payload["headers"].as_object().expect("headers").iter();
    let cookies = payload["cookies"].as_array().into_iter().flatten();
    let cookies = cookies.map(|cookie| (header::SET_COOKIE.as_str(), cookie));
    let all = pairs
        .map(|(name, value)| (name.as_str(), value))
        .chain(cookies);
    let mut headers = HeaderMap::new();
    for (name, value) in all {
        let value = HeaderValue::from_str(value.as_str().expect("a text"));
        let name: HeaderName = name.parse().expect("a name");
        headers.append(name, value.expect("a value"));
    }
    let status = payload["statusCode"].as_u64().expect("a status");
    let mut text = payload["body"].as_str().unwrap_or_default().to_owned();
    if payload["isBase64Encoded"] == true {
        let bytes = STANDARD.decode(&text).expect("base64");
        let is_gzip = headers
            .get(header::CONTENT_ENCODING)
            .is_some_and(|coding| coding == "gzip");
        text = match is_gzip {
            true => io::read_to_string(GzDecoder::new(&*bytes)).expect("gzip"),
            false => String::from_utf8(bytes).expect("UTF-8"),
        };
    }
    Answer::new(status.try_into().expect("a status"), headers, text)
}
