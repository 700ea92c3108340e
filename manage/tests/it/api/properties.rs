//! Whatever is sent, the answer is no 5xx, has DRF's shape, and leaves the table consistent.

use std::cell::{Cell, RefCell};

use axum::{body::Body, http::Request};
use manage::all_routes;
use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::Value;
use shared::{
    app::App,
    domain::{User, UserId},
    jwt::TokenType,
    store::{Actor, nothing_forbids},
};

use super::{
    client::{Answer, Api, PASSWORD, send},
    requests::{Caller, REFRESH, Sent, sent},
    support::add_user,
};

/// The two who send requests. Requests deactivate, demote and delete them too, after which
/// nothing would be let through any more: so each is put right again, or replaced.
struct Sender {
    user: User,
    is_admin: bool,
}

impl Sender {
    async fn new(app: &App, name: &str, is_admin: bool) -> Self {
        let email = format!("{name}@example.net");
        let user = add_user(app, name, &email, PASSWORD, |user| {
            user.is_staff = is_admin;
            user.is_superuser = is_admin;
        })
        .await;
        Self { user, is_admin }
    }

    async fn put_right(&mut self, app: &App, cases: u32) {
        let Some(user) = app.store.user(self.user.id).await.unwrap() else {
            *self = Self::new(app, &format!("sender-{cases}"), self.is_admin).await;
            return;
        };
        let right = |user: &User| {
            let mut user = user.clone();
            user.is_active = true;
            user.is_staff = self.is_admin;
            user.is_superuser = self.is_admin;
            Ok::<_, std::convert::Infallible>(user)
        };
        if right(&user).is_ok_and(|right| right != user) {
            let change = app
                .store
                .update_user(user, Actor::Command, nothing_forbids, right)
                .await;
            self.user = change.unwrap();
        }
    }

    fn token(&self, app: &App, kind: TokenType) -> String {
        app.keys.at_hand().issue(kind, &self.user, app.clock.now())
    }
}

fn request(sent: &Sent, app: &App, user: &Sender, admin: &Sender) -> Option<Request<Body>> {
    let bearer = |token: String| format!("Bearer {token}").into_bytes();
    let authorization = match &sent.caller {
        Caller::Nobody => None,
        Caller::User => Some(bearer(user.token(app, TokenType::Access))),
        Caller::Admin => Some(bearer(admin.token(app, TokenType::Access))),
        Caller::Forger(at, byte) => {
            let mut bytes = bearer(admin.token(app, TokenType::Access));
            let at = at.index(bytes.len());
            bytes[at] = *byte;
            Some(bytes)
        }
        Caller::Bytes(bytes) => Some(bytes.clone()),
    };
    let mut request = Request::builder().method(sent.method).uri(&sent.path);
    if let Some(bytes) = authorization {
        request = request.header("authorization", bytes);
    }
    let body = match std::str::from_utf8(&sent.body) {
        Ok(text) => text
            .replace(REFRESH, &user.token(app, TokenType::Refresh))
            .into_bytes(),
        Err(_) => sent.body.clone(),
    };
    // Some bytes are no header and no path: a server never sees them.
    request
        .header("content-type", sent.content_type.as_slice())
        .body(Body::from(body))
        .ok()
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
    let status = answer.status.as_u16();
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
    let api = runtime.block_on(Api::start());
    let app = api.app();
    let router = all_routes(app.clone());
    let user = RefCell::new(runtime.block_on(Sender::new(app, "user", false)));
    let admin = RefCell::new(runtime.block_on(Sender::new(app, "other-admin", true)));
    assert_eq!(
        admin.borrow().user.id,
        UserId(4),
        "the paths name ids 1 to 4"
    );
    let (cases, changes, refusals) = (Cell::new(0_u32), Cell::new(0_u32), Cell::new(0_u32));
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 2000,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let outcome = runner.run(&sent(), |sent| {
        let Some(request) = request(&sent, app, &user.borrow(), &admin.borrow()) else {
            return Err(TestCaseError::reject("no HTTP"));
        };
        let answer = runtime.block_on(send(&router, request));
        cases.set(cases.get() + 1);
        let safe = ["GET", "HEAD", "OPTIONS"].contains(&sent.method);
        if !safe && answer.status.is_success() {
            changes.set(changes.get() + 1);
            let (user, admin) = (&mut *user.borrow_mut(), &mut *admin.borrow_mut());
            // The admin first: a token and the right to act come before anything else.
            runtime.block_on(admin.put_right(app, 2 * cases.get()));
            runtime.block_on(user.put_right(app, 2 * cases.get() + 1));
        }
        if answer.status == 400 {
            refusals.set(refusals.get() + 1);
        }
        check(&sent, &answer)
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
    runtime.block_on(api.assert_consistent());
    // Requests that are all stopped at the door would prove nothing.
    let (changes, refusals) = (changes.get(), refusals.get());
    assert!(changes > 100, "only {changes} changes of {}", cases.get());
    assert!(refusals > 100, "only {refusals} bodies refused");
}
