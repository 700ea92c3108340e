//! What stands around the handlers: routing of methods, extractors, and the boundary of every
//! request.

pub mod extract;
pub mod paging;
pub mod profile;

use std::time::Instant;

use axum::{
    Json, Router,
    body::Body,
    extract::{FromRequestParts, Request},
    http::{HeaderValue, Method, Uri, header},
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
    routing::MethodRouter,
};
use serde_json::json;

pub use extract::{Admin, Caller, JsonOrForm, OptionalCaller};
pub use profile::Profile;

use crate::{app::App, error::ApiError};

/// The service of some routes: what API Gateway calls and `manage runserver` mounts.
pub fn service(routes: Router<App>, app: App) -> Router {
    let routes: Router = routes.fallback(async || ApiError::NotFound).with_state(app);
    // The outer router has no routes, so that the path is settled before one is chosen.
    Router::new()
        .fallback_service(routes)
        .layer(from_fn(boundary))
}

/// Logs to standard output as CloudWatch reads it: a JSON object on a line.
pub fn log_as_json() {
    let _ = tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing::Level::INFO)
        .try_init();
}

/// One resource: its methods, and for every other one a 405 to whom `P` lets this far, as DRF
/// checks permissions before methods. `name` is DRF's view name, which OPTIONS shows.
pub fn view<P>(
    name: &'static str,
    allow: &'static str,
    methods: MethodRouter<App>,
) -> MethodRouter<App>
where
    P: FromRequestParts<App, Rejection = ApiError> + Send + 'static,
{
    let metadata = move |_: P| async move {
        let body = json!({
            "name": name,
            "description": "",
            "renders": ["application/json"],
            "parses": [
                "application/json",
                "application/x-www-form-urlencoded",
                "multipart/form-data",
            ],
        });
        (
            [(header::ALLOW, HeaderValue::from_static(allow))],
            Json(body),
        )
    };
    let refuse =
        move |_: P, method: Method| async move { ApiError::MethodNotAllowed(method, allow) };
    methods.options(metadata).fallback(refuse)
}

/// Every request's way in and out: the path gets its slash, HEAD loses its body, and one line is
/// logged.
async fn boundary(mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    if let Some(uri) = with_slash(request.uri()) {
        *request.uri_mut() = uri;
    }
    let path = request.uri().path().to_owned();
    let mut response = next.run(request).await;
    if method == Method::HEAD {
        *response.body_mut() = Body::empty();
        response.headers_mut().remove(header::CONTENT_LENGTH);
    }
    let milliseconds = (started.elapsed().as_secs_f64() * 10_000.0).round() / 10.0;
    tracing::info!(%method, path, status = response.status().as_u16(), milliseconds, "request");
    response
}

/// The same address with a slash at the end of its path, if it lacks one.
fn with_slash(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    if path.ends_with('/') {
        return None;
    }
    let path_and_query = match uri.query() {
        Some(query) => format!("{path}/?{query}"),
        None => format!("{path}/"),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(path_and_query.parse().ok()?);
    Uri::from_parts(parts).ok()
}

/// 204 without a body.
pub fn no_content() -> Response {
    axum::http::StatusCode::NO_CONTENT.into_response()
}
