//! What a page says when it cannot be shown.

use askama::Template;
use axum::{
    http::{StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use shared::{
    accounts::Refused,
    domain::FieldError,
    http::ApiError,
    input::{FieldErrors, NON_FIELD_ERRORS},
    telemetry::{Event, note_event},
    web::{csrf, guard::redirect},
};

use crate::{
    page::{Page, rendered},
    staff::Staff,
    urls,
};

/// `error.html`
#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    page: Page,
    message: &'static str,
}

/// Why a page is not shown.
#[derive(Debug)]
pub enum AdminError {
    /// Nobody is logged in: the login page, which leads back to this address.
    LogInFirst(String),
    /// A form that was not sent from a page of this service.
    Forgery,
    /// A page that another method is for.
    MethodNotAllowed,
    /// What the API would answer.
    Api(ApiError),
}

impl AdminError {
    /// The login page, and then where the request wanted to go.
    pub fn log_in_first(uri: &Uri) -> Self {
        // Somebody who comes back to log out would be logged out again.
        let wanted = match uri.path_and_query() {
            Some(wanted) if uri.path() != "/admin/logout/" => wanted.as_str(),
            _ => urls::HOME,
        };
        Self::LogInFirst(wanted.to_owned())
    }
}

impl<E: Into<ApiError>> From<E> for AdminError {
    fn from(error: E) -> Self {
        Self::Api(error.into())
    }
}

impl AdminError {
    /// Why a form was not taken.
    pub fn of_form(refusal: csrf::Refusal) -> Self {
        match refusal {
            csrf::Refusal::Forgery => Self::Forgery,
            csrf::Refusal::Unreadable(error) => error.into(),
        }
    }
}

/// The errors of a form that is to be shown again.
///
/// # Errors
/// What is not about the input, and ends the request.
pub fn of_input(refused: Refused) -> Result<FieldErrors, AdminError> {
    let text = match refused {
        Refused::Invalid(errors) => return Ok(errors),
        Refused::LastSuperuser => "The last active superuser cannot be removed.",
        Refused::PermissionDenied => {
            // The answer is the form, not a 403.
            note_event(Event::Refusal.because("rights"));
            "You may not do this: it would take permissions that you do not hold yourself."
        }
        other => return Err(other.into()),
    };
    Ok(FieldErrors::one(NON_FIELD_ERRORS, FieldError::said(text)))
}

impl IntoResponse for AdminError {
    fn into_response(self) -> Response {
        let (status, title, message) = match self {
            Self::LogInFirst(wanted) => {
                let next: String = form_urlencoded::byte_serialize(wanted.as_bytes()).collect();
                // Django leaves slashes as they are.
                return redirect(&format!("/admin/login/?next={}", next.replace("%2F", "/")));
            }
            Self::Forgery => {
                note_event(Event::Refusal.because("forgery"));
                (
                    StatusCode::FORBIDDEN,
                    "Forbidden",
                    "The form was not sent from this site, or is too old. Go back, load the page \
                     again, and try again.",
                )
            }
            Self::MethodNotAllowed => (
                StatusCode::METHOD_NOT_ALLOWED,
                "Method not allowed",
                "This page does not take requests of this kind.",
            ),
            // The user who sent the form is gone, or their session is.
            Self::Api(error) if error.status() == StatusCode::UNAUTHORIZED => {
                return Self::LogInFirst(urls::HOME.to_owned()).into_response();
            }
            Self::Api(error) => return of_api(error),
        };
        page(status, title, message)
    }
}

fn of_api(error: ApiError) -> Response {
    let (title, message) = match &error {
        ApiError::PermissionDenied => (
            "Forbidden",
            "You don’t have permission to view or edit this.",
        ),
        ApiError::NotFound => (
            "Page not found",
            "We’re sorry, but the requested page could not be found.",
        ),
        ApiError::Unavailable(_) => (
            "Service unavailable",
            "The service cannot answer at the moment. Please try again in a few seconds.",
        ),
        ApiError::Conflict => (
            "Changed meanwhile",
            "Others change the same at this moment. Please try again.",
        ),
        ApiError::TooLarge => ("Request too large", "What was sent is too large."),
        ApiError::LastSuperuser => ("Refused", "The last active superuser cannot be removed."),
        _ => ("Bad request", "The request cannot be understood."),
    };
    // The API's own answer has the status and the headers, and notes failures for the log.
    let answer = error.into_response();
    let wait = answer.headers().get(header::RETRY_AFTER).cloned();
    let wait = wait.map(|wait| [(header::RETRY_AFTER, wait)]);
    (wait, page(answer.status(), title, message)).into_response()
}

fn page(status: StatusCode, title: &str, message: &'static str) -> Response {
    let page = ErrorPage {
        page: Page::signed_out(title),
        message,
    };
    (status, rendered(&page)).into_response()
}

/// A known page with a method that it does not take. As everywhere in Django's admin, a request
/// without a session is sent to log in.
pub async fn method_not_allowed(_: Staff) -> AdminError {
    AdminError::MethodNotAllowed
}

/// A page that does not exist.
pub async fn unknown_path(_: Staff) -> AdminError {
    ApiError::NotFound.into()
}
