//! What the link of an activation's mail opens. The account is activated by a button: programs that
//! look at mails open every link in them.

use askama::Template;
use axum::{
    extract::Path,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use shared::{
    accounts::{Refused, links},
    http::extract::RequestClient,
    mail::links::{Link, read_uid, uid},
};

use crate::{
    ask::activation_again,
    link,
    page::{Form, Page, PageError, Served, ended, redirect_with, rendered, told},
};

/// What stands in an address in place of the token.
const FORM: &str = "confirm";

/// `activate.html`
#[derive(Template)]
#[template(path = "activate.html")]
struct Activate {
    page: Page,
    action: String,
}

/// The link of the mail, and the button once the link has left the address.
pub async fn open(
    Served(app): Served,
    Path((name, token)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    if token != FORM {
        let link = Link { uid: name, token };
        if !links::activates(&app, &link).await? {
            return Ok(ended(&app, activation_again(&app)));
        }
        let cookie = link::keep(&app, &link, &headers).await;
        let id = read_uid(&link.uid).map(uid).unwrap_or_default();
        let form = format!("/account/activate/{id}/{FORM}/");
        return Ok(redirect_with(cookie, &form));
    }
    let Some(link) = link::kept(&app, &name, &headers).await else {
        return Ok(ended(&app, activation_again(&app)));
    };
    let mut page = Page::with_form(&app, "Confirm your address", &headers).await;
    let cookies = page.take_cookies();
    let form = Activate {
        page,
        action: format!("/account/activate/{}/{FORM}/", link.uid),
    };
    Ok(rendered(cookies, &form))
}

pub async fn activate(
    Served(app): Served,
    Path((name, _)): Path<(String, String)>,
    RequestClient(client): RequestClient,
    headers: HeaderMap,
    _: Form,
) -> Result<Response, PageError> {
    let Some(link) = link::kept(&app, &name, &headers).await else {
        return Ok(ended(&app, activation_again(&app)));
    };
    match links::activate(&app, &link, &client).await {
        Ok(()) => Ok(redirect_with(
            link::forget(&headers),
            "/account/activate/done/",
        )),
        Err(Refused::StaleLink) => Ok(told(
            &app,
            StatusCode::FORBIDDEN,
            "Your account is active already",
            "There is nothing left to do: you can log in.",
            None,
        )),
        Err(Refused::Invalid(_)) => Ok(ended(&app, activation_again(&app))),
        Err(refused) => Err(refused.into()),
    }
}

pub async fn done(Served(app): Served) -> Response {
    told(
        &app,
        StatusCode::OK,
        "Thank you",
        "Your address is confirmed, and your account is active. Close this page, and go on where you \
         wanted to log in.",
        None,
    )
}
