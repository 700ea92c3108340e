//! Sessions of browsers: a cookie that only this service can make, and a record in the table.

use axum::http::{HeaderMap, HeaderValue};

use super::{cookies, random_secret};
use crate::{
    accounts::{
        left_undone,
        sessions::{self, Client},
    },
    app::App,
    domain::{User, UserId},
    store::{StoreError, keys::digest, sessions::Kind},
    telemetry::{Event, note_event, note_session, note_user},
};

/// What the cookie's tag is for.
const PURPOSE: &str = "session";
/// A session notes that it is used at most this often, in seconds.
const USED_EVERY: i64 = 60;

/// Begins a session of a user as they were when their password was checked, so that a change of it
/// meanwhile ends the session. The header gives it to the browser.
///
/// # Errors
/// The table's failure.
pub async fn begin(
    app: &App,
    user: &User,
    client: &Client,
    headers: &HeaderMap,
) -> Result<HeaderValue, StoreError> {
    let (mut secret, now) = (String::new(), app.clock.now());
    let age = app.settings.pages.session_age;
    let make = || {
        secret = random_secret();
        sessions::new(user, Kind::Admin, digest(&secret), client, now, age)
    };
    let session = app.store.begin_session(make).await?;
    note_session(&session.sid);
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
    let (Some(session), Some(user)) = app.store.session_and_user(id, &digest(&secret)).await?
    else {
        return Ok(None);
    };
    let (now, idle_age) = (app.clock.now(), app.settings.pages.session_idle_age);
    let continues = session.is_live(&user, now) && now.saturating_sub(session.last_used) < idle_age;
    if !(continues && user.is_active && accepts(&user)) {
        return Ok(None);
    }
    let every = USED_EVERY.min(idle_age / 2);
    left_undone(app.store.use_session(&session, every).await);
    note_user(user.id);
    Ok(Some((user, secret)))
}

/// Ends the session in the cookie, if there is one. The header makes the browser forget it.
///
/// # Errors
/// The table's failure.
pub async fn end(app: &App, headers: &HeaderMap) -> Result<HeaderValue, StoreError> {
    if let Some((id, secret)) = signed(app, headers).await {
        let sid = digest(&secret);
        if app.store.end_session(id, &sid).await? {
            let ended = Event::SessionEnd.of(id).in_session(&sid);
            note_event(ended.by_oneself().because("logout"));
        }
    }
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
