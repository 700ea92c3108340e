//! Pages of the lists of users: `?page_size=`, `?search=`, `?cursor=` and the `Link` header.

use std::{borrow::Cow, collections::HashMap, convert::Infallible};

use super::{ApiError, Profile, describe::Parameter};
use crate::{
    app::App,
    domain::words::searchable,
    python,
    store::pager::{Filter, Place},
};
use axum::{
    Json,
    extract::FromRequestParts,
    http::{HeaderValue, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::Serialize;

/// Users on a page unless told.
const DEFAULT_SIZE: usize = 100;
/// The most users on a page.
const LARGEST_SIZE: usize = 1000;

/// The parameters of [`Paging`] in the document.
pub static PAGING: [Parameter; 3] = [
    Parameter {
        name: "page_size",
        schema: r#"{"type": "integer", "minimum": 1, "default": 100}"#,
        about: "How many users a page holds, at most 1,000, and fewer where they are large. An invalid value is the default.",
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
            search: searchable(python::strip(text("search"))),
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
        let mut page = app
            .store
            .user_page(filter, from.as_ref(), self.size)
            .await?;
        let names = Profile::names_for(&page.users, &app.store).await?;
        let mut body = JsonArray::default();
        for user in &page.users {
            if !body.push(&Profile::with(user, &names)) {
                page.cut(body.len());
                break;
            }
        }
        let mut response = body.into_response();
        if let Some(next) = page.next {
            let link = self.link(&next.to_text());
            response.headers_mut().insert(header::LINK, link);
        }
        Ok(response)
    }

    /// The `Link` header to the next page.
    fn link(&self, next: &str) -> HeaderValue {
        let size = (self.size != DEFAULT_SIZE).then(|| self.size.to_string());
        let search = (!self.search.is_empty()).then(|| self.search.clone());
        let others = [("page_size", size), ("search", search)];
        let others = others
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        next_link(&self.path, next, others)
    }
}

/// The relative `Link` header to the page that starts at a cursor.
fn next_link(
    path: &str,
    cursor: &str,
    others: impl IntoIterator<Item = (&'static str, String)>,
) -> HeaderValue {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("cursor", cursor);
    query.extend_pairs(others);
    let link = format!("<{path}?{}>; rel=\"next\"", query.finish());
    // A path from a request line and a form-encoded query are visible ASCII.
    HeaderValue::from_str(&link).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// The cursor of a list whose pages have a size of their own.
pub struct Cursor {
    /// Where the page starts, as it was given; none is the beginning.
    pub at: Option<String>,
    path: String,
}

/// The parameter of [`Cursor`] in the document.
pub static CURSOR: [Parameter; 1] = [Parameter {
    name: "cursor",
    schema: r#"{"type": "string"}"#,
    about: "Where the page starts, as the `Link` header of the page before says.",
}];

impl FromRequestParts<App> for Cursor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Infallible> {
        let at = query(parts).remove("cursor");
        Ok(Self {
            at: at.filter(|at| !at.is_empty()).map(Cow::into_owned),
            path: parts.uri.path().to_owned(),
        })
    }
}

impl Cursor {
    /// A page of a list, with the `Link` header to the next one if it exists.
    pub fn answer(&self, page: impl Serialize, next: Option<&str>) -> Response {
        let mut response = Json(page).into_response();
        if let Some(next) = next {
            let link = next_link(&self.path, next, []);
            response.headers_mut().insert(header::LINK, link);
        }
        response
    }
}

/// The most that a page of users takes of an answer of Lambda, whose 6 MB are the body as a text in JSON,
/// where a quote and a backslash take two bytes.
const LARGEST_BODY: usize = 5_000_000;

/// A JSON array that takes objects as long as there is room.
#[derive(Default)]
struct JsonArray {
    objects: Vec<Vec<u8>>,
    size: usize,
}

impl JsonArray {
    fn len(&self) -> usize {
        self.objects.len()
    }

    /// Adds an object; false if it is no longer one that fits. The first always fits.
    fn push(&mut self, object: &impl Serialize) -> bool {
        // Only a map with keys that are no texts can fail.
        let object = serde_json::to_vec(object).unwrap_or_default();
        let escaped = |byte: &&u8| matches!(byte, b'"' | b'\\');
        self.size += object.len() + object.iter().filter(escaped).count() + 1;
        let fits = self.objects.is_empty() || self.size <= LARGEST_BODY;
        if fits {
            self.objects.push(object);
        }
        fits
    }

    fn into_response(self) -> Response {
        let mut body = vec![b'['];
        body.extend(self.objects.join(&b','));
        body.push(b']');
        let json = HeaderValue::from_static("application/json");
        ([(header::CONTENT_TYPE, json)], body).into_response()
    }
}
