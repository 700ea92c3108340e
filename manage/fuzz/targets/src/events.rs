//! The events that AWS calls the functions with.

use std::sync::LazyLock;

use axum::Router;
use lambda_http::{Context, lambda_runtime::LambdaEvent};
use mailer::{From, Mailer, Sender, stream};
use manage::all_routes;
use serde_json::{Map, Value, json};
use shared::lambda::{Event, handler};
use tower::Service;

use crate::service::{HOST, app, credentials, wait};

/// An event of API Gateway to a function: any JSON is answered, and never with a server error of its own.
pub fn events(data: &[u8]) {
    if let Ok(event) = serde_json::from_slice(data) {
        let answer = answered(event);
        assert_answer(&answer);
    }
}

/// A request of HTTP: a line with method and address, headers, an empty line, the body. Behind a `+` it is
/// the superuser's at the API, behind a `@` on the admin pages.
pub fn requests(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else {
        return;
    };
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let first = lines.next().unwrap_or_default();
    let caller = first.chars().next().filter(|c| matches!(c, '+' | '@'));
    let first = first.strip_prefix(['+', '@']).unwrap_or(first);
    let (method, address) = first.split_once(' ').unwrap_or(("GET", first));
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let mut headers = Map::new();
    headers.insert("host".to_owned(), HOST.into());
    for line in lines {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        headers.insert(name.to_ascii_lowercase(), value.trim().into());
    }
    let mut event = json!({
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": query,
        "requestContext": {
            "domainName": HOST,
            "http": {"method": method, "path": path, "sourceIp": "192.0.2.1"},
            "stage": "$default",
        },
        "body": body,
    });
    let credentials = credentials();
    if caller == Some('+') {
        headers.insert(
            "authorization".to_owned(),
            credentials.bearer.as_str().into(),
        );
    }
    if caller == Some('@') {
        event["cookies"] = json!([credentials.cookie]);
        headers.insert("origin".to_owned(), format!("https://{HOST}").into());
        let token = format!("csrfmiddlewaretoken={}&{body}", credentials.form_token);
        event["body"] = token.into();
    }
    event["headers"] = headers.into();
    let event = serde_json::from_str(&event.to_string()).unwrap();
    let answer = answered(event);
    assert_answer(&answer);
}

/// What all functions together answer.
fn answered(event: Event) -> Value {
    static SERVICE: LazyLock<Router> = LazyLock::new(|| all_routes(app().clone()));
    let event = LambdaEvent::new(event, Context::default());
    let answer = wait(handler(SERVICE.clone()).call(event)).unwrap();
    serde_json::to_value(answer).unwrap()
}

/// An answer is one of the API or a page, and says so.
fn assert_answer(answer: &Value) {
    let status = answer["statusCode"].as_u64().unwrap();
    let is_known = matches!(status, 200..=204 | 301 | 302 | 304 | 400..=431 | 503);
    assert!(is_known, "{answer}");
    let headers = &answer["headers"];
    for name in [
        "cache-control",
        "x-content-type-options",
        "strict-transport-security",
    ] {
        assert!(headers[name].is_string(), "{answer}");
    }
    assert!(status != 405 || headers["allow"].is_string(), "{answer}");
    assert!(
        status != 401 || headers["www-authenticate"].is_string(),
        "{answer}"
    );
    let body = answer["body"].as_str().unwrap_or_default();
    if headers["content-type"] == "application/json" && !body.is_empty() {
        let body: Value = serde_json::from_str(body).unwrap();
        let is_error = body.is_object() || body.is_array();
        assert!(status < 400 || is_error, "{answer}");
    }
}

/// An event of API Gateway to the authorizer. Nobody is let in by what they send themselves.
pub fn authorizer(data: &[u8]) {
    let Ok(mut event) = serde_json::from_slice::<Value>(data) else {
        return;
    };
    // A header that names the superuser's token gets it.
    let is_admin = event["headers"]["authorization"] == "+";
    if is_admin {
        event["headers"]["authorization"] = credentials().bearer.as_str().into();
    }
    let Ok(request) = serde_json::from_value(event) else {
        return;
    };
    let answer = wait(authorizer::authorize(app(), request, Context::default()));
    let answer = serde_json::to_value(answer.unwrap()).unwrap();
    assert_eq!(answer["isAuthorized"], is_admin);
    assert_eq!(
        answer["context"]["user_id"],
        if is_admin { json!(1) } else { Value::Null }
    );
}

/// An event to the mailer. What it does not do is what it tells to be tried again.
pub fn streams(data: &[u8]) {
    static MAILER: LazyLock<Mailer> = LazyLock::new(|| {
        let settings = &app().settings;
        let from = From::parse(&settings.sender.from).unwrap();
        let links = settings.accounts.links.clone().unwrap();
        Mailer::new(app().clone(), Sender::All(Vec::new()), from, links)
    });
    let (Ok(event), Ok(given)) = (
        serde_json::from_slice(data),
        serde_json::from_slice::<Value>(data),
    ) else {
        return;
    };
    let Ok(answer) = wait(stream::answer(&MAILER, event)) else {
        return;
    };
    let records = given["Records"].as_array();
    let numbers = records
        .into_iter()
        .flatten()
        .map(|record| &record["dynamodb"]["SequenceNumber"]);
    let numbers: Vec<&Value> = numbers.collect();
    for failure in answer.batch_item_failures {
        assert!(numbers.contains(&&Value::from(failure.item_identifier)));
    }
}
