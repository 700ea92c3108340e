//! Bodies and paths that no front end sends.

use serde_json::json;

use super::client::{Api, request, user};

const MIB: usize = 1024 * 1024;

#[tokio::test]
async fn a_body_over_one_mebibyte_is_refused_after_the_caller_is_checked() {
    let api = Api::start().await;
    let ann = api.account("ann").await;
    let put = |token: &str, path: &str, size: usize| {
        let request = request("PUT", path, token).header("content-type", "text/plain");
        api.send(request, vec![b' '; size])
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
        let answer = api.send(request, body.to_vec()).await;
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
    let answer = api.send(request, body).await;
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
        let answer = api.send(request("HEAD", path, &api.admin), "").await;
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

/// A login body of exactly that many bytes, right but for its password.
fn login_of(size: usize) -> String {
    let start = r#"{"username": "admin", "password": ""#;
    format!("{start}{}\"}}", "x".repeat(size - start.len() - 2))
}

#[tokio::test]
async fn a_body_of_exactly_one_mebibyte_is_read_and_one_byte_more_is_not() {
    let api = Api::start().await;
    let send = |body: String| {
        let request = request("POST", "/api/auth/login/", "");
        api.send(request.header("content-type", "application/json"), body)
    };
    let refused = json!({"detail": "No active account found with the given credentials"});
    assert_eq!(send(login_of(MIB)).await.parts(), (401, &refused));
    let too_large = json!({"detail": "Request body too large."});
    assert_eq!(send(login_of(MIB + 1)).await.parts(), (413, &too_large));
}

#[tokio::test]
async fn a_body_that_does_not_say_its_length_is_no_longer_for_it() {
    let api = Api::start().await;
    let chunked = |body: String| {
        let head = "POST /api/auth/login/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
                    Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
        format!("{head}{:x}\r\n{body}\r\n0\r\n\r\n", body.len()).into_bytes()
    };
    let answer = api.raw(&chunked(login_of(MIB))).await;
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    let answer = api.raw(&chunked(login_of(MIB + 1))).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(
        answer.ends_with("\r\n\r\n{\"detail\":\"Request body too large.\"}"),
        "{answer}"
    );
}

#[tokio::test]
async fn nothing_follows_the_headers_of_an_answer_to_head() {
    let api = Api::start().await;
    for (path, status) in [
        ("/api/auth/groups/", "200 OK"),
        ("/api/auth/users/99/", "404 Not Found"),
        ("/api/auth/login/", "405 Method Not Allowed"),
        ("/nowhere", "404 Not Found"),
    ] {
        let token = &api.admin;
        let request = format!(
            "HEAD {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
             Authorization: Bearer {token}\r\n\r\n"
        );
        let answer = api.raw(request.as_bytes()).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}\r\n")),
            "{answer}"
        );
        assert!(answer.ends_with("\r\n\r\n"), "{answer}");
    }
}

#[tokio::test]
async fn of_a_repeated_key_the_last_counts_and_numbers_of_any_size_are_texts() {
    let api = Api::start().await;
    let missing = json!({"password": ["This field is required."]});
    let refused = json!({"detail": "No active account found with the given credentials"});
    let password = super::support::ADMIN_PASSWORD;
    let twice = format!(r#"{{"username": [], "username": "admin", "password": "{password}"}}"#);
    let digits = "7".repeat(4000);
    let long = format!(r#"{{"username": {digits}, "password": -{digits}}}"#);
    let nan = "JSON parse error - Out of range float values are not JSON compliant: 'NaN'";
    for (body, status, expected) in [
        (r#"{"username": "a", "username": "b"}"#, 400, missing),
        (
            r#"{"username": 1e400, "password": 1}"#,
            401,
            refused.clone(),
        ),
        (&long, 401, refused),
        (r#"{"username": NaN}"#, 400, json!({ "detail": nan })),
    ] {
        let request = request("POST", "/api/auth/login/", "");
        let request = request.header("content-type", "application/json");
        let answer = api.send(request, body.to_owned()).await;
        assert_eq!(answer.parts(), (status, &expected), "{body:.80}");
    }
    let login = request("POST", "/api/auth/login", "").header("content-type", "application/json");
    assert_eq!(api.send(login, twice).await.status, 200);
}

#[tokio::test]
async fn bytes_that_are_no_text_get_an_answer_in_forms_too() {
    let api = Api::start().await;
    let multipart = "multipart/form-data; boundary=b";
    let part =
        b"--b\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\n\xff\0\r\n--b--\r\n";
    let null = json!({
        "username": ["Null characters are not allowed."],
        "password": ["This field is required."],
    });
    let form = "application/x-www-form-urlencoded";
    for (kind, body) in [
        (form, b"username=%FF%00".to_vec()),
        (multipart, part.to_vec()),
    ] {
        let request = request("POST", "/api/auth/login/", "").header("content-type", kind);
        let answer = api.send(request, body).await;
        assert_eq!(answer.parts(), (400, &null), "{kind}");
    }
}

#[tokio::test]
async fn a_path_without_its_slash_takes_any_method_and_keeps_its_query() {
    let api = Api::start().await;
    let group = json!({"name": "editors"});
    let made = api
        .json("POST", "/api/auth/groups", &api.admin, group)
        .await;
    assert_eq!(made.status, 201);
    let path = format!("/api/auth/groups/{}", made.id());
    let change = json!({"name": "writers"});
    let answer = api.json("PATCH", &path, &api.admin, change).await;
    let shown = json!({"id": made.id(), "name": "writers", "permissions": []});
    assert_eq!(answer.parts(), (200, &shown));
    let found = api.get("/api/auth/users?search=adm", &api.admin).await;
    assert_eq!(found.body[0]["username"], "admin");
    let answer = api.delete(&format!("{path}?x=1"), &api.admin).await;
    assert_eq!(answer.parts(), (204, &serde_json::Value::Null));
}
