//! A session as the API shows it.

use serde::Serialize;

use super::describe::{Field, Kind, Object};
use crate::{
    clock::rfc3339,
    domain::User,
    store::{Store, StoreError, sessions::Session},
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
    /// The live sessions of a user, the newest first: one read.
    ///
    /// # Errors
    /// The table's failure.
    pub async fn all_of(
        store: &Store,
        user: &User,
        current: Option<&str>,
    ) -> Result<Vec<Self>, StoreError> {
        let now = store.now();
        let mut sessions = store.sessions_of(user.id).await?;
        sessions.retain(|session| session.is_live(user, now) && now < session.expires);
        sessions.sort_by(|a, b| (b.created, &b.sid).cmp(&(a.created, &a.sid)));
        let shown = sessions
            .into_iter()
            .map(|session| Self::of(session, current));
        Ok(shown.collect())
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
