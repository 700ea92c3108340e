//! Sending a user a mail with a link, so that no administrator needs to know a password.

use axum::{extract::State, response::Response};
use shared::{
    accounts::mails,
    app::App,
    domain::{User, log_entry::Model},
    hashing::PasswordHash,
    http::ApiError,
    mail::Kind,
    store::StoreError,
    web::messages::Message,
};

use super::password::target;
use crate::{
    error::AdminError,
    page::{Confirmation, Link, Page, Weight, redirect_with, shown},
    posted::Posted,
    staff::{Segment, Staff},
    urls,
};

/// What the page of a user offers to send, if anything.
pub fn label(user: &User) -> Option<&'static str> {
    match (
        user.email.is_empty(),
        user.is_active,
        user.awaits_activation,
    ) {
        (true, ..) => None,
        (_, true, _) => Some("Send a link to set a password"),
        (_, _, true) => Some("Send the activation mail again"),
        _ => None,
    }
}

/// The kind of that mail. A user without a password is invited.
async fn kind(app: &App, user: &User) -> Result<Kind, StoreError> {
    if user.awaits_activation {
        return Ok(Kind::Activation);
    }
    let hash = app.store.user_and_hash(user.id).await?;
    let hash = hash.and_then(|(_, hash)| hash);
    Ok(match PasswordHash::is_usable(hash.as_ref()) {
        true => Kind::PasswordReset,
        false => Kind::Invitation,
    })
}

/// A user over whose account the admin may decide, and who can be sent a mail.
async fn addressee(app: &App, staff: &Staff, id: &str) -> Result<(User, &'static str), AdminError> {
    let user = target(app, staff, id).await?;
    let label = label(&user).filter(|_| app.settings.accounts.links.is_some());
    Ok((user, label.ok_or(ApiError::NotFound)?))
}

pub async fn ask(
    staff: Staff,
    State(app): State<App>,
    Segment(id): Segment,
) -> Result<Response, AdminError> {
    let (user, label) = addressee(&app, &staff, &id).await?;
    let (name, url) = (
        user.username.as_str(),
        urls::object(Model::User, user.id.0, "change"),
    );
    let crumbs = [Link::new(name, url.as_str()), Link::new("Send a mail", "")];
    let page = Confirmation {
        page: Page::of_model(&staff, Model::User, label, crumbs),
        lead: format!("The mail goes to {}.", user.email.as_str()),
        items: Vec::new(),
        notes: Vec::new(),
        hidden: Vec::new(),
        action_url: urls::object(Model::User, user.id.0, "mail"),
        weight: Weight::Ordinary,
        cancel_url: url,
    };
    Ok(shown(&staff, &page))
}

pub async fn send(
    staff: Staff,
    State(app): State<App>,
    Segment(id): Segment,
    _: Posted,
) -> Result<Response, AdminError> {
    let (user, _) = addressee(&app, &staff, &id).await?;
    let kind = kind(&app, &user).await?;
    mails::send(&app.store, staff.actor(), kind, &user).await?;
    let told = format!("A mail is on its way to {}.", user.email.as_str());
    let to = urls::object(Model::User, user.id.0, "change");
    Ok(redirect_with(&app, &staff, &to, &[Message::success(told)]).await)
}
