//! The JSON API around its handlers: routes, extractors, errors, and the boundary of every request.

pub mod can;
pub mod describe;
mod edge;
mod error;
pub mod extract;
pub mod paging;
mod profile;
mod published;
pub mod routes;
mod session;

use std::{sync::Arc, time::Instant};

use axum::{
    Router,
    body::Body,
    extract::{MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};

use tower::util::MapRequestLayer;

pub use can::Can;
pub use edge::{ClientAddress, Malformed, ORIGIN_SECRET_HEADER, Peer};
pub use error::ApiError;
pub use extract::{Caller, JsonOrForm, OptionalCaller};
pub use profile::{GROUP_NAME, PROFILE, Profile};
pub use published::published;
pub use routes::Routes;
pub use session::{SESSION, SessionDetail};

use crate::{
    app::App,
    telemetry::{self, RequestInfo},
};

/// The service of some routes: what API Gateway calls and `manage runserver` mounts.
pub fn service(routes: Routes, app: App) -> Router {
    let redirecting = routes.table().iter().filter(|route| route.redirects);
    let redirecting = redirecting.map(|route| route.path).collect();
    let state = (app.clone(), redirecting);
    let routes: Router = routes
        .into_router()
        .route_layer(MapRequestLayer::new(note_route))
        .fallback(async || ApiError::NotFound)
        .with_state(app);
    // The outer router has no routes, so that the path is settled before one is chosen.
    Router::new()
        .fallback_service(routes)
        .layer(from_fn_with_state(state, boundary))
}

fn note_route(request: Request) -> Request {
    if let Some(route) = request.extensions().get::<MatchedPath>() {
        telemetry::note_route(route.as_str());
    }
    request
}

/// Every request's way in and out: the path gets its slash, the edge lets it in or not, HEAD loses
/// its body, the answer gets the headers that all have, and one line is logged.
async fn boundary(
    State((app, redirecting)): State<(App, Arc<[&'static str]>)>,
    mut request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let is_head = request.method() == Method::HEAD;
    let mut elsewhere = None;
    if let Some(uri) = with_slash(request.uri()) {
        elsewhere = Some(uri.clone()).filter(|uri| redirecting.contains(&uri.path()));
        *request.uri_mut() = uri;
    }
    let admission = edge::admit(&app.settings.edge, &mut request);
    let address = request.extensions().get::<ClientAddress>();
    let address = address.map(|ClientAddress(address)| *address);
    let info = RequestInfo::of(&mut request, address);
    let answer = async {
        let mut response = match admission {
            Ok(()) if let Some(uri) = elsewhere => moved_to(&uri),
            Ok(()) => match app.answer(next.run(request)).await {
                Ok(response) => response,
                Err(error) => ApiError::Unavailable(error).into_response(),
            },
            Err(refused) => refused.into_response(),
        };
        if is_head {
            *response.body_mut() = Body::empty();
            response.headers_mut().remove(header::CONTENT_LENGTH);
        }
        for (name, value) in HYGIENE {
            response.headers_mut().entry(name).or_insert(value);
        }
        let status = response.status();
        (response, status, started.elapsed())
    };
    app.reporter.tell(info, answer).await
}

/// Django's `APPEND_SLASH`. The host, which an address in Lambda has, is left out: it may be a proxy's.
fn moved_to(uri: &Uri) -> Response {
    let mut response = StatusCode::MOVED_PERMANENTLY.into_response();
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    // A path is visible ASCII.
    if let Ok(location) = HeaderValue::try_from(path) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// On every answer that does not set them itself: tokens and personal data are not cached (RFC 6749,
/// section 5.1), types are not sniffed, and browsers that used HTTPS keep to it (RFC 6797).
const HYGIENE: [(HeaderName, HeaderValue); 3] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (
        header::STRICT_TRANSPORT_SECURITY,
        HeaderValue::from_static("max-age=63072000"),
    ),
];

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
    StatusCode::NO_CONTENT.into_response()
}
