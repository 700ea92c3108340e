//! `smoketest` against a `runserver`, and against one behind a proxy that spoils some answers.

mod origins;

use std::{collections::BTreeSet, net::TcpListener};

use regex_lite::Regex;
use testkit::{
    process::{Ended, run},
    routes::{Route, routes},
};

use super::{
    process::{Runserver, manage},
    proxy::{Proxy, not_found, without},
};

const GATEWAYS_404: &str = r#"{"message":"Not Found"}"#;
const OUR_404: &str = r#"{"detail":"Not found."}"#;

fn smoketest(url: &str, options: &[&str]) -> Ended {
    run(manage("smoketest").arg(url).args(options))
}

/// What fails where a proxy changes answers.
fn failures_with(
    server: &Runserver,
    options: &[&str],
    change: impl Fn(&str, &str, String) -> String + Send + Sync + 'static,
) -> Vec<String> {
    let proxy = Proxy::before(server, change);
    failures(smoketest(&proxy.url(), options))
}

/// What fails where the answer to one path is another one.
fn failures_at(server: &Runserver, path: &'static str, answer: &'static str) -> Vec<String> {
    failures_with(server, &[], move |_, asked, given| match asked == path {
        true => not_found(answer),
        false => given,
    })
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
    let lines = printed
        .lines()
        .filter_map(|line| line.strip_prefix("FAIL "));
    let lines: Vec<String> = lines.map(str::to_owned).collect();
    let (passed, failed) = counts(&printed);
    assert_eq!(lines.len(), failed, "{printed}");
    let total = passed + failed;
    assert_eq!(error, format!("{failed} of {total} checks failed"));
    lines
}

/// Asserts how lines start.
#[track_caller]
fn assert_start(lines: &[String], starts: &[&str]) {
    assert_eq!(lines.len(), starts.len(), "{lines:?}");
    for (line, start) in lines.iter().zip(starts) {
        assert!(line.starts_with(start), "{start}: {lines:?}");
    }
}

#[test]
fn it_passes_against_a_runserver_and_tells_the_time_of_each_function() {
    let server = Runserver::in_memory();
    let printed = passed(smoketest(server.base(), &[]));
    for function in ["auth", "users", "groups", "permissions", "admin", "docs"] {
        let row = Regex::new(&format!(r"(?m)^{function} +\d+\.\d +\d+\.\d$"));
        assert!(row.expect("an expression").is_match(&printed), "{printed}");
    }
}

#[test]
fn it_passes_whatever_settings_leave_out() {
    let mut command = manage("runserver --memory");
    // No mail is sent for a new username.
    command
        .env("USER_CREATE_PASSWORD_RETYPE", "false")
        .env("USERNAME_RESET_CONFIRM_URL", "");
    let server = Runserver::from(&mut command);
    passed(smoketest(server.base(), &[]));
    let lines = failures_with(&server, &[], |_, path, answer| match path {
        "/api/auth/users/register/" => answer.replace("\"email\"", "\"other\""),
        "/api/auth/users/reset_username/" => not_found(r#"{"detail":"Nothing."}"#),
        _ => answer,
    });
    let starts = [
        "POST /api/auth/users/register/: expected 400 ",
        "POST /api/auth/users/reset_username/: expected 400 ",
        "GET /api/auth/users/reset_username/: expected 401 ",
    ];
    assert_start(&lines, &starts);
}

#[test]
fn a_route_that_the_gateway_lacks_is_named_and_no_other() {
    let server = Runserver::in_memory();
    let groups = "/api/auth/groups";
    let lines = failures_with(&server, &[], move |_, path, answer| {
        match path.starts_with(groups) {
            true => not_found(GATEWAYS_404),
            false => answer,
        }
    });
    for (method, rest) in [
        ("GET", ""),
        ("POST", "/"),
        ("DELETE", "/0/"),
        ("POST", "/0/assign_permissions"),
    ] {
        let line = format!("{method} {groups}{rest}: the gateway has no such route");
        assert!(lines.contains(&line), "{line}: {lines:?}");
    }
    for line in lines {
        assert!(line.contains(" /api/auth/groups"), "{line}");
    }

    // As where SAM has dropped a route with a slash at its end.
    let lines = failures_at(&server, "/api/auth/users", GATEWAYS_404);
    assert_eq!(
        lines,
        ["GET /api/auth/users: the gateway has no such route"]
    );
}

#[test]
fn a_path_that_reaches_another_function_is_named() {
    let server = Runserver::in_memory();
    let lines = failures_with(&server, &[], |method, path, answer| match (method, path) {
        ("PATCH", "/api/auth/permissions/0") => not_found(OUR_404),
        _ => answer,
    });
    let expected = "PATCH /api/auth/permissions/0: expected 401 \
                    {\"detail\":\"Authentication credentials were not provided.\"}, \
                    got 404 {\"detail\":\"Not found.\"}";
    assert_eq!(lines, [expected]);
}

#[test]
fn admin_pages_without_a_route_or_with_another_answer_are_named() {
    let server = Runserver::in_memory();
    let lines = failures_with(&server, &[], |_, path, answer| match path {
        "/admin" | "/admin/" => not_found(GATEWAYS_404),
        _ => answer,
    });
    let no_route = |path| format!("GET {path}: the gateway has no such route");
    assert_eq!(lines, [no_route("/admin/"), no_route("/admin")]);

    let lines = failures_with(&server, &[], |_, path, answer| match path {
        // As where the path reaches a function of the API.
        "/admin/login/" => not_found(OUR_404),
        "/admin/login" => answer.replace("name=\"password\"", "name=\"passw0rd\""),
        "/admin/" => answer.replace("?next=/admin/", ""),
        "/admin/nowhere/" => without(&answer, "Content-Security-Policy"),
        _ => answer,
    });
    let no_page = format!("GET /admin/login/: expected 200 and the login page, got 404 {OUR_404}");
    let expected = [
        no_page.as_str(),
        "GET /admin/login: expected 200 and the login page, got 200 <!",
        "GET /admin/: expected 302 Found to /admin/login/?next=/admin/, \
         got 302 Found to /admin/login/",
        "GET /admin/nowhere/: no header Content-Security-Policy",
    ];
    assert_start(&lines, &expected);
    // Only what the page says is left open.
    for whole in [0, 2, 3] {
        assert_eq!(lines[whole], expected[whole]);
    }
}

#[test]
fn a_header_that_is_missing_is_named() {
    let server = Runserver::in_memory();
    let challenge = "WWW-Authenticate: Bearer realm=\"api\"";
    for (path, header) in [
        ("/api/auth/token/verify/", "Cache-Control: no-store"),
        (
            "/api/auth/users/register/",
            "X-Content-Type-Options: nosniff",
        ),
        ("/api/auth/nowhere", "Strict-Transport-Security"),
        ("/api/auth/permissions/0/assign_to_group/", challenge),
    ] {
        let name = header.split(':').next().expect("a name");
        let lines = failures_with(&server, &[], move |method, asked, answer| {
            match (method, asked) == ("POST", path) {
                true => without(&answer, name),
                false => answer,
            }
        });
        assert_eq!(lines, [format!("POST {path}: no header {header}")]);
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
    let lines = failures_with(&server, &[], |method, path, answer| match (method, path) {
        ("GET", "/api/auth/groups/0/") => String::new(),
        ("PUT", "/api/auth/groups/0/") => answer[..answer.len() - 5].to_owned(),
        _ => answer,
    });
    let starts = [
        "GET /api/auth/groups/0/: ",
        "PUT /api/auth/groups/0/: half an answer: ",
    ];
    assert_start(&lines, &starts);
}

#[test]
fn an_address_where_nothing_is_is_told_in_one_line() {
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", nobody.local_addr().expect("an address"));
    drop(nobody);
    let ended = smoketest(&url, &[]);
    assert_eq!(ended.stdout, "");
    let line = ended.failed();
    let start = format!("nothing answers at {url}: ");
    assert!(
        line.starts_with(&start) && line.contains("refused"),
        "{line}"
    );

    // A name that does not exist, and a server without TLS.
    let line = smoketest("http://nowhere.invalid", &[]).failed();
    let start = "nothing answers at http://nowhere.invalid: ";
    assert!(line.starts_with(start), "{line}");
    let server = Runserver::in_memory();
    smoketest(&format!("https://{}", server.address()), &[]).failed();
}

#[test]
fn the_address_may_have_a_path_and_the_host_may_be_another() {
    let server = Runserver::in_memory();
    let proxy = Proxy::before(&server, |_, _, answer| answer);
    for end in ["/", "/api/auth", "/api/auth/"] {
        let url = format!("{}{end}", proxy.url());
        passed(smoketest(&url, &["--host", "api.example"]));
    }
    assert_asked(&proxy, "", "api.example");

    let prefixed = Proxy::before(&server, |_, _, answer| answer);
    let url = format!("{}/stage/api/auth/", prefixed.url());
    failures(smoketest(&url, &[]));
    assert_asked(&prefixed, "/stage", &prefixed.address.to_string());
}

/// Asserts that everything was asked below a prefix, and of this host.
fn assert_asked(proxy: &Proxy, prefix: &str, expected: &str) {
    for (line, host) in proxy.requests() {
        let path = line.split(' ').nth(1).expect("a path");
        let path = path.strip_prefix(prefix).expect("the prefix");
        let is_below = |root: &str| {
            let rest = path.strip_prefix(root);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let roots = ["/api/auth", "/api/schema", "/admin", "/.well-known"];
        let is_ours = path == "/" || roots.iter().any(|root| is_below(root));
        assert!(is_ours, "{line}");
        assert_eq!(host, expected);
    }
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

#[tokio::test]
async fn it_changes_nothing() {
    let server = Runserver::in_memory();
    let token = server.admin_token().await;
    let everything = async || {
        let mut everything = Vec::new();
        for path in ["users/", "groups/", "permissions/"] {
            let answer = server.get(&token, path).await;
            everything.push(answer.assert_status(200).body.clone());
        }
        everything
    };
    let before = everything().await;
    passed(smoketest(server.base(), &[]));
    assert_eq!(everything().await, before);
    // No id was taken either.
    assert_eq!(server.register("ann").await.id(), 2);
}

#[test]
fn every_route_of_every_function_is_asked_with_and_without_its_last_slash() {
    let server = Runserver::in_memory();
    let proxy = Proxy::before(&server, |_, _, answer| answer);
    passed(smoketest(&proxy.url(), &[]));
    let requests = proxy.requests();
    let asked = requests.iter().map(|(line, _)| {
        let mut words = line.split(' ').map(|word| word.replace("/0", "/{id}"));
        let method = words.next().expect("a method");
        (words.next().expect("a path"), method)
    });
    let asked = BTreeSet::<Route>::from_iter(asked);
    let routes = routes();
    assert!(routes.len() >= 27, "{routes:?}");
    for (path, method) in routes {
        for path in [path.as_str(), path.trim_end_matches('/')] {
            let route = (path.to_owned(), method.clone());
            assert!(asked.contains(&route), "{method} {path} is not asked");
        }
    }
}
