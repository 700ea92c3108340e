//! What all pages have in common, and the templates that several modules fill.

use askama::Template;
use axum::{
    http::{StatusCode, header},
    response::{AppendHeaders, Html, IntoResponse, Response},
};
use shared::{
    app::App,
    domain::log_entry::Model,
    web::{
        cookies,
        guard::redirect,
        messages::{self, Message},
    },
};

use crate::{
    assets::{CSS, JS},
    staff::Staff,
    urls,
};

/// What every template shows.
pub struct Page {
    pub title: String,
    /// Whose page it is.
    pub username: Option<String>,
    pub csrf: String,
    pub css: &'static str,
    pub js: &'static str,
    pub nav: Vec<NavItem>,
    pub crumbs: Vec<Link>,
    pub messages: Vec<Message>,
}

/// A model that the user may look at or add to.
pub struct NavItem {
    pub model: Model,
    pub label: &'static str,
    /// Its list, or the form that adds to it.
    pub url: String,
    pub current: bool,
    pub add_url: Option<String>,
}

/// A text that leads somewhere, or nowhere if its address is empty.
pub struct Link {
    pub label: String,
    pub url: String,
}

impl Link {
    /// A link.
    pub fn new(label: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            url: url.into(),
        }
    }
}

/// Django's `verbose_name_plural`.
fn plural(model: Model) -> &'static str {
    match model {
        Model::User => "Users",
        Model::Group => "Groups",
        Model::Permission => "Permissions",
    }
}

impl Page {
    /// A page of somebody who is logged in. The last of the crumbs is the page itself.
    pub fn of(
        staff: &Staff,
        current: Option<Model>,
        title: impl Into<String>,
        crumbs: Vec<Link>,
    ) -> Self {
        let item = |model| {
            let add_url = staff.add_url(model);
            Some(NavItem {
                model,
                label: plural(model),
                url: staff.list_url(model).or_else(|| add_url.clone())?,
                current: current == Some(model),
                add_url,
            })
        };
        Self {
            username: Some(staff.user.username.as_str().to_owned()),
            csrf: staff.csrf.clone(),
            nav: urls::MODELS.into_iter().filter_map(item).collect(),
            crumbs,
            messages: staff.messages.clone(),
            ..Self::signed_out(title)
        }
    }

    /// A page of a model, after the way to it as far as the user may go.
    pub fn of_model(
        staff: &Staff,
        model: Model,
        title: impl Into<String>,
        crumbs: impl IntoIterator<Item = Link>,
    ) -> Self {
        let list = staff
            .list_url(model)
            .map(|url| Link::new(plural(model), url));
        let way = std::iter::once(Link::new("Home", urls::HOME)).chain(list);
        Self::of(staff, Some(model), title, way.chain(crumbs).collect())
    }

    /// A page of nobody in particular.
    pub fn signed_out(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            username: None,
            csrf: String::new(),
            css: CSS.address(),
            js: JS.address(),
            nav: Vec::new(),
            crumbs: Vec::new(),
            messages: Vec::new(),
        }
    }
}

/// `confirm.html`
#[derive(Template)]
#[template(path = "confirm.html")]
pub struct Confirmation {
    pub page: Page,
    pub lead: String,
    pub items: Vec<Link>,
    pub notes: Vec<String>,
    /// Names and values of hidden fields.
    pub hidden: Vec<(&'static str, String)>,
    pub action_url: String,
    pub weight: Weight,
    pub cancel_url: String,
}

/// How much a confirmation warns.
#[derive(PartialEq, Eq)]
pub enum Weight {
    Ordinary,
    Dangerous,
}

/// A template's HTML.
pub fn rendered(template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => Html(html).into_response(),
        // Writing to a text fails only where formatting does, which none of the values can.
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// The page of somebody who is logged in; its messages are told once.
pub fn shown(staff: &Staff, template: &impl Template) -> Response {
    let told = (!staff.messages.is_empty()).then(|| {
        let ended = cookies::set(cookies::MESSAGES, "", &staff.headers);
        (header::SET_COOKIE, ended)
    });
    (AppendHeaders(told), rendered(template)).into_response()
}

/// A redirect that has something to tell.
pub async fn redirect_with(app: &App, staff: &Staff, to: &str, messages: &[Message]) -> Response {
    let kept = messages::keep(app, messages, &staff.headers).await;
    (AppendHeaders([(header::SET_COOKIE, kept)]), redirect(to)).into_response()
}
