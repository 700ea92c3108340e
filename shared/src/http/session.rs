//! A session as the API shows it.

use axum::response::Response;
use serde::Serialize;

use super::{
    ApiError,
    describe::{Field, Kind, Object},
    paging::Cursor,
};
use crate::{
    clock::rfc3339,
    domain::User,
    jwt::is_sid,
    store::{
        Store,
        sessions::{Session, SessionPage},
    },
};

/// A session. Times are RFC 3339 in UTC.
#[derive(Debug, Serialize)]
pub struct SessionDetail {
    id: String,
    user_agent: String,
    address: String,
    created: String,
    last_used: String,
    expires: String,
    /// Whether it is the session of the request.
    current: bool,
}

/// [`SessionDetail`] in the document.
pub static SESSION: Object = Object {
    name: "Session",
    fields: &[
        Field::new("id", Kind::Text),
        Field::new("user_agent", Kind::Text).about("Empty if the client sent none."),
        Field::new("address", Kind::Text).about("The client's IP address, empty if unknown."),
        Field::new("created", Kind::Time),
        Field::new("last_used", Kind::Time).about("Written at most once an hour."),
        Field::new("expires", Kind::Time),
        Field::new("current", Kind::Flag).about("Whether it is the session of this request."),
    ],
};

impl SessionDetail {
    /// A page of the live sessions of a user, the newest first: one read.
    ///
    /// # Errors
    /// The cursor is none that this list gave, or the table's failure.
    pub async fn page(
        store: &Store,
        user: &User,
        current: Option<&str>,
        cursor: &Cursor,
    ) -> Result<Response, ApiError> {
        let after = cursor.at.as_deref();
        if !after.is_none_or(is_sid) {
            return Err(ApiError::InvalidCursor);
        }
        let now = store.now();
        let SessionPage { mut sessions, next } = store.session_page(user.id, after).await?;
        sessions.retain(|session| session.is_live(user, now) && now < session.expires);
        sessions.sort_by(|a, b| (b.created, &b.sid).cmp(&(a.created, &a.sid)));
        let shown = sessions
            .into_iter()
            .map(|session| Self::of(session, current));
        Ok(cursor.answer(shown.collect::<Vec<_>>(), next.as_deref()))
    }

    fn of(session: Session, current: Option<&str>) -> Self {
        Self {
            current: current == Some(session.sid.as_str()),
            id: session.sid,
            user_agent: session.user_agent.unwrap_or_default(),
            address: session.address.unwrap_or_default(),
            created: rfc3339(session.created),
            last_used: rfc3339(session.last_used),
            expires: rfc3339(session.expires),
        }
    }
}
