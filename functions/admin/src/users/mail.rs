//! Sending a user a mail with a link, so that no administrator needs to know a password.

use axum::{
    extract::{Query, State},
    response::Response,
};
use shared::{
    accounts::mails,
    app::App,
    domain::{EmailAddress, User, UserId, log_entry::Model},
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

/// The mails with links that the service sends.
#[derive(Clone, Copy, Default)]
pub struct Mails {
    /// Any.
    pub links: bool,
    /// Those that activate an account or confirm an address.
    activation: bool,
}

/// A mail that can be sent to a user.
#[derive(Clone, Copy, PartialEq)]
pub enum Offer {
    /// With a link to set another password.
    Password,
    /// With a link to set the first password.
    Invitation,
    /// With a link that activates the account.
    Activation,
    /// To the new address, with a link that confirms it.
    NewAddress,
}

/// What names [`Offer::NewAddress`] in the query of the page: a user may be offered another mail too.
const NEW_ADDRESS: &str = "new_address";

impl Mails {
    /// Those of a service.
    pub fn of(app: &App) -> Self {
        let links = app.settings.accounts.links.as_ref();
        Self {
            links: links.is_some(),
            activation: links.is_some_and(|links| links.activation.is_some()),
        }
    }
}

impl Offer {
    /// What the page of the user calls it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Password => "Send a link to set a password",
            Self::Invitation => "Send an invitation",
            Self::Activation => "Send the activation mail again",
            Self::NewAddress => "Send the mail to the new address again",
        }
    }

    /// Where it is sent.
    pub fn url(self, user: &User) -> String {
        let url = urls::object(Model::User, user.id.0, "mail");
        match self {
            Self::NewAddress => format!("{url}?to={NEW_ADDRESS}"),
            _ => url,
        }
    }

    fn kind(self) -> Kind {
        match self {
            Self::Password => Kind::PasswordReset,
            Self::Invitation => Kind::Invitation,
            Self::Activation | Self::NewAddress => Kind::Activation,
        }
    }

    fn to(self, user: &User) -> EmailAddress {
        let pending = user.pending_email.clone();
        match self {
            Self::NewAddress => pending.unwrap_or_default(),
            _ => user.email.clone(),
        }
    }
}

/// The mails that the page of a user offers to send.
pub fn offers(user: &User, mails: Mails, lacks_password: bool) -> Vec<Offer> {
    let has_address = mails.links && !user.email.is_empty();
    let main = match (user.is_active, lacks_password) {
        (true, false) => Some(Offer::Password),
        (true, true) => Some(Offer::Invitation),
        _ => Some(Offer::Activation).filter(|_| mails.activation && user.awaits_activation),
    };
    let waits = mails.activation && user.is_active && user.pending_email.is_some();
    let new_address = waits.then_some(Offer::NewAddress);
    let main = main.filter(|_| has_address);
    main.into_iter().chain(new_address).collect()
}

/// Whether a user has no password that anybody can have.
///
/// # Errors
/// The table's failure.
pub async fn lacks_password(app: &App, id: UserId) -> Result<bool, StoreError> {
    let found = app.store.user_and_hash(id).await?;
    Ok(found.is_some_and(|(_, hash)| !PasswordHash::is_usable(hash.as_ref())))
}

type Pairs = Query<Vec<(String, String)>>;

/// A user over whose account the admin may decide, and the mail that the page is about.
async fn addressee(
    app: &App,
    staff: &Staff,
    id: &str,
    Query(query): Pairs,
) -> Result<(User, Offer), AdminError> {
    let user = target(app, staff, id).await?;
    let asked = |(name, value): &(String, String)| name == "to" && value == NEW_ADDRESS;
    let to_new = query.iter().any(asked);
    let lacks_password = lacks_password(app, user.id).await?;
    let mut offers = offers(&user, Mails::of(app), lacks_password).into_iter();
    let offer = offers.find(|offer| (*offer == Offer::NewAddress) == to_new);
    Ok((user, offer.ok_or(ApiError::NotFound)?))
}

pub async fn ask(
    staff: Staff,
    State(app): State<App>,
    Segment(id): Segment,
    query: Pairs,
) -> Result<Response, AdminError> {
    let (user, offer) = addressee(&app, &staff, &id, query).await?;
    let (name, url) = (
        user.username.as_str(),
        urls::object(Model::User, user.id.0, "change"),
    );
    let crumbs = [Link::new(name, url.as_str()), Link::new("Send a mail", "")];
    let page = Confirmation {
        page: Page::of_model(&staff, Model::User, offer.label(), crumbs),
        lead: format!("The mail goes to {}.", offer.to(&user).as_str()),
        items: Vec::new(),
        notes: Vec::new(),
        hidden: Vec::new(),
        action_url: offer.url(&user),
        weight: Weight::Ordinary,
        cancel_url: url,
    };
    Ok(shown(&staff, &page))
}

pub async fn send(
    staff: Staff,
    State(app): State<App>,
    Segment(id): Segment,
    query: Pairs,
    _: Posted,
) -> Result<Response, AdminError> {
    let (user, offer) = addressee(&app, &staff, &id, query).await?;
    let to = offer.to(&user);
    mails::send(&app.store, staff.actor(), offer.kind(), &user, &to).await?;
    let told = format!("A mail is on its way to {}.", to.as_str());
    let to = urls::object(Model::User, user.id.0, "change");
    Ok(redirect_with(&app, &staff, &to, &[Message::success(told)]).await)
}
