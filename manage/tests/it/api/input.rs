//! Bodies and paths that no front end sends.

use serde_json::{Value, json};
use shared::{domain::User, jwt::TokenType};
use testkit::{Answer, NOBODY, PASSWORD, Server, detail, not_found, user_path};

const MIB: usize = 1024 * 1024;

/// The answer to a login with a body of that media type.
async fn login(server: &Server, kind: &str, body: impl Into<Vec<u8>>) -> Answer {
    let answer = server.send_as(kind, NOBODY, "POST", "login/", body.into());
    answer.await
}

fn refused() -> Value {
    detail("No active account found with the given credentials")
}

fn too_large() -> Value {
    detail("Request body too large.")
}

#[tokio::test]
async fn a_body_over_one_mebibyte_is_refused_after_the_caller_is_checked() {
    let server = Server::start().await;
    let ann = server.user("ann").await;
    let put = async |who: Option<&User>, path: &str, size: usize| {
        let body = vec![b' '; size];
        server.send_as("text/plain", who, "PUT", path, body).await
    };
    let own = user_path(ann.id);
    put(Some(&ann), &own, MIB + 1)
        .await
        .assert(413, too_large());
    put(None, &own, MIB + 1).await.assert_status(401);
    put(Some(&ann), "users/1/", MIB + 1)
        .await
        .assert_status(403);
    put(Some(&ann), "users/99/", MIB + 1)
        .await
        .assert_status(404);
    let unsupported = detail("Unsupported media type \"text/plain\" in request.");
    put(Some(&ann), &own, MIB).await.assert(415, unsupported);
}

#[tokio::test]
async fn malformed_json_is_a_parse_error() {
    let server = Server::start().await;
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
        (
            b"{\"username\": NaN}",
            "Out of range float values are not JSON compliant: 'NaN'",
        ),
    ] {
        let answer = login(&server, "application/json", body).await;
        answer.assert(400, detail(&format!("JSON parse error - {text}")));
    }
}

#[tokio::test]
async fn characters_that_cannot_be_stored_are_field_errors() {
    let server = Server::start().await;
    let body = r#"{"username": "ann", "password": "\ud800\u0000"}"#;
    let answer = login(&server, "application/json", body).await;
    let texts = [
        "Null characters are not allowed.",
        "Surrogate characters are not allowed: U+D800.",
    ];
    answer.assert(400, json!({ "password": texts }));
}

#[tokio::test]
async fn odd_paths_are_not_found_or_read_as_django_reads_ids() {
    let server = Server::start().await;
    for path in [
        "/",
        "/api/auth/",
        "/api/auth//groups/",
        "groups//",
        "users/%2F/",
        "users/%00/",
        "users/%ff/",
        "users/1%2F/",
        "users/1.0/",
        "users/../",
        "/API/AUTH/GROUPS/",
        "users/1/nothing/",
    ] {
        let answer = server.get(&server.admin, path).await;
        assert_eq!(answer.parts(), (404, &not_found()), "{path}");
    }
    for path in [
        "users/1",
        "users/%31/",
        "users/%20+01/?x=%ff",
        "users/1?x=/",
    ] {
        assert_eq!(server.get(&server.admin, path).await.id(), 1, "{path}");
    }
}

#[tokio::test]
async fn an_id_of_any_length_in_a_path_is_not_found() {
    let server = Server::start().await;
    let path = format!("users/{}/", "7".repeat(5000));
    let answer = server.get(&server.admin, &path).await;
    answer.assert(404, not_found());
}

#[tokio::test]
async fn head_answers_as_get_without_a_body() {
    let server = Server::start().await;
    for (path, status) in [("groups/", 200), ("users/99/", 404), ("login/", 405)] {
        let answer = server.ask(&server.admin, "HEAD", path, Value::Null).await;
        assert_eq!(answer.parts(), (status, &Value::Null), "{path}");
    }
}

#[tokio::test]
async fn too_many_fields_in_a_form_are_refused() {
    let server = Server::start().await;
    let body = "a=1&".repeat(1001);
    let answer = server.form(NOBODY, "POST", "login/", &body).await;
    let text = "The number of GET/POST parameters exceeded settings.DATA_UPLOAD_MAX_NUMBER_FIELDS.";
    answer.assert(400, detail(text));
}

#[tokio::test]
async fn errors_come_in_the_order_of_the_forms_fields() {
    let server = Server::start().await;
    let body = json!({"username": "admin", "email": "no", "password2": "x"});
    let answer = server.post(NOBODY, "users/register/", body).await;
    let shown = concat!(
        r#"{"username":["A user with that username already exists."],"#,
        r#""email":["Enter a valid email address."],"#,
        r#""password":["This field is required."]}"#,
    );
    let seen = answer.body.to_string();
    assert_eq!((answer.status, seen.as_str()), (400, shown));
}

/// A login body of exactly that many bytes, right but for its password.
fn login_of(size: usize) -> String {
    let start = r#"{"username": "admin", "password": ""#;
    format!("{start}{}\"}}", "x".repeat(size - start.len() - 2))
}

#[tokio::test]
async fn a_body_of_exactly_one_mebibyte_is_read_and_one_byte_more_is_not() {
    let server = Server::start().await;
    let answer = login(&server, "application/json", login_of(MIB)).await;
    answer.assert(401, refused());
    let answer = login(&server, "application/json", login_of(MIB + 1)).await;
    answer.assert(413, too_large());
}

#[tokio::test]
async fn a_body_that_does_not_say_its_length_is_no_longer_for_it() {
    let server = Server::start().await;
    let chunked = |body: String| {
        let head = "POST /api/auth/login/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
                    Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
        format!("{head}{:x}\r\n{body}\r\n0\r\n\r\n", body.len()).into_bytes()
    };
    let answer = server.raw(&chunked(login_of(MIB))).await;
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    let answer = server.raw(&chunked(login_of(MIB + 1))).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    let body = "\r\n\r\n{\"detail\":\"Request body too large.\"}";
    assert!(answer.ends_with(body), "{answer}");
}

#[tokio::test]
async fn nothing_follows_the_headers_of_an_answer_to_head() {
    let server = Server::start().await;
    let token = server.issue(TokenType::Access, &server.admin);
    for (path, status) in [
        ("/api/auth/groups/", "200 OK"),
        ("/api/auth/users/99/", "404 Not Found"),
        ("/api/auth/login/", "405 Method Not Allowed"),
        ("/nowhere", "404 Not Found"),
    ] {
        let request = format!(
            "HEAD {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
             Authorization: Bearer {token}\r\n\r\n"
        );
        let answer = server.raw(request.as_bytes()).await;
        let start = format!("HTTP/1.1 {status}\r\n");
        assert!(answer.starts_with(&start), "{answer}");
        assert!(answer.ends_with("\r\n\r\n"), "{answer}");
    }
}

#[tokio::test]
async fn of_a_repeated_key_the_last_counts_and_numbers_of_any_size_are_texts() {
    let server = Server::start().await;
    let missing = json!({"password": ["This field is required."]});
    let digits = "7".repeat(4000);
    let long = format!(r#"{{"username": {digits}, "password": -{digits}}}"#);
    for (body, status, expected) in [
        (r#"{"username": "a", "username": "b"}"#, 400, missing),
        (r#"{"username": 1e400, "password": 1}"#, 401, refused()),
        (&long, 401, refused()),
    ] {
        let answer = login(&server, "application/json", body).await;
        assert_eq!(answer.parts(), (status, &expected), "{body:.80}");
    }
    let twice = format!(r#"{{"username": [], "username": "admin", "password": "{PASSWORD}"}}"#);
    let answer = login(&server, "application/json", twice).await;
    answer.assert_status(200);
}

#[tokio::test]
async fn bytes_that_are_no_text_get_an_answer_in_forms_too() {
    let server = Server::start().await;
    let part =
        b"--b\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\n\xff\0\r\n--b--\r\n";
    let null = json!({
        "username": ["Null characters are not allowed."],
        "password": ["This field is required."],
    });
    for (kind, body) in [
        ("application/x-www-form-urlencoded", &b"username=%FF%00"[..]),
        ("multipart/form-data; boundary=b", part),
    ] {
        let answer = login(&server, kind, body).await;
        assert_eq!(answer.parts(), (400, &null), "{kind}");
    }
}

#[tokio::test]
async fn a_path_without_its_slash_takes_any_method_and_keeps_its_query() {
    let server = Server::start().await;
    let group = json!({"name": "editors"});
    let made = server.post(&server.admin, "groups", group).await;
    made.assert_status(201);
    let path = format!("groups/{}", made.id());
    let change = json!({"name": "writers"});
    let answer = server.patch(&server.admin, &path, change).await;
    let shown = json!({"id": made.id(), "name": "writers", "permissions": []});
    answer.assert(200, &shown);
    let found = server.get(&server.admin, "users?search=adm").await;
    assert_eq!(found.body[0]["username"], "admin");
    let path = format!("{path}?x=1");
    let answer = server.delete(&server.admin, &path).await;
    answer.assert(204, Value::Null);
}
