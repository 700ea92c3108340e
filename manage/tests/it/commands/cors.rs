//! Cross-origin requests, as browsers make them.

use super::{
    api::Answer,
    process::{Runserver, manage},
};

const FRONT_END: &str = "http://localhost:3000";

fn server(origins: &str) -> Runserver {
    Runserver::from(manage(&["runserver", "--memory"]).env("CORS_ALLOWED_ORIGINS", origins))
}

fn ask(server: &Runserver, path: &str, origin: &str) -> Answer {
    server
        .api
        .send("GET", path, &[("Origin", origin)], None)
        .expect("an answer")
}

fn preflight(server: &Runserver, method: &str, origin: &str) -> Answer {
    let headers = [
        ("Origin", origin),
        ("Access-Control-Request-Method", method),
        (
            "Access-Control-Request-Headers",
            "authorization,content-type",
        ),
    ];
    server
        .api
        .send("OPTIONS", "users/1/", &headers, None)
        .expect("an answer")
}

/// Whether a comma-separated header has all of these, in any case.
fn has(answer: &Answer, header: &str, wanted: &[&str]) -> bool {
    let value = answer
        .header(header)
        .unwrap_or_default()
        .to_ascii_lowercase();
    let given: Vec<&str> = value.split(',').map(str::trim).collect();
    wanted
        .iter()
        .all(|wanted| given.contains(&wanted.to_ascii_lowercase().as_str()))
}

#[test]
fn answers_to_allowed_origins_say_so_errors_too() {
    let server = server(&format!("https://app.example.com, {FRONT_END}"));
    for (path, status) in [("users/", 401), ("nowhere/", 404)] {
        for origin in [FRONT_END, "https://app.example.com"] {
            let answer = ask(&server, path, origin);
            assert_eq!(answer.status, status);
            assert_eq!(
                answer.header("access-control-allow-origin"),
                Some(origin),
                "{answer:?}"
            );
            let exposed = ["link", "retry-after", "www-authenticate"];
            assert!(
                has(&answer, "access-control-expose-headers", &exposed),
                "{answer:?}"
            );
            assert!(has(&answer, "vary", &["origin"]), "{answer:?}");
        }
        let other = ask(&server, path, "http://elsewhere.example");
        assert_eq!(other.header("access-control-allow-origin"), None);
    }
}

#[test]
fn a_preflight_needs_no_credentials() {
    let server = server(FRONT_END);
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        let answer = preflight(&server, method, FRONT_END);
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(
            answer.header("access-control-allow-origin"),
            Some(FRONT_END)
        );
        assert!(
            has(&answer, "access-control-allow-methods", &[method]),
            "{answer:?}"
        );
        let headers = ["authorization", "content-type"];
        assert!(
            has(&answer, "access-control-allow-headers", &headers),
            "{answer:?}"
        );
    }
    let other = preflight(&server, "GET", "http://elsewhere.example");
    assert_eq!(other.header("access-control-allow-origin"), None);
}

#[test]
fn a_preflight_is_logged_like_any_request() {
    let server = server(FRONT_END);
    preflight(&server, "PUT", FRONT_END);
    let printed = server.stop().succeeded();
    assert!(
        printed
            .lines()
            .any(|line| line.contains("OPTIONS") && line.contains("/api/auth/users/1/")),
        "{printed}"
    );
}

#[test]
fn a_star_allows_every_origin() {
    let answer = ask(&server("*"), "users/", "http://anywhere.example");
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
}

#[test]
fn without_the_setting_no_answer_speaks_of_origins() {
    let server = Runserver::in_memory();
    for answer in [
        ask(&server, "users/", FRONT_END),
        preflight(&server, "GET", FRONT_END),
    ] {
        assert_eq!(answer.status, 401, "{answer:?}");
        for name in [
            "access-control-allow-origin",
            "access-control-expose-headers",
        ] {
            assert_eq!(answer.header(name), None, "{answer:?}");
        }
    }
}
