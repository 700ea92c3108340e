//! What `smoketest` finds out about cross-origin requests.

use super::{assert_start, failures, failures_with, passed, smoketest};
use crate::commands::{
    process::Runserver,
    proxy::{with, without},
};

const FRONT_END: &str = "http://localhost:3000";
const OTHER: &str = "https://app.example.com";

#[test]
fn it_passes_where_its_origins_are_the_allowed_ones() {
    let both = Runserver::for_origins(&format!("{OTHER},{FRONT_END}"));
    let origins = ["--origin", FRONT_END, "--origin", OTHER];
    passed(smoketest(both.base(), &origins));
    // An origin that it is not given cannot be found out.
    passed(smoketest(both.base(), &origins[..2]));

    let any = Runserver::for_origins("*");
    passed(smoketest(any.base(), &["--origin", "*"]));
}

#[test]
fn an_origin_that_is_not_allowed_or_should_not_be_is_named() {
    let front_end = Runserver::for_origins(FRONT_END);
    for origin in [OTHER, "*"] {
        let lines = failures(smoketest(front_end.base(), &["--origin", origin]));
        assert_eq!(lines.len(), 8, "{lines:?}");
        for line in lines {
            let why = ": no header Access-Control-Allow-Origin";
            assert!(
                line.contains(" from https://") && line.ends_with(why),
                "{line}"
            );
        }
    }

    let any = Runserver::for_origins("*");
    for options in [&[][..], &["--origin", FRONT_END]] {
        let lines = failures(smoketest(any.base(), options));
        assert_eq!(lines.len(), 8, "{lines:?}");
        for line in lines {
            let told = " from https://smoketest.invalid: Access-Control-Allow-Origin is *, \
                        which should not be allowed";
            assert!(line.ends_with(told), "{line}");
        }
    }

    let server = Runserver::in_memory();
    let allowed = "Access-Control-Allow-Origin: https://smoketest.invalid";
    let lines = failures_with(&server, &[], |_, path, answer| match path {
        "/api/auth/groups/" => with(&answer, allowed),
        _ => answer,
    });
    let starts = [
        "OPTIONS /api/auth/groups/ from ",
        "GET /api/auth/groups/ from ",
    ];
    assert_start(&lines, &starts);
}

#[test]
fn a_preflight_that_lacks_a_method_and_answers_that_expose_too_little_are_named() {
    let server = Runserver::for_origins(FRONT_END);
    let replaced = |answer: String, name: &str, value: &str| {
        with(&without(&answer, name), &format!("{name}: {value}"))
    };
    let origin = ["--origin", FRONT_END];
    let lines = failures_with(&server, &origin, move |method, path, answer| {
        match (method, path) {
            ("OPTIONS", "/api/auth/users/register/") => answer.replace("PATCH,", ""),
            ("GET", "/api/auth/users/register/") => {
                replaced(answer, "Access-Control-Expose-Headers", "Link, Retry-After")
            }
            // A star stands for every method, and for every header but Authorization.
            ("OPTIONS", "/api/auth/login/") => {
                replaced(answer, "Access-Control-Allow-Methods", "*")
            }
            ("OPTIONS", "/api/auth/groups/") => {
                replaced(answer, "Access-Control-Allow-Headers", "*")
            }
            _ => answer,
        }
    });
    let expected = [
        (
            "OPTIONS",
            "users/register",
            "access-control-allow-methods lacks PATCH",
        ),
        (
            "GET",
            "users/register",
            "access-control-expose-headers lacks www-authenticate",
        ),
        (
            "OPTIONS",
            "groups",
            "access-control-allow-headers lacks authorization",
        ),
    ];
    let expected = expected
        .map(|(method, path, why)| format!("{method} /api/auth/{path}/ from {FRONT_END}: {why}"));
    assert_eq!(lines, expected);
}
