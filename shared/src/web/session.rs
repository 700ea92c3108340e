//! Sessions of browsers: a cookie that only this service can make, and a record in the table.

use axum::http::{HeaderMap, HeaderValue};

use super::{cookies, random_secret};
use crate::{
    app::App,
    domain::{User, UserId},
    store::{StoreError, sessions::Session},
    telemetry::note_user,
};

/// What the cookie's tag is for.
const PURPOSE: &str = "session";
/// A session notes that it is used at most this often, in seconds.
const SEEN_EVERY: i64 = 60;

/// Begins a session at `now` (seconds since 1970), which is before the user's password was checked,
/// so that a change of it meanwhile ends the session. The header gives it to the browser.
///
/// # Errors
/// The table's failure.
pub async fn begin(
    app: &App,
    user: &User,
    headers: &HeaderMap,
    now: i64,
) -> Result<HeaderValue, StoreError> {
    let secret = random_secret();
    let session = Session {
        user_id: user.id,
        created: user.session_begins(now),
        last_seen: now,
        ttl: now + app.settings.pages.session_age,
    };
    app.store.begin_session(&secret, &session).await?;
    let text = format!("{}.{secret}", user.id);
    let tag = app.keys.tags(now).await.tag(PURPOSE, &text);
    Ok(cookies::set(
        cookies::SESSION,
        &format!("{text}.{tag}"),
        headers,
    ))
}

/// The user whose session continues, if they are active and `accepts` takes them, and the secret of
/// the session.
///
/// # Errors
/// The table's failure.
pub async fn current(
    app: &App,
    headers: &HeaderMap,
    accepts: impl Fn(&User) -> bool,
) -> Result<Option<(User, String)>, StoreError> {
    let Some((id, secret)) = signed(app, headers).await else {
        return Ok(None);
    };
    let Some((session, user)) = app.store.session(&secret, id).await? else {
        return Ok(None);
    };
    let (now, limits) = (app.clock.now(), &app.settings.pages);
    let unused_for = now - session.last_seen;
    let continues = now < session.ttl
        && unused_for < limits.session_idle_age
        && !user.has_ended_session_of(session.created);
    if !(continues && user.is_active && accepts(&user)) {
        return Ok(None);
    }
    if unused_for >= SEEN_EVERY.min(limits.session_idle_age / 2) {
        app.store.touch_session(&secret, now).await?;
    }
    note_user(user.id);
    Ok(Some((user, secret)))
}

/// Ends the session of a secret. The header makes the browser forget it.
///
/// # Errors
/// The table's failure.
pub async fn end(app: &App, secret: &str, headers: &HeaderMap) -> Result<HeaderValue, StoreError> {
    app.store.end_session(secret).await?;
    Ok(cookies::set(cookies::SESSION, "", headers))
}

/// The secret in the session's cookie, whether or not the session still exists.
pub async fn secret(app: &App, headers: &HeaderMap) -> Option<String> {
    Some(signed(app, headers).await?.1)
}

/// Whose session a cookie names, and its secret, if it was made here.
async fn signed(app: &App, headers: &HeaderMap) -> Option<(UserId, String)> {
    let cookie = cookies::get(cookies::SESSION, headers)?;
    let (text, tag) = cookie.rsplit_once('.')?;
    let is_ours = app.keys.is_tag(PURPOSE, text, tag, app.clock.now());
    if !is_ours.await {
        return None;
    }
    let (id, secret) = text.split_once('.')?;
    Some((UserId(id.parse().ok()?), secret.to_owned()))
}
