//! Files of pages, at addresses that change with their content.

use std::fmt;

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};

/// A file that pages load.
#[derive(Debug)]
pub struct Asset {
    content: &'static str,
    kind: &'static str,
    version: Version,
    address: String,
}

/// What tells one version of a file from another, in the query of its address.
#[derive(Clone, Copy, Debug)]
pub struct Version(u64);

impl Version {
    /// That of this content.
    pub fn of(content: &[u8]) -> Self {
        // FNV-1a.
        let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        Self(content.iter().fold(0xcbf2_9ce4_8422_2325, step))
    }

    /// What lets browsers keep the file, if a query asks for this version. While versions change, an
    /// older function may be asked for what a newer one's page names.
    pub fn kept(self, query: &[(String, String)]) -> Option<HeaderValue> {
        let (_, asked) = query.first()?;
        let kept = HeaderValue::from_static("public, max-age=31536000, immutable");
        (*asked == self.to_string()).then_some(kept)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Asset {
    /// A file with that media type, at a path.
    pub fn new(path: &str, kind: &'static str, content: &'static str) -> Self {
        let version = Version::of(content.as_bytes());
        Self {
            content,
            kind,
            version,
            address: format!("{path}?v={version}"),
        }
    }

    /// Where pages find it.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// It, for a query with the version that was asked for, which browsers may keep.
    pub fn serve(&self, query: &[(String, String)]) -> Response {
        let kind = [(header::CONTENT_TYPE, HeaderValue::from_static(self.kind))];
        let kept = self.version.kept(query);
        let kept = kept.map(|kept| [(header::CACHE_CONTROL, kept)]);
        (kind, kept, self.content).into_response()
    }
}
