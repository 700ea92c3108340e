//! What all pages have in common: the layout, forms that were sent on purpose, and failures.

use std::sync::LazyLock;

use askama::Template;
use axum::{
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{AppendHeaders, Html, IntoResponse, Response},
};
use shared::{
    accounts::Refused,
    app::App,
    domain::FieldError,
    http::ApiError,
    input::{Absent, FieldErrors, Fields},
    store::StoreError,
    telemetry::{Event, note_event},
    web::{assets::Asset, csrf, guard::redirect},
};

/// The admin pages' stylesheet.
static CSS: LazyLock<Asset> = LazyLock::new(|| {
    let content = include_str!("../../admin/static/admin.css");
    Asset::new(
        "/account/static/account.css",
        "text/css; charset=utf-8",
        content,
    )
});

/// What every template shows.
pub struct Page {
    pub title: &'static str,
    pub site: String,
    pub css: &'static str,
    pub csrf: String,
    cookies: Vec<HeaderValue>,
}

impl Page {
    /// A page that only tells something.
    pub fn new(app: &App, title: &'static str) -> Self {
        let links = app.settings.accounts.links.as_ref();
        let site = links.map_or_else(String::new, |links| links.site_name.clone());
        Self::of(site, title)
    }

    fn of(site: String, title: &'static str) -> Self {
        Self {
            title,
            site,
            css: CSS.address(),
            csrf: String::new(),
            cookies: Vec::new(),
        }
    }

    /// A page with a form.
    pub async fn with_form(app: &App, title: &'static str, headers: &HeaderMap) -> Self {
        let (csrf, cookies) = csrf::token_of_browser(app, headers).await;
        Self {
            csrf,
            cookies,
            ..Self::new(app, title)
        }
    }

    /// The cookies that a page sets.
    pub fn take_cookies(&mut self) -> Vec<HeaderValue> {
        std::mem::take(&mut self.cookies)
    }
}

/// A label and an address where to go on, if there is somewhere.
pub type Next = Option<(&'static str, &'static str)>;

/// `message.html`: something to read, and perhaps where to go on.
#[derive(Template)]
#[template(path = "message.html")]
struct Told {
    page: Page,
    text: &'static str,
    next: Next,
}

/// A page with something to read, and perhaps a label and an address where to go on.
pub fn told(
    app: &App,
    status: StatusCode,
    title: &'static str,
    text: &'static str,
    next: Next,
) -> Response {
    let page = Page::new(app, title);
    (status, rendered(Vec::new(), &Told { page, text, next })).into_response()
}

/// The page of a link that is not good, and perhaps where to ask for another.
pub fn ended(app: &App, next: Next) -> Response {
    told(
        app,
        StatusCode::BAD_REQUEST,
        "This link does not work any more",
        "It was used already, it is too old, or the account was changed since it was sent. The newest \
         mail has the link that works.",
        next,
    )
}

/// A redirect that sets a cookie.
pub fn redirect_with(cookie: HeaderValue, to: &str) -> Response {
    (AppendHeaders([(header::SET_COOKIE, cookie)]), redirect(to)).into_response()
}

/// A template's HTML, with the cookies that it sets.
pub fn rendered(cookies: Vec<HeaderValue>, template: &impl Template) -> Response {
    let cookies = cookies.into_iter().map(|set| (header::SET_COOKIE, set));
    match template.render() {
        Ok(html) => (AppendHeaders(cookies), Html(html)).into_response(),
        // Writing to a text fails only where formatting does, which none of the values can.
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// The words of the errors of a field.
pub fn words<'a>(errors: impl IntoIterator<Item = &'a FieldError>) -> Vec<String> {
    let texts = errors.into_iter().map(FieldError::django);
    texts.map(|text| text.into_owned()).collect()
}

/// The words of all errors.
pub fn all_words(errors: &FieldErrors) -> Vec<String> {
    words(errors.iter().flat_map(|(_, errors)| errors))
}

/// Lets requests through where the pages are served.
pub struct Served(pub App);

impl FromRequestParts<App> for Served {
    type Rejection = PageError;

    async fn from_request_parts(_: &mut Parts, app: &App) -> Result<Self, PageError> {
        match app.settings.accounts.pages {
            true => Ok(Self(app.clone())),
            false => Err(PageError::Api(ApiError::NotFound)),
        }
    }
}

/// The fields of a form that was sent from a page of this service.
pub struct Form(pub Fields);

impl FromRequest<App> for Form {
    type Rejection = PageError;

    async fn from_request(request: Request, app: &App) -> Result<Self, PageError> {
        match csrf::form(request, app).await {
            Ok(form) => Ok(Self(Fields::of_form(form, Absent::Missing))),
            Err(csrf::Refusal::Forgery) => {
                note_event(Event::Refusal.because("forgery"));
                Err(PageError::Forgery)
            }
            Err(csrf::Refusal::Unreadable(error)) => Err(error.into()),
        }
    }
}

/// What ends a request without its page.
pub enum PageError {
    /// The form was not sent from this site.
    Forgery,
    /// This page has no such method.
    MethodNotAllowed,
    /// As the API fails.
    Api(ApiError),
}

impl From<ApiError> for PageError {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}

impl From<StoreError> for PageError {
    fn from(error: StoreError) -> Self {
        Self::Api(error.into())
    }
}

impl From<Refused> for PageError {
    fn from(refused: Refused) -> Self {
        Self::Api(refused.into())
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let (status, title, text, wait) = match self {
            Self::Forgery => (
                StatusCode::FORBIDDEN,
                "Forbidden",
                "The form was not sent from this site, or is too old. Go back, load the page again, \
                 and try again.",
                None,
            ),
            Self::MethodNotAllowed => (
                StatusCode::METHOD_NOT_ALLOWED,
                "Method not allowed",
                "This page does not take requests of this kind.",
                None,
            ),
            Self::Api(error) => {
                let (title, text) = match &error {
                    ApiError::NotFound => ("Page not found", "There is no such page."),
                    ApiError::TooLarge => ("Request too large", "What was sent is too large."),
                    ApiError::Unavailable(_) | ApiError::Conflict => (
                        "Service unavailable",
                        "The service cannot answer at the moment. Please try again in a few seconds.",
                    ),
                    _ => ("Bad request", "The request cannot be understood."),
                };
                // The API's own answer has the status and the headers, and notes failures.
                let answer = error.into_response();
                let wait = answer.headers().get(header::RETRY_AFTER).cloned();
                (answer.status(), title, text, wait)
            }
        };
        let wait = wait.map(|wait| [(header::RETRY_AFTER, wait)]);
        let page = Page::of(String::new(), title);
        let next = None;
        let page = rendered(Vec::new(), &Told { page, text, next });
        (status, wait, page).into_response()
    }
}

pub async fn stylesheet(
    _: Served,
    Path(file): Path<String>,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Response, PageError> {
    match file.as_str() {
        "account.css" => Ok(CSS.serve(&query)),
        _ => Err(ApiError::NotFound.into()),
    }
}

/// A known page with a method that it does not take.
pub async fn method_not_allowed(_: Served) -> PageError {
    PageError::MethodNotAllowed
}

/// A page that does not exist.
pub async fn unknown_path() -> PageError {
    ApiError::NotFound.into()
}
