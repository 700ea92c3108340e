//! The sample events: each is answered as its name says, and each route has one.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use manage::{
    engine::{Engine, LOOPBACK},
    init, loaddata,
};
use serde_json::{Value, json};
use shared::{
    app::{App, Clock},
    settings::Settings,
    store::connect_to,
};

use super::{
    event::{function_of, invoke, invoke_whole, prefix_of},
    routes::{ADMIN, route_of, routes, routes_of},
};

const EVENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../events");

/// A file of the samples.
pub fn read(name: &str) -> Value {
    let path = format!("{EVENTS}/{name}.json");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).expect("JSON")
}

/// Every event of API Gateway for the functions behind it, by its name.
fn events() -> BTreeMap<String, Value> {
    fs::read_dir(EVENTS)
        .unwrap()
        .filter_map(|entry| {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let name = name.strip_suffix(".json")?;
            (!["env", "authorize"].contains(&name)).then(|| (name.to_owned(), read(name)))
        })
        .collect()
}

/// Whether an event asks for a page.
fn is_for_page(event: &Value) -> bool {
    function_of(event["rawPath"].as_str().unwrap()) == ADMIN
}

/// The service as `sam local` runs it: with the sample settings, on a table with the sample users.
pub async fn sample_app(engine: &Engine) -> App {
    let env = read("env");
    let settings = Settings::from_lookup(|name| {
        let value = env["Parameters"][name].as_str();
        value.map(str::to_owned)
    });
    let client = connect_to(&engine.endpoint());
    init::create_table(&client, "users").await.expect("a table");
    let app = App::local(settings.expect("settings"), client, Clock::System).expect("keys");
    init::stock(&app.store).await.expect("stock permissions");
    let fixture = fs::read_to_string(format!("{EVENTS}/fixtures/samples.json")).unwrap();
    let loaded = loaddata::load(&app.store, &fixture).await;
    assert_eq!(loaded.expect("the sample users"), (6, 0));
    app
}

fn user(id: u64, name: &str, first: &str, groups: Value) -> Value {
    json!({
        "id": id, "username": name, "email": format!("{name}@example.com"),
        "first_name": first, "last_name": "Sample", "groups": groups,
    })
}

/// What an event is answered; of tokens and long lists only the form.
fn expected(name: &str) -> (u64, Value) {
    let editors = || json!([{"id": 1001, "name": "Sample editors"}]);
    let ann = || user(1002, "sample-ann", "Ann", editors());
    let publish = |name: &str| {
        json!({
            "id": 1001, "name": name, "codename": "publish_sample", "content_type": "auth.user",
        })
    };
    let message = |text: &str| (200, json!({ "message": text }));
    let group = |id: u64, name: &str| json!({"id": id, "name": name});
    let detail = |name: &str| json!({"id": 1001, "name": name, "permissions": [1001]});
    match name {
        "login" => (200, json!({"refresh": "<jwt>", "access": "<jwt>"})),
        "refresh-token" => (200, json!({"access": "<jwt>"})),
        "verify-token" | "blacklist-token" => (200, json!({})),
        "register" => (
            201,
            json!({
                "id": 1004, "username": "sample-cid", "email": "cid@example.com",
                "first_name": "Cid", "last_name": "Sample",
            }),
        ),
        "list-users" => (
            200,
            json!([user(1001, "sample-admin", "Admin", json!([])), ann()]),
        ),
        "get-user" | "get-own-profile" => (200, ann()),
        "list-user-permissions" => (
            200,
            json!({
                "is_superuser": false,
                "permissions": ["auth.publish_sample"],
                "explain": {"auth.publish_sample": editors()},
            }),
        ),
        "replace-user-permissions" => (
            200,
            json!({"is_superuser": false, "permissions": ["auth.publish_sample"]}),
        ),
        "list-group-members" => (200, json!([ann()])),
        "update-user" | "patch-user" => {
            let mut changed = ann();
            changed["last_name"] = "Example".into();
            if name == "update-user" {
                changed["email"] = "ann@example.com".into();
            }
            (200, changed)
        }
        "assign-groups" => {
            let groups = json!([group(1001, "Sample editors"), group(1002, "Sample readers")]);
            (200, user(1003, "sample-bob", "Bob", groups))
        }
        "delete-user" | "delete-group" | "delete-permission" => (204, Value::Null),
        "list-groups" => (
            200,
            json!([group(1001, "Sample editors"), group(1002, "Sample readers")]),
        ),
        "create-group" => (201, group(1003, "Sample reviewers")),
        "get-group" | "update-group" => (200, detail("Sample editors")),
        "patch-group" => (200, detail("Sample writers")),
        "assign-permissions" => message("Permissions assigned successfully"),
        "remove-permissions" => message("Permissions removed successfully"),
        "list-permissions" => (200, json!("<13 permissions>")),
        "create-permission" => (
            201,
            json!({
                "id": 1002, "name": "Can archive sample", "codename": "archive_sample",
                "content_type": "auth.user",
            }),
        ),
        "get-permission" => (200, publish("Can publish sample")),
        "update-permission" | "patch-permission" => (200, publish("Can publish samples")),
        "assign-permission-to-group" => message("Permission assigned to group successfully"),
        "remove-permission-from-group" => message("Permission removed from group successfully"),
        other => panic!("{other}.json has no expected answer"),
    }
}

/// What events for pages are answered: a status, a header and a text of the body.
const PAGES: [(&str, u16, &str, &str, &str); 4] = [
    (
        "admin-front-page",
        302,
        "location",
        "/admin/login/?next=/admin/",
        "",
    ),
    ("admin-log-in", 302, "location", "/admin/", ""),
    (
        "admin-login-page",
        200,
        "content-type",
        "text/html; charset=utf-8",
        r#"<input type="hidden" name="next" value="/admin/">"#,
    ),
    (
        "admin-stylesheet",
        200,
        "content-type",
        "text/css; charset=utf-8",
        "body",
    ),
];

/// A body without what differs from run to run.
fn seen(body: Value) -> Value {
    match body {
        Value::Array(list) if list.len() == 13 => json!("<13 permissions>"),
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
        let engine = Engine::memory(LOOPBACK).await.expect("an engine");
        let app = sample_app(&engine).await;
        let function = function_of(event["rawPath"].as_str().unwrap());
        let (status, body) = invoke(function, &app, event).await;
        assert_eq!((status, seen(body)), expected(name), "{name}.json");
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
        let engine = Engine::memory(LOOPBACK).await.expect("an engine");
        let app = sample_app(&engine).await;
        let answer = invoke_whole(ADMIN, &app, &events[name]).await;
        assert_eq!(answer["statusCode"], status, "{name}.json: {answer}");
        assert_eq!(answer["headers"][header], value, "{name}.json: {answer}");
        assert_eq!(answer["isBase64Encoded"], false, "{name}.json");
        let body = answer["body"].as_str().unwrap();
        assert!(body.contains(text), "{name}.json: {body}");
        let cookies = answer["cookies"].as_array().unwrap();
        let has_session = cookies.iter().any(|cookie| {
            let cookie = cookie.as_str().unwrap();
            cookie.starts_with("__Host-sessionid=1001.")
        });
        assert_eq!(has_session, name == "admin-log-in", "{name}.json: {answer}");
    }
}

#[test]
fn every_event_is_whole_and_says_that_it_is_a_sample() {
    for (name, event) in events() {
        let comment = event["comment"].as_str().unwrap_or_default();
        assert!(comment.contains("sample"), "{name}.json");
        let path = event["rawPath"].as_str().unwrap();
        let prefix = prefix_of(function_of(path));
        let context = &event["requestContext"];
        assert_eq!(event["version"], "2.0", "{name}.json");
        assert_eq!(
            event["routeKey"],
            format!("ANY {prefix}/{{proxy+}}"),
            "{name}.json"
        );
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
fn sampled(events: impl IntoIterator<Item = Value>) -> BTreeSet<(String, String)> {
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
    let mut sampled = sampled(events);
    sampled.retain(|(path, _)| !path.ends_with("/me/"));
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
    assert_eq!(sampled, BTreeSet::from(pages));
    let routes: BTreeSet<_> = sampled
        .into_iter()
        .map(|(path, method)| (path.replace("admin.css", "{file}/"), method))
        .collect();
    assert!(routes.is_subset(&routes_of(ADMIN)), "{routes:?}");
}
