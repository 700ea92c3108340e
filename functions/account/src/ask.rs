//! Asking for a mail with a link by an address. The answer is the same for every address: nobody learns
//! who has an account.

use askama::Template;
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, StatusCode, request::Parts},
    response::Response,
};
use shared::{
    accounts::mails,
    app::App,
    domain::EmailAddress,
    http::{ApiError, extract::RequestClient},
    input::Presence,
    mail::Kind,
    web::guard::redirect,
};

use crate::page::{Form, Next, Page, PageError, Served, all_words, rendered, told};

/// What is asked for, and the words of its pages.
struct Wish {
    kind: Kind,
    url: &'static str,
    sent_url: &'static str,
    title: &'static str,
    lead: &'static str,
    sent: &'static str,
}

const PASSWORD: Wish = Wish {
    kind: Kind::PasswordReset,
    url: "/account/reset/",
    sent_url: "/account/reset/sent/",
    title: "Forgotten your password?",
    lead: "Give the address of your account. A mail to it will have a link to choose a new password.",
    sent: "If an account has the address that you gave, a mail with a link to choose a new password is \
           on its way to it. If none arrives within some minutes, look among the spam, and make sure \
           that you gave the address of your account.",
};

const ACTIVATION: Wish = Wish {
    kind: Kind::Activation,
    url: "/account/activate/",
    sent_url: "/account/activate/sent/",
    title: "Activate your account",
    lead: "Give the address that you registered with. A mail to it will have a link to activate your \
           account. If it is the new address of an account, give it once more where you changed it.",
    sent: "If an account with the address that you gave waits for its activation, a mail with a link is \
           on its way to it. If none arrives within some minutes, look among the spam, and make sure \
           that you gave the address that you registered with.",
};

const LABEL: &str = "Ask for a new link";
/// Where another link for a password can be asked for.
pub const PASSWORD_AGAIN: Next = Some((LABEL, PASSWORD.url));

/// Where another link for an activation can be asked for, if such mails are sent.
pub fn activation_again(app: &App) -> Next {
    let again = Some((LABEL, ACTIVATION.url));
    again.filter(|_| app.settings.accounts.mails.activation)
}

/// `ask.html`
#[derive(Template)]
#[template(path = "ask.html")]
struct Ask {
    page: Page,
    action: &'static str,
    lead: &'static str,
    email: String,
    errors: Vec<String>,
}

pub async fn for_password(Served(app): Served, headers: HeaderMap) -> Response {
    form(&app, &PASSWORD, &headers, String::new(), Vec::new()).await
}

pub async fn send_for_password(
    Served(app): Served,
    client: RequestClient,
    headers: HeaderMap,
    fields: Form,
) -> Result<Response, PageError> {
    send(&app, &PASSWORD, client, &headers, fields).await
}

pub async fn password_sent(Served(app): Served) -> Response {
    sent(&app, &PASSWORD)
}

pub async fn for_activation(Activating(app): Activating, headers: HeaderMap) -> Response {
    form(&app, &ACTIVATION, &headers, String::new(), Vec::new()).await
}

pub async fn send_for_activation(
    Activating(app): Activating,
    client: RequestClient,
    headers: HeaderMap,
    fields: Form,
) -> Result<Response, PageError> {
    send(&app, &ACTIVATION, client, &headers, fields).await
}

pub async fn activation_sent(Activating(app): Activating) -> Response {
    sent(&app, &ACTIVATION)
}

/// Lets requests through where mails of activation are sent.
pub struct Activating(App);

impl FromRequestParts<App> for Activating {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, PageError> {
        let Served(app) = Served::from_request_parts(parts, app).await?;
        match app.settings.accounts.mails.activation {
            true => Ok(Self(app)),
            false => Err(ApiError::NotFound.into()),
        }
    }
}

async fn form(
    app: &App,
    wish: &Wish,
    headers: &HeaderMap,
    email: String,
    errors: Vec<String>,
) -> Response {
    let mut page = Page::with_form(app, wish.title, headers).await;
    let cookies = page.take_cookies();
    let ask = Ask {
        page,
        action: wish.url,
        lead: wish.lead,
        email,
        errors,
    };
    rendered(cookies, &ask)
}

async fn send(
    app: &App,
    wish: &Wish,
    RequestClient(client): RequestClient,
    headers: &HeaderMap,
    Form(mut fields): Form,
) -> Result<Response, PageError> {
    let typed = fields.text_or_nothing("email");
    let Some(email) = fields.text::<EmailAddress>("email", Presence::Required) else {
        let errors = all_words(&fields.into_errors());
        return Ok(form(app, wish, headers, typed, errors).await);
    };
    mails::ask(app, wish.kind, email, &client).await?;
    Ok(redirect(wish.sent_url))
}

fn sent(app: &App, wish: &Wish) -> Response {
    told(app, StatusCode::OK, "A mail is on its way", wish.sent, None)
}
