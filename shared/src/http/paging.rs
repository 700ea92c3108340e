//! Pages of the lists of users: `?page_size=`, `?search=`, `?cursor=` and the `Link` header.

use std::{borrow::Cow, collections::HashMap};

use axum::{
    Json,
    extract::FromRequestParts,
    http::{HeaderValue, header, request::Parts},
    response::{IntoResponse, Response},
};
use unicode_normalization::UnicodeNormalization;

use super::{ApiError, Profile, describe::Parameter};
use crate::{
    app::App,
    domain::names::lower,
    python,
    store::pager::{Filter, Place},
};

/// Users on a page unless told.
const DEFAULT_SIZE: usize = 100;
/// The most users on a page.
const LARGEST_SIZE: usize = 1000;

/// The parameters of [`Paging`] in the document.
pub static PAGING: [Parameter; 3] = [
    Parameter {
        name: "page_size",
        schema: r#"{"type": "integer", "minimum": 1, "default": 100}"#,
        about: "How many users a page holds, at most 1,000. An invalid value is the default.",
    },
    Parameter {
        name: "search",
        schema: r#"{"type": "string"}"#,
        about: "Only usernames that start with this text, then email addresses, without regard to case.",
    },
    Parameter {
        name: "cursor",
        schema: r#"{"type": "string"}"#,
        about: "Where the page starts, as the `Link` header of the page before says.",
    },
];

/// What a list of users is asked for.
#[derive(Debug)]
pub struct Paging {
    /// How many users a page holds.
    size: usize,
    /// The search, as the index is searched: trimmed, NFKC, lower case. Empty is none.
    pub search: String,
    /// Where the page starts, as it was given. Empty is the beginning.
    cursor: String,
    path: String,
}

impl FromRequestParts<App> for Paging {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, ApiError> {
        let query = query(parts);
        must_be_first(&query)?;
        let text = |name| query.get(name).map_or("", AsRef::as_ref);
        Ok(Self {
            size: page_size(text("page_size")),
            search: searchable(text("search")),
            cursor: text("cursor").to_owned(),
            path: parts.uri.path().to_owned(),
        })
    }
}

/// That a list which always comes whole is asked for its only page.
pub struct Whole;

impl FromRequestParts<App> for Whole {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, ApiError> {
        let mut query = query(parts);
        // As in DRF, the last page has a name too.
        query.retain(|_, value| value != "last");
        must_be_first(&query).map(|()| Self)
    }
}

/// The parameters; the last of a name counts, as in Django's `QueryDict`.
fn query(parts: &Parts) -> HashMap<Cow<'_, str>, Cow<'_, str>> {
    form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).collect()
}

/// Refuses any page but the first to clients of DRF's `PageNumberPagination`, which refuses a bad
/// number, and of its `LimitOffsetPagination`, where a bad offset is 0.
fn must_be_first(query: &HashMap<Cow<'_, str>, Cow<'_, str>>) -> Result<(), ApiError> {
    let page = query.get("page").filter(|page| !page.is_empty());
    let offset = query.get("offset").and_then(|offset| python::int(offset));
    let is_first = page.is_none_or(|page| python::int(page).as_deref() == Some("1"))
        && offset.is_none_or(|offset| offset == "0" || offset.starts_with('-'));
    is_first.then_some(()).ok_or(ApiError::InvalidPage)
}

/// A search as the index is searched: trimmed, NFKC, lower case.
pub fn searchable(text: &str) -> String {
    lower(&python::strip(text).nfkc().collect::<String>())
}

/// DRF's `_positive_int` with a cut-off: a bad value is the default, a large one the largest.
fn page_size(text: &str) -> usize {
    match python::int(text) {
        Some(digits) if digits.starts_with('-') || digits == "0" => DEFAULT_SIZE,
        Some(digits) => digits.parse().unwrap_or(LARGEST_SIZE).min(LARGEST_SIZE),
        None => DEFAULT_SIZE,
    }
}

impl Paging {
    /// The page of the users that a filter accepts, with the `Link` header to the next one
    /// if it exists.
    ///
    /// # Errors
    /// The cursor is none that this list gave, or the table's failure.
    pub async fn answer(&self, filter: &Filter, app: &App) -> Result<Response, ApiError> {
        let from = match self.cursor.as_str() {
            "" => None,
            text => Some(
                Place::parse(text, filter)
                    .filter(Place::is_forward)
                    .ok_or(ApiError::InvalidCursor)?,
            ),
        };
        let page = app
            .store
            .user_page(filter, from.as_ref(), self.size)
            .await?;
        let profiles = Profile::of_all(&page.users, &app.store).await?;
        let mut response = Json(profiles).into_response();
        if let Some(next) = page.next {
            let link = self.link(&next.to_text());
            response.headers_mut().insert(header::LINK, link);
        }
        Ok(response)
    }

    /// The `Link` header to the next page.
    fn link(&self, next: &str) -> HeaderValue {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("cursor", next);
        if self.size != DEFAULT_SIZE {
            query.append_pair("page_size", &self.size.to_string());
        }
        if !self.search.is_empty() {
            query.append_pair("search", &self.search);
        }
        let link = format!("<{}?{}>; rel=\"next\"", self.path, query.finish());
        // A path from a request line and a form-encoded query are visible ASCII.
        HeaderValue::from_str(&link).unwrap_or_else(|_| HeaderValue::from_static(""))
    }
}
