//! Every route of the functions, as their tables state them.

use std::collections::BTreeSet;

use manage::functions;
use shared::http::routes::Routes;

/// The functions that serve the API.
pub const FUNCTIONS: [&str; 4] = ["auth", "users", "groups", "permissions"];
/// The function that serves the OpenAPI document.
pub const DOCS: &str = "docs";
/// The function that serves pages.
pub const ADMIN: &str = "admin";

/// The function that serves the pages of account life.
pub const ACCOUNT: &str = "account";

/// Where others look for what they verify tokens with (RFC 8615).
pub const WELL_KNOWN: &str = "/.well-known";

/// A path and a method.
pub type Route = (String, String);

/// Every route of the API.
pub fn routes() -> BTreeSet<Route> {
    let document = routes_of(DOCS).into_iter();
    // Its pages are none of the API.
    let document = document.filter(|(path, _)| !path.contains("swagger-ui"));
    let others = FUNCTIONS.into_iter().flat_map(routes_of);
    others.chain(document).collect()
}

/// Every route of a function.
pub fn routes_of(function: &str) -> BTreeSet<Route> {
    let served = served(function);
    let pairs = served.table().iter().flat_map(|route| {
        let methods = route.methods.iter();
        methods.map(|(method, _)| (route.path.to_owned(), method.to_string()))
    });
    pairs.collect()
}

/// What serves a function's routes.
pub fn served(function: &str) -> Routes {
    let mut all = functions().into_iter();
    let found = all.find(|(name, _)| *name == function);
    found.unwrap_or_else(|| panic!("no function {function}")).1
}

/// The route of a path: ids are `{id}`, and what links of mails have is `{uid}/{token}`.
pub fn route_of(path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    let path = &match path.starts_with(WELL_KNOWN) {
        true => format!("{}/", path.trim_end_matches('/')),
        false => path.to_owned(),
    };
    let parts: Vec<&str> = path.split('/').collect();
    match parts[..] {
        ["", ACCOUNT, "static", _] => return format!("/{ACCOUNT}/static/{{file}}/"),
        ["", ACCOUNT, page, _, _, ""] => return format!("/{ACCOUNT}/{page}/{{uid}}/{{token}}/"),
        _ => {}
    }
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
    if path.starts_with("/account/") {
        return ACCOUNT;
    }
    if path.starts_with(WELL_KNOWN) {
        return "auth";
    }
    if path.starts_with("/api/schema/") {
        return DOCS;
    }
    let rest = path.strip_prefix("/api/auth/").expect("a path of the API");
    let first = rest.split('/').next();
    let mut functions = FUNCTIONS[1..].iter();
    functions
        .find(|function| first == Some(**function))
        .unwrap_or(&"auth")
}

/// The beginning of a path that API Gateway chooses the function by.
pub fn prefix_of_path(path: &str) -> String {
    match path.starts_with(WELL_KNOWN) {
        true => WELL_KNOWN.to_owned(),
        false => prefix_of(function_of(path)),
    }
}

/// The path of a function's routes.
pub fn prefix_of(function: &str) -> String {
    match function {
        ADMIN => "/admin".to_owned(),
        ACCOUNT => "/account".to_owned(),
        DOCS => "/api/schema".to_owned(),
        "auth" => "/api/auth".to_owned(),
        function => format!("/api/auth/{function}"),
    }
}
