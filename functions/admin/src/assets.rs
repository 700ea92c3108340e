//! The stylesheet and the script, at addresses that change with their content.

use std::sync::LazyLock;

use axum::{
    extract::Query,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use shared::http::ApiError;

use crate::{error::AdminError, staff::Segment};

const CSS: &str = include_str!("../static/admin.css");
const JS: &str = include_str!("../static/admin.js");

/// Where the stylesheet is.
pub static CSS_URL: LazyLock<String> = LazyLock::new(|| address("admin.css", CSS));
/// Where the script is.
pub static JS_URL: LazyLock<String> = LazyLock::new(|| address("admin.js", JS));

/// FNV-1a, which tells one version from another.
fn address(name: &str, content: &str) -> String {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = content.bytes().fold(0xcbf2_9ce4_8422_2325, step);
    format!("/admin/static/{name}?v={hash:016x}")
}

pub async fn serve(
    Segment(file): Segment,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Response, AdminError> {
    let (content, kind, address) = match file.as_str() {
        "admin.css" => (CSS, "text/css; charset=utf-8", &CSS_URL),
        "admin.js" => (JS, "text/javascript; charset=utf-8", &JS_URL),
        _ => return Err(ApiError::NotFound.into()),
    };
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static(kind))];
    // While versions change, an older function may be asked for what a newer one's page names.
    let is_current = query
        .first()
        .is_some_and(|(_, version)| address.ends_with(version.as_str()) && !version.is_empty());
    let kept = is_current.then_some([(
        header::CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=31536000, immutable"),
    )]);
    Ok((kind, kept, content).into_response())
}
