//! Logging in and out.

use askama::Template;
use axum::{
    extract::{Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use shared::{
    app::App, error::ApiError, hashing::Password, http::extract::SourceAddress, login, python,
};

use crate::{
    cookies,
    error::AdminError,
    page::{Page, redirect, rendered},
    posted::{self, Posted},
    session::{self, Staff},
};

/// Django's words, whatever is wrong: nothing tells whether the account exists.
const REFUSED: &str = "Please enter the correct username and password for a staff account. Note \
     that both fields may be case-sensitive.";

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    page: Page,
    error: String,
    next: String,
    username: String,
}

/// The query of the login page.
#[derive(Default)]
pub struct Wanted {
    next: String,
}

impl Wanted {
    fn of(pairs: Vec<(String, String)>) -> Self {
        let mut wanted = Self::default();
        for (name, value) in pairs {
            if name == "next" {
                wanted.next = value;
            }
        }
        wanted
    }
}

pub async fn ask(
    staff: Option<Staff>,
    State(app): State<App>,
    Query(query): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Response, AdminError> {
    let next = Wanted::of(query).next;
    if staff.is_some() {
        return Ok(redirect(&within(&next)));
    }
    Ok(form(&app, &headers, String::new(), next, String::new()).await)
}

pub async fn log_in(
    State(app): State<App>,
    SourceAddress(address): SourceAddress,
    headers: HeaderMap,
    posted: Posted,
) -> Result<Response, AdminError> {
    // Trimmed as the API's, where accounts are made: both take the same passwords.
    let text = |name| python::strip(posted.text(name));
    let (username, next) = (text("username"), posted.text("next"));
    let password = Password::new(text("password").to_owned());
    let now = app.clock.now();
    let found = if username.is_empty() || password.expose().is_empty() {
        Err(ApiError::WrongCredentials)
    } else {
        login::log_in(&app, username, &password, address, |user| user.is_staff).await
    };
    let (status, error, wait) = match found {
        Ok(user) => {
            if let Some(old) = session::secret(&app, &headers).await {
                app.store.end_session(&old).await?;
            }
            let session = session::begin(&app, &user, &headers, now).await?;
            app.store.set_last_login(user.id, now).await?;
            let mut response = redirect(&within(next));
            let answer = response.headers_mut();
            answer.append(header::SET_COOKIE, session);
            answer.append(
                header::SET_COOKIE,
                cookies::set(cookies::CSRF, "", &headers),
            );
            return Ok(response);
        }
        Err(ApiError::WrongCredentials) => (StatusCode::OK, REFUSED.to_owned(), None),
        Err(ApiError::Throttled(wait)) => {
            (StatusCode::TOO_MANY_REQUESTS, too_many(wait), Some(wait))
        }
        Err(error) => return Err(error.into()),
    };
    let page = form(&app, &headers, error, next.to_owned(), username.to_owned()).await;
    let wait = wait.map(|wait| [(header::RETRY_AFTER, HeaderValue::from(wait))]);
    Ok((status, wait, page).into_response())
}

pub async fn log_out(
    staff: Staff,
    State(app): State<App>,
    _: Posted,
) -> Result<Response, AdminError> {
    let ended = staff.log_out(&app).await?;
    let mut response = redirect("/admin/login/");
    response.headers_mut().append(header::SET_COOKIE, ended);
    Ok(response)
}

/// How long to wait, in words.
pub fn too_many(wait: i64) -> String {
    let minutes = (wait + 59) / 60;
    let unit = if minutes == 1 { "minute" } else { "minutes" };
    format!("Too many failed logins. Please try again in {minutes} {unit}.")
}

/// The form, with a token that is bound to a cookie, as there is no session yet.
async fn form(
    app: &App,
    headers: &HeaderMap,
    error: String,
    next: String,
    username: String,
) -> Response {
    let there = cookies::get(cookies::CSRF, headers).filter(|seed| is_seed(seed));
    let seed = there.unwrap_or_else(|| format!("{:032x}", rand::random::<u128>()));
    // A cookie of an old session would be what the token is asked to be bound to.
    let old = session::secret(app, headers).await.is_some();
    let keys = app.keys.current(app.clock.now()).await;
    let mut page = Page::signed_out("Log in");
    page.csrf = keys.tag(posted::PURPOSE, &seed);
    let mut response = rendered(&LoginPage {
        page,
        error,
        next,
        username,
    });
    let answer = response.headers_mut();
    answer.append(
        header::SET_COOKIE,
        cookies::set(cookies::CSRF, &seed, headers),
    );
    if old {
        answer.append(
            header::SET_COOKIE,
            cookies::set(cookies::SESSION, "", headers),
        );
    }
    response
}

fn is_seed(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A path of this site, or the front page: browsers take two slashes, or a slash and a backslash,
/// for another host, and leave out line breaks before they look.
fn within(next: &str) -> String {
    let is_path = next.starts_with('/') && !next.starts_with("//");
    let is_plain = next
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_path && is_plain {
        next.to_owned()
    } else {
        "/admin/".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leads_off_the_site() {
        for next in ["/admin/auth/user/?q=a%20b", "/api/", "/"] {
            assert_eq!(within(next), next);
        }
        for next in [
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
            assert_eq!(within(next), "/admin/", "{next:?}");
        }
    }

    #[test]
    fn the_wait_is_told_in_minutes() {
        let text = |minutes| format!("Too many failed logins. Please try again in {minutes}.");
        assert_eq!(too_many(1), text("1 minute"));
        assert_eq!(too_many(60), text("1 minute"));
        assert_eq!(too_many(61), text("2 minutes"));
    }
}
