//! What links and cookies bring back: uids and tokens of mails, places in lists, sessions, messages.

use std::collections::BTreeSet;

use axum::http::{HeaderMap, HeaderValue, header};
use shared::{
    domain::{Flag, GroupId, UserId},
    hashing::PasswordHash,
    mail::links::{Subject, read_uid, uid},
    store::pager::{Filter, Place, Search},
    web::{
        cookies::{self, CSRF, LINK, MESSAGES, SESSION},
        csrf,
        messages::{self, Message},
        session,
    },
};

use crate::{
    lines,
    service::{NOW, app, link_tokens, wait},
};

/// The link of a mail: the uid and, after a line break, the token.
pub fn uids(data: &[u8]) {
    let Some((given, token)) = lines(data) else {
        return;
    };
    let Some(id) = read_uid(given) else {
        return;
    };
    assert!(id.0 > 0);
    assert_eq!(read_uid(&uid(id)), Some(id));
    let hash = PasswordHash::new(token.to_owned());
    let seconds = id.0.cast_signed();
    for (email, last_login) in [("", None), (token, Some(seconds)), (given, Some(-seconds))] {
        let subject = Subject {
            id,
            password: Some(&hash),
            last_login,
            email,
        };
        let links = link_tokens();
        // Nobody makes a token but who has the key.
        assert!(!links.is_good(subject, token, NOW, i64::MAX));
        let made = links.make(subject, NOW);
        assert!(links.is_good(subject, &made, NOW, 0));
        assert!(!links.is_good(subject, &made.to_uppercase(), NOW, 0));
        let other = Subject {
            id: UserId(id.0 ^ 1),
            ..subject
        };
        assert!(!links.is_good(other, &made, NOW, 0));
    }
}

/// A place in a list of users: the first line is what is searched for. A place that a list takes is one
/// that it gives.
pub fn cursors(data: &[u8]) {
    let Some((search, place)) = lines(data) else {
        return;
    };
    let with = |search: Search| Filter {
        search,
        ..Filter::default()
    };
    let found = Search::beginning(search);
    for filter in [
        with(found.clone()),
        with(Search::words(search)),
        Filter {
            group: Some(GroupId(3)),
            ..with(found)
        },
        Filter {
            flags: BTreeSet::from([Flag::Staff]),
            lacking: BTreeSet::from([Flag::Inactive]),
            ..with(Search::words(search))
        },
    ] {
        let Some(read) = Place::parse(place, &filter) else {
            continue;
        };
        let again = Place::parse(&read.to_text(), &filter);
        assert!(again.is_some_and(|again| again == read), "{read:?}");
    }
}

/// A `Cookie` header, after a line with the host, and what is made of it.
pub fn cookies(data: &[u8]) {
    let at = data.iter().position(|byte| *byte == b'\n');
    let (host, line) = data.split_at(at.unwrap_or(0));
    let line = line.strip_prefix(b"\n").unwrap_or(line);
    let mut headers = HeaderMap::new();
    for (name, value) in [(header::HOST, host), (header::COOKIE, line)] {
        let Ok(value) = HeaderValue::from_bytes(value) else {
            return;
        };
        headers.insert(name, value);
    }
    let app = app();
    // Nobody makes a session or a message but who has the key.
    assert_eq!(wait(session::secret(app, &headers)), None);
    assert_eq!(wait(messages::read(app, &headers)), []);
    for name in [SESSION, CSRF, LINK, MESSAGES] {
        let value = cookies::get(name, &headers).unwrap_or_default();
        let is_ours = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if value.is_empty() || !value.chars().all(is_ours) {
            continue;
        }
        // What is set is what comes back, whatever else the browser sends before it.
        let set = cookies::set(name, &value, &headers);
        assert_eq!(cookies::get(name, &with(&headers, &set)), Some(value));
    }
    let (token, set) = wait(csrf::token_without_session(app, &headers));
    assert_eq!(set.len(), 1);
    let (again, _) = wait(csrf::token_without_session(app, &with(&headers, &set[0])));
    assert_eq!(token, again);
    let text = String::from_utf8_lossy(line);
    let told = [Message::success(&*text), Message::error("x")];
    let kept = wait(messages::keep(app, &told, &headers));
    // A browser may drop a longer one.
    assert!(kept.len() <= 4096);
    let read = wait(messages::read(app, &with(&headers, &kept)));
    let rest = read.last().expect("at least a count of them");
    assert!(read == told || text.len() > 400 && rest.text.ends_with(" more."));
}

/// The headers of a browser that has got one more cookie.
fn with(headers: &HeaderMap, set: &HeaderValue) -> HeaderMap {
    let pair = set.to_str().unwrap().split(';').next().unwrap_or_default();
    let before = headers[header::COOKIE].as_bytes();
    let line = [before, b"; ", pair.as_bytes()].concat();
    let mut headers = headers.clone();
    let line = HeaderValue::from_bytes(&line).unwrap();
    headers.insert(header::COOKIE, line);
    headers
}
