//! What all pages have in common, and the templates of those that no one module owns.

use askama::Template;
use axum::{
    http::{StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use shared::{
    app::App,
    web::{
        cookies,
        guard::redirect,
        messages::{self, Message},
    },
};

use crate::{
    assets::{CSS_URL, JS_URL},
    staff::Staff,
};

/// What every template shows.
pub struct Page {
    pub title: String,
    pub signed_in: bool,
    pub username: String,
    pub csrf: String,
    pub css: &'static str,
    pub js: &'static str,
    pub nav: Vec<NavItem>,
    pub crumbs: Vec<Link>,
    pub messages: Vec<Message>,
}

/// A section, of those that one may look at.
pub struct NavItem {
    pub label: &'static str,
    pub url: String,
    pub current: bool,
    /// Empty if one may not add to it.
    pub add_url: String,
}

/// A text that leads somewhere, or nowhere if its address is empty.
#[derive(Clone, Debug)]
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

/// What there are pages of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    Users,
    Groups,
    Permissions,
}

impl Section {
    /// In the order of the pages.
    pub const ALL: [Self; 3] = [Self::Users, Self::Groups, Self::Permissions];

    /// Django's name of the model.
    pub fn model(self) -> &'static str {
        match self {
            Self::Users => "user",
            Self::Groups => "group",
            Self::Permissions => "permission",
        }
    }

    /// Django's plural.
    pub fn label(self) -> &'static str {
        match self {
            Self::Users => "Users",
            Self::Groups => "Groups",
            Self::Permissions => "Permissions",
        }
    }

    /// The address of its list.
    pub fn url(self) -> String {
        format!("/admin/auth/{}/", self.model())
    }

    /// The address of its list, or of the form that adds to it for whoever may do no more.
    pub fn home_url(self, staff: &Staff) -> String {
        if staff.can_view(self.model()) {
            self.url()
        } else {
            self.add_url(staff)
        }
    }

    /// The address of the form that adds to it, or nothing for whoever may not.
    pub fn add_url(self, staff: &Staff) -> String {
        if staff.can(&format!("auth.add_{}", self.model())) {
            format!("{}add/", self.url())
        } else {
            String::new()
        }
    }

    /// The address of a page of one object.
    pub fn object_url(self, id: u64, page: &str) -> String {
        format!("{}{id}/{page}/", self.url())
    }

    /// The way from the front page to its list, as far as one may go.
    pub fn crumbs(self, staff: &Staff) -> Vec<Link> {
        let mut crumbs = vec![Link::new("Home", "/admin/")];
        if staff.can_view(self.model()) {
            crumbs.push(Link::new(self.label(), self.url()));
        }
        crumbs
    }
}

impl Page {
    /// A page of somebody who is logged in. The last of the crumbs is the page itself.
    pub fn of(
        staff: &Staff,
        section: Option<Section>,
        title: impl Into<String>,
        crumbs: Vec<Link>,
    ) -> Self {
        let visible = Section::ALL.into_iter().filter(|section| {
            staff.can_view(section.model()) || !section.add_url(staff).is_empty()
        });
        let nav = visible.map(|shown| NavItem {
            label: shown.label(),
            url: shown.home_url(staff),
            current: section == Some(shown),
            add_url: shown.add_url(staff),
        });
        Self {
            title: title.into(),
            signed_in: true,
            username: staff.user.username.as_str().to_owned(),
            csrf: staff.csrf.clone(),
            css: CSS_URL.as_str(),
            js: JS_URL.as_str(),
            nav: nav.collect(),
            crumbs,
            messages: staff.messages.clone(),
        }
    }

    /// A page of a section, after the way to it.
    pub fn in_section(
        staff: &Staff,
        section: Section,
        title: impl Into<String>,
        crumbs: impl IntoIterator<Item = Link>,
    ) -> Self {
        let mut way = section.crumbs(staff);
        way.extend(crumbs);
        Self::of(staff, Some(section), title, way)
    }

    /// A page of nobody in particular.
    pub fn signed_out(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            signed_in: false,
            username: String::new(),
            csrf: String::new(),
            css: CSS_URL.as_str(),
            js: JS_URL.as_str(),
            nav: Vec::new(),
            crumbs: Vec::new(),
            messages: Vec::new(),
        }
    }
}

/// `error.html`
#[derive(Template)]
#[template(path = "error.html")]
pub struct ErrorPage {
    pub page: Page,
    pub message: String,
    pub home_url: String,
}

/// `confirm.html`
#[derive(Template)]
#[template(path = "confirm.html")]
pub struct Confirmation {
    pub page: Page,
    pub lead: String,
    pub has_items: bool,
    pub items: Vec<Link>,
    pub has_notes: bool,
    pub notes: Vec<String>,
    pub hidden: Vec<Hidden>,
    pub action_url: String,
    pub button: &'static str,
    pub danger: bool,
    pub cancel_url: String,
}

/// A hidden field.
pub struct Hidden {
    pub name: &'static str,
    pub value: String,
}

/// `list.html`
#[derive(Template)]
#[template(path = "list.html")]
pub struct ListPage {
    pub page: Page,
    pub search: String,
    pub search_label: String,
    pub add_url: String,
    pub add_label: String,
    pub has_rows: bool,
    pub columns: Vec<&'static str>,
    pub rows: Vec<ListRow>,
    pub count: String,
    pub empty: String,
}

/// A row of `list.html`.
pub struct ListRow {
    pub url: String,
    pub first: String,
    pub rest: Vec<String>,
}

/// A template's HTML.
pub fn rendered(template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => Html(html).into_response(),
        // Writing to a text fails only where formatting does, which none of the values can.
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// The page of somebody who is logged in; the messages on it are told once.
pub fn shown(staff: &Staff, template: &impl Template) -> Response {
    let mut response = rendered(template);
    if !staff.messages.is_empty() {
        let ended = cookies::set(cookies::MESSAGES, "", &staff.headers);
        response.headers_mut().append(header::SET_COOKIE, ended);
    }
    response
}

/// A redirect that has something to tell.
pub async fn redirect_with(app: &App, staff: &Staff, to: &str, messages: &[Message]) -> Response {
    let mut response = redirect(to);
    let cookie = messages::keep(app, messages, &staff.headers).await;
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}
