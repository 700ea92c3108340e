//! Cross-origin requests to `runserver`; on AWS the HTTP API answers them.

use axum::{
    extract::Request,
    http::{HeaderName, HeaderValue, Method, header},
    middleware::Next,
    response::Response,
};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::CommandError;

/// What django-cors-headers allows by default.
const ALLOWED_HEADERS: [HeaderName; 6] = [
    header::ACCEPT,
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    header::USER_AGENT,
    HeaderName::from_static("x-csrftoken"),
    HeaderName::from_static("x-requested-with"),
];

/// What answers the preflights of these origins and marks the answers to them; `*` is any origin.
///
/// # Errors
/// A text that is no origin, which would never match one.
pub fn layer(origins: &[String]) -> Result<CorsLayer, CommandError> {
    let allowed = if origins.iter().any(|origin| origin == "*") {
        AllowOrigin::any()
    } else {
        AllowOrigin::list(
            origins
                .iter()
                .map(|text| {
                    parse_origin(text).ok_or_else(|| {
                        CommandError::new(format!(
                            "CORS_ALLOWED_ORIGINS has '{text}', which is no origin such as \
                             http://localhost:3000"
                        ))
                    })
                })
                .collect::<Result<Vec<_>, _>>()?,
        )
    };
    Ok(CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ])
        .allow_headers(ALLOWED_HEADERS)
        .expose_headers([header::LINK, header::RETRY_AFTER, header::WWW_AUTHENTICATE]))
}

/// An origin as browsers send it: a scheme and a host, perhaps a port, and no path.
pub fn parse_origin(text: &str) -> Option<HeaderValue> {
    let host = text
        .strip_prefix("http://")
        .or_else(|| text.strip_prefix("https://"))?;
    if host.is_empty() || host.contains('/') {
        return None;
    }
    HeaderValue::from_str(text).ok()
}

/// Logs what the layer answers itself, before the service sees it.
pub async fn log_preflight(request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let response = next.run(request).await;
    if method == Method::OPTIONS {
        tracing::info!(%method, path, status = response.status().as_u16(), "preflight");
    }
    response
}
