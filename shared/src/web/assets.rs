//! Files of pages, at addresses that change with their content.

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};

/// A file that pages load.
#[derive(Debug)]
pub struct Asset {
    content: &'static str,
    kind: &'static str,
    address: String,
}

impl Asset {
    /// A file with that media type, at a path.
    pub fn new(path: &str, kind: &'static str, content: &'static str) -> Self {
        // FNV-1a, which tells one version from another.
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let hash = content.bytes().fold(0xcbf2_9ce4_8422_2325, step);
        Self {
            content,
            kind,
            address: format!("{path}?v={hash:016x}"),
        }
    }

    /// Where pages find it.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// It, for a query with the version that was asked for, which browsers may keep.
    pub fn serve(&self, query: &[(String, String)]) -> Response {
        let kind = [(header::CONTENT_TYPE, HeaderValue::from_static(self.kind))];
        // While versions change, an older function may be asked for what a newer one's page names.
        let is_current = query.first().is_some_and(|(_, version)| {
            self.address.ends_with(version.as_str()) && !version.is_empty()
        });
        let kept = is_current.then_some([(
            header::CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=31536000, immutable"),
        )]);
        (kind, kept, self.content).into_response()
    }
}
