//! Cookies, by names that only this very host may set, wherever browsers support it.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderValue, header, uri::Authority};
use cookie::{Cookie, SameSite, time::Duration};

/// The session.
pub const SESSION: &str = "sessionid";
/// What a form's token is bound to before a session exists.
pub const CSRF: &str = "csrftoken";
/// The link of a mail, once it has left the address.
pub const LINK: &str = "link";
/// What the next page tells.
pub const MESSAGES: &str = "messages";

/// A cookie's name: `__Host-` keeps others from setting it (RFC 6265bis, section 4.1.3.2). Browsers
/// take it over HTTPS only, so a service on this machine goes without.
fn name_of(cookie: &str, headers: &HeaderMap) -> String {
    if is_on_this_machine(headers) {
        cookie.to_owned()
    } else {
        format!("__Host-{cookie}")
    }
}

/// The value that the request has for a cookie.
pub fn get(cookie: &str, headers: &HeaderMap) -> Option<String> {
    let name = name_of(cookie, headers);
    let lines = headers.get_all(header::COOKIE).iter();
    // Cookies that others have set may be no UTF-8, which must not hide the rest of the line.
    let lines = lines.map(|line| String::from_utf8_lossy(line.as_bytes()));
    let found = lines.flat_map(Cookie::split_parse).flatten();
    let last = found.filter(|cookie| cookie.name() == name).last()?;
    Some(last.value().to_owned())
}

/// A `Set-Cookie` header for until the browser closes. The value is of letters, digits, `.`, `-`
/// and `_`; an empty one ends the cookie.
pub fn set(cookie: &str, value: &str, headers: &HeaderMap) -> HeaderValue {
    let mut cookie = Cookie::build((name_of(cookie, headers), value))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(!is_on_this_machine(headers))
        .build();
    if value.is_empty() {
        cookie.set_max_age(Duration::ZERO);
    }
    // All of it is visible ASCII.
    HeaderValue::from_str(&cookie.to_string()).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// Whether the browser asked for a name or an address of its own machine. A request from elsewhere
/// that says so gets cookies that its browser would send to that name only.
fn is_on_this_machine(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).map(HeaderValue::as_bytes);
    let Some(Ok(authority)) = host.map(Authority::try_from) else {
        return false;
    };
    let name = authority.host().to_ascii_lowercase();
    let address = name.trim_matches(['[', ']']).parse::<IpAddr>();
    name == "localhost"
        || name.ends_with(".localhost")
        || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(host: &'static str, cookie: &'static [u8]) -> HeaderMap {
        HeaderMap::from_iter([
            (header::HOST, HeaderValue::from_static(host)),
            (header::COOKIE, HeaderValue::from_bytes(cookie).unwrap()),
        ])
    }

    #[test]
    fn cookies_are_the_hosts_own_but_on_this_machine() {
        for host in [
            "localhost",
            "localhost:8000",
            "127.0.0.1:8000",
            "[::1]:8000",
            "a.LOCALHOST",
        ] {
            let cookie = set(SESSION, "7.x", &headers(host, b""));
            assert_eq!(
                cookie, "sessionid=7.x; HttpOnly; SameSite=Lax; Path=/",
                "{host}"
            );
        }
        for host in [
            "example.com",
            "localhost.example.com",
            "192.168.0.1:8000",
            "",
        ] {
            let cookie = set(SESSION, "7.x", &headers(host, b""));
            let secure = "__Host-sessionid=7.x; HttpOnly; SameSite=Lax; Secure; Path=/";
            assert_eq!(cookie, secure, "{host}");
        }
        let ended = set(SESSION, "", &headers("localhost", b""));
        assert_eq!(
            ended,
            "sessionid=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0"
        );
    }

    #[test]
    fn a_cookie_of_another_name_is_none() {
        let get = |host, cookie| get(SESSION, &headers(host, cookie));
        assert_eq!(
            get("example.com", b"a=b; __Host-sessionid=7"),
            Some("7".to_owned())
        );
        assert_eq!(get("example.com", b"sessionid=7"), None);
        assert_eq!(get("localhost", b"__Host-sessionid=7"), None);
        assert_eq!(get("localhost", b"sessionid=7"), Some("7".to_owned()));
    }

    #[test]
    fn cookies_of_others_hide_none_of_ours() {
        let lines: [&[u8]; 6] = [
            b"a=\xe9; sessionid=7",
            b"sessionid=7; a=\xc3\xa9",
            b"\xff=\xff;sessionid=7;\xe2\x82",
            b"a=\xe2\x82;sessionid=7",
            b"=; ;x;a=\"b; sessionid=7",
            b"sessionid=6; sessionid=7",
        ];
        for line in lines {
            let found = get(SESSION, &headers("localhost", line));
            assert_eq!(found, Some("7".to_owned()), "{line:?}");
        }
    }
}
