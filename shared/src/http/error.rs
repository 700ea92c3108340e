//! Every way a request can fail, and the answer to it in DRF's shape and words. The only place with
//! status codes of failures.

use axum::{
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::{
    accounts::{Gone, Refused},
    forms::FormError,
    input::{BodyError, FieldErrors},
    jwt::TokenError,
    store::StoreError,
    telemetry::note_error,
};

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
    /// 400, nobody gets the mail that is asked for; only where people may be told.
    NobodyByEmail,
    /// 400 without a body, there is no such mail.
    NoSuchMail,
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
    /// 401, an access token of a deleted user.
    UserNotFound,
    /// 401, an access token whose user is deactivated.
    UserInactive,
    /// 401, wrong username or password, or a deactivated account.
    WrongCredentials,
    /// 401, a refresh token of a deleted or deactivated user.
    NoActiveAccount,
    /// 403.
    PermissionDenied,
    /// 403, the link of a mail for an account that is active already.
    StaleLink,
    /// 404, also for unknown paths.
    NotFound,
    /// 404, a `?cursor=` that this list never gave.
    InvalidCursor,
    /// 404, a page by number or offset that is not the first.
    InvalidPage,
    /// 429 after too many attempts, with the seconds to wait.
    Throttled(i64),
    /// 405 with the methods that are allowed, as the `Allow` header has them.
    MethodNotAllowed(Method, HeaderValue),
    /// 406, none of the media types that the `Accept` header allows.
    NotAcceptable,
    /// 409, other requests change the object at the same time.
    Conflict,
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

impl From<FormError> for ApiError {
    fn from(error: FormError) -> Self {
        Refused::from(error).into()
    }
}

impl From<Refused> for ApiError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Invalid(errors) => Self::Invalid(errors),
            Refused::PermissionDenied => Self::PermissionDenied,
            Refused::LastSuperuser => Self::LastSuperuser,
            Refused::NotFound => Self::NotFound,
            Refused::WrongCredentials => Self::WrongCredentials,
            Refused::Throttled(wait) => Self::Throttled(wait),
            Refused::Token(error) => Self::BadToken(error),
            Refused::Gone(Gone::Deleted) => Self::UserNotFound,
            Refused::Gone(Gone::Inactive) => Self::UserInactive,
            Refused::Gone(Gone::SessionEnded) => Self::BadAccessToken(TokenError::Invalid),
            Refused::NoActiveAccount => Self::NoActiveAccount,
            Refused::StaleLink => Self::StaleLink,
            Refused::Conflict => Self::Conflict,
            Refused::Unavailable(error) => Self::Unavailable(error),
        }
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
    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Invalid(_)
            | Self::Parse(_)
            | Self::NobodyByEmail
            | Self::NoSuchMail
            | Self::LastSuperuser => StatusCode::BAD_REQUEST,
            Self::NotAuthenticated
            | Self::BadAuthorizationHeader
            | Self::BadAccessToken(_)
            | Self::BadToken(_)
            | Self::NoUserInToken
            | Self::UserNotFound
            | Self::UserInactive
            | Self::WrongCredentials
            | Self::NoActiveAccount => StatusCode::UNAUTHORIZED,
            Self::PermissionDenied | Self::StaleLink => StatusCode::FORBIDDEN,
            Self::NotFound | Self::InvalidCursor | Self::InvalidPage => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed(..) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Throttled(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::Conflict => StatusCode::CONFLICT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The body of the answer; null if it has none.
    pub fn body(&self) -> serde_json::Value {
        let coded = |detail: &str, code: &str| json!({"detail": detail, "code": code});
        let detail = |detail: &str| json!({"detail": detail});
        match self {
            Self::Invalid(errors) => json!(errors),
            Self::Parse(text) => detail(text),
            Self::NobodyByEmail => json!(["User with given email does not exist."]),
            Self::NoSuchMail => json!(null),
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
            Self::StaleLink => detail("Stale token for given user."),
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
            Self::NotAcceptable => detail("Could not satisfy the request Accept header."),
            Self::Conflict => detail("The object is being changed by other requests, try again."),
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
        if matches!(self, Self::NoSuchMail) {
            return status.into_response();
        }
        let mut response = (status, axum::Json(self.body())).into_response();
        let headers = response.headers_mut();
        match self {
            Self::MethodNotAllowed(_, allow) => {
                headers.insert(header::ALLOW, allow);
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
