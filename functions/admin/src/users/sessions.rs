//! Where a user is logged in, and the ends of it.

use askama::Template;
use axum::{extract::State, response::Response};
use shared::{
    accounts::users,
    app::App,
    domain::{User, log_entry::Model},
    store::sessions::Kind,
    web::messages::Message,
};

use super::password::target;
use crate::{
    error::AdminError,
    page::{Link, Page, redirect_with, shown},
    posted::Posted,
    staff::{Segment, Staff},
    text, urls,
};

#[derive(Template)]
#[template(path = "sessions.html")]
struct SessionsPage {
    page: Page,
    action_url: String,
    sessions: Vec<Row>,
}

/// A session as the page shows it.
struct Row {
    sid: String,
    kind: &'static str,
    agent: String,
    address: String,
    begun: String,
    used: String,
}

pub async fn list(
    staff: Staff,
    State(app): State<App>,
    Segment(id): Segment,
) -> Result<Response, AdminError> {
    let user = target(&app, &staff, &id).await?;
    page(&app, &staff, &user).await
}

async fn page(app: &App, staff: &Staff, user: &User) -> Result<Response, AdminError> {
    let now = app.clock.now();
    let mut sessions = app.store.sessions_of(user.id).await?;
    sessions.retain(|session| session.is_live(user, now));
    sessions.sort_by_key(|session| std::cmp::Reverse(session.last_used));
    let rows = sessions.into_iter().map(|session| Row {
        kind: match session.kind {
            Kind::Api => "API",
            Kind::Admin => "Admin pages",
        },
        agent: session.user_agent.unwrap_or_default(),
        address: session.address.unwrap_or_default(),
        begun: text::date(session.created),
        used: text::date(session.last_used),
        sid: session.sid,
    });
    let name = user.username.as_str();
    let crumbs = [
        Link::new(name, urls::object(Model::User, user.id.0, "change")),
        Link::new("Sessions", ""),
    ];
    let page = SessionsPage {
        page: Page::of_model(staff, Model::User, format!("Sessions: {name}"), crumbs),
        action_url: urls::object(Model::User, user.id.0, "sessions"),
        sessions: rows.collect(),
    };
    Ok(shown(staff, &page))
}

/// Ends the session that the pressed button names, or all of them. Without a button nothing ends.
pub async fn end(
    staff: Staff,
    State(app): State<App>,
    Segment(id): Segment,
    posted: Posted,
) -> Result<Response, AdminError> {
    let user = target(&app, &staff, &id).await?;
    let to = urls::object(Model::User, user.id.0, "sessions");
    let told = if posted.has("all") {
        users::end_sessions(&app.store, staff.actor(), user, None).await?;
        "All sessions were ended."
    } else if posted.has("sid") {
        users::end_session(&app.store, staff.actor(), &user, posted.text("sid")).await?;
        "The session was ended."
    } else {
        return page(&app, &staff, &user).await;
    };
    Ok(redirect_with(&app, &staff, &to, &[Message::success(told)]).await)
}
