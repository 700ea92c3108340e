//! Requests of every kind for the property test: mostly ones that get past the door, since a
//! request that is refused for its method tests little else.

use proptest::{prelude::*, sample::select};
use serde_json::{Map, Value, json};

/// Everything of one request.
#[derive(Clone, Debug)]
pub struct Sent {
    pub method: &'static str,
    pub path: String,
    pub caller: Caller,
    pub content_type: Vec<u8>,
    pub body: Vec<u8>,
}

/// Who sends it, as the `Authorization` header says.
#[derive(Clone, Debug)]
pub enum Caller {
    Nobody,
    User,
    Admin,
    /// The admin's token with one byte changed.
    Forger(prop::sample::Index, u8),
    Bytes(Vec<u8>),
}

/// What stands in a body for the user's refresh token, which is known only when it is sent.
pub const REFRESH: &str = "<refresh>";

const METHODS: [&str; 9] = [
    "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "X",
];
const POST: &[&str] = &["POST"];
const LIST: &[&str] = &["GET", "POST"];
const DETAIL: &[&str] = &["GET", "PUT", "PATCH", "PATCH", "DELETE"];

/// Every route with its methods and fields.
const ROUTES: [(&str, &[&str], &[&str]); 17] = [
    ("login/", POST, &["username", "password"]),
    ("token/refresh/", POST, &["refresh"]),
    ("token/verify/", POST, &["token"]),
    ("token/blacklist/", POST, &["refresh"]),
    (
        "users/register/",
        POST,
        &[
            "username",
            "email",
            "password",
            "password2",
            "first_name",
            "last_name",
        ],
    ),
    ("users/", &["GET"], &[]),
    (
        "users/{}/",
        DETAIL,
        &[
            "username",
            "email",
            "first_name",
            "last_name",
            "is_active",
            "is_staff",
            "is_superuser",
        ],
    ),
    ("users/{}/assign_groups/", POST, &["group_ids"]),
    ("groups/", LIST, &["name"]),
    ("groups/{}/", DETAIL, &["name", "permissions"]),
    ("groups/{}/assign_permissions/", POST, &["permission_ids"]),
    ("groups/{}/remove_permissions/", POST, &["permission_ids"]),
    ("permissions/", LIST, &["name", "codename", "content_type"]),
    (
        "permissions/{}/",
        DETAIL,
        &["name", "codename", "content_type"],
    ),
    ("permissions/{}/assign_to_group/", POST, &["group_id"]),
    ("permissions/{}/remove_from_group/", POST, &["group_id"]),
    ("{}/{}", LIST, &["name"]),
];

pub fn sent() -> impl Strategy<Value = Sent> {
    let caller = prop_oneof![
        1 => Just(Caller::Nobody),
        2 => Just(Caller::User),
        8 => Just(Caller::Admin),
        1 => (any::<prop::sample::Index>(), any::<u8>())
            .prop_map(|(at, byte)| Caller::Forger(at, byte)),
        1 => header_bytes().prop_map(Caller::Bytes),
    ];
    let of_route = select(ROUTES.to_vec()).prop_flat_map(|(route, methods, fields)| {
        let method = prop_oneof![5 => select(methods), 1 => select(METHODS.to_vec())];
        (method, path(route), body(fields))
    });
    (of_route, caller).prop_map(|((method, path, (content_type, body)), caller)| Sent {
        method,
        path,
        caller,
        content_type,
        body,
    })
}

fn header_bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop_oneof![32..127_u8, 128..=255_u8, Just(b'\t')], 0..40)
}

fn path(route: &'static str) -> impl Strategy<Value = String> {
    let segment = prop_oneof![
        8 => (1..5_u64).prop_map(|id| id.to_string()),
        1 => prop::collection::vec(any::<u8>(), 1..8)
            .prop_map(|bytes| bytes.iter().map(|byte| format!("%{byte:02X}")).collect()),
        1 => "[a-z0-9._~+-]{1,12}",
        1 => Just("99999999999999999999999".to_owned()),
    ];
    let query = prop_oneof![
        6 => Just(String::new()),
        1 => "[?][a-z_]{1,9}=[a-zA-Z0-9%+_-]{0,20}",
        1 => "[?](cursor|search|page_size)=[a-zA-Z0-9_-]{0,20}",
    ];
    (segment, query, prop::bool::weighted(0.9)).prop_map(move |(segment, query, slash)| {
        let path = route.replace("{}", &segment);
        let path = if slash {
            &path
        } else {
            path.trim_end_matches('/')
        };
        format!("/api/auth/{path}{query}")
    })
}

/// A value that the field may well take.
fn plausible(field: &'static str) -> BoxedStrategy<Value> {
    let ids = || prop::collection::vec(1..14_u64, 0..4).prop_map(Value::from);
    let texts = |pattern: &'static str| pattern.prop_map(Value::from).boxed();
    match field {
        "username" => texts("[a-cA-C@.+_-]{1,3}"),
        "email" => texts("[a-c]{1,2}@example[.](com|ORG)"),
        "password" | "password2" => Just(json!("Kq!wz-Mv%Tn#Yp_Gx")).boxed(),
        "refresh" | "token" => Just(json!(REFRESH)).boxed(),
        "codename" => texts("[a-c]{1,2}"),
        "content_type" => texts("auth[.](user|group|permission)"),
        "permissions" | "permission_ids" | "group_ids" => ids().boxed(),
        "group_id" => (1..5_u64).prop_map(Value::from).boxed(),
        "is_active" | "is_staff" | "is_superuser" => any::<bool>().prop_map(Value::from).boxed(),
        _ => texts("[a-z]{0,5}"),
    }
}

fn arbitrary() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        Just(json!("a".repeat(400))),
    ];
    leaf.prop_recursive(2, 8, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("[a-z]{1,5}", inner, 0..3)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn json_body(fields: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let field = |name: &&'static str| {
        let name = *name;
        let value = prop_oneof![7 => plausible(name), 1 => arbitrary()];
        prop::option::weighted(0.9, value).prop_map(move |value| (name.to_owned(), value))
    };
    let fields: Vec<_> = fields.iter().map(field).collect();
    fields.prop_map(|fields| {
        let given = fields.into_iter();
        let object: Map<_, _> = given.filter_map(|(k, v)| Some((k, v?))).collect();
        Value::Object(object).to_string().into_bytes()
    })
}

fn body(fields: &'static [&'static str]) -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let json = || b"application/json".to_vec();
    let mutated = (json_body(fields), any::<prop::sample::Index>(), any::<u8>()).prop_map(
        |(mut body, at, byte)| {
            let at = at.index(body.len());
            body[at] = byte;
            body
        },
    );
    let names = if fields.is_empty() {
        vec!["name"]
    } else {
        fields.to_vec()
    };
    let pair = (select(names.clone()), "[a-z0-9%&=+@.]{0,12}")
        .prop_map(|(name, value)| format!("{name}={value}"));
    let form = prop::collection::vec(pair, 0..6).prop_map(|pairs| pairs.join("&").into_bytes());
    let part = (select(names), any::<Vec<u8>>());
    let multipart = prop::collection::vec(part, 0..4).prop_map(|parts| {
        let mut body = Vec::new();
        for (name, value) in parts {
            let head = "--b\r\nContent-Disposition: form-data; name=";
            body.extend(format!("{head}\"{name}\"\r\n\r\n").bytes());
            body.extend(value);
            body.extend(b"\r\n");
        }
        body.extend(b"--b--\r\n");
        body
    });
    prop_oneof![
        10 => json_body(fields).prop_map(move |body| (json(), body)),
        2 => mutated.prop_map(move |body| (json(), body)),
        1 => any::<Vec<u8>>().prop_map(move |body| (json(), body)),
        2 => form.prop_map(|body| (b"application/x-www-form-urlencoded".to_vec(), body)),
        2 => multipart.prop_map(|body| (b"multipart/form-data; boundary=b".to_vec(), body)),
        1 => (header_bytes(), any::<Vec<u8>>()),
    ]
}
