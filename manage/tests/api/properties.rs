//! Whatever is sent, the answer is no 5xx, has DRF's shape, and leaves the table consistent.

use axum::{body::Body, http::Request};
use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::Value;

use crate::client::{Answer, Api, send};

const FIELDS: [&str; 16] = [
    "username",
    "email",
    "password",
    "password2",
    "first_name",
    "last_name",
    "refresh",
    "token",
    "name",
    "codename",
    "content_type",
    "permissions",
    "group_ids",
    "permission_ids",
    "group_id",
    "is_active",
];

/// Everything of one request; `caller` is nobody, a user, the admin, or any bytes.
#[derive(Clone, Debug)]
struct Sent {
    method: &'static str,
    path: String,
    caller: Caller,
    content_type: Vec<u8>,
    body: Vec<u8>,
}

#[derive(Clone, Debug)]
enum Caller {
    Nobody,
    User,
    Admin,
    Bytes(Vec<u8>),
}

fn header_bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop_oneof![32..127_u8, 128..=255_u8, Just(b'\t')], 0..40)
}

fn segment() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => (0..6_u64).prop_map(|id| id.to_string()),
        1 => prop::collection::vec(any::<u8>(), 1..8)
            .prop_map(|bytes| bytes.iter().map(|byte| format!("%{byte:02X}")).collect()),
        1 => "[a-z0-9._~+-]{1,12}",
        1 => Just("99999999999999999999999".to_owned()),
    ]
}

fn path() -> impl Strategy<Value = String> {
    let route = prop_oneof![
        Just("login/"),
        Just("token/refresh/"),
        Just("token/verify/"),
        Just("token/blacklist/"),
        Just("users/register/"),
        Just("users/"),
        Just("users/{}/"),
        Just("users/{}/assign_groups/"),
        Just("groups/"),
        Just("groups/{}/"),
        Just("groups/{}/assign_permissions/"),
        Just("groups/{}/remove_permissions/"),
        Just("permissions/"),
        Just("permissions/{}/"),
        Just("permissions/{}/assign_to_group/"),
        Just("permissions/{}/remove_from_group/"),
        Just("{}/{}"),
    ];
    let query = prop_oneof![3 => Just(String::new()), 1 => "[?][a-z_]{1,9}=[a-zA-Z0-9%+_-]{0,20}",
        1 => "[?](cursor|search|page_size)=[a-zA-Z0-9_-]{0,20}"];
    (route, segment(), query).prop_map(|(route, segment, query)| {
        format!("/api/auth/{}{query}", route.replace("{}", &segment))
    })
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0..8_i64).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[a-z@.+_-]{0,20}".prop_map(Value::from),
        Just(Value::from("ann@example.com")),
        Just(Value::from("auth.user")),
        Just(Value::from("a".repeat(400))),
    ];
    leaf.prop_recursive(2, 8, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("[a-z]{1,5}", inner, 0..3)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn json_body() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec((prop::sample::select(FIELDS.to_vec()), value()), 0..8).prop_map(
        |fields| {
            let object: serde_json::Map<String, Value> = fields
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect();
            Value::Object(object).to_string().into_bytes()
        },
    )
}

fn body() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let json = || b"application/json".to_vec();
    let mutated = (json_body(), any::<prop::sample::Index>(), any::<u8>()).prop_map(
        |(mut body, at, byte)| {
            let at = at.index(body.len());
            body[at] = byte;
            body
        },
    );
    let form = prop::collection::vec(
        (
            prop::sample::select(FIELDS.to_vec()),
            "[a-z0-9%&=+@.]{0,12}",
        ),
        0..6,
    )
    .prop_map(|fields| {
        let pairs: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("&").into_bytes()
    });
    let multipart = prop::collection::vec(
        (prop::sample::select(FIELDS.to_vec()), any::<Vec<u8>>()),
        0..4,
    )
    .prop_map(|fields| {
        let mut body = Vec::new();
        for (name, value) in fields {
            body.extend(
                format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n").bytes(),
            );
            body.extend(value);
            body.extend(b"\r\n");
        }
        body.extend(b"--b--\r\n");
        body
    });
    prop_oneof![
        4 => json_body().prop_map(move |body| (json(), body)),
        2 => mutated.prop_map(move |body| (json(), body)),
        1 => any::<Vec<u8>>().prop_map(move |body| (json(), body)),
        2 => form.prop_map(|body| (b"application/x-www-form-urlencoded".to_vec(), body)),
        1 => multipart.prop_map(|body| (b"multipart/form-data; boundary=b".to_vec(), body)),
        1 => (header_bytes(), any::<Vec<u8>>()),
    ]
}

fn sent() -> impl Strategy<Value = Sent> {
    let method = prop::sample::select(vec![
        "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "X",
    ]);
    let caller = prop_oneof![
        1 => Just(Caller::Nobody),
        1 => Just(Caller::User),
        3 => Just(Caller::Admin),
        1 => header_bytes().prop_map(Caller::Bytes),
    ];
    (method, path(), caller, body()).prop_map(|(method, path, caller, (content_type, body))| Sent {
        method,
        path,
        caller,
        content_type,
        body,
    })
}

/// `{"detail": …}`, or lists of texts by field.
fn has_drfs_shape(body: &Value) -> bool {
    let Some(fields) = body.as_object() else {
        return false;
    };
    match fields.get("detail") {
        Some(detail) => detail.is_string(),
        None => {
            !fields.is_empty()
                && fields.values().all(|texts| {
                    texts.as_array().is_some_and(|texts| {
                        !texts.is_empty() && texts.iter().all(Value::is_string)
                    })
                })
        }
    }
}

fn check(sent: &Sent, answer: &Answer) -> Result<(), TestCaseError> {
    let status = answer.status.as_u16();
    prop_assert!(status < 500, "{status} for {sent:?}");
    if status >= 400 && sent.method != "HEAD" {
        prop_assert!(has_drfs_shape(&answer.body), "{answer:?} for {sent:?}");
    }
    prop_assert_eq!(status == 401, answer.header("www-authenticate").is_some());
    prop_assert!(status != 405 || answer.header("allow").is_some());
    Ok(())
}

#[test]
fn no_request_gets_a_server_error_or_breaks_the_table() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let api = runtime.block_on(Api::start());
    let user = runtime.block_on(api.account("somebody"));
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 1500,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let outcome = runner.run(&sent(), |sent| {
        let mut request = Request::builder().method(sent.method).uri(&sent.path);
        request = match &sent.caller {
            Caller::Nobody => request,
            Caller::User => request.header("authorization", format!("Bearer {}", user.token)),
            Caller::Admin => request.header("authorization", format!("Bearer {}", api.admin)),
            Caller::Bytes(bytes) => request.header("authorization", bytes.as_slice()),
        };
        request = request.header("content-type", sent.content_type.as_slice());
        let request = request.body(Body::from(sent.body.clone()));
        let request = request.map_err(|error| TestCaseError::reject(error.to_string()))?;
        let answer = runtime.block_on(send(&api.router, request));
        check(&sent, &answer)
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
    runtime.block_on(api.assert_consistent());
}
