//! Pages of the list of users: `?page_size=`, `?search=`, `?cursor=` and the `Link` header.

use axum::{
    Json,
    extract::FromRequestParts,
    http::{HeaderValue, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use unicode_normalization::UnicodeNormalization;

use super::ApiError;
use crate::{app::App, domain::names::lower, python};

/// Users on a page unless told.
const DEFAULT_SIZE: usize = 100;
/// The most users on a page.
const LARGEST_SIZE: usize = 1000;

/// What a list is asked for.
#[derive(Debug)]
pub struct Paging {
    /// How many users a page holds.
    pub size: usize,
    /// The search, as the index is searched: trimmed, NFKC, lower case. Empty is none.
    pub search: String,
    /// Where the page starts, as it was given.
    cursor: Option<String>,
    path: String,
}

impl FromRequestParts<App> for Paging {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, ApiError> {
        let (mut size, mut search, mut cursor) = (DEFAULT_SIZE, String::new(), None);
        for (name, value) in
            form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes())
        {
            match name.as_ref() {
                "page_size" => size = page_size(&value),
                "search" => search = searchable(&value),
                "cursor" => cursor = Some(value.into_owned()),
                _ => {}
            }
        }
        Ok(Self {
            size,
            search,
            cursor,
            path: parts.uri.path().to_owned(),
        })
    }
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
    /// Where the page starts, read by `parse`.
    ///
    /// # Errors
    /// It is none that this list gave.
    pub fn cursor<T>(&self, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>, ApiError> {
        let cursor = self.cursor.as_deref();
        cursor
            .map(|text| parse(text).ok_or(ApiError::InvalidCursor))
            .transpose()
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

/// A page of a list, with the `Link` header to the next one if there is one.
pub fn paged(items: Vec<impl Serialize>, paging: &Paging, next: Option<String>) -> Response {
    let mut response = Json(items).into_response();
    if let Some(next) = next {
        response
            .headers_mut()
            .insert(header::LINK, paging.link(&next));
    }
    response
}
