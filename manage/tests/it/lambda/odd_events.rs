//! Events that a client can cause, or that are made by hand, and that must not end the
//! process.

use manage::functions;
use serde_json::{Value, json};
use shared::jwt::TokenType;
use testkit::{
    Server, detail,
    events::{event, invoke, invoke_with_any},
    not_found, unauthenticated,
};

#[tokio::test]
async fn a_path_arrives_decoded_and_every_character_stands_for_itself() {
    let server = Server::start().await;
    for path in [
        "/api/auth/users/?x/",
        "/api/auth/users/#x/",
        "/api/auth/users/%/",
        "/api/auth/users/ a\u{e9}\u{1f600}\\\"<>^`{|}/x/",
        "/api/auth/nothing\u{0}\n/",
        "",
        "no-slash",
    ] {
        let event = event("GET", path, None, &Value::Null);
        let answer = invoke("auth", &server.app, &event).await;
        assert_eq!(answer.parts(), (404, &not_found()), "{path:?}");
    }
    // `%37` was `%2537` in the request line, so it is no 7.
    let token = server.issue(TokenType::Access, &server.admin);
    for (path, status) in [("1", 200), ("%31", 404), ("\u{661}", 200), (" 1 ", 200)] {
        let path = format!("/api/auth/users/{path}/");
        let event = event("GET", &path, Some(&token), &Value::Null);
        let answer = invoke("users", &server.app, &event).await;
        assert_eq!(answer.status, status, "{path}");
    }
}

#[tokio::test]
async fn a_query_with_any_characters_is_read() {
    let server = Server::start().await;
    for query in [
        "search=a b\u{e9}#<>\"`|^{}\\",
        "%%%",
        "cursor=\u{0}\r\n",
        "&&=&",
    ] {
        let mut event = event("GET", "/api/auth/users/", None, &Value::Null);
        event["rawQueryString"] = query.into();
        let answer = invoke("users", &server.app, &event).await;
        assert_eq!(answer.parts(), (401, &unauthenticated()), "{query:?}");
    }
}

#[tokio::test]
async fn a_host_or_a_scheme_that_is_none_is_left_out() {
    let server = Server::start().await;
    for (name, value) in [
        ("host", ""),
        ("host", "a b"),
        ("host", "x:99999"),
        ("host", "[::1"),
        ("host", "a/b?c"),
        ("host", "a#b"),
        ("host", "a\\b"),
        ("host", "a\"b"),
        ("host", "a{b}"),
        ("host", "a`b"),
        ("host", "a%b"),
        ("host", "user:password@"),
        ("host", "user@a%b"),
        ("host", "::"),
        ("host", "https://example.com"),
        ("host", "\u{e9}.example\u{ff}"),
        ("x-forwarded-proto", "no scheme"),
        ("x-forwarded-proto", ""),
    ] {
        let mut event = event("GET", "/api/auth/groups/", None, &Value::Null);
        event["headers"][name] = value.into();
        event["requestContext"]["domainName"] = value.into();
        let answer = invoke("groups", &server.app, &event).await;
        let refused = unauthenticated();
        assert_eq!(answer.parts(), (401, &refused), "{name}: {value:?}");
    }
}

#[tokio::test]
async fn an_event_that_holds_no_request_is_a_malformed_one_to_every_function() {
    let server = Server::start().await;
    let usual = || event("POST", "/api/auth/login/", None, &json!({}));
    let with = |pointer: &str, value: Value| {
        let mut event = usual();
        *event.pointer_mut(pointer).expect("a part") = value;
        event
    };
    let long = "x".repeat(70_000);
    for (function, _) in functions() {
        for event in [
            json!(null),
            json!(7),
            json!([]),
            json!({}),
            with("/requestContext", json!(null)),
            with("/requestContext/http", json!({"method": 7})),
            with("/requestContext/http/method", json!("G T")),
            with("/headers", json!([7])),
            with("/headers", json!({"a b": "c"})),
            with("/headers", json!({"a": "b\r\nc: d"})),
            with("/headers", json!({"host": {"a": "b"}})),
            with("/body", json!({})),
            with("/rawPath", json!(format!("/{long}/"))),
            with("/rawPath", json!(format!("/{}/", "\u{1f600}".repeat(6000)))),
            with("/rawQueryString", json!(long)),
            with("/rawQueryString", json!("\u{e9}".repeat(11_000))),
        ] {
            let answer = invoke_with_any(function, &server.app, &event).await;
            assert_eq!(answer.parts(), (400, &detail("Malformed request.")));
            assert_eq!(answer.header("cache-control"), Some("no-store"));
        }
    }
}

#[tokio::test]
async fn a_stage_that_is_no_part_of_a_path_is_left_out() {
    let server = Server::start().await;
    for stage in ["", "a b", "//", "x?y", "#", "prod"] {
        let mut event = event("GET", "/api/auth/groups/", None, &Value::Null);
        event["requestContext"]["stage"] = stage.into();
        let answer = invoke("groups", &server.app, &event).await;
        assert_eq!(answer.parts(), (401, &unauthenticated()), "{stage:?}");
    }
}

#[tokio::test]
async fn a_body_in_base64_is_decoded_and_one_that_is_none_is_taken_as_it_is() {
    let server = Server::start().await;
    let mut event = event("POST", "/api/auth/login/", None, &Value::Null);
    event["isBase64Encoded"] = true.into();
    event["body"] = "e30=".into();
    let required = "This field is required.";
    let answer = invoke("auth", &server.app, &event).await;
    answer.assert(400, json!({"username": [required], "password": [required]}));
    event["body"] = "{!}".into();
    let answer = invoke("auth", &server.app, &event).await;
    let text = "JSON parse error - Expecting property name enclosed in double quotes: \
                line 1 column 2 (char 1)";
    answer.assert(400, detail(text));
}

#[tokio::test]
async fn a_text_that_was_not_utf_8_is_refused_and_a_replacement_character_is_not() {
    let server = Server::start().await;
    let replaced = "{\"username\": \"a\u{fffd}\u{fffd}\"}";
    let mut event = event("POST", "/api/auth/login/", None, &Value::Null);
    event["body"] = replaced.into();
    event["headers"]["content-length"] = replaced.len().to_string().into();
    let answer = invoke("auth", &server.app, &event).await;
    answer.assert(400, json!({"password": ["This field is required."]}));
    // Two bytes were sent where six are now.
    event["headers"]["content-length"] = (replaced.len() - 4).to_string().into();
    let answer = invoke("auth", &server.app, &event).await;
    let text = "JSON parse error - 'utf-8' codec can't decode byte 0xff in position 15: \
                invalid start byte";
    answer.assert(400, detail(text));
}

#[tokio::test]
async fn a_body_cut_inside_a_character_is_answered_as_outside_the_gateway() {
    let server = Server::start().await;
    let whole = "{\"username\": \"a";
    let text = "JSON parse error - Unterminated string starting at: line 1 column 14 (char 13)";
    // One to three bytes of a character, for which the gateway has one or more replacements.
    for (lost, replaced) in [(1, 1), (2, 1), (2, 2), (3, 2), (3, 3)] {
        let mut event = event("POST", "/api/auth/login/", None, &Value::Null);
        event["body"] = format!("{whole}{}", "\u{fffd}".repeat(replaced)).into();
        event["headers"]["content-length"] = (whole.len() + lost).to_string().into();
        let answer = invoke("auth", &server.app, &event).await;
        assert_eq!(answer.parts(), (400, &detail(text)), "{lost} {replaced}");
    }
}

#[tokio::test]
async fn a_text_in_another_charset_that_the_gateway_has_spoilt_is_refused() {
    let server = Server::start().await;
    let mut event = event("POST", "/api/auth/login/", None, &Value::Null);
    event["headers"]["content-type"] = "application/json; charset=latin-1".into();
    event["headers"]["content-length"] = "32".into();
    event["body"] = "{\"username\": \"\u{fffd}\", \"password\": 1}".into();
    let answer = invoke("auth", &server.app, &event).await;
    let text = "JSON parse error - 'utf-8' codec can't decode byte 0xff in position 14: \
                invalid start byte";
    answer.assert(400, detail(text));
}

#[tokio::test]
async fn every_answer_has_the_headers_that_all_have() {
    let server = Server::start().await;
    for (function, path, status) in [
        ("auth", "/api/auth/login/", 405),
        ("users", "/api/auth/users", 401),
        ("groups", "/api/auth/groups/x/y/z/", 404),
    ] {
        let event = event("GET", path, None, &Value::Null);
        let answer = invoke(function, &server.app, &event).await;
        answer.assert_status(status);
        for (name, value) in [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("strict-transport-security", "max-age=63072000"),
            ("content-type", "application/json"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{path}");
        }
    }
}

#[tokio::test]
async fn a_redirect_to_the_path_with_its_slash_names_no_host() {
    let server = Server::start().await;
    let event = event("POST", "/api/auth/users/set_password?a=b", None, &json!({}));
    let answer = invoke("users", &server.app, &event).await;
    assert_eq!(answer.status, 301);
    assert_eq!(answer.location(), "/api/auth/users/set_password/?a=b");
}
