//! `GET /api/schema/swagger-ui/`: the document in Swagger UI, whose files are those of the npm package
//! swagger-ui-dist (Apache-2.0), from here. `static/update` brings a newer version.

use axum::{
    extract::{Path, Query},
    http::{HeaderMap, HeaderValue, header},
    response::{Html, IntoResponse, Response},
};
use shared::{http::ApiError, web::assets::Version};

use crate::compressed;

/// A file of the page.
struct File {
    name: &'static str,
    kind: &'static str,
    /// Compressed by gzip, but for what is our own.
    content: &'static [u8],
}

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

static FILES: [File; 3] = [
    File {
        name: "swagger-ui.css",
        kind: "text/css; charset=utf-8",
        content: include_bytes!("../static/swagger-ui.css.gz"),
    },
    File {
        name: "swagger-ui-bundle.js",
        kind: JAVASCRIPT,
        content: include_bytes!("../static/swagger-ui-bundle.js.gz"),
    },
    File {
        name: START,
        kind: JAVASCRIPT,
        content: include_bytes!("../static/start.js"),
    },
];

/// Our own.
const START: &str = "start.js";

impl File {
    fn version(&self) -> Version {
        Version::of(self.content)
    }
}

pub async fn page() -> Html<String> {
    let page = include_str!("../static/index.html");
    // Addresses change with the content, so that browsers may keep what they name.
    Html(FILES.iter().fold(page.to_owned(), |page, file| {
        let (name, version) = (file.name, file.version());
        page.replace(&format!("\"{name}\""), &format!("\"{name}?v={version}\""))
    }))
}

pub async fn file(
    Path(name): Path<String>,
    Query(query): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let mut files = FILES.iter();
    let file = files.find(|file| file.name == name);
    let file = file.ok_or(ApiError::NotFound)?;
    let mut response = match file.name {
        START => file.content.into_response(),
        _ => compressed::send(file.content, &headers),
    };
    let kind = HeaderValue::from_static(file.kind);
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    if let Some(kept) = file.version().kept(&query) {
        response.headers_mut().insert(header::CACHE_CONTROL, kept);
    }
    Ok(response)
}
