//! Sends events to a function, as the Lambda runtime does.

use lambda_http::{Context, lambda_runtime::LambdaEvent, request::LambdaRequest};
use serde_json::{Value, json};
use shared::{app::App, http::service, lambda::handler};
use tower::{Service, ServiceExt};

use crate::routes::{ADMIN, FUNCTIONS};

/// A function's routes.
pub fn routes(function: &str) -> axum::Router<App> {
    match function {
        "auth" => auth::routes(),
        "users" => users::routes(),
        "groups" => groups::routes(),
        "permissions" => permissions::routes(),
        "admin" => admin::routes(),
        other => panic!("no function {other}"),
    }
}

/// The function to which API Gateway gives a path: that of the longest prefix.
pub fn function_of(path: &str) -> &'static str {
    if path.starts_with("/admin/") {
        return ADMIN;
    }
    let rest = path.strip_prefix("/api/auth/").expect("a path of the API");
    let first = rest.split('/').next();
    FUNCTIONS[1..]
        .iter()
        .find(|function| first == Some(**function))
        .unwrap_or(&"auth")
}

/// The path of a function's routes.
pub fn prefix_of(function: &str) -> String {
    match function {
        ADMIN => "/admin".to_owned(),
        "auth" => "/api/auth".to_owned(),
        function => format!("/api/auth/{function}"),
    }
}

/// What a function answers: the status, and the body or the text that is none.
pub async fn invoke(function: &str, app: &App, event: &Value) -> (u64, Value) {
    let answer = invoke_whole(function, app, event).await;
    let body = match &answer["body"] {
        Value::String(text) if text.is_empty() => Value::Null,
        Value::String(text) => {
            serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone()))
        }
        other => other.clone(),
    };
    (answer["statusCode"].as_u64().expect("a status"), body)
}

/// The whole answer in payload format 2.0.
pub async fn invoke_whole(function: &str, app: &App, event: &Value) -> Value {
    let payload: LambdaRequest = serde_json::from_str(&event.to_string()).expect("an event");
    let mut handler = handler(service(routes(function), app.clone()));
    let event = LambdaEvent::new(payload, Context::default());
    let answer = handler.ready().await.expect("ready").call(event).await;
    serde_json::to_value(answer.expect("an answer")).expect("JSON")
}

/// The event of a request.
pub fn event(method: &str, path: &str, token: Option<&str>, body: &Value) -> Value {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let mut headers = json!({
        "content-type": "application/json",
        "host": "abc123.execute-api.eu-west-1.amazonaws.com",
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
            "domainName": "abc123.execute-api.eu-west-1.amazonaws.com",
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
