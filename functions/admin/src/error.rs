//! What a page says when it cannot be shown.

use axum::{
    http::{StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use shared::{
    error::{ApiError, FieldErrors, NON_FIELD_ERRORS},
    web::guard::redirect,
};

use crate::{
    page::{ErrorPage, Page, rendered},
    staff::Staff,
};

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
        // To log out once more is the last that anybody wants then.
        if uri.path() == "/admin/logout/" {
            return Self::LogInFirst("/admin/".to_owned());
        }
        let wanted = uri
            .path_and_query()
            .map_or("/admin/", |wanted| wanted.as_str());
        Self::LogInFirst(wanted.to_owned())
    }
}

impl<E: Into<ApiError>> From<E> for AdminError {
    fn from(error: E) -> Self {
        Self::Api(error.into())
    }
}

/// The errors of a form that is to be shown again, or the failure that ends the request.
///
/// # Errors
/// Whatever is not about what was typed.
pub fn of_form(error: ApiError) -> Result<FieldErrors, AdminError> {
    match error {
        ApiError::Invalid(errors) => Ok(errors),
        ApiError::LastSuperuser => Ok(FieldErrors::one(
            NON_FIELD_ERRORS,
            "The last active superuser cannot be removed.",
        )),
        ApiError::PermissionDenied => Ok(FieldErrors::one(NON_FIELD_ERRORS, NO_WAY_UP)),
        other => Err(other.into()),
    }
}

/// Why somebody who may change something may not change it so.
pub const NO_WAY_UP: &str = "You may not do this: it would take permissions that you do not hold \
     yourself.";

impl IntoResponse for AdminError {
    fn into_response(self) -> Response {
        let (status, title, message) = match self {
            Self::LogInFirst(wanted) => {
                let next: String = form_urlencoded::byte_serialize(wanted.as_bytes()).collect();
                // Django leaves slashes as they are.
                return redirect(&format!("/admin/login/?next={}", next.replace("%2F", "/")));
            }
            Self::Forgery => (
                StatusCode::FORBIDDEN,
                "Forbidden",
                "The form was not sent from this site, or is too old. Go back, load the page anew, \
                 and try again.",
            ),
            Self::MethodNotAllowed => (
                StatusCode::METHOD_NOT_ALLOWED,
                "Method not allowed",
                "This page does not take requests of this kind.",
            ),
            Self::Api(error) => return of_api(error),
        };
        page(status, title, message)
    }
}

fn of_api(error: ApiError) -> Response {
    // The API's own answer has the status and the headers, and notes failures for the log.
    let detail = match &error {
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
        ApiError::TooLarge => ("Request too large", "What was sent is too large."),
        ApiError::LastSuperuser => ("Refused", "The last active superuser cannot be removed."),
        _ => ("Bad request", "The request cannot be understood."),
    };
    let answer = error.into_response();
    let mut response = page(answer.status(), detail.0, detail.1);
    if let Some(wait) = answer.headers().get(header::RETRY_AFTER) {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, wait.clone());
    }
    response
}

fn page(status: StatusCode, title: &str, message: &str) -> Response {
    let page = ErrorPage {
        page: Page::signed_out(title),
        message: message.to_owned(),
        home_url: "/admin/".to_owned(),
    };
    (status, rendered(&page)).into_response()
}

/// A known page asked for by a method that it has not. As everywhere in Django's admin, whoever is
/// not logged in is sent to log in.
pub async fn method_not_allowed(_: Staff) -> AdminError {
    AdminError::MethodNotAllowed
}

/// A page that there is not.
pub async fn unknown_path(_: Staff) -> AdminError {
    ApiError::NotFound.into()
}
