//! Every route of the functions, as their sources state them.

use std::{collections::BTreeSet, fs};

/// The functions that serve the API.
pub const FUNCTIONS: [&str; 4] = ["auth", "users", "groups", "permissions"];
/// The function that serves pages.
pub const ADMIN: &str = "admin";

/// Path and method of every route of the API.
pub fn routes() -> BTreeSet<(String, String)> {
    FUNCTIONS.into_iter().flat_map(routes_of).collect()
}

/// Path and method of every route of a function.
pub fn routes_of(function: &str) -> BTreeSet<(String, String)> {
    let mut routes = BTreeSet::new();
    let top = env!("CARGO_MANIFEST_DIR");
    let path = format!("{top}/../../functions/{function}/src/lib.rs");
    let source = fs::read_to_string(path).unwrap();
    for route in source.split(".route(").skip(1) {
        let path = route.split('"').nth(1).unwrap();
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
    let path = path.split('?').next().unwrap();
    let segments: Vec<&str> = path
        .split('/')
        .map(|segment| match segment.parse::<u64>() {
            Ok(_) => "{id}",
            Err(_) => segment,
        })
        .collect();
    segments.join("/")
}
