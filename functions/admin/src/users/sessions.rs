//! Where a user is logged in, and the ends of it.

use axum::{extract::State, response::Response};
use shared::{
    accounts::users,
    app::App,
    domain::{User, UserId, log_entry::Model},
    store::{
        StoreError,
        sessions::{Kind, PAGE, Session},
    },
    web::messages::Message,
};

use super::password::target;
use crate::{
    error::AdminError,
    page::redirect_with,
    posted::Posted,
    staff::{Segment, Staff},
    text, urls,
};

/// The sessions below the form of a user, for those who decide over the user.
pub struct SessionPanel {
    /// Where its buttons lead.
    pub action_url: String,
    sessions: Vec<Session>,
    /// Whether there are more than were read.
    goes_on: bool,
    now: i64,
}

/// A session as the panel shows it.
pub struct Row {
    pub sid: String,
    pub kind: &'static str,
    pub agent: String,
    pub address: String,
    pub begun: String,
    pub used: String,
}

/// How many sessions are shown.
const SHOWN: usize = 20;

impl SessionPanel {
    /// The sessions of the user with that id, live or not, as far as they are read at once.
    ///
    /// # Errors
    /// The table's failure.
    pub async fn read(app: &App, id: UserId) -> Result<Self, StoreError> {
        let page = app.store.session_page(id, None).await?;
        Ok(Self {
            action_url: urls::object(Model::User, id.0, "sessions"),
            sessions: page.sessions,
            goes_on: page.next.is_some(),
            now: app.clock.now(),
        })
    }

    /// Those that let the user in, the last used first.
    pub fn of(mut self, user: &User) -> Self {
        let now = self.now;
        self.sessions.retain(|session| session.is_live(user, now));
        self.sessions
            .sort_by_key(|session| std::cmp::Reverse(session.last_used));
        self
    }

    /// The first of them.
    pub fn rows(&self) -> Vec<Row> {
        self.sessions.iter().take(SHOWN).map(row).collect()
    }

    /// What is said of those that are not shown, empty if there are none.
    pub fn more(&self) -> String {
        match (self.sessions.len().saturating_sub(SHOWN), self.goes_on) {
            (_, true) => format!("And more: the last used of the first {PAGE} are shown."),
            (0, false) => String::new(),
            (more, false) => format!("And {more} more, used before these."),
        }
    }
}

fn row(session: &Session) -> Row {
    Row {
        kind: match session.kind {
            Kind::Api => "API",
            Kind::Admin => "Admin pages",
        },
        agent: session.user_agent.clone().unwrap_or_default(),
        address: session.address.clone().unwrap_or_default(),
        begun: text::date(session.created),
        used: text::date(session.last_used),
        sid: session.sid.clone(),
    }
}

/// Ends the session that the pressed button names, or all of them. Without a button nothing ends.
pub async fn end(
    staff: Staff,
    State(app): State<App>,
    Segment(id): Segment,
    posted: Posted,
) -> Result<Response, AdminError> {
    let user: User = target(&app, &staff, &id).await?;
    let to = urls::object(Model::User, user.id.0, "change");
    let mut told = Vec::new();
    if posted.has("all") {
        users::end_sessions(&app.store, staff.actor(), user, None).await?;
        told.push(Message::success("All sessions were ended."));
    } else if posted.has("sid") {
        users::end_session(&app.store, staff.actor(), &user, posted.text("sid")).await?;
        told.push(Message::success("The session was ended."));
    }
    Ok(redirect_with(&app, &staff, &to, &told).await)
}
