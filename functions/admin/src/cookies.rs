//! Cookies: by names that only this very host may set, wherever browsers let it.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderValue, header};

/// The session.
pub const SESSION: &str = "sessionid";
/// What a form's token is bound to before there is a session.
pub const CSRF: &str = "csrftoken";
/// What is to be told on the next page.
pub const MESSAGES: &str = "messages";

/// A cookie's name: `__Host-` keeps others from setting it (RFC 6265bis, section 4.1.3.2). Browsers
/// take it only over HTTPS, so that a service on this machine goes without.
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
    let pairs = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'));
    let mut values = pairs.filter_map(|pair| {
        let (found, value) = pair.trim().split_once('=')?;
        (found == name).then(|| value.to_owned())
    });
    values.next_back()
}

/// A `Set-Cookie` header for until the browser closes. The value is of letters, digits, `.`, `-`
/// and `_`; an empty one ends the cookie.
pub fn set(cookie: &str, value: &str, headers: &HeaderMap) -> HeaderValue {
    let name = name_of(cookie, headers);
    let secure = if is_on_this_machine(headers) {
        ""
    } else {
        "; Secure"
    };
    let age = if value.is_empty() { "; Max-Age=0" } else { "" };
    let line = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{age}");
    // All of it is visible ASCII.
    HeaderValue::from_str(&line).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// Whether the browser asked for a name or an address of its own machine. A request from elsewhere
/// that says so gets cookies that its browser would send to that name only.
fn is_on_this_machine(headers: &HeaderMap) -> bool {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let Some(host) = host else { return false };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name
        .trim_start_matches('[')
        .trim_end_matches(']')
        .to_ascii_lowercase();
    name == "localhost"
        || name.ends_with(".localhost")
        || name
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(host: &'static str, cookie: &'static str) -> HeaderMap {
        HeaderMap::from_iter([
            (header::HOST, HeaderValue::from_static(host)),
            (header::COOKIE, HeaderValue::from_static(cookie)),
        ])
    }

    #[test]
    fn cookies_are_the_hosts_own_but_on_this_machine() {
        for host in [
            "localhost",
            "localhost:8000",
            "127.0.0.1:8000",
            "[::1]:8000",
            "a.localhost",
        ] {
            let cookie = set(SESSION, "7.x", &headers(host, ""));
            assert_eq!(
                cookie, "sessionid=7.x; Path=/; HttpOnly; SameSite=Lax",
                "{host}"
            );
        }
        for host in [
            "example.com",
            "localhost.example.com",
            "192.168.0.1:8000",
            "",
        ] {
            let cookie = set(SESSION, "7.x", &headers(host, ""));
            let secure = "__Host-sessionid=7.x; Path=/; HttpOnly; SameSite=Lax; Secure";
            assert_eq!(cookie, secure, "{host}");
        }
    }

    #[test]
    fn a_cookie_of_another_name_is_none() {
        let get = |host, cookie| get(SESSION, &headers(host, cookie));
        assert_eq!(
            get("example.com", "a=b; __Host-sessionid=7"),
            Some("7".to_owned())
        );
        assert_eq!(get("example.com", "sessionid=7"), None);
        assert_eq!(get("localhost", "__Host-sessionid=7"), None);
        assert_eq!(get("localhost", "sessionid=7"), Some("7".to_owned()));
    }
}
