//! The stylesheet and the script.

use std::sync::LazyLock;

use axum::{extract::Query, response::Response};
use shared::{http::ApiError, web::assets::Asset};

use crate::{error::AdminError, staff::Segment};

/// The stylesheet.
pub static CSS: LazyLock<Asset> = LazyLock::new(|| {
    let content = include_str!("../static/admin.css");
    Asset::new(
        "/admin/static/admin.css",
        "text/css; charset=utf-8",
        content,
    )
});
/// The script.
pub static JS: LazyLock<Asset> = LazyLock::new(|| {
    let content = include_str!("../static/admin.js");
    let kind = "text/javascript; charset=utf-8";
    Asset::new("/admin/static/admin.js", kind, content)
});

pub async fn serve(
    Segment(file): Segment,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Response, AdminError> {
    match file.as_str() {
        "admin.css" => Ok(CSS.serve(&query)),
        "admin.js" => Ok(JS.serve(&query)),
        _ => Err(ApiError::NotFound.into()),
    }
}
