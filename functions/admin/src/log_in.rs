//! Logging in and out.

use askama::Template;
use axum::{
    extract::{Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{AppendHeaders, IntoResponse, Response},
};
use shared::{
    accounts::{Refused, left_undone, login},
    app::App,
    hashing::Password,
    http::extract::RequestClient,
    python,
    web::{
        cookies, csrf,
        guard::{local_path, redirect},
        session,
    },
};

use crate::{
    error::AdminError,
    page::{Page, rendered},
    posted::Posted,
    staff::Staff,
    urls,
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

pub async fn ask(
    staff: Option<Staff>,
    State(app): State<App>,
    Query(query): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Response {
    let next = query.into_iter().rfind(|(name, _)| name == "next");
    let next = next.map_or_else(String::new, |(_, next)| next);
    if staff.is_some() {
        return redirect(wanted(&next));
    }
    form(&app, &headers, String::new(), next, String::new()).await
}

pub async fn log_in(
    State(app): State<App>,
    RequestClient(client): RequestClient,
    headers: HeaderMap,
    posted: Posted,
) -> Result<Response, AdminError> {
    let (typed, next) = (posted.text("username"), posted.text("next"));
    let username = python::strip(typed);
    // Not trimmed, as in Django's form: the spaces are the password's.
    let password = Password::new(posted.text("password").to_owned());
    let found = if username.is_empty() || password.expose().is_empty() {
        Err(Refused::WrongCredentials)
    } else {
        let attempt = login::Attempt {
            username,
            password: &password,
            untrimmed: None,
            normalises: true,
            address: client.address,
        };
        login::log_in(&app, attempt, |user| user.is_staff).await
    };
    let (status, error, wait) = match found {
        Ok(user) => {
            session::end(&app, &headers).await?;
            let begun = session::begin(&app, &user, &client, &headers).await?;
            left_undone(app.store.set_last_login(user.id, app.clock.now()).await);
            let cookies = [begun, cookies::set(cookies::CSRF, "", &headers)];
            let cookies = cookies.map(|set| (header::SET_COOKIE, set));
            return Ok((AppendHeaders(cookies), redirect(wanted(next))).into_response());
        }
        Err(Refused::WrongCredentials) => (StatusCode::OK, REFUSED.to_owned(), None),
        Err(Refused::Throttled(wait)) => {
            (StatusCode::TOO_MANY_REQUESTS, too_many(wait), Some(wait))
        }
        Err(error) => return Err(error.into()),
    };
    let page = form(&app, &headers, error, next.to_owned(), typed.to_owned()).await;
    let wait = wait.map(|wait| [(header::RETRY_AFTER, HeaderValue::from(wait))]);
    Ok((status, wait, page).into_response())
}

/// Where a login leads: the path that was asked for, or the front page.
fn wanted(next: &str) -> &str {
    local_path(next).unwrap_or(urls::HOME)
}

pub async fn log_out(
    staff: Staff,
    State(app): State<App>,
    _: Posted,
) -> Result<Response, AdminError> {
    let ended = session::end(&app, &staff.headers).await?;
    let ended = AppendHeaders([(header::SET_COOKIE, ended)]);
    Ok((ended, redirect("/admin/login/")).into_response())
}

/// How long to wait, in words.
pub fn too_many(wait: i64) -> String {
    let minutes = (wait + 59) / 60;
    let unit = if minutes == 1 { "minute" } else { "minutes" };
    format!("Too many failed logins. Please try again in {minutes} {unit}.")
}

/// The form, with a token that is bound to a cookie, as no session exists yet.
async fn form(
    app: &App,
    headers: &HeaderMap,
    error: String,
    next: String,
    username: String,
) -> Response {
    let (csrf, cookies) = csrf::token_without_session(app, headers).await;
    let mut page = Page::signed_out("Log in");
    page.csrf = csrf;
    let page = LoginPage {
        page,
        error,
        next,
        username,
    };
    let cookies = cookies.into_iter().map(|set| (header::SET_COOKIE, set));
    (AppendHeaders(cookies), rendered(&page)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_is_told_in_minutes() {
        let text = |minutes| format!("Too many failed logins. Please try again in {minutes}.");
        assert_eq!(too_many(1), text("1 minute"));
        assert_eq!(too_many(60), text("1 minute"));
        assert_eq!(too_many(61), text("2 minutes"));
    }
}
