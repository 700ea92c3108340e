//! The link of a mail, taken out of the address before the browser loads anything else: other sites
//! and logs see addresses. A cookie holds it for as long as a form takes.

use axum::http::{HeaderMap, HeaderValue};
use shared::{
    app::App,
    mail::links::{Link, read_uid, uid},
    web::cookies,
};

/// What the cookie's tag is for.
const PURPOSE: &str = "link";
/// Seconds for which it is taken.
const AGE: i64 = 3600;

/// A cookie with a link that is good.
pub async fn keep(app: &App, link: &Link, headers: &HeaderMap) -> HeaderValue {
    let id = read_uid(&link.uid).unwrap_or_default();
    let now = app.clock.now();
    // A good token is of digits, letters and a hyphen.
    let text = format!("{}.{}.{}", uid(id), link.token, now + AGE);
    let tag = app.keys.tags(now).await.tag(PURPOSE, &text);
    let value = format!("{text}.{tag}");
    cookies::set(cookies::LINK, &value, headers)
}

/// The link that the browser keeps for the account in its address. Whether it is still good is found
/// out where it is used.
pub async fn kept(app: &App, uid: &str, headers: &HeaderMap) -> Option<Link> {
    let cookie = cookies::get(cookies::LINK, headers)?;
    let (text, tag) = cookie.rsplit_once('.')?;
    let now = app.clock.now();
    if !app.keys.is_tag(PURPOSE, text, tag, now).await {
        return None;
    }
    let mut parts = text.split('.');
    let (owner, token, until) = (parts.next()?, parts.next()?, parts.next()?);
    let is_meant = read_uid(owner).is_some() && read_uid(owner) == read_uid(uid);
    let is_in_time = until.parse().is_ok_and(|until: i64| now < until);
    (is_meant && is_in_time).then(|| Link {
        uid: owner.to_owned(),
        token: token.to_owned(),
    })
}

/// Makes the browser forget it.
pub fn forget(headers: &HeaderMap) -> HeaderValue {
    cookies::set(cookies::LINK, "", headers)
}
