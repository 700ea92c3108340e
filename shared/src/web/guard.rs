//! What keeps pages to this site: headers for the browser, and where a request may come from and
//! lead to.

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use url::Url;

/// What a page may load.
macro_rules! policy {
    () => {
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    };
}

/// As [`headers`], for a page whose script asks this site for more.
pub async fn headers_with_fetch(request: Request, next: Next) -> Response {
    let mut response = headers(request, next).await;
    let policy = HeaderValue::from_static(concat!(policy!(), "; connect-src 'self'"));
    let name = header::CONTENT_SECURITY_POLICY;
    response.headers_mut().insert(name, policy);
    response
}

/// Forbids the browser with every answer: content from elsewhere, inline content, frames around the
/// page, and to tell other sites its address. Forms still say which page of this site they are on.
pub async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().extend(HEADERS);
    response
}

const HEADERS: [(HeaderName, HeaderValue); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(policy!()),
    ),
    (
        header::REFERRER_POLICY,
        HeaderValue::from_static("same-origin"),
    ),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
];

/// 302, as Django redirects. An address that no header can hold leads to the site's root.
pub fn redirect(to: &str) -> Response {
    let to = HeaderValue::from_str(to).unwrap_or_else(|_| HeaderValue::from_static("/"));
    (StatusCode::FOUND, [(header::LOCATION, to)]).into_response()
}

/// An address, if it is a path of this site. Browsers take two slashes, or a slash and a backslash,
/// for another host, and leave out line breaks before they look.
pub fn local_path(address: &str) -> Option<&str> {
    let is_path = address.starts_with('/') && !address.starts_with("//");
    let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
    (is_path && address.bytes().all(is_plain)).then_some(address)
}

/// Whether the request's `Origin`, or without one its `Referer`, is this very host or a trusted
/// origin. A request that hides both is refused, as Django refuses it over HTTPS.
pub fn is_same_origin(headers: &HeaderMap, trusted: &[String]) -> bool {
    let text = |name| headers.get(name).map(HeaderValue::to_str);
    let Some(Ok(origin)) = text(header::ORIGIN).or_else(|| text(header::REFERER)) else {
        return false;
    };
    let Ok(origin) = Url::parse(origin) else {
        return false;
    };
    if trusted.contains(&origin.origin().ascii_serialization()) {
        return true;
    }
    let Some(Ok(host)) = text(header::HOST) else {
        return false;
    };
    // The scheme is that of the origin: an attacker who can speak for the host over HTTP sits between
    // it and the browser, and browsers that have met this service keep to HTTPS (RFC 6797).
    let here = Url::parse(&format!("{}://{host}", origin.scheme()));
    here.is_ok_and(|here| here.origin() == origin.origin()) && origin.has_host()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leads_off_the_site() {
        for path in ["/admin/auth/user/?q=a%20b", "/api/", "/"] {
            assert_eq!(local_path(path), Some(path));
        }
        for address in [
            "",
            "admin/",
            "//evil.org",
            "/\\evil.org",
            "\\\\evil.org",
            "/\t/evil.org",
            "\n//evil.org",
            "https://evil.org",
            "javascript:alert(1)",
            "/admin/\r\nSet-Cookie: a=b",
            "/ädmin/",
        ] {
            assert_eq!(local_path(address), None, "{address:?}");
        }
    }

    #[test]
    fn only_this_host_and_trusted_origins_are_the_same_origin() {
        let trusted = ["https://admin.example.com".to_owned()];
        let is_same = |name: HeaderName, value: &'static str| {
            let headers = HeaderMap::from_iter([
                (header::HOST, HeaderValue::from_static("example.com")),
                (name, HeaderValue::from_static(value)),
            ]);
            is_same_origin(&headers, &trusted)
        };
        for (value, expected) in [
            ("https://example.com", true),
            ("https://EXAMPLE.com", true),
            ("https://admin.example.com", true),
            ("http://admin.example.com", false),
            ("https://example.com:8443", false),
            ("https://example.com.evil.org", false),
            ("https://evil.org", false),
            ("null", false),
            ("", false),
            ("data:text/html,x", false),
        ] {
            assert_eq!(is_same(header::ORIGIN, value), expected, "{value:?}");
        }
        assert!(is_same(header::REFERER, "https://example.com/admin/login/"));
        assert!(!is_same(header::REFERER, "https://evil.org/example.com"));
        assert!(!is_same(header::ACCEPT, "text/html"));
    }
}
