//! `smoketest` against a `runserver`, and against one behind a proxy that spoils some answers.

use std::{collections::BTreeSet, fs, net::TcpListener, path::Path};

use regex_lite::Regex;

use super::{
    process::{Ended, Runserver, manage, run},
    proxy::{Proxy, not_found, with, without},
};

const FRONT_END: &str = "http://localhost:3000";
const GATEWAYS_404: &str = r#"{"message":"Not Found"}"#;
const OUR_404: &str = r#"{"detail":"Not found."}"#;

fn smoketest(url: &str, options: &[&str]) -> Ended {
    run(manage(&["smoketest", url]).args(options))
}

fn server(origins: &str) -> Runserver {
    Runserver::from(manage(&["runserver", "--memory"]).env("CORS_ALLOWED_ORIGINS", origins))
}

/// The counts of the last line.
fn counts(printed: &str) -> (usize, usize) {
    let last = printed.lines().last().expect("a line");
    let counts = Regex::new(r"^(\d+) checks passed, (\d+) failed$").expect("an expression");
    let counts = counts.captures(last).unwrap_or_else(|| panic!("{printed}"));
    let count = |at: usize| counts[at].parse().expect("a count");
    (count(1), count(2))
}

/// Asserts that nothing failed.
#[track_caller]
fn passed(ended: Ended) -> String {
    let printed = ended.succeeded();
    let (passed, failed) = counts(&printed);
    assert!(passed > 80 && failed == 0, "{printed}");
    assert!(!printed.contains("FAIL"), "{printed}");
    printed
}

/// Asserts that something failed, and hands on the lines that say what.
#[track_caller]
fn failures(ended: Ended) -> Vec<String> {
    let printed = ended.stdout.clone();
    let error = ended.failed();
    let lines: Vec<String> = printed
        .lines()
        .filter_map(|line| line.strip_prefix("FAIL "))
        .map(str::to_owned)
        .collect();
    let (passed, failed) = counts(&printed);
    assert_eq!(lines.len(), failed, "{printed}");
    let total = passed + failed;
    assert_eq!(error, format!("{failed} of {total} checks failed"));
    lines
}

#[test]
fn it_passes_against_a_runserver_and_tells_the_time_of_each_function() {
    let server = Runserver::in_memory();
    let printed = passed(smoketest(&format!("http://{}", server.api.address), &[]));
    for function in ["auth", "users", "groups", "permissions", "admin"] {
        let row = Regex::new(&format!(r"(?m)^{function} +\d+\.\d +\d+\.\d$"));
        assert!(row.expect("an expression").is_match(&printed), "{printed}");
    }
}

#[test]
fn it_passes_where_its_origins_are_the_allowed_ones() {
    let other = "https://app.example.com";
    let both = server(&format!("{other},{FRONT_END}"));
    let url = format!("http://{}", both.api.address);
    passed(smoketest(&url, &["--origin", FRONT_END, "--origin", other]));
    // One that it is not told of cannot be found out.
    passed(smoketest(&url, &["--origin", FRONT_END]));

    let any = server("*");
    passed(smoketest(
        &format!("http://{}", any.api.address),
        &["--origin", "*"],
    ));
}

#[test]
fn an_origin_that_is_not_allowed_or_should_not_be_is_named() {
    let front_end = server(FRONT_END);
    let url = format!("http://{}", front_end.api.address);
    let other = "https://app.example.com";
    for origin in [other, "*"] {
        let lines = failures(smoketest(&url, &["--origin", origin]));
        assert_eq!(lines.len(), 8, "{lines:?}");
        for line in lines {
            assert!(
                line.contains(" from https://")
                    && line.ends_with(": no header Access-Control-Allow-Origin"),
                "{line}"
            );
        }
    }

    let any = server("*");
    let url = format!("http://{}", any.api.address);
    for options in [&[][..], &["--origin", FRONT_END]] {
        let lines = failures(smoketest(&url, options));
        assert_eq!(lines.len(), 8, "{lines:?}");
        for line in lines {
            let (request, why) = line.split_once(": A").expect("a reason");
            assert!(
                request.ends_with(" from https://smoketest.invalid"),
                "{line}"
            );
            assert_eq!(
                why,
                "ccess-Control-Allow-Origin is *, which should not be allowed"
            );
        }
    }

    let server = Runserver::in_memory();
    let proxy = Proxy::before(&server, |_, path, answer| match path {
        "/api/auth/groups/" => with(
            &answer,
            "Access-Control-Allow-Origin: https://smoketest.invalid",
        ),
        _ => answer,
    });
    let lines = failures(smoketest(&proxy.url(), &[]));
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(
        lines[0].starts_with("OPTIONS /api/auth/groups/ from "),
        "{lines:?}"
    );
    assert!(
        lines[1].starts_with("GET /api/auth/groups/ from "),
        "{lines:?}"
    );
}

#[test]
fn a_preflight_that_lacks_a_method_and_answers_that_expose_too_little_are_named() {
    let server = server(FRONT_END);
    let proxy = Proxy::before(&server, |method, path, answer| match (method, path) {
        ("OPTIONS", "/api/auth/users/") => answer.replace("PATCH,", ""),
        ("GET", "/api/auth/users/") => {
            let answer = without(&answer, "access-control-expose-headers");
            with(&answer, "Access-Control-Expose-Headers: Link, Retry-After")
        }
        // A star stands for every method, and for every header but Authorization.
        ("OPTIONS", "/api/auth/login/") => {
            let answer = without(&answer, "access-control-allow-methods");
            with(&answer, "Access-Control-Allow-Methods: *")
        }
        ("OPTIONS", "/api/auth/groups/") => {
            let answer = without(&answer, "access-control-allow-headers");
            with(&answer, "Access-Control-Allow-Headers: *")
        }
        _ => answer,
    });
    let lines = failures(smoketest(&proxy.url(), &["--origin", FRONT_END]));
    assert_eq!(
        lines,
        [
            format!(
                "OPTIONS /api/auth/users/ from {FRONT_END}: access-control-allow-methods lacks PATCH"
            ),
            format!(
                "GET /api/auth/users/ from {FRONT_END}: access-control-expose-headers lacks \
                 www-authenticate"
            ),
            format!(
                "OPTIONS /api/auth/groups/ from {FRONT_END}: access-control-allow-headers lacks \
                 authorization"
            ),
        ]
    );
}

#[test]
fn a_route_that_the_gateway_lacks_is_named_and_no_other() {
    let server = Runserver::in_memory();
    let proxy = Proxy::before(&server, |_, path, answer| {
        if path.starts_with("/api/auth/groups") {
            not_found(GATEWAYS_404)
        } else {
            answer
        }
    });
    let lines = failures(smoketest(&proxy.url(), &[]));
    for request in [
        "GET /api/auth/groups",
        "POST /api/auth/groups/",
        "DELETE /api/auth/groups/0/",
        "POST /api/auth/groups/0/assign_permissions",
    ] {
        let line = format!("{request}: the gateway has no such route");
        assert!(lines.contains(&line), "{request}: {lines:?}");
    }
    for line in lines {
        assert!(line.contains(" /api/auth/groups"), "{line}");
    }

    // As where SAM has dropped a route with a slash at its end.
    let proxy = Proxy::before(&server, |_, path, answer| {
        if path == "/api/auth/users" {
            not_found(GATEWAYS_404)
        } else {
            answer
        }
    });
    assert_eq!(
        failures(smoketest(&proxy.url(), &[])),
        ["GET /api/auth/users: the gateway has no such route"]
    );
}

#[test]
fn a_path_that_reaches_another_function_is_named() {
    let server = Runserver::in_memory();
    let proxy = Proxy::before(&server, |method, path, answer| match (method, path) {
        ("PATCH", "/api/auth/permissions/0") => not_found(OUR_404),
        _ => answer,
    });
    assert_eq!(
        failures(smoketest(&proxy.url(), &[])),
        ["PATCH /api/auth/permissions/0: expected 401 \
             {\"detail\":\"Authentication credentials were not provided.\"}, \
             got 404 {\"detail\":\"Not found.\"}"]
    );
}

#[test]
fn admin_pages_without_a_route_or_with_another_answer_are_named() {
    let server = Runserver::in_memory();
    let proxy = Proxy::before(&server, |_, path, answer| match path {
        "/admin" | "/admin/" => not_found(GATEWAYS_404),
        _ => answer,
    });
    let lines = failures(smoketest(&proxy.url(), &[]));
    let no_route = |path| format!("GET {path}: the gateway has no such route");
    assert_eq!(lines, [no_route("/admin/"), no_route("/admin")]);

    let proxy = Proxy::before(&server, |_, path, answer| match path {
        // As where the path reaches a function of the API.
        "/admin/login/" => not_found(OUR_404),
        "/admin/login" => answer.replace("name=\"password\"", "name=\"passw0rd\""),
        "/admin/" => answer.replace("?next=/admin/", ""),
        "/admin/nowhere/" => without(&answer, "Content-Security-Policy"),
        _ => answer,
    });
    let lines = failures(smoketest(&proxy.url(), &[]));
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert_eq!(
        lines[0],
        format!("GET /admin/login/: expected 200 and the login page, got 404 {OUR_404}")
    );
    assert!(
        lines[1].starts_with("GET /admin/login: expected 200 and the login page, got 200 <!"),
        "{lines:?}"
    );
    assert_eq!(
        lines[2..],
        [
            "GET /admin/: expected 302 Found to /admin/login/?next=/admin/, \
             got 302 Found to /admin/login/",
            "GET /admin/nowhere/: no header Content-Security-Policy",
        ]
    );
}

#[test]
fn a_header_that_is_missing_is_named() {
    let server = Runserver::in_memory();
    for (path, header) in [
        ("/api/auth/token/verify/", "Cache-Control: no-store"),
        (
            "/api/auth/users/register/",
            "X-Content-Type-Options: nosniff",
        ),
        ("/api/auth/nowhere", "Strict-Transport-Security"),
        (
            "/api/auth/permissions/0/assign_to_group/",
            "WWW-Authenticate: Bearer realm=\"api\"",
        ),
    ] {
        let name = header.split(':').next().expect("a name");
        let proxy = Proxy::before(&server, move |method, asked, answer| {
            if (method, asked) == ("POST", path) {
                without(&answer, name)
            } else {
                answer
            }
        });
        assert_eq!(
            failures(smoketest(&proxy.url(), &[])),
            [format!("POST {path}: no header {header}")]
        );
    }
}

#[test]
fn a_challenge_that_the_gateway_renames_is_told_but_no_failure() {
    let server = Runserver::in_memory();
    let proxy = Proxy::before(&server, |_, _, answer| {
        answer.replace("www-authenticate:", "x-amzn-Remapped-WWW-Authenticate:")
    });
    let printed = passed(smoketest(&proxy.url(), &[]));
    assert!(printed.contains("Note: the gateway renames"), "{printed}");
}

#[test]
fn an_answer_that_breaks_off_is_one_failure() {
    let server = Runserver::in_memory();
    let proxy = Proxy::before(&server, |method, path, answer| match (method, path) {
        ("GET", "/api/auth/groups/0/") => String::new(),
        ("PUT", "/api/auth/groups/0/") => answer[..answer.len() - 5].to_owned(),
        _ => answer,
    });
    let lines = failures(smoketest(&proxy.url(), &[]));
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(
        lines[0].starts_with("GET /api/auth/groups/0/: "),
        "{lines:?}"
    );
    assert!(
        lines[1].starts_with("PUT /api/auth/groups/0/: half an answer: "),
        "{lines:?}"
    );
}

#[test]
fn an_address_where_nothing_is_is_told_in_one_line() {
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", nobody.local_addr().expect("an address"));
    drop(nobody);
    let ended = smoketest(&url, &[]);
    assert_eq!(ended.stdout, "");
    let line = ended.failed();
    assert!(
        line.starts_with(&format!("nothing answers at {url}: ")),
        "{line}"
    );
    assert!(line.contains("refused"), "{line}");

    // A name that does not exist, and a server without TLS.
    let line = smoketest("http://nowhere.invalid", &[]).failed();
    assert!(
        line.starts_with("nothing answers at http://nowhere.invalid: "),
        "{line}"
    );
    let server = Runserver::in_memory();
    smoketest(&format!("https://{}", server.api.address), &[]).failed();
}

#[test]
fn the_address_may_have_a_path_and_the_host_may_be_another() {
    let server = Runserver::in_memory();
    let proxy = Proxy::before(&server, |_, _, answer| answer);
    let url = proxy.url();
    for end in ["/", "/api/auth", "/api/auth/"] {
        passed(smoketest(
            &format!("{url}{end}"),
            &["--host", "api.example"],
        ));
    }
    for (line, host) in proxy.requests() {
        let path = line.split(' ').nth(1).expect("a path");
        let is_ours = is_below(path, "/api/auth") || is_below(path, "/admin");
        assert!(path == "/" || is_ours, "{line}");
        assert_eq!(host, "api.example");
    }

    let prefixed = Proxy::before(&server, |_, _, answer| answer);
    failures(smoketest(
        &format!("{}/stage/api/auth/", prefixed.url()),
        &[],
    ));
    for (line, host) in prefixed.requests() {
        let path = line.split(' ').nth(1).expect("a path");
        assert!(
            path == "/stage/"
                || is_below(path, "/stage/api/auth")
                || is_below(path, "/stage/admin"),
            "{line}"
        );
        assert_eq!(host, prefixed.address.to_string());
    }
}

fn is_below(path: &str, root: &str) -> bool {
    path.strip_prefix(root)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[test]
fn an_address_or_origin_that_is_none_is_refused() {
    for arguments in [
        &["localhost:8000"][..],
        &["ftp://localhost"],
        &["http://localhost/?a=b"],
        &["http://localhost", "--origin", "localhost:3000"],
        &["http://localhost", "--origin", "http://localhost:3000/"],
        &["http://localhost", "--host", "a\nb"],
    ] {
        let ended = smoketest(arguments[0], &arguments[1..]);
        assert_eq!(ended.status, Some(2), "{arguments:?}: {ended:?}");
    }
}

#[test]
fn it_changes_nothing() {
    let server = Runserver::in_memory();
    let token = server.admin_token();
    let everything = || {
        ["users/", "groups/", "permissions/"].map(|path| {
            let answer = server.api.ask("GET", path, &token, serde_json::Value::Null);
            assert_eq!(answer.status, 200, "{answer:?}");
            answer.body
        })
    };
    let before = everything();
    passed(smoketest(&format!("http://{}", server.api.address), &[]));
    assert_eq!(everything(), before);
    // No id was taken either.
    assert_eq!(server.api.register("ann", "a-Long-phrase-1"), 2);
}

/// The methods and paths below `/api/auth/` in the source of all functions.
fn routes() -> BTreeSet<(String, String)> {
    let functions = Path::new(env!("CARGO_MANIFEST_DIR")).join("../functions");
    let path = Regex::new(r#""(/api/auth/[^"]*)""#).expect("an expression");
    let method = Regex::new(r"\b(get|post|put|patch|delete)\(").expect("an expression");
    let mut routes = BTreeSet::new();
    for entry in fs::read_dir(functions).expect("the functions") {
        let function = entry.expect("an entry").path();
        if !function.is_dir() {
            continue;
        }
        let source = function.join("src/lib.rs");
        let source = fs::read_to_string(source).expect("a function's routes");
        let mut found = path.captures_iter(&source).peekable();
        while let Some(route) = found.next() {
            let name = route.get(1).expect("a path");
            let end = found
                .peek()
                .map_or(source.len(), |next| next.get(0).expect("a path").start());
            for method in method.captures_iter(&source[name.end()..end]) {
                routes.insert((method[1].to_uppercase(), name.as_str().to_owned()));
            }
        }
    }
    routes
}

#[test]
fn every_route_of_every_function_is_asked_with_and_without_its_last_slash() {
    let server = Runserver::in_memory();
    let proxy = Proxy::before(&server, |_, _, answer| answer);
    passed(smoketest(&proxy.url(), &[]));
    let asked: BTreeSet<(String, String)> = proxy
        .requests()
        .iter()
        .map(|(line, _)| {
            let mut words = line.split(' ').map(|word| word.replace("/0", "/{id}"));
            (
                words.next().expect("a method"),
                words.next().expect("a path"),
            )
        })
        .collect();
    let routes = routes();
    assert!(routes.len() >= 27, "{routes:?}");
    for (method, path) in routes {
        for path in [path.as_str(), path.trim_end_matches('/')] {
            let request = (method.clone(), path.to_owned());
            assert!(asked.contains(&request), "{method} {path} is not asked");
        }
    }
}
