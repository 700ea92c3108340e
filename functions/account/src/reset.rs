//! A new password: what the link of its mail opens.

use askama::Template;
use axum::{
    extract::Path,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use shared::{
    accounts::{Refused, links},
    app::App,
    domain::{User, password::PersonalAttributes},
    forms::new_password,
    http::extract::RequestClient,
    input::FieldErrors,
    mail::links::Link,
};

use crate::{
    ask::PASSWORD_AGAIN,
    link,
    page::{Form, Page, PageError, Served, ended, redirect_with, rendered, told, words},
};

/// What stands in an address in place of the token.
const FORM: &str = "set-password";

/// The link of the mail, and the form once the link has left the address.
pub async fn open(
    Served(app): Served,
    Path((uid, token)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    if token != FORM {
        let link = Link { uid, token };
        if !links::is_good(&app, &link).await? {
            return Ok(ended(&app, PASSWORD_AGAIN));
        }
        let cookie = link::keep(&app, &link, &headers).await;
        let form = format!("/account/reset/{}/{FORM}/", canonical(&link.uid));
        return Ok(redirect_with(cookie, &form));
    }
    let Some(link) = link::kept(&app, &uid, &headers).await else {
        return Ok(ended(&app, PASSWORD_AGAIN));
    };
    if !links::is_good(&app, &link).await? {
        return Ok(ended(&app, PASSWORD_AGAIN));
    }
    Ok(password_form(&app, &headers, &link, &FieldErrors::default()).await)
}

/// `set_password.html`
#[derive(Template)]
#[template(path = "set_password.html")]
struct SetPassword {
    page: Page,
    action: String,
    first_errors: Vec<String>,
    second_errors: Vec<String>,
}

async fn password_form(
    app: &App,
    headers: &HeaderMap,
    link: &Link,
    errors: &FieldErrors,
) -> Response {
    let of = |name: &str| {
        let errors = errors.iter().filter(|(field, _)| *field == name);
        words(errors.flat_map(|(_, errors)| errors))
    };
    let mut page = Page::with_form(app, "Choose a new password", headers).await;
    let cookies = page.take_cookies();
    let form = SetPassword {
        page,
        action: format!("/account/reset/{}/{FORM}/", link.uid),
        first_errors: of("password1"),
        second_errors: of("password2"),
    };
    rendered(cookies, &form)
}

pub async fn set(
    Served(app): Served,
    Path((uid, _)): Path<(String, String)>,
    RequestClient(client): RequestClient,
    headers: HeaderMap,
    Form(mut fields): Form,
) -> Result<Response, PageError> {
    let Some(link) = link::kept(&app, &uid, &headers).await else {
        return Ok(ended(&app, PASSWORD_AGAIN));
    };
    let target = links::target(&app, &link).await?;
    let attributes = target
        .as_ref()
        .map_or_else(PersonalAttributes::default, User::attributes);
    let Some(password) = new_password(&mut fields, &attributes) else {
        return Ok(password_form(&app, &headers, &link, &fields.into_errors()).await);
    };
    match links::reset_password(&app, &link, &password, &client).await {
        Ok(()) => Ok(redirect_with(
            link::forget(&headers),
            "/account/reset/done/",
        )),
        Err(Refused::Invalid(_)) => Ok(ended(&app, PASSWORD_AGAIN)),
        Err(refused) => Err(refused.into()),
    }
}

pub async fn done(Served(app): Served) -> Response {
    told(
        &app,
        StatusCode::OK,
        "Your password is set",
        "You can log in with the new password now. Close this page, and go on where you wanted to log \
         in.",
        None,
    )
}

/// The uid of a good link as this service writes it.
fn canonical(uid: &str) -> String {
    let id = shared::mail::links::read_uid(uid);
    id.map(shared::mail::links::uid).unwrap_or_default()
}
