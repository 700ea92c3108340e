//! Sessions: an item for each login, of the API as of the admin pages, beside its user.

use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};

use super::{
    Refusal, Store, StoreError, WriteError,
    items::{Item, from_item, number, text, to_item},
    keys::{self, Entity, TTL},
    queries::Direction,
    table::pause,
    tokens::blacklisted,
    writes::{Condition, Write},
};
use crate::domain::{User, UserId};

/// What a login was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Tokens of the API.
    Api,
    /// The admin pages.
    Admin,
}

/// A session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// Its user.
    pub user_id: UserId,
    /// Hexadecimal digits: 32, or for the admin pages the digest of the cookie's secret.
    pub sid: String,
    /// What it is for.
    pub kind: Kind,
    /// The user's [`User::epoch`] at the login.
    pub epoch: u64,
    /// The user's [`User::tokens_valid_after`] at the login. Versions before sessions raise it alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_after: Option<i64>,
    /// The user's [`User::staff_epoch`] at the login.
    #[serde(default)]
    pub staff_epoch: u64,
    /// When it began, in seconds since 1970.
    pub created: i64,
    /// When it was last used, to an hour (to a minute in the admin pages), in seconds since 1970.
    pub last_used: i64,
    /// When it ends, in seconds since 1970.
    pub expires: i64,
    /// When the table may forget it: with the last of its tokens. In seconds since 1970.
    pub ttl: i64,
    /// The source address of the login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The `User-Agent` of the login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// The `jti` of its refresh token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<String>,
    /// The `jti` of the refresh token that the present one replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    /// When that was, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotated_at: Option<i64>,
}

/// A session notes its use at most this often, in seconds.
const USED_EVERY: i64 = 3600;

/// How many sessions a page of them is read from.
pub const PAGE: usize = 1000;

/// A page of a user's sessions.
pub struct SessionPage {
    /// Live or not, in order of id.
    pub sessions: Vec<Session>,
    /// The id after which the next page starts, if there may be one.
    pub next: Option<String>,
}

/// How many sessions are ended at once.
const AT_ONCE: usize = 16;
/// How often the begin of a session is tried again.
const TRIES: u32 = 4;
/// How often a write is begun again that other writes got in the way of.
const INSISTS: usize = 2;

impl Session {
    /// Whether it is what a deleted user's session leaves: it names nobody's address or device.
    pub fn is_trace(&self) -> bool {
        self.previous.is_some() && self.address.is_none() && self.user_agent.is_none()
    }

    /// Whether it lets its user in at `now` (seconds since 1970).
    pub fn is_live(&self, user: &User, now: i64) -> bool {
        self.user_id == user.id
            && (self.epoch, self.valid_after) == (user.epoch, user.tokens_valid_after)
            && now < self.ttl
            && (self.kind == Kind::Api || self.staff_epoch == user.staff_epoch)
    }
}

/// Keeps a session of the user `before` when all others of the user `after` that are ended. It must
/// not have ended before.
pub(crate) fn keep_session(before: &User, after: &User, sid: &str) -> Write {
    let mut set = Item::from([("epoch".to_owned(), number(after.epoch))]);
    if let Some(date) = after.tokens_valid_after {
        set.insert("valid_after".to_owned(), number(date));
    }
    let mut write = Write::set(Entity::Session(after.id, sid).key(), set);
    write.condition = Condition::Equals("epoch", number(before.epoch));
    write.refusal = Refusal::SessionEnded;
    write
}

impl Store {
    /// A session and its user, as far as they exist: one round trip.
    pub async fn session_and_user(
        &self,
        id: UserId,
        sid: &str,
    ) -> Result<(Option<Session>, Option<User>), StoreError> {
        let (session, user) = (Entity::Session(id, sid).key(), Entity::User(id).key());
        let mut found = self
            .table
            .batch_get([session.clone(), user.clone()])
            .await?;
        let session = found.remove(&session).map(from_item).transpose()?;
        Ok((session, found.remove(&user).map(from_item).transpose()?))
    }

    /// A session, if it exists.
    pub async fn session(&self, id: UserId, sid: &str) -> Result<Option<Session>, StoreError> {
        self.table.get(Entity::Session(id, sid).key()).await
    }

    /// The sessions of a user from behind the one with the id `after`, [`PAGE`] at a time: one round trip.
    pub async fn session_page(
        &self,
        id: UserId,
        after: Option<&str>,
    ) -> Result<SessionPage, StoreError> {
        let after = after.map(|sid| Entity::Session(id, sid).key());
        let (pk, forward) = (keys::sessions_of(id), Direction::Forward);
        let (items, last) = self.table.page(&pk, after, forward, PAGE).await?;
        let sessions = items.into_iter().map(from_item).collect::<Result<_, _>>()?;
        let next = last.map(|key| key.sk);
        Ok(SessionPage { sessions, next })
    }

    /// All sessions of a user, live or not, however many they are: for what ends them and for commands.
    pub async fn sessions_of(&self, id: UserId) -> Result<Vec<Session>, StoreError> {
        self.table.partition(&keys::sessions_of(id)).await
    }

    /// Begins a session, which is made anew for each try: a put that DynamoDB carries out late, when
    /// its session has ended, must not begin it again.
    ///
    /// # Errors
    /// The table's failure.
    pub async fn begin_session(
        &self,
        mut make: impl FnMut() -> Session,
    ) -> Result<Session, StoreError> {
        let mut attempt = 0;
        loop {
            let session = make();
            match self.table.put_once(session_item(&session)?).await {
                Ok(()) => return Ok(session),
                Err(error) if attempt == TRIES => return Err(error),
                Err(_) => pause(attempt).await,
            }
            attempt += 1;
        }
    }

    /// Begins a session in place of a token without one, which is blacklisted; false if it was before.
    ///
    /// # Errors
    /// The table's failure.
    pub async fn begin_session_for(
        &self,
        session: &Session,
        jti: &str,
        until: i64,
    ) -> Result<bool, StoreError> {
        let begun = Write::put(session_item(session)?);
        let writes = vec![blacklisted(jti, until), begun];
        self.unless_refused(writes).await.map_err(unavailable)
    }

    /// Ends a session, if it is there, and blacklists its refresh token; false if that was blacklisted
    /// before, and then nothing is done.
    ///
    /// # Errors
    /// The table's failure.
    pub async fn log_out(
        &self,
        id: UserId,
        sid: &str,
        jti: &str,
        until: i64,
    ) -> Result<bool, WriteError> {
        let end = Write::delete(Entity::Session(id, sid).key());
        self.unless_refused(vec![blacklisted(jti, until), end])
            .await
    }

    /// Records that a session is used, if that was not recorded for `every` seconds. One that was
    /// ended meanwhile stays ended.
    pub async fn use_session(&self, session: &Session, every: i64) -> Result<(), StoreError> {
        let now = self.now();
        if now.saturating_sub(session.last_used) < every.min(USED_EVERY) {
            return Ok(());
        }
        let key = Entity::Session(session.user_id, &session.sid).key();
        let used = Item::from([("last_used".to_owned(), number(now))]);
        self.note(Write::set(key, used)).await
    }

    /// Gives a session that exists its next refresh token, whose present one must be `replaced` if that
    /// is to end; false if it is not.
    pub async fn rotate_session(
        &self,
        session: &Session,
        replaced: Option<&str>,
    ) -> Result<bool, StoreError> {
        let key = Entity::Session(session.user_id, &session.sid).key();
        let optional = |value: &Option<String>| text(value.as_deref().unwrap_or_default());
        let set = Item::from([
            ("current".to_owned(), optional(&session.current)),
            ("previous".to_owned(), optional(&session.previous)),
            (
                "rotated_at".to_owned(),
                number(session.rotated_at.unwrap_or_default()),
            ),
            ("last_used".to_owned(), number(session.last_used)),
            ("expires".to_owned(), number(session.expires)),
            (TTL.to_owned(), number(session.ttl)),
        ]);
        let mut write = Write::set(key, set);
        write.condition = match replaced {
            Some(jti) => Condition::Equals("current", text(jti)),
            None => Condition::Exists,
        };
        match self.table.write(vec![write]).await {
            Ok(()) => Ok(true),
            Err(WriteError::Refused(_) | WriteError::Contended) => Ok(false),
            Err(WriteError::Failed(error)) => Err(error),
        }
    }

    /// Ends a session; false if it does not exist.
    pub async fn end_session(&self, id: UserId, sid: &str) -> Result<bool, StoreError> {
        self.end_session_with(id, sid, Vec::new()).await
    }

    /// Ends a session, with more writes in the same transaction; false if it does not exist.
    pub async fn end_session_with(
        &self,
        id: UserId,
        sid: &str,
        mut more: Vec<Write>,
    ) -> Result<bool, StoreError> {
        let mut write = Write::delete(Entity::Session(id, sid).key());
        write.condition = Condition::Exists;
        more.push(write);
        self.unless_refused(more).await.map_err(unavailable)
    }

    /// Carries out all of the writes as one transaction; false if one was refused.
    pub(super) async fn unless_refused(&self, writes: Vec<Write>) -> Result<bool, WriteError> {
        match self.table.transact(&writes).await {
            Ok(()) => Ok(true),
            Err(WriteError::Refused(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Deletes the sessions of a user that have ended by this new epoch, and not those that have begun
    /// or gone on with it: of more than [`PAGE`] the first, and the table forgets the others when they
    /// expire.
    pub async fn end_sessions(&self, id: UserId, began: u64) -> Result<(), StoreError> {
        let page = self.session_page(id, None).await?;
        let ended = page.sessions.iter().filter(|session| session.epoch < began);
        let ends = ended.map(|session| {
            let mut end = Write::delete(Entity::Session(id, &session.sid).key());
            end.condition = Condition::Less("epoch", number(began));
            end
        });
        self.note_all(ends.collect()).await
    }

    /// Deletes every session of an id, which another user gets.
    pub(super) async fn delete_sessions(&self, id: UserId) -> Result<(), StoreError> {
        let sessions = self.sessions_of(id).await?;
        let delete = |session: &Session| Write::delete(Entity::Session(id, &session.sid).key());
        self.note_all(sessions.iter().map(delete).collect()).await
    }

    /// What ends the sessions of a user who is deleted: one round trip. Those whose refresh token was
    /// replaced leave a trace without personal data until they expire: SimpleJWT tells a replaced token
    /// of a deleted user from the last one.
    pub async fn ends_of_sessions(&self, id: UserId) -> Result<Vec<Write>, StoreError> {
        let sessions = self.sessions_of(id).await?;
        // A trace is done: a deletion that is sent again goes on behind those of the last time.
        let left = sessions.into_iter().filter(|session| !session.is_trace());
        let ends = left.map(|session| {
            let key = Entity::Session(id, &session.sid).key();
            if session.previous.is_none() {
                return Ok(Write::delete(key));
            }
            let trace = Session {
                address: None,
                user_agent: None,
                ..session
            };
            Ok(Write::put(to_item(&key, &trace)?))
        });
        ends.collect()
    }

    /// Writes many things whose refusals do not matter, some at a time.
    pub async fn note_all(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        stream::iter(writes)
            .map(|write| self.note(write))
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await
    }

    /// Writes something whose refusal does not matter, however many other writes get in the way.
    pub(super) async fn note(&self, write: Write) -> Result<(), StoreError> {
        let mut tries = 0;
        loop {
            match self.table.write(vec![write.clone()]).await {
                Ok(()) | Err(WriteError::Refused(_)) => return Ok(()),
                Err(WriteError::Contended) if tries < INSISTS => tries += 1,
                Err(error) => return Err(unavailable(error)),
            }
        }
    }
}

fn session_item(session: &Session) -> Result<Item, StoreError> {
    let key = Entity::Session(session.user_id, &session.sid).key();
    to_item(&key, session)
}

fn unavailable(error: WriteError) -> StoreError {
    match error {
        WriteError::Failed(error) => error,
        other => StoreError::new("a write", format!("other writes got in the way: {other:?}")),
    }
}
