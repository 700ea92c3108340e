//! `GET` and `POST /api/auth/userinfo/`: the standard claims of the caller (OpenID Connect Core 1.0,
//! sections 5.1 and 5.3). A claim without a value is left out; whether an address was verified is not
//! kept, so nothing is said of it.

use axum::Json;
use serde::Serialize;
use shared::http::{
    Caller,
    describe::{Answer, Content, Field, Kind, Object, Operation},
};

pub static USERINFO: Operation = Operation {
    summary: "The caller's standard claims",
    notes: "OpenID Connect's. A claim without a value is left out. A body is not read.",
    answer: Answer::ok(
        Content::One(&USER_INFO),
        r#"{"sub": "1002", "preferred_username": "sample-ann", "name": "Ann Sample", "given_name": "Ann", "family_name": "Sample", "email": "sample-ann@example.com"}"#,
    ),
    ..Operation::NEW
};

static USER_INFO: Object = Object {
    name: "UserInfo",
    fields: &[
        Field::new("sub", Kind::Text).about("The user's id."),
        Field::new("preferred_username", Kind::Text).about("The username."),
        Field::new("name", Kind::Text).optional(),
        Field::new("given_name", Kind::Text).optional(),
        Field::new("family_name", Kind::Text).optional(),
        Field::new("email", Kind::Text).optional(),
    ],
};

/// The names of all claims.
pub const CLAIMS: [&str; 6] = [
    "sub",
    "preferred_username",
    "name",
    "given_name",
    "family_name",
    "email",
];

/// The claims of a user.
#[derive(Serialize)]
pub struct UserInfo {
    /// The id, as text.
    sub: String,
    preferred_username: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    given_name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    family_name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    email: String,
}

pub async fn userinfo(Caller(user): Caller) -> Json<UserInfo> {
    let (given, family) = (user.first_name.as_str(), user.last_name.as_str());
    Json(UserInfo {
        sub: user.id.to_string(),
        preferred_username: user.username.as_str().to_owned(),
        // Django's `get_full_name`.
        name: format!("{given} {family}").trim().to_owned(),
        given_name: given.to_owned(),
        family_name: family.to_owned(),
        email: user.email.as_str().to_owned(),
    })
}
