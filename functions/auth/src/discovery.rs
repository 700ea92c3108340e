//! `GET /.well-known/openid-configuration` and `jwks.json`: what others verify tokens with (OpenID
//! Connect Discovery 1.0, RFC 7517). Keys of HMAC are never in it.

use axum::{extract::State, http::HeaderMap, response::Response};
use serde_json::json;
use shared::{
    app::App,
    http::{
        ApiError,
        describe::{Answer, Content, Field, Kind, Object, Operation, Refusal},
        extract::RequestClient,
        published,
    },
};

use crate::userinfo::CLAIMS;

pub static KEY_SET: Operation = Operation {
    summary: "The public keys that verify tokens",
    notes: "A JSON Web Key Set (RFC 7517). It is empty where HMAC signs.",
    answer: Answer::ok(Content::One(&KEYS), ""),
    refusals: &[Refusal::NotModified],
    ..Operation::NEW
};

static KEYS: Object = Object {
    name: "KeySet",
    fields: &[Field::new(
        "keys",
        Kind::Schema(
            r#"{"type": "array", "items": {"type": "object", "properties": {"kty": {"enum": ["RSA", "EC", "OKP"]}, "use": {"const": "sig"}, "alg": {"enum": ["RS256", "ES256", "EdDSA"]}, "kid": {"type": "string"}, "n": {"type": "string"}, "e": {"type": "string"}, "crv": {"type": "string"}, "x": {"type": "string"}, "y": {"type": "string"}}, "required": ["kty", "use", "alg", "kid"]}}"#,
        ),
    )],
};

pub static CONFIGURATION: Operation = Operation {
    summary: "How tokens are verified",
    notes: "OpenID Connect Discovery, as far as it is true here. Where HMAC signs nobody else can verify, and it is a 404.",
    answer: Answer::ok(Content::One(&DISCOVERY), ""),
    refusals: &[Refusal::NotModified, Refusal::NotFound],
    ..Operation::NEW
};

static DISCOVERY: Object = Object {
    name: "OpenIDConfiguration",
    fields: &[
        Field::new("issuer", Kind::Text),
        Field::new("jwks_uri", Kind::Text),
        Field::new("userinfo_endpoint", Kind::Text),
        Field::new("id_token_signing_alg_values_supported", Kind::Texts),
        Field::new("subject_types_supported", Kind::Texts),
        Field::new("response_types_supported", Kind::Texts),
        Field::new("grant_types_supported", Kind::Texts),
        Field::new("claims_supported", Kind::Texts),
    ],
};

pub async fn key_set(State(app): State<App>, headers: HeaderMap) -> Response {
    let jwt = app.keys.current(app.clock.now()).await;
    published(&headers, &jwt.key_set())
}

/// Says what is there and no more: nobody logs in by OAuth 2.0 here, so there are no endpoints, grants and
/// response types of it. Where HMAC signs, and nobody else can verify, it is a 404.
pub async fn configuration(
    State(app): State<App>,
    RequestClient(client): RequestClient,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let jwt = app.keys.current(app.clock.now()).await;
    let issuer = jwt.issuer(client.origin.as_deref());
    let issuer = issuer.filter(|_| !jwt.algorithm().is_hmac());
    let issuer = issuer.ok_or(ApiError::NotFound)?;
    // An `ISSUER` that is no address says nothing about where the API is.
    let base = match issuer.starts_with("https://") || issuer.starts_with("http://") {
        true => issuer,
        false => client.origin.as_deref().ok_or(ApiError::NotFound)?,
    };
    let base = base.trim_end_matches('/');
    let document = json!({
        "issuer": issuer,
        "jwks_uri": format!("{base}/.well-known/jwks.json"),
        "userinfo_endpoint": format!("{base}/api/auth/userinfo/"),
        "id_token_signing_alg_values_supported": [jwt.algorithm().name()],
        "subject_types_supported": ["public"],
        "response_types_supported": [],
        "grant_types_supported": [],
        "claims_supported": CLAIMS,
    });
    Ok(published(&headers, &document))
}
