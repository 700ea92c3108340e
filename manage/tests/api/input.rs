//! Bodies and paths that no front end sends.

use axum::body::Body;
use serde_json::json;

use crate::client::{Api, request, send, user};

const MIB: usize = 1024 * 1024;

#[tokio::test]
async fn a_body_over_one_mebibyte_is_refused_after_the_caller_is_checked() {
    let api = Api::start().await;
    let ann = api.account("ann").await;
    let put = |token: &str, path: &str, size: usize| {
        let request = request("PUT", path, token).header("content-type", "text/plain");
        send(
            &api.router,
            request.body(Body::from(vec![b' '; size])).unwrap(),
        )
    };
    let own = user(ann.id);
    let too_large = json!({"detail": "Request body too large."});
    assert_eq!(
        put(&ann.token, &own, MIB + 1).await.parts(),
        (413, &too_large)
    );
    assert_eq!(put("", &own, MIB + 1).await.status, 401);
    assert_eq!(put(&ann.token, &user(1), MIB + 1).await.status, 403);
    assert_eq!(put(&ann.token, &user(99), MIB + 1).await.status, 404);
    let unsupported = json!({"detail": "Unsupported media type \"text/plain\" in request."});
    assert_eq!(
        put(&ann.token, &own, MIB).await.parts(),
        (415, &unsupported)
    );
}

#[tokio::test]
async fn malformed_json_is_a_parse_error() {
    let api = Api::start().await;
    let deep = "[".repeat(50_000);
    for (body, text) in [
        (
            deep.as_bytes(),
            "maximum recursion depth exceeded while decoding a JSON array from a unicode string",
        ),
        (
            b"{\"username\": \"\xff\"}",
            "'utf-8' codec can't decode byte 0xff in position 14: invalid start byte",
        ),
        (
            b"{\"username\": \"a\nb\"}",
            "Invalid control character at: line 1 column 16 (char 15)",
        ),
        (
            b"{\"username\": 1e5,}",
            "Expecting property name enclosed in double quotes: line 1 column 18 (char 17)",
        ),
    ] {
        let request =
            request("POST", "/api/auth/login/", "").header("content-type", "application/json");
        let answer = send(
            &api.router,
            request.body(Body::from(body.to_vec())).unwrap(),
        )
        .await;
        assert_eq!(
            answer.parts(),
            (
                400,
                &json!({"detail": format!("JSON parse error - {text}")})
            )
        );
    }
}

#[tokio::test]
async fn characters_that_cannot_be_stored_are_field_errors() {
    let api = Api::start().await;
    let body = r#"{"username": "ann", "password": "\ud800\u0000"}"#;
    let request =
        request("POST", "/api/auth/login/", "").header("content-type", "application/json");
    let answer = send(&api.router, request.body(Body::from(body)).unwrap()).await;
    let texts = [
        "Null characters are not allowed.",
        "Surrogate characters are not allowed: U+D800.",
    ];
    assert_eq!(answer.parts(), (400, &json!({ "password": texts })));
}

#[tokio::test]
async fn odd_paths_are_not_found_or_read_as_django_reads_ids() {
    let api = Api::start().await;
    let not_found = json!({"detail": "Not found."});
    for path in [
        "/",
        "/api/auth/",
        "/api/auth//groups/",
        "/api/auth/groups//",
        "/api/auth/users/%2F/",
        "/api/auth/users/%00/",
        "/api/auth/users/%ff/",
        "/api/auth/users/1%2F/",
        "/api/auth/users/1.0/",
        "/api/auth/users/../",
        "/API/AUTH/GROUPS/",
        "/api/auth/users/1/nothing/",
    ] {
        let answer = api.get(path, &api.admin).await;
        assert_eq!(answer.parts(), (404, &not_found), "{path}");
    }
    for path in [
        "/api/auth/users/1",
        "/api/auth/users/%31/",
        "/api/auth/users/%20+01/?x=%ff",
        "/api/auth/users/1?x=/",
    ] {
        assert_eq!(api.get(path, &api.admin).await.id(), 1, "{path}");
    }
}

#[tokio::test]
async fn an_id_of_any_length_in_a_path_is_not_found() {
    let api = Api::start().await;
    let answer = api
        .get(
            &format!("/api/auth/users/{}/", "7".repeat(5000)),
            &api.admin,
        )
        .await;
    assert_eq!(answer.parts(), (404, &json!({"detail": "Not found."})));
}

#[tokio::test]
async fn head_answers_as_get_without_a_body() {
    let api = Api::start().await;
    for (path, status) in [
        ("/api/auth/groups/", 200),
        ("/api/auth/users/99/", 404),
        ("/api/auth/login/", 405),
    ] {
        let request = request("HEAD", path, &api.admin)
            .body(Body::empty())
            .unwrap();
        let answer = send(&api.router, request).await;
        assert_eq!(answer.parts(), (status, &serde_json::Value::Null), "{path}");
    }
}

#[tokio::test]
async fn too_many_fields_in_a_form_are_refused() {
    let api = Api::start().await;
    let body = "a=1&".repeat(1001);
    let answer = api.form("POST", "/api/auth/login/", "", &body).await;
    let text = "The number of GET/POST parameters exceeded settings.DATA_UPLOAD_MAX_NUMBER_FIELDS.";
    assert_eq!(answer.parts(), (400, &json!({ "detail": text })));
}

#[tokio::test]
async fn errors_come_in_the_order_of_the_forms_fields() {
    let api = Api::start().await;
    let body = json!({"username": "admin", "email": "no", "password2": "x"});
    let answer = api.post("/api/auth/users/register/", body).await;
    let shown = concat!(
        r#"{"username":["A user with that username already exists."],"#,
        r#""email":["Enter a valid email address."],"#,
        r#""password":["This field is required."]}"#,
    );
    assert_eq!(
        (answer.status.as_u16(), answer.body.to_string().as_str()),
        (400, shown)
    );
}
