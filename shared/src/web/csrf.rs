//! Cross-site request forgery: a form is taken only from a page of this service, with the token
//! that the page had.

use axum::{
    extract::{FromRequest, Request},
    http::{HeaderMap, HeaderValue},
};

use super::{cookies, guard, random_secret, session};
use crate::{
    app::App,
    http::{ApiError, JsonOrForm},
    input::{Data, query_dict::QueryDict, value::Value},
};

/// What a token's tag is for.
const PURPOSE: &str = "form";
/// Django's name of the token's field.
pub const FIELD: &str = "csrfmiddlewaretoken";

/// Why a form is not taken.
#[derive(Debug)]
pub enum Refusal {
    /// It was not sent from a page of this service.
    Forgery,
    /// Its body cannot be read.
    Unreadable(ApiError),
}

/// The form of a request, if it was sent on purpose.
///
/// # Errors
/// It was not, or it is no form.
pub async fn form(request: Request, app: &App) -> Result<QueryDict, Refusal> {
    let headers = request.headers().clone();
    if !guard::is_same_origin(&headers, &app.settings.pages.csrf_trusted_origins) {
        return Err(Refusal::Forgery);
    }
    let body = JsonOrForm::from_request(request, app).await;
    match body.map_err(Refusal::Unreadable)?.into_data() {
        Data::Form(form) if has_token(&form, &headers, app).await => Ok(form),
        _ => Err(Refusal::Forgery),
    }
}

/// The token of the forms of a session, by its secret.
pub async fn token(app: &App, secret: &str) -> String {
    app.keys.tags(app.clock.now()).await.tag(PURPOSE, secret)
}

/// A token for the forms of a browser with or without a session, and the cookies that the page with
/// them sets. A session goes on.
pub async fn token_of_browser(app: &App, headers: &HeaderMap) -> (String, Vec<HeaderValue>) {
    match session::secret(app, headers).await {
        Some(secret) => (token(app, &secret).await, Vec::new()),
        None => token_without_session(app, headers).await,
    }
}

/// A token for the forms of a browser without a session, and the cookies that the page with them
/// sets.
pub async fn token_without_session(app: &App, headers: &HeaderMap) -> (String, Vec<HeaderValue>) {
    let present = cookies::get(cookies::CSRF, headers).filter(|seed| is_seed(seed));
    let seed = present.unwrap_or_else(random_secret);
    let mut set = vec![cookies::set(cookies::CSRF, &seed, headers)];
    // The cookie of an ended session would be what the form's token is compared with.
    if session::secret(app, headers).await.is_some() {
        set.push(cookies::set(cookies::SESSION, "", headers));
    }
    (token(app, &seed).await, set)
}

fn is_seed(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether a form has the token of its session, or without one that of its cookie.
async fn has_token(form: &QueryDict, headers: &HeaderMap, app: &App) -> bool {
    let seed = match session::secret(app, headers).await {
        Some(secret) => Some(secret),
        None => cookies::get(cookies::CSRF, headers),
    };
    let Some(seed) = seed.filter(|seed| !seed.is_empty()) else {
        return false;
    };
    let Some(Value::Str(token)) = form.get_last(FIELD) else {
        return false;
    };
    let now = app.clock.now();
    app.keys.is_tag(PURPOSE, &seed, token.as_str(), now).await
}
