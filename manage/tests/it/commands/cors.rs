//! Cross-origin requests, as browsers make them.

use testkit::{Answer, Client, NOBODY};

use super::process::Runserver;

const FRONT_END: &str = "http://localhost:3000";
const ALLOWED: &str = "access-control-allow-origin";
const EXPOSED: &str = "access-control-expose-headers";

async fn ask(server: &Client, path: &str, origin: &str) -> Answer {
    let request = server.request(NOBODY, "GET", path);
    server.send(request.header("origin", origin), "").await
}

async fn preflight(server: &Client, method: &str, origin: &str) -> Answer {
    let headers = "authorization,content-type";
    let request = server
        .request(NOBODY, "OPTIONS", "users/1/")
        .header("origin", origin)
        .header("access-control-request-method", method)
        .header("access-control-request-headers", headers);
    server.send(request, "").await
}

/// Asserts that a comma-separated header has all of these, in any case.
#[track_caller]
fn assert_has(answer: &Answer, header: &str, wanted: &[&str]) {
    let value = answer.header(header).unwrap_or_default();
    let given = value.to_ascii_lowercase();
    let given: Vec<&str> = given.split(',').map(str::trim).collect();
    for wanted in wanted {
        let has = given.contains(&wanted.to_ascii_lowercase().as_str());
        assert!(has, "{header} without {wanted}: {answer:?}");
    }
}

#[tokio::test]
async fn answers_to_allowed_origins_say_so_errors_too() {
    let server = Runserver::for_origins(&format!("https://app.example.com, {FRONT_END}"));
    for (path, status) in [("users/", 401), ("nowhere/", 404)] {
        for origin in [FRONT_END, "https://app.example.com"] {
            let answer = ask(&server, path, origin).await;
            answer.assert_status(status);
            assert_eq!(answer.header(ALLOWED), Some(origin), "{answer:?}");
            let exposed = ["link", "retry-after", "www-authenticate"];
            assert_has(&answer, EXPOSED, &exposed);
            assert_has(&answer, "vary", &["origin"]);
        }
        let other = ask(&server, path, "http://elsewhere.example").await;
        assert_eq!(other.header(ALLOWED), None);
    }
}

#[tokio::test]
async fn a_preflight_needs_no_credentials() {
    let server = Runserver::for_origins(FRONT_END);
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        let answer = preflight(&server, method, FRONT_END).await;
        answer.assert_status(200);
        assert_eq!(answer.header(ALLOWED), Some(FRONT_END));
        assert_has(&answer, "access-control-allow-methods", &[method]);
        let headers = ["authorization", "content-type"];
        assert_has(&answer, "access-control-allow-headers", &headers);
    }
    let other = preflight(&server, "GET", "http://elsewhere.example").await;
    assert_eq!(other.header(ALLOWED), None);
}

#[tokio::test]
async fn a_preflight_is_logged_like_any_request() {
    let server = Runserver::for_origins(FRONT_END);
    preflight(&server, "PUT", FRONT_END).await;
    let printed = server.stop().succeeded();
    let is_logged = |line: &str| line.contains("OPTIONS") && line.contains("/api/auth/users/1/");
    assert!(printed.lines().any(is_logged), "{printed}");
}

#[tokio::test]
async fn a_star_allows_every_origin() {
    let server = Runserver::for_origins("*");
    let answer = ask(&server, "users/", "http://anywhere.example").await;
    assert_eq!(answer.header(ALLOWED), Some("*"));
}

#[tokio::test]
async fn without_the_setting_no_answer_speaks_of_origins() {
    let server = Runserver::in_memory();
    for answer in [
        ask(&server, "users/", FRONT_END).await,
        preflight(&server, "GET", FRONT_END).await,
    ] {
        answer.assert_status(401);
        for name in [ALLOWED, EXPOSED] {
            assert_eq!(answer.header(name), None, "{answer:?}");
        }
    }
}
