//! The OpenAPI document: that it describes every route, and is the file that the repository keeps. That
//! answers are as it says, [`testkit::contract`] asserts in every test that gets one.

use std::{collections::BTreeSet, fs, path::Path};

use manage::{
    functions,
    openapi::{document, yaml},
};
use serde_json::Value;
use shared::http::routes::{Access, RouteKind};
use testkit::contract::operation;

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
