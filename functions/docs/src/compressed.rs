//! Files that are in the binary compressed, and go out so to those who take it (RFC 9110, section 12.5.3).

use std::io::Read;

use axum::{
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use flate2::read::GzDecoder;

/// The file as the client takes it, compressed by gzip or not.
pub fn send(file: &'static [u8], headers: &HeaderMap) -> Response {
    let varies = [(header::VARY, HeaderValue::from_static("Accept-Encoding"))];
    if takes_gzip(headers) {
        let coding = [(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"))];
        return (varies, coding, file).into_response();
    }
    let mut whole = Vec::new();
    // What the build compressed can be read.
    let _ = GzDecoder::new(file).read_to_end(&mut whole);
    (varies, whole).into_response()
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(header::ACCEPT_ENCODING).into_iter();
    let lines = lines.filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let is_gzip = parts
            .next()
            .is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let is_refused = parts.any(|part| {
            let weight = part.strip_prefix("q=").or_else(|| part.strip_prefix("Q="));
            weight.and_then(|weight| weight.parse().ok()) == Some(0.0)
        });
        is_gzip && !is_refused
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_goes_to_those_who_name_it() {
        for (line, expected) in [
            ("gzip", true),
            ("deflate, GZIP;q=0.5", true),
            ("br, gzip ; q=1", true),
            ("gzip;q=0", false),
            ("gzip;q=0.000", false),
            ("br", false),
            ("identity", false),
            ("", false),
        ] {
            let value = HeaderValue::from_static(line);
            let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, value)]);
            assert_eq!(takes_gzip(&headers), expected, "{line}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }
}
