//! Where a user is logged in, and the ends of it.

use axum::{extract::State, response::Response};
use shared::{
    accounts::users,
    app::App,
    domain::{User, UserId, log_entry::Model},
    store::{
        StoreError,
        sessions::{Kind, Session},
    },
    web::messages::Message,
};

use super::password::target;
use crate::{
    error::AdminError,
    model_admin::Panel,
    page::redirect_with,
    posted::Posted,
    staff::{Segment, Staff},
    text, urls,
};

/// The sessions below the form of a user, for those who decide over the user.
pub struct SessionPanel {
    /// Where its buttons lead.
    pub action_url: String,
    /// The last used, first.
    pub rows: Vec<Row>,
    /// How many more there are.
    pub more: usize,
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

/// The panel of the user with that id.
///
/// # Errors
/// The table's failure.
pub async fn panel(app: &App, id: u64) -> Result<Option<Panel>, StoreError> {
    let id = UserId(id);
    let (user, mut sessions) = tokio::try_join!(app.store.user(id), app.store.sessions_of(id))?;
    let Some(user) = user else { return Ok(None) };
    let now = app.clock.now();
    sessions.retain(|session| session.is_live(&user, now));
    sessions.sort_by_key(|session| std::cmp::Reverse(session.last_used));
    Ok(Some(Panel::Sessions(SessionPanel {
        action_url: url(id),
        more: sessions.len().saturating_sub(SHOWN),
        rows: sessions.into_iter().take(SHOWN).map(row).collect(),
    })))
}

fn url(id: UserId) -> String {
    urls::object(Model::User, id.0, "sessions")
}

fn row(session: Session) -> Row {
    Row {
        kind: match session.kind {
            Kind::Api => "API",
            Kind::Admin => "Admin pages",
        },
        agent: session.user_agent.unwrap_or_default(),
        address: session.address.unwrap_or_default(),
        begun: text::date(session.created),
        used: text::date(session.last_used),
        sid: session.sid,
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
