//! Whatever is sent, the answer is no 5xx, has DRF's shape, and leaves the table consistent.

use std::cell::{Cell, RefCell};

use axum::http::request::Builder;
use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::Value;
use shared::{
    domain::{User, UserId},
    jwt::TokenType,
};
use testkit::{Answer, NOBODY, Server};

use super::requests::{Caller, REFRESH, Sent, sent};

/// The two who send requests. Requests deactivate, demote and delete them too, after which
/// nothing would be let through any more: so each is put right again, or replaced.
struct Sender {
    user: User,
    is_admin: bool,
}

impl Sender {
    async fn new(server: &Server, name: &str, is_admin: bool) -> Self {
        let user = server.user(name).email(&format!("{name}@example.net"));
        let user = user.with(|user| (user.is_staff, user.is_superuser) = (is_admin, is_admin));
        Self {
            user: user.await,
            is_admin,
        }
    }

    async fn put_right(&mut self, server: &Server, cases: u32) {
        let Some(user) = server.table.user(self.user.id).await.unwrap() else {
            *self = Self::new(server, &format!("sender-{cases}"), self.is_admin).await;
            return;
        };
        let right = |user: &mut User| {
            user.is_active = true;
            (user.is_staff, user.is_superuser) = (self.is_admin, self.is_admin);
        };
        self.user = server.change(&user, right).await;
    }
}

/// The start of a request, and its body.
fn request(sent: &Sent, server: &Server, user: &Sender, admin: &Sender) -> (Builder, Vec<u8>) {
    let bearer = |sender: &Sender| {
        let token = server.issue(TokenType::Access, &sender.user);
        format!("Bearer {token}").into_bytes()
    };
    let authorization = match &sent.caller {
        Caller::Nobody => None,
        Caller::User => Some(bearer(user)),
        Caller::Admin => Some(bearer(admin)),
        Caller::Forger(at, byte) => {
            let mut bytes = bearer(admin);
            let at = at.index(bytes.len());
            bytes[at] = *byte;
            Some(bytes)
        }
        Caller::Bytes(bytes) => Some(bytes.clone()),
    };
    let mut request = server.request(NOBODY, sent.method, &sent.path);
    if let Some(bytes) = authorization {
        request = request.header("authorization", bytes);
    }
    let refresh = server.issue(TokenType::Refresh, &user.user);
    let body = match std::str::from_utf8(&sent.body) {
        Ok(text) => text.replace(REFRESH, &refresh).into_bytes(),
        Err(_) => sent.body.clone(),
    };
    let kind = sent.content_type.as_slice();
    (request.header("content-type", kind), body)
}

/// `{"detail": …}`, with what SimpleJWT adds to it, or lists of texts by field.
fn has_drfs_shape(body: &Value) -> bool {
    let Some(fields) = body.as_object() else {
        return false;
    };
    let texts = |value: &Value| {
        let list = value.as_array();
        list.is_some_and(|list| !list.is_empty() && list.iter().all(Value::is_string))
    };
    match fields.get("detail") {
        Some(detail) => {
            let known = |key: &String| ["detail", "code", "messages"].contains(&key.as_str());
            detail.is_string() && fields.keys().all(known)
        }
        None => !fields.is_empty() && fields.values().all(texts),
    }
}

fn check(sent: &Sent, answer: &Answer) -> Result<(), TestCaseError> {
    let status = answer.status;
    prop_assert!(status < 500, "{status} for {sent:?}");
    if status >= 400 && sent.method != "HEAD" {
        prop_assert!(has_drfs_shape(&answer.body), "{answer:?} for {sent:?}");
    }
    if sent.method == "HEAD" || status == 204 {
        prop_assert_eq!(&answer.body, &Value::Null);
    }
    let challenge = (status == 401).then_some("Bearer realm=\"api\"");
    prop_assert_eq!(answer.header("www-authenticate"), challenge);
    prop_assert!(status != 405 || answer.header("allow").is_some());
    Ok(())
}

#[test]
fn no_request_gets_a_server_error_or_breaks_the_table() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    // Tries that fail are many, and from one address.
    let limit = [("LOGIN_FAILURE_LIMIT_PER_ADDRESS", "0")];
    let server = &runtime.block_on(Server::with(&limit));
    runtime.block_on(server.user("inactive").inactive().into_future());
    let user = RefCell::new(runtime.block_on(Sender::new(server, "user", false)));
    let admin = RefCell::new(runtime.block_on(Sender::new(server, "other-admin", true)));
    let last = admin.borrow().user.id;
    assert_eq!(last, UserId(4), "the paths name ids 1 to 4");
    let (cases, changes, refusals) = (Cell::new(0_u32), Cell::new(0_u32), Cell::new(0_u32));
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 2000,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let outcome = runner.run(&sent(), |sent| {
        let (request, body) = request(&sent, server, &user.borrow(), &admin.borrow());
        if request.uri_ref().is_none() {
            // Some bytes are no header and no path: a server never sees them.
            return Err(TestCaseError::reject("no HTTP"));
        }
        let answer = runtime.block_on(server.send(request, body));
        cases.set(cases.get() + 1);
        let safe = ["GET", "HEAD", "OPTIONS"].contains(&sent.method);
        if !safe && [200, 201, 204].contains(&answer.status) {
            changes.set(changes.get() + 1);
            let (user, admin) = (&mut *user.borrow_mut(), &mut *admin.borrow_mut());
            // The admin first: a token and the right to act come before anything else.
            runtime.block_on(admin.put_right(server, 2 * cases.get()));
            runtime.block_on(user.put_right(server, 2 * cases.get() + 1));
        }
        if answer.status == 400 {
            refusals.set(refusals.get() + 1);
        }
        check(&sent, &answer)
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
    runtime.block_on(server.assert_sound());
    // Requests that are all stopped at the door would prove nothing.
    let (changes, refusals) = (changes.get(), refusals.get());
    assert!(changes > 100, "only {changes} changes of {}", cases.get());
    assert!(refusals > 100, "only {refusals} bodies refused");
}
