//! The sample events: each is the OpenAPI document's example of its operation and is answered as the
//! document says, and each route has one.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use manage::openapi::document;
use serde_json::{Value, json};
use testkit::{
    contract::operation,
    events::invoke,
    not_found,
    routes::{ACCOUNT, ADMIN, Route, function_of, prefix_of_path, route_of, routes, routes_of},
    samples::{events, is_for_page, read, service},
};

/// What an event that asks for something impossible is answered.
fn refused(name: &str) -> Option<(u16, Value)> {
    match name {
        "end-session" | "discover" => Some((404, not_found())),
        // The sample key is one of HMAC.
        "get-keys" => Some((200, json!({"keys": []}))),
        // No file can hold a token that is good.
        "reset-password" | "reset-username" | "activate" => {
            Some((400, json!({"token": ["Invalid token for given user."]})))
        }
        _ => None,
    }
}

/// What an event is answered: what the OpenAPI document has as its example. Asserts that the event is
/// the document's example of a request.
fn expected(name: &str, event: &Value) -> (u16, Value) {
    let path = event["rawPath"].as_str().unwrap();
    let method = event["requestContext"]["http"]["method"].as_str().unwrap();
    let operation = operation(method, path).unwrap_or_else(|| panic!("{name} is not described"));
    let sent: Value = event["body"].as_str().map_or(Value::Null, |body| {
        serde_json::from_str(body).expect("a body in JSON")
    });
    let body = &operation["requestBody"]["content"]["application/json"]["example"];
    assert_eq!(*body, sent, "the body of {name}.json");
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    for parameter in parameters.filter(|parameter| parameter["in"] == "path") {
        let id = parameter["example"].to_string();
        let segment = format!("/{}/", id.trim_matches('"'));
        assert!(path.contains(&segment), "{name}.json: {id}");
    }
    let mut responses = operation["responses"].as_object().unwrap().iter();
    let (status, response) = responses.next().expect("a good answer");
    let mut example = response["content"]["application/json"]["example"].clone();
    if ["update-own-profile", "update-user"].contains(&name) {
        // A new address of one's own waits for the link of a mail.
        example["email"] = json!("sample-ann@example.com");
    }
    refused(name).unwrap_or_else(|| (status.parse().unwrap(), example))
}

/// What events for pages are answered: a status, a header and a text of the body.
const PAGES: [(&str, u16, &str, &str, &str); 17] = [
    ("account-activate", 400, "content-type", HTML, ENDED),
    (
        "account-activation-done-page",
        200,
        "content-type",
        HTML,
        "your account is active",
    ),
    (
        "account-activation-sent-page",
        200,
        "content-type",
        HTML,
        ON_ITS_WAY,
    ),
    (
        "account-ask-for-activation",
        302,
        "location",
        "/account/activate/sent/",
        "",
    ),
    (
        "account-ask-for-activation-page",
        200,
        "content-type",
        HTML,
        ADDRESS,
    ),
    (
        "account-ask-for-password",
        302,
        "location",
        "/account/reset/sent/",
        "",
    ),
    (
        "account-ask-for-password-page",
        200,
        "content-type",
        HTML,
        ADDRESS,
    ),
    (
        "account-open-activation-link",
        400,
        "content-type",
        HTML,
        ENDED,
    ),
    (
        "account-open-password-link",
        400,
        "content-type",
        HTML,
        ENDED,
    ),
    (
        "account-password-done-page",
        200,
        "content-type",
        HTML,
        "Your password is set",
    ),
    (
        "account-password-sent-page",
        200,
        "content-type",
        HTML,
        ON_ITS_WAY,
    ),
    ("account-set-password", 400, "content-type", HTML, ENDED),
    ("account-stylesheet", 200, "content-type", CSS, "body"),
    ("admin-front-page", 302, "location", LOGIN, ""),
    ("admin-log-in", 302, "location", "/admin/", ""),
    ("admin-login-page", 200, "content-type", HTML, NEXT),
    ("admin-stylesheet", 200, "content-type", CSS, "body"),
];
const LOGIN: &str = "/admin/login/?next=/admin/";
const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const ENDED: &str = "This link does not work any more";
const ON_ITS_WAY: &str = "A mail is on its way";
const ADDRESS: &str = r#"<input type="email" name="email""#;
const NEXT: &str = r#"<input type="hidden" name="next" value="/admin/">"#;

/// A body without what differs from run to run.
fn seen(body: Value) -> Value {
    match body {
        Value::Object(mut fields) => {
            for token in ["access", "refresh"] {
                if let Some(Value::String(text)) = fields.get_mut(token) {
                    assert_eq!(text.split('.').count(), 3, "{text}");
                    "<jwt>".clone_into(text);
                }
            }
            Value::Object(fields)
        }
        other => other,
    }
}

#[tokio::test]
async fn every_sample_event_is_answered_as_its_name_says() {
    let mut events = events();
    events.retain(|_, event| !is_for_page(event));
    assert!(events.len() >= 27, "{}", events.len());
    for (name, event) in &events {
        let (_engine, app) = service().await;
        let function = function_of(event["rawPath"].as_str().unwrap());
        let answer = invoke(function, &app, event).await;
        let (status, body) = expected(name, event);
        assert_eq!(answer.status, status, "{name}.json: {answer:?}");
        match name.as_str() {
            "get-schema" => assert!(answer.body == document()),
            "list-permissions" => assert_eq!(answer.list().len(), 13),
            name => assert_eq!(seen(answer.body), seen(body), "{name}.json"),
        }
    }
}

#[tokio::test]
async fn every_sample_event_for_a_page_is_answered_as_its_name_says() {
    let mut events = events();
    events.retain(|_, event| is_for_page(event));
    let names: Vec<&str> = events.keys().map(String::as_str).collect();
    let answers = PAGES.map(|(name, ..)| name);
    assert_eq!(names, answers);
    for (name, status, header, value, text) in PAGES {
        let (_engine, app) = service().await;
        let function = function_of(events[name]["rawPath"].as_str().unwrap());
        let answer = invoke(function, &app, &events[name]).await;
        answer.assert_status(status).assert_says(text);
        assert_eq!(answer.header(header), Some(value), "{name}.json");
        let mut cookies = answer.headers.get_all("set-cookie").iter();
        let is_session = |cookie: &str| cookie.starts_with("__Host-sessionid=1001.");
        let has_session = cookies.any(|cookie| cookie.to_str().is_ok_and(is_session));
        assert_eq!(
            has_session,
            name == "admin-log-in",
            "{name}.json: {answer:?}"
        );
    }
}

#[test]
fn every_event_is_whole_and_says_that_it_is_a_sample() {
    for (name, event) in events() {
        let comment = event["comment"].as_str().unwrap_or_default();
        assert!(comment.contains("sample"), "{name}.json");
        let path = event["rawPath"].as_str().unwrap();
        let prefix = prefix_of_path(path);
        let context = &event["requestContext"];
        assert_eq!(event["version"], "2.0", "{name}.json");
        let key = format!("ANY {prefix}/{{proxy+}}");
        assert_eq!(event["routeKey"], key, "{name}.json");
        assert_eq!(context["routeKey"], event["routeKey"], "{name}.json");
        assert_eq!(context["http"]["path"], path, "{name}.json");
        assert_eq!(context["stage"], "$default", "{name}.json");
        let rest = event["pathParameters"]["proxy"].as_str().unwrap();
        assert_eq!(format!("{prefix}/{rest}"), path, "{name}.json");
        if let Some(body) = event["body"].as_str() {
            let length = event["headers"]["content-length"].as_str();
            let sent = match event["isBase64Encoded"].as_bool().unwrap() {
                true => STANDARD.decode(body).unwrap().len(),
                false => body.len(),
            };
            assert_eq!(length, Some(&*sent.to_string()), "{name}.json");
        }
    }
    let env = read("env");
    let key = env["Parameters"]["SIGNING_KEY"].as_str().unwrap();
    assert!(key.starts_with("sample-"), "{key}");
}

/// Routes and methods of events.
fn sampled(events: impl IntoIterator<Item = Value>) -> BTreeSet<Route> {
    let route = |event: Value| {
        let path = event["rawPath"].as_str().unwrap();
        let method = event["requestContext"]["http"]["method"].as_str();
        (route_of(path), method.unwrap().to_owned())
    };
    events.into_iter().map(route).collect()
}

#[test]
fn every_route_of_the_api_has_a_sample_event() {
    let events = events().into_values().filter(|event| !is_for_page(event));
    let sampled = sampled(events);
    let routes = routes();
    assert!(routes.len() >= 27, "{routes:?}");
    assert_eq!(sampled, routes);
}

/// The pages behind the login need a session, which is in the table and ends within a day: no file
/// can hold one. What a browser sends until it has one can be written down, the form too.
#[test]
fn every_page_that_needs_no_session_has_a_sample_event() {
    let sampled = sampled(events().into_values().filter(is_for_page));
    let pages = [
        ("/admin/", "GET"),
        ("/admin/login/", "GET"),
        ("/admin/login/", "POST"),
        ("/admin/static/admin.css", "GET"),
    ];
    let pages = pages.map(|(path, method)| (path.to_owned(), method.to_owned()));
    // None of account life asks for a session.
    let mut expected = routes_of(ACCOUNT);
    expected.extend(pages);
    assert_eq!(sampled, expected);
    let mut routes: BTreeSet<_> = sampled
        .into_iter()
        .map(|(path, method)| (path.replace("admin.css", "{file}/"), method))
        .collect();
    routes.retain(|(path, _)| function_of(path) == ADMIN);
    assert!(routes.is_subset(&routes_of(ADMIN)), "{routes:?}");
}
