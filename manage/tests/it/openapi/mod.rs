//! The OpenAPI document: that it describes every route, and is the file that the repository keeps. That
//! answers are as it says, [`testkit::contract`] asserts in every test that gets one.

#[cfg(unix)]
mod programs;
mod refusals;
mod served;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use axum::http::HeaderName;
use manage::{
    functions,
    openapi::{document, yaml},
};
use serde_json::Value;
use shared::http::{
    describe::Content,
    routes::{Access, RouteKind},
};
use testkit::{
    Answer,
    contract::{allowed, operation},
};

/// The file that `manage openapi --file docs/openapi.yaml` writes.
const KEPT: &str = "../docs/openapi.yaml";

#[test]
fn the_file_of_the_repository_is_the_document() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(KEPT);
    let kept = fs::read_to_string(path).unwrap();
    let is_kept = kept == yaml(&document());
    assert!(
        is_kept,
        "run: cargo run -p manage -- openapi --file docs/openapi.yaml"
    );
}

#[test]
fn every_method_of_the_api_is_described() {
    for (function, routes) in functions() {
        for route in routes.table() {
            if route.kind == RouteKind::Page {
                continue;
            }
            for ((method, _), described) in route.methods.iter().zip(&route.operations) {
                let path = route.path;
                assert!(
                    described.is_some(),
                    "{function}: {method} {path} has no description"
                );
                assert!(
                    operation(method.as_str(), path).is_some(),
                    "{method} {path}"
                );
            }
        }
    }
}

#[test]
fn what_a_route_requires_is_required_by_its_description() {
    for (_, routes) in functions() {
        for route in routes.table() {
            for ((_, access), described) in route.methods.iter().zip(&route.operations) {
                let (Access::Anyone(required), Some(operation)) = (access, described) else {
                    continue;
                };
                let body = operation.body.as_ref().into_iter();
                let fields = body.flat_map(|body| body.form.fields);
                let fields = fields.filter(|field| !field.is_optional);
                let described: BTreeSet<_> = fields.map(|field| field.name).collect();
                let required = BTreeSet::from_iter(required.iter().copied());
                assert!(
                    required.is_subset(&described),
                    "{}: {required:?}",
                    route.path
                );
            }
        }
    }
}

/// Every constant in the descriptions that is JSON.
fn constants() -> Vec<(&'static str, &'static str)> {
    let functions = functions().into_iter();
    let tables = functions.map(|(_, routes)| routes.table().to_vec());
    let mut found = Vec::new();
    for route in tables.flatten() {
        for operation in route.operations.iter().flatten() {
            let query = operation.query.iter().map(|parameter| parameter.schema);
            let body = operation.body.iter().map(|body| body.sample);
            let answer = [operation.answer.sample];
            let texts = query.chain(body).chain(answer);
            found.extend(texts.map(|text| (route.path, text)));
        }
    }
    found
}

#[test]
fn samples_and_schemas_of_descriptions_are_json() {
    for (path, text) in constants() {
        let is_json = text.is_empty() || serde_json::from_str::<Value>(text).is_ok();
        assert!(is_json, "{path}: {text}");
    }
}

#[test]
fn a_name_means_one_object() {
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    let tables = functions().into_iter();
    for route in tables.flat_map(|(_, routes)| routes.table().to_vec()) {
        for operation in route.operations.into_iter().flatten() {
            let sent = operation.body.as_ref();
            let sent = sent.map(|body| (format!("{} sent", body.form.name), body.form));
            let answered = match operation.answer.content {
                Content::One(it) | Content::Many(it) | Content::Page(it) => Some(it),
                Content::Nothing | Content::Document(_) => None,
            };
            let answered = answered.map(|object| (object.name.to_owned(), object));
            for (name, object) in sent.into_iter().chain(answered) {
                let fields = format!("{:?}", object.fields);
                let before = seen.entry(name.clone()).or_insert(fields.clone());
                assert_eq!(*before, fields, "{name}");
            }
        }
    }
}

#[test]
fn names_are_those_of_drf_spectacular() {
    for (method, path, id) in [
        ("POST", "/api/auth/login/", "auth_login_create"),
        ("GET", "/api/auth/users/", "auth_users_list"),
        ("GET", "/api/auth/users/1/", "auth_users_retrieve"),
        ("PUT", "/api/auth/users/me/", "auth_users_me_update"),
        ("PATCH", "/api/auth/users/1/", "auth_users_partial_update"),
        ("DELETE", "/api/auth/sessions/", "auth_sessions_destroy"),
        ("DELETE", "/api/auth/sessions/1/", "auth_sessions_destroy_2"),
        (
            "POST",
            "/api/auth/groups/1/assign_permissions/",
            "auth_groups_assign_permissions_create",
        ),
    ] {
        let operation = operation(method, path).unwrap();
        assert_eq!(operation["operationId"], id);
        assert_eq!(operation["tags"], serde_json::json!(["auth"]));
    }
    let ids: Vec<_> = all_ids();
    assert_eq!(BTreeSet::from_iter(&ids).len(), ids.len(), "{ids:?}");
}

fn all_ids() -> Vec<String> {
    let document = document();
    let paths = document["paths"].as_object().unwrap().values();
    let operations = paths.flat_map(|item| item.as_object().unwrap().values());
    let ids = operations.map(|operation| operation["operationId"].as_str().unwrap());
    ids.map(str::to_owned).collect()
}

#[test]
fn security_is_that_of_the_access_rule() {
    let none = Value::Null;
    let needed = serde_json::json!([{"jwtAuth": []}]);
    let possible = serde_json::json!([{"jwtAuth": []}, {}]);
    for (method, path, security) in [
        ("POST", "/api/auth/login/", &none),
        ("POST", "/api/auth/users/register/", &possible),
        ("POST", "/api/auth/users/reset_password/", &possible),
        ("GET", "/api/auth/users/me/", &needed),
        ("GET", "/api/auth/groups/", &needed),
    ] {
        assert_eq!(
            operation(method, path).unwrap()["security"],
            *security,
            "{path}"
        );
    }
}

/// Nothing that the functions are built with may grow unseen: the descriptions are in all of them.
#[test]
fn descriptions_are_no_weight() {
    let texts: usize = constants().iter().map(|(_, text)| text.len()).sum();
    assert!(texts < 32 * 1024, "{texts} bytes of samples");
}

/// What an answer is refused for.
fn refusal(
    method: &str,
    path: &str,
    status: u16,
    headers: &[(&'static str, &str)],
    body: Value,
) -> String {
    let headers = headers.iter().map(|(name, value)| {
        (
            HeaderName::from_static(name),
            value.parse().expect("a value"),
        )
    });
    let text = match body {
        Value::Null => String::new(),
        body => body.to_string(),
    };
    let answer = Answer::new(status, headers.collect(), text);
    allowed(method, path, &answer).expect_err("refused")
}

#[test]
fn answers_that_the_document_does_not_allow_are_refused() {
    let json = ("content-type", "application/json");
    let detail = || serde_json::json!({"detail": "Not found."});
    let group = |more: Value| {
        let mut group = serde_json::json!({"id": 1, "name": "Editors", "permissions": []});
        group
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        group
    };
    let path = "/api/auth/groups/1/";
    let say = |status, body| refusal("GET", path, status, &[json], body);
    assert_eq!(say(418, detail()), "no 418 is described");
    assert_eq!(say(404, Value::Null), "no body");
    assert_eq!(say(401, detail()), "no header www-authenticate");
    let more = say(200, group(serde_json::json!({"secret": "x"})));
    assert!(more.contains("secret"), "{more}");
    let other = say(200, group(serde_json::json!({"id": "1"})));
    assert!(other.contains("at /id"), "{other}");
    let html = [("content-type", "text/html")];
    assert_eq!(
        refusal("GET", path, 404, &html, detail()),
        "the media type text/html"
    );
    let link = [json, ("link", "</>; rel=\"next\"")];
    let with_link = refusal("GET", path, 200, &link, group(serde_json::json!({})));
    assert!(with_link.starts_with("the header link"), "{with_link}");
    let gone = refusal("DELETE", path, 204, &[json], detail());
    assert_eq!(gone, "a body where none is described");
    let unknown = refusal("GET", "/api/auth/nowhere/", 200, &[json], detail());
    assert_eq!(unknown, "200 of an unknown path");
    let other = refusal("TRACE", path, 200, &[json], detail());
    assert_eq!(other, "200 of a method that is not described");
}
