use axum::http::header::{HeaderMap, HeaderName, HeaderValue};

use super::*;

const JSON: (&str, &str) = ("content-type", "application/json");

fn response(status: u16, headers: &[(&'static str, &'static str)], text: String) -> Answer {
    let headers = headers.iter().map(|&(name, value)| {
        (
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        )
    });
    Answer::new(status, HeaderMap::from_iter(headers), text)
}

fn normaliser() -> Normaliser {
    let mut normaliser = Normaliser::new("a1b2c3d4", 123_456_789_012_345);
    normaliser.bind(Kind::User, 7, "ann");
    normaliser
}

fn body(normaliser: &mut Normaliser, path: &str, body: &Value) -> Value {
    let response = response(200, &[JSON], body.to_string());
    normaliser.answer("GET", path, &response)["body"].take()
}

#[test]
fn an_id_has_one_symbol_for_as_long_as_it_stays_the_same() {
    let mut normaliser = normaliser();
    let user = |id: u64| json!({"id": id, "groups": [{"id": 7}, {"id": 9}], "age": 7});
    assert_eq!(
        body(&mut normaliser, "/users/7/", &user(7)),
        json!({"id": "<user:ann>", "groups": [{"id": "<group#1>"}, {"id": "<group#2>"}], "age": 7})
    );
    assert_eq!(
        body(&mut normaliser, "/users/8/", &user(8))["id"],
        "<user#1>"
    );
    assert_eq!(
        body(&mut normaliser, "/groups/9/", &json!({"id": 9})),
        json!({"id": "<group#2>"})
    );
    assert_eq!(
        body(&mut normaliser, "/groups/9/", &json!({"id": "9"})),
        json!({"id": "9"})
    );
    assert_eq!(
        body(
            &mut normaliser,
            "/users/7/assign_groups/",
            &json!({"group_ids": ["Invalid pk \"9\" - no.", "Invalid pk \"5\" - no."]})
        ),
        json!({"group_ids": ["Invalid pk \"<group#2>\" - no.", "Invalid pk \"5\" - no."]})
    );
}

#[test]
fn a_list_is_cut_down_to_what_this_run_made() {
    let list = json!([
        {"id": 1, "name": "other"},
        {"id": 3, "name": "Z_A1B2C3D4"},
        {"id": 2, "name": "a_a1b2c3d4 123456789012345"},
    ]);
    assert_eq!(
        body(&mut normaliser(), "/groups/", &list),
        json!({"$mine": [
            {"id": "<group#1>", "name": "Z_${RUN}"},
            {"id": "<group#2>", "name": "a_${run} ${runint}"},
        ]})
    );
    assert_eq!(
        body(&mut normaliser(), "/groups/", &json!([1, "a"])),
        json!([1, "a"])
    );
}

#[test]
fn a_token_is_its_claims_names_and_types() {
    let claims =
        json!({"token_type": "access", "exp": 400, "iat": 100, "jti": "x", "user_id": "7"});
    let claims = claims.as_object().expect("an object was written");
    let token = token::sign(claims, "key", "HS256", &Map::new()).expect("HS256 is known");
    assert_eq!(
        body(
            &mut normaliser(),
            "/login/",
            &json!({"access": token, "at": "2026-01-01T00:00:00Z"})
        ),
        json!({
            "access": {
                "$jwt": {
                    "token_type": "access", "exp": "integer", "iat": "integer", "jti": "string",
                    "user_id": "string <user:ann>",
                },
                "$lifetime": 300,
            },
            "at": "<timestamp>",
        })
    );
}

#[test]
fn headers_are_kept_where_they_mean_something() {
    let headers = [
        JSON,
        ("www-authenticate", "Bearer"),
        ("allow", "GET, PUT"),
        ("location", "http://host/users/7/?next=/a1b2c3d4"),
    ];
    let answer =
        |status| normaliser().answer("GET", "/", &response(status, &headers, "{}".to_owned()));
    assert_eq!(answer(401)["www_authenticate"], "Bearer");
    assert_eq!(answer(405)["allow"], "GET, PUT");
    assert_eq!(answer(301)["location"], "/users/<user:ann>/?next=/${run}");
    assert_eq!(
        answer(200),
        json!({"status": 200, "content_type": "application/json", "body": {}})
    );
}

#[test]
fn a_body_that_is_no_json_is_told_from_none() {
    let html = [("content-type", "text/html; charset=utf-8")];
    let page = response(404, &html, "{}".to_owned());
    let answer = normaliser().answer("GET", "/", &page);
    assert_eq!(answer["body"], json!({"$not_json": "text/html"}));
    let page = response(404, &html, String::new());
    let answer = normaliser().answer("GET", "/", &page);
    assert_eq!(answer["body"], json!({"$empty": true}));
    assert_eq!(answer["content_type"], Value::Null);
    let answer = normaliser().answer("HEAD", "/", &page);
    assert_eq!(answer["content_type"], "text/html");
}
