//! Every route of the functions, as their sources state them.

use std::{collections::BTreeSet, fs};

use axum::Router;
use shared::app::App;

/// The functions that serve the API.
pub const FUNCTIONS: [&str; 4] = ["auth", "users", "groups", "permissions"];
/// The function that serves pages.
pub const ADMIN: &str = "admin";

/// A path and a method.
pub type Route = (String, String);

/// Every route of the API.
pub fn routes() -> BTreeSet<Route> {
    FUNCTIONS.into_iter().flat_map(routes_of).collect()
}

/// Every route of a function.
pub fn routes_of(function: &str) -> BTreeSet<Route> {
    let mut routes = BTreeSet::new();
    let top = env!("CARGO_MANIFEST_DIR");
    let path = format!("{top}/../../functions/{function}/src/lib.rs");
    let source = fs::read_to_string(path).expect("a function's routes");
    for route in source.split(".route(").skip(1) {
        let path = route.split('"').nth(1).expect("a path");
        for method in ["get", "post", "put", "patch", "delete"] {
            let named = route.match_indices(&format!("{method}(")).any(|(at, _)| {
                // Not the end of a longer name.
                !route[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_')
            });
            if named {
                routes.insert((path.to_owned(), method.to_uppercase()));
            }
        }
    }
    routes
}

/// The route of a path: ids are `{id}`.
pub fn route_of(path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    let segments = path.split('/').map(|segment| match segment.parse::<u64>() {
        Ok(_) => "{id}",
        Err(_) => segment,
    });
    segments.collect::<Vec<_>>().join("/")
}

/// The function to which API Gateway gives a path: that of the longest prefix.
pub fn function_of(path: &str) -> &'static str {
    if path.starts_with("/admin/") {
        return ADMIN;
    }
    let rest = path.strip_prefix("/api/auth/").expect("a path of the API");
    let first = rest.split('/').next();
    let mut functions = FUNCTIONS[1..].iter();
    functions
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

/// What serves a function's routes.
pub fn router(function: &str) -> Router<App> {
    match function {
        "auth" => auth::routes(),
        "users" => users::routes(),
        "groups" => groups::routes(),
        "permissions" => permissions::routes(),
        ADMIN => admin::routes(),
        other => panic!("no function {other}"),
    }
}
