//! Every way a request can fail, and the DRF-shaped answer to it. The only place with status
//! codes of failures and DRF's wording.

use axum::{
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::json;

use crate::{
    http::log::note_error,
    input::BodyError,
    jwt::TokenError,
    store::{ChangeError, Refusal, StoreError, WriteError},
};

/// The field errors of one form, in the order of its fields, as DRF's `ValidationError` shows
/// them: `{"field": ["text", …], …}`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FieldErrors(Vec<(&'static str, Vec<String>)>);

/// The key of errors that belong to no single field (DRF's `NON_FIELD_ERRORS_KEY`).
pub const NON_FIELD_ERRORS: &str = "non_field_errors";

impl FieldErrors {
    /// One error on one field.
    pub fn one(field: &'static str, text: impl Into<String>) -> Self {
        let mut errors = Self::default();
        errors.add(field, [text.into()]);
        errors
    }

    /// Adds texts to a field, after those it already has.
    pub fn add(&mut self, field: &'static str, texts: impl IntoIterator<Item = String>) {
        match self.0.iter_mut().find(|(name, _)| *name == field) {
            Some((_, there)) => there.extend(texts),
            None => self.0.push((field, texts.into_iter().collect())),
        }
    }

    /// The errors with those of `fields` first, in that order.
    #[must_use]
    pub fn in_order(mut self, fields: &[&str]) -> Self {
        let place = |name: &str| fields.iter().position(|field| *field == name);
        self.0
            .sort_by_key(|(name, _)| place(name).unwrap_or(fields.len()));
        self
    }

    /// Adds the error of a uniqueness rule.
    pub fn add_refusal(&mut self, refusal: Refusal) {
        if let Some((field, text)) = uniqueness(refusal) {
            self.add(field, [text.to_owned()]);
        }
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The fields and their texts, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &[String])> {
        self.0
            .iter()
            .map(|(field, texts)| (*field, texts.as_slice()))
    }

    /// `Ok` if nothing is wrong, else the 400 that says what is.
    pub fn into_result(self) -> Result<(), ApiError> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(self.into())
        }
    }
}

impl Serialize for FieldErrors {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (field, texts) in &self.0 {
            map.serialize_entry(field, texts)?;
        }
        map.end()
    }
}

impl From<FieldErrors> for ApiError {
    fn from(errors: FieldErrors) -> Self {
        Self::Invalid(errors)
    }
}

/// What a failed request is answered.
#[derive(Debug)]
pub enum ApiError {
    /// 400, field errors.
    Invalid(FieldErrors),
    /// 400, the body is no document of its type.
    Parse(String),
    /// 400, the rule that one active superuser remains.
    LastSuperuser,
    /// 401, no credentials where some are needed.
    NotAuthenticated,
    /// 401, an `Authorization` header that is not two words.
    BadAuthorizationHeader,
    /// 401, an access token that SimpleJWT's authentication refuses.
    BadAccessToken(TokenError),
    /// 401, a token that SimpleJWT's token endpoints refuse.
    BadToken(TokenError),
    /// 401, an access token without `user_id`.
    NoUserInToken,
    /// 401, an access token whose user is gone.
    UserNotFound,
    /// 401, an access token whose user is deactivated.
    UserInactive,
    /// 401, wrong username or password, or a deactivated account.
    WrongCredentials,
    /// 401, a refresh token whose user is gone or deactivated.
    NoActiveAccount,
    /// 403.
    PermissionDenied,
    /// 404, also for unknown paths.
    NotFound,
    /// 404, a `?cursor=` that this list never gave.
    InvalidCursor,
    /// 404, a page by number or offset that is not the first.
    InvalidPage,
    /// 429 after too many failed logins, with the seconds to wait.
    Throttled(i64),
    /// 405 with the methods that are allowed, as the `Allow` header has them.
    MethodNotAllowed(Method, &'static str),
    /// 413, a body over [`crate::input::MAX_BODY`].
    TooLarge,
    /// 415 with the media type as it was sent.
    UnsupportedMediaType(String),
    /// 503 after retries: the table did not answer. Never a 500, so that clients try again.
    Unavailable(StoreError),
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error)
    }
}

impl From<WriteError> for ApiError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Refused(refusals) => refused(&refusals),
            WriteError::Failed(error) => error.into(),
        }
    }
}

impl<E: Into<Self>> From<ChangeError<E>> for ApiError {
    fn from(error: ChangeError<E>) -> Self {
        match error {
            ChangeError::Gone => Self::NotFound,
            ChangeError::Refused(refusals) => refused(&refusals),
            ChangeError::Rule(error) => error.into(),
            ChangeError::Failed(error) => error.into(),
        }
    }
}

impl From<std::convert::Infallible> for ApiError {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

/// What the rules of the table that a write broke are told: field errors before the last
/// superuser, as everywhere.
fn refused(refusals: &[Refusal]) -> ApiError {
    let mut errors = FieldErrors::default();
    for refusal in refusals {
        errors.add_refusal(*refusal);
    }
    if !errors.is_empty() {
        ApiError::Invalid(errors)
    } else if refusals.contains(&Refusal::LastSuperuser) {
        ApiError::LastSuperuser
    } else {
        // An id given twice, or a change that never came through: trying again is right.
        ApiError::Unavailable(StoreError::new("write", format!("refused: {refusals:?}")))
    }
}

/// The field and DRF's text of a uniqueness rule.
fn uniqueness(refusal: Refusal) -> Option<(&'static str, &'static str)> {
    match refusal {
        Refusal::UserNameTaken => Some(("username", "A user with that username already exists.")),
        Refusal::EmailTaken => Some(("email", "This field must be unique.")),
        Refusal::GroupNameTaken => Some(("name", "group with this name already exists.")),
        Refusal::CodenameTaken => Some((
            NON_FIELD_ERRORS,
            "The fields content_type, codename must make a unique set.",
        )),
        Refusal::Stale | Refusal::LastSuperuser | Refusal::Exists => None,
    }
}

impl From<BodyError> for ApiError {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::UnsupportedMediaType(sent) => Self::UnsupportedMediaType(sent),
            BodyError::Parse(text) => Self::Parse(text),
            BodyError::TooManyFields => Self::Parse(BodyError::TOO_MANY_FIELDS.to_owned()),
            BodyError::TooManyFiles => Self::Parse(BodyError::TOO_MANY_FILES.to_owned()),
        }
    }
}

/// Seconds after which a client may try again when the table did not answer.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");
/// SimpleJWT's `WWW-Authenticate`.
const BEARER: HeaderValue = HeaderValue::from_static("Bearer realm=\"api\"");

impl ApiError {
    fn status(&self) -> StatusCode {
        match self {
            Self::Invalid(_) | Self::Parse(_) | Self::LastSuperuser => StatusCode::BAD_REQUEST,
            Self::NotAuthenticated
            | Self::BadAuthorizationHeader
            | Self::BadAccessToken(_)
            | Self::BadToken(_)
            | Self::NoUserInToken
            | Self::UserNotFound
            | Self::UserInactive
            | Self::WrongCredentials
            | Self::NoActiveAccount => StatusCode::UNAUTHORIZED,
            Self::PermissionDenied => StatusCode::FORBIDDEN,
            Self::NotFound | Self::InvalidCursor | Self::InvalidPage => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed(..) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Throttled(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn body(&self) -> serde_json::Value {
        let coded = |detail: &str, code: &str| json!({"detail": detail, "code": code});
        let detail = |detail: &str| json!({"detail": detail});
        match self {
            Self::Invalid(errors) => json!(errors),
            Self::Parse(text) => detail(text),
            Self::LastSuperuser => detail("The last active superuser cannot be removed."),
            Self::NotAuthenticated => detail("Authentication credentials were not provided."),
            Self::BadAuthorizationHeader => coded(
                "Authorization header must contain two space-delimited values",
                "bad_authorization_header",
            ),
            Self::BadAccessToken(error) => json!({
                "detail": "Given token not valid for any token type",
                "code": "token_not_valid",
                "messages": [{
                    "token_class": "AccessToken",
                    "token_type": "access",
                    "message": error.text(),
                }],
            }),
            Self::BadToken(error) => coded(error.text(), "token_not_valid"),
            Self::NoUserInToken => coded(
                "Token contained no recognizable user identification",
                "token_not_valid",
            ),
            Self::UserNotFound => coded("User not found", "user_not_found"),
            Self::UserInactive => coded("User is inactive", "user_inactive"),
            Self::WrongCredentials => detail("No active account found with the given credentials"),
            Self::NoActiveAccount => detail("No active account found for the given token."),
            Self::PermissionDenied => detail("You do not have permission to perform this action."),
            Self::NotFound => detail("Not found."),
            Self::InvalidCursor => detail("Invalid cursor"),
            Self::InvalidPage => detail("Invalid page."),
            Self::MethodNotAllowed(method, _) => {
                detail(&format!("Method \"{method}\" not allowed."))
            }
            Self::Throttled(wait) => {
                let unit = if *wait == 1 { "second" } else { "seconds" };
                detail(&format!(
                    "Request was throttled. Expected available in {wait} {unit}."
                ))
            }
            Self::TooLarge => detail("Request body too large."),
            Self::UnsupportedMediaType(sent) => {
                detail(&format!("Unsupported media type \"{sent}\" in request."))
            }
            Self::Unavailable(_) => detail("Service temporarily unavailable, try again later."),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status();
        if let Self::Unavailable(error) = &self {
            // For the log only: clients get no detail of it.
            note_error(error);
        }
        let mut response = (status, axum::Json(self.body())).into_response();
        let headers = response.headers_mut();
        match self {
            Self::MethodNotAllowed(_, allow) => {
                headers.insert(header::ALLOW, HeaderValue::from_static(allow));
            }
            Self::Unavailable(_) => {
                headers.insert(header::RETRY_AFTER, RETRY_AFTER);
            }
            Self::Throttled(wait) => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(wait));
            }
            _ if status == StatusCode::UNAUTHORIZED => {
                headers.insert(header::WWW_AUTHENTICATE, BEARER);
            }
            _ => {}
        }
        response
    }
}
