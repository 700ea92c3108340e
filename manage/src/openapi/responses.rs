//! The answers to what is refused. Their examples are the service's own words.

use axum::http::{HeaderValue, Method};
use serde_json::{Map, Value, json};
use shared::{
    http::{ApiError, describe::Refusal},
    jwt::TokenError,
    store::StoreError,
};

use super::{object, schemas::Schemas};

/// A response of the document by its name.
pub fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/responses/{name}")})
}

/// The status and the response of what an operation refuses; none for what its 400 tells.
pub fn of(refusal: Refusal) -> Option<(u16, Value)> {
    let (status, name) = match refusal {
        Refusal::LastSuperuser | Refusal::NobodyByEmail | Refusal::NoSuchMail => return None,
        Refusal::NotModified => (304, "NotModified"),
        Refusal::WrongCredentials => (401, "WrongCredentials"),
        Refusal::BadToken => (401, "BadToken"),
        Refusal::StaleLink => (403, "ForbiddenOrStaleLink"),
        Refusal::NotFound => (404, "NotFound"),
        Refusal::NoSuchPage => (404, "NoSuchPage"),
        Refusal::NotAcceptable => (406, "NotAcceptable"),
        Refusal::Conflict => (409, "Conflict"),
        Refusal::Throttled => (429, "Throttled"),
    };
    Some((status, reference(name)))
}

/// The responses that operations share, and those to what is no operation.
pub fn shared(schemas: &mut Schemas) -> Value {
    let detail = detail(schemas);
    let text = json!({"type": "string"});
    let message = schemas.add(
        "Message",
        json!({"type": "object", "properties": {"message": text}, "required": ["message"]}),
    );
    let by_gateway = json!({"anyOf": [detail, message]});
    let authentication = schemas.add("AuthenticationError", authentication_error());
    let token = schemas.add(
        "TokenError",
        json!({
            "type": "object",
            "properties": {"detail": text, "code": {"const": "token_not_valid"}},
            "required": ["detail"],
        }),
    );
    let challenge = || {
        header(
            "WWW-Authenticate",
            "How to authenticate.",
            json!({"const": "Bearer realm=\"api\""}),
        )
    };
    let about = "Seconds to wait; absent where API Gateway itself answers.";
    let seconds = json!({"type": "integer", "minimum": 0});
    let wait = || json!({"Retry-After": {"description": about, "schema": seconds}});
    let throttled = || example("throttled", &ApiError::Throttled(899));
    let gateway = || ("gateway", json!({"message": "Too Many Requests"}));
    let forbidden = || example("permission_denied", &ApiError::PermissionDenied);
    let not_found = || example("not_found", &ApiError::NotFound);
    json!({
        "Unauthorized": response(
            "No access token, or one that is not good.",
            challenge(),
            &authentication,
            [
                example("not_authenticated", &ApiError::NotAuthenticated),
                example("bad_authorization_header", &ApiError::BadAuthorizationHeader),
                example("token_not_valid", &ApiError::BadAccessToken(TokenError::Invalid)),
                example("token_expired", &ApiError::BadAccessToken(TokenError::Expired)),
                example("no_user_in_token", &ApiError::NoUserInToken),
                example("user_not_found", &ApiError::UserNotFound),
                example("user_inactive", &ApiError::UserInactive),
            ],
        ),
        "WrongCredentials": response(
            "A wrong username or password, or an inactive account.",
            challenge(),
            &detail,
            [example("wrong_credentials", &ApiError::WrongCredentials)],
        ),
        "BadToken": response(
            "The token is not good, or its user is gone or inactive.",
            challenge(),
            &token,
            [
                example("invalid", &ApiError::BadToken(TokenError::Invalid)),
                example("expired", &ApiError::BadToken(TokenError::Expired)),
                example("wrong_type", &ApiError::BadToken(TokenError::WrongType)),
                example("blacklisted", &ApiError::BadToken(TokenError::Blacklisted)),
                example("no_active_account", &ApiError::NoActiveAccount),
            ],
        ),
        "Forbidden": response(
            "The caller may not do this; or the request did not come through the proxy that the \
             deployment asks for.",
            Value::Null,
            &detail,
            [forbidden()],
        ),
        "ForbiddenOrStaleLink": response(
            "The account is active already; or the request did not come through the proxy that the \
             deployment asks for.",
            Value::Null,
            &detail,
            [example("stale_link", &ApiError::StaleLink), forbidden()],
        ),
        "NotFound": response("There is no such thing.", Value::Null, &detail, [not_found()]),
        "NoSuchPage": response(
            "A cursor that this list never gave, or DRF's `page` or `offset` of another page than the \
             first.",
            Value::Null,
            &detail,
            [
                example("invalid_cursor", &ApiError::InvalidCursor),
                example("invalid_page", &ApiError::InvalidPage),
                not_found(),
            ],
        ),
        "MethodNotAllowed": response(
            "The path has no such method.",
            header("Allow", "The methods that it has.", text.clone()),
            &detail,
            [example(
                "method_not_allowed",
                &ApiError::MethodNotAllowed(Method::TRACE, HeaderValue::from_static("")),
            )],
        ),
        "NotAcceptable": response(
            "None of the media types that the `Accept` header allows.",
            Value::Null,
            &detail,
            [example("not_acceptable", &ApiError::NotAcceptable)],
        ),
        "Conflict": response(
            "Other requests changed the same object each time this one tried.",
            Value::Null,
            &detail,
            [example("conflict", &ApiError::Conflict)],
        ),
        "TooLarge": response(
            "The body is over 1 MiB.",
            Value::Null,
            &detail,
            [example("too_large", &ApiError::TooLarge)],
        ),
        "UnsupportedMediaType": response(
            "The body is of another media type.",
            Value::Null,
            &detail,
            [example(
                "unsupported_media_type",
                &ApiError::UnsupportedMediaType("text/plain".to_owned()),
            )],
        ),
        "TooManyRequests": response(
            "API Gateway's limits for the whole deployment.",
            Value::Null,
            &message,
            [gateway()],
        ),
        "Throttled": response(
            "Too many attempts; or API Gateway's limits for the whole deployment.",
            wait(),
            &by_gateway,
            [throttled(), gateway()],
        ),
        "Unavailable": response(
            "The table did not answer; or API Gateway got no answer.",
            wait(),
            &by_gateway,
            [
                example("unavailable", &ApiError::Unavailable(StoreError::new("", ""))),
                ("gateway", json!({"message": "Service Unavailable"})),
            ],
        ),
        "NotModified": object([
            ("description", "It is as it was with the `ETag` of `If-None-Match`.".into()),
            ("headers", header("ETag", "What it is known by.", json!({"type": "string"}))),
        ]),
        "MovedPermanently": object([
            ("description", "The path was asked for without its last slash.".into()),
            ("headers", header("Location", "The path with the slash.", json!({"type": "string"}))),
        ]),
    })
}

/// A reference to `{"detail": "…"}`.
pub fn detail(schemas: &mut Schemas) -> Value {
    let properties = json!({"detail": {"type": "string"}});
    schemas.add(
        "Detail",
        json!({"type": "object", "properties": properties, "required": ["detail"]}),
    )
}

/// An example by its name: what the service answers.
pub fn example(name: &'static str, error: &ApiError) -> (&'static str, Value) {
    (name, error.body())
}

/// What SimpleJWT tells of an access token.
fn authentication_error() -> Value {
    let text = json!({"type": "string"});
    let message = json!({
        "type": "object",
        "properties": {"token_class": text, "token_type": text, "message": text},
        "required": ["token_class", "token_type", "message"],
    });
    let codes = [
        "bad_authorization_header",
        "token_not_valid",
        "user_not_found",
        "user_inactive",
    ];
    json!({
        "type": "object",
        "properties": {
            "detail": text,
            "code": {"enum": codes},
            "messages": {"type": "array", "items": message},
        },
        "required": ["detail"],
    })
}

fn header(name: &str, about: &str, schema: Value) -> Value {
    json!({name: {"description": about, "required": true, "schema": schema}})
}

/// A response in JSON with examples.
pub fn response<const N: usize>(
    about: &str,
    headers: Value,
    schema: &Value,
    examples: [(&'static str, Value); N],
) -> Value {
    let examples = examples.into_iter();
    let examples: Map<_, _> = examples
        .map(|(name, value)| (name.to_owned(), json!({ "value": value })))
        .collect();
    object([
        ("description", about.into()),
        ("headers", headers),
        (
            "content",
            json!({"application/json": {"schema": schema, "examples": examples}}),
        ),
    ])
}
