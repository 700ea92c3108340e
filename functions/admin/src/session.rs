//! Who is logged in, and what he may do.

use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    http::{HeaderMap, HeaderValue, request::Parts},
};
use shared::{
    app::App,
    domain::{User, UserId, permission::Held},
    error::ApiError,
    http::{extract::path_segment, log::note_user},
    store::{Actor, StoreError, sessions::Session},
};

use crate::{
    cookies,
    error::AdminError,
    messages::{self, Message},
};

/// What a session's tag is for.
const PURPOSE: &str = "admin session";
/// A session notes that it is used at most this often, in seconds.
const SEEN_EVERY: i64 = 60;

/// A member of the staff who is logged in. To be staff only opens the door: what he may do depends
/// on the permissions that he holds.
pub struct Staff {
    /// Who.
    pub user: User,
    /// What he holds.
    pub held: Held,
    /// The token of his forms.
    pub csrf: String,
    /// What is to be told on this page.
    pub messages: Vec<Message>,
    /// The request's headers, which say how its cookies are named.
    pub headers: HeaderMap,
    secret: String,
}

impl Staff {
    /// Who writes, for the store.
    pub fn actor(&self) -> Actor {
        (&self.user).into()
    }

    /// Whether he holds a permission, such as `auth.view_user`.
    pub fn can(&self, label: &str) -> bool {
        self.held.covers([&label.to_owned()])
    }

    /// Whether he may look at what a model names; whoever may change may look, as in Django.
    pub fn can_view(&self, model: &str) -> bool {
        self.can(&format!("auth.view_{model}")) || self.can(&format!("auth.change_{model}"))
    }

    /// Refuses whoever does not hold a permission.
    ///
    /// # Errors
    /// He does not.
    pub fn must(&self, label: &str) -> Result<(), AdminError> {
        self.allowed(self.can(label))
    }

    /// Refuses whoever may not look at what a model names.
    ///
    /// # Errors
    /// He may not.
    pub fn must_view(&self, model: &str) -> Result<(), AdminError> {
        self.allowed(self.can_view(model))
    }

    #[expect(clippy::unused_self, reason = "it is about him")]
    fn allowed(&self, allowed: bool) -> Result<(), AdminError> {
        allowed
            .then_some(())
            .ok_or(ApiError::PermissionDenied.into())
    }

    /// Ends the session; the header that makes the browser forget it.
    pub async fn log_out(&self, app: &App) -> Result<HeaderValue, StoreError> {
        app.store.end_session(&self.secret).await?;
        Ok(cookies::set(cookies::SESSION, "", &self.headers))
    }
}

/// Begins a session at `now`, which is before the user's password was looked at, so that a change of
/// it meanwhile ends the session; the header that gives it to the browser.
pub async fn begin(
    app: &App,
    user: &User,
    headers: &HeaderMap,
    now: i64,
) -> Result<HeaderValue, StoreError> {
    let secret = format!("{:032x}", rand::random::<u128>());
    let session = Session {
        user_id: user.id,
        created: user.session_begins(now),
        last_seen: now,
        ttl: now + app.settings.sessions.age,
    };
    app.store.begin_session(&secret, &session).await?;
    let text = format!("{}.{secret}", user.id);
    let tag = app.keys.current(now).await.tag(PURPOSE, &text);
    Ok(cookies::set(
        cookies::SESSION,
        &format!("{text}.{tag}"),
        headers,
    ))
}

/// The secret of the session's cookie, whether or not the session is still there.
pub async fn secret(app: &App, headers: &HeaderMap) -> Option<String> {
    Some(signed(app, headers).await?.1)
}

/// Whose session a cookie names, and its secret, if it was made here.
async fn signed(app: &App, headers: &HeaderMap) -> Option<(UserId, String)> {
    let cookie = cookies::get(cookies::SESSION, headers)?;
    let (text, tag) = cookie.rsplit_once('.')?;
    let now = app.clock.now();
    let made_here = |jwt: &shared::jwt::Jwt| jwt.is_tag(PURPOSE, text, tag);
    let keys = app.keys.that_signed(made_here, now).await;
    if !made_here(&keys) {
        return None;
    }
    let (id, secret) = text.split_once('.')?;
    Some((UserId(id.parse().ok()?), secret.to_owned()))
}

/// The active member of the staff whose session goes on.
async fn current(app: &App, headers: &HeaderMap) -> Result<Option<(User, String)>, StoreError> {
    let Some((id, secret)) = signed(app, headers).await else {
        return Ok(None);
    };
    let Some((session, user)) = app.store.session(&secret, id).await? else {
        return Ok(None);
    };
    let now = app.clock.now();
    let goes_on = now < session.ttl && now - session.last_seen < app.settings.sessions.idle_age;
    let is_his = !user.has_ended_session_of(session.created);
    if !(goes_on && is_his && user.is_active && user.is_staff) {
        return Ok(None);
    }
    if now - session.last_seen >= SEEN_EVERY.min(app.settings.sessions.idle_age / 2) {
        app.store.touch_session(&secret, now).await?;
    }
    note_user(user.id);
    Ok(Some((user, secret)))
}

async fn staff(parts: &Parts, app: &App) -> Result<Option<Staff>, AdminError> {
    let headers = &parts.headers;
    let Some((user, secret)) = current(app, headers).await? else {
        return Ok(None);
    };
    let held = app.store.held_at_once(&user).await?;
    let keys = app.keys.current(app.clock.now()).await;
    Ok(Some(Staff {
        csrf: keys.tag(crate::posted::PURPOSE, &secret),
        messages: messages::read(app, headers).await,
        headers: headers.clone(),
        user,
        held,
        secret,
    }))
}

/// The part of the path that names an object. One that is no UTF-8 names nothing.
pub struct Segment(pub String);

impl FromRequestParts<App> for Segment {
    type Rejection = AdminError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, AdminError> {
        let segment = path_segment(parts, app).await;
        segment.map(Self).ok_or_else(|| ApiError::NotFound.into())
    }
}

impl FromRequestParts<App> for Staff {
    type Rejection = AdminError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, AdminError> {
        let found = staff(parts, app).await?;
        found.ok_or_else(|| AdminError::log_in_first(&parts.uri))
    }
}

impl OptionalFromRequestParts<App> for Staff {
    type Rejection = AdminError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Option<Self>, AdminError> {
        staff(parts, app).await
    }
}
