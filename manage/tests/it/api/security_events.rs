//! The log lines of security events: who did what to which account, from where, and never what was typed.

use std::{
    io,
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};
use shared::{domain::User, lambda::json_lines};
use testkit::{PASSWORD, Server, user_path};
use tracing::{Level, subscriber::DefaultGuard};
use tracing_subscriber::fmt::MakeWriter;

/// What the service, which runs on the thread of the test, logs as long as this lives.
struct Log {
    text: Lines,
    _guard: DefaultGuard,
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Log {
    fn start() -> Self {
        // While one subscriber is all there is, tracing takes a line that another thread meets first
        // for unwanted everywhere. With two it asks both.
        let all_threads = json_lines(Level::ERROR, io::sink);
        let _ = tracing::subscriber::set_global_default(all_threads);
        let text = Lines::default();
        let lines = json_lines(Level::INFO, text.clone());
        let _guard = tracing::subscriber::set_default(lines);
        Self { text, _guard }
    }

    /// Everything since the last look.
    fn text(&self) -> String {
        let bytes = std::mem::take(&mut *self.text.0.lock().unwrap());
        String::from_utf8(bytes).unwrap()
    }

    /// The events since the last look, by these fields.
    fn events<const N: usize>(&self, fields: [&str; N]) -> Vec<[Value; N]> {
        let text = self.text();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        let events = lines.filter(|line: &Value| line["target"] == "security");
        events
            .map(|line| fields.map(|field| line[field].clone()))
            .collect()
    }
}

/// An event about a user, by somebody, for a reason.
fn told(event: &str, user: Option<u64>, actor: &str, reason: Option<&str>) -> [Value; 4] {
    [json!(event), json!(user), json!(actor), json!(reason)]
}

const WHO: [&str; 4] = ["event", "userId", "actor", "reason"];

fn by(user: &User) -> String {
    format!("user {}", user.id)
}

#[tokio::test]
async fn a_login_tells_who_from_where_and_into_which_session() {
    let server = Server::start().await;
    let ann = server.user("ann").await;
    let log = Log::start();
    server.login("ann", PASSWORD).await.assert_status(200);
    let fields = [
        "level", "message", "event", "userId", "actor", "address", "method", "route", "status",
    ];
    let expected = [
        json!("INFO"),
        json!("a user logged in"),
        json!("login"),
        json!(ann.id.0),
        json!(by(&ann)),
        json!("127.0.0.1"),
        json!("POST"),
        json!("/api/auth/login/"),
        json!(200),
    ];
    assert_eq!(log.events(fields), [expected]);
    server.login("ann", PASSWORD).await.assert_status(200);
    let sids = log.events(["sid"]);
    let sessions = server.table.sessions_of(ann.id).await.unwrap();
    assert!(
        sessions
            .iter()
            .any(|session| sids == [[json!(session.sid)]]),
        "{sids:?}"
    );
    server.browser_of("admin").await;
    let of_admin = told("login", Some(1), "user 1", None);
    assert_eq!(log.events(WHO), [of_admin]);
}

#[tokio::test]
async fn a_failed_login_tells_its_class_and_nothing_that_was_typed() {
    let server = Server::start().await;
    let ann = server.user("ann").await.id.0;
    let gone = server.user("gone").inactive().await.id.0;
    let log = Log::start();
    for (name, password) in [
        ("ann", "typed-1"),
        ("gone", PASSWORD),
        ("typed-2-in-the-name", "typed-1"),
    ] {
        server.login(name, password).await.assert_status(401);
    }
    let mut browser = server.browser();
    browser.log_in("ann", PASSWORD).await;
    let text = log.text();
    assert!(
        !text.contains("typed-") && !text.contains(PASSWORD),
        "{text}"
    );
    *log.text.0.lock().unwrap() = text.into_bytes();
    let failed = |user, reason| told("login.failed", user, "anonymous", Some(reason));
    let expected = [
        failed(Some(ann), "wrong_password"),
        failed(Some(gone), "inactive"),
        failed(None, "unknown_name"),
        failed(Some(ann), "not_staff"),
    ];
    assert_eq!(log.events(WHO), expected);
}

#[tokio::test]
async fn a_throttled_login_tells_which_limit_was_reached() {
    let limits = [
        ("LOGIN_FAILURE_LIMIT", "1"),
        ("LOGIN_FAILURE_LIMIT_PER_ADDRESS", "3"),
    ];
    let server = Server::with(&limits).await;
    let ann = server.user("ann").await.id.0;
    let log = Log::start();
    for name in ["ann", "ann", "bob", "eve", "ann-2"] {
        server.login(name, "wrong").await;
    }
    let mut events = log.events(WHO);
    events.retain(|event| event[0] == "login.throttled");
    let expected = [
        told(
            "login.throttled",
            Some(ann),
            "anonymous",
            Some("account_and_address"),
        ),
        told("login.throttled", None, "anonymous", Some("address")),
    ];
    assert_eq!(events, expected);
}

#[tokio::test]
async fn what_ends_sessions_tells_whose_and_by_whom() {
    let server = Server::start().await;
    let ann = server.user("ann").await;
    let (path, id, own) = (user_path(ann.id), ann.id.0, by(&ann));
    let admin = by(&server.admin);
    let pair = server.login("ann", PASSWORD).await;
    let log = Log::start();
    let refresh = json!({"refresh": pair.field("refresh")});
    server
        .post(testkit::NOBODY, "logout/", refresh)
        .await
        .assert_status(200);
    let sessions = format!("{path}sessions/");
    server
        .delete(&server.admin, &sessions)
        .await
        .assert_status(204);
    let off = json!({"is_active": false});
    server
        .patch(&server.admin, &path, off)
        .await
        .assert_status(200);
    server.delete(&server.admin, &path).await.assert_status(204);
    let expected = [
        told("session.ended", Some(id), &own, Some("logout")),
        told("sessions.ended", Some(id), &admin, Some("all")),
        told("sessions.ended", Some(id), &admin, Some("deactivated")),
        told("sessions.ended", Some(id), &admin, Some("deleted")),
    ];
    assert_eq!(log.events(WHO), expected);
}

#[tokio::test]
async fn a_registration_and_a_new_password_are_told() {
    let server = Server::start().await;
    let log = Log::start();
    let ann = server.register("ann").await.assert_status(201).id();
    let own = format!("user {ann}");
    assert_eq!(
        log.events(WHO),
        [told("registration", Some(ann), &own, None)]
    );
    let mut browser = server.browser_of("admin").await;
    log.text();
    let fields = [
        ("password1", "another-Long-1"),
        ("password2", "another-Long-1"),
    ];
    let page = format!("/admin/auth/user/{ann}/password/");
    browser.post(&page, &fields).await;
    let changed = told("password.changed", Some(ann), "user 1", None);
    assert_eq!(log.events(WHO), [changed]);
}

#[tokio::test]
async fn a_refusal_and_a_throttled_request_tell_who_asked() {
    let limits = [("THROTTLE_RATE_REGISTER", "1/hour")];
    let server = Server::with(&limits).await;
    let ann = server.user("ann").await;
    let log = Log::start();
    server.get(&ann, "groups/").await.assert_status(403);
    // What is only wrong, or needs a login, is no refusal.
    server
        .get(testkit::NOBODY, "groups/")
        .await
        .assert_status(401);
    server.get(&ann, "users/99/").await.assert_status(404);
    server.register("bob").await.assert_status(201);
    server.register("eve").await.assert_status(429);
    let mut events = log.events(["event", "userId", "actor", "status", "route"]);
    events.retain(|event| event[0] != "registration");
    let expected = [
        [
            json!("refused"),
            json!(ann.id.0),
            json!(by(&ann)),
            json!(403),
            json!("/api/auth/groups/"),
        ],
        [
            json!("throttled"),
            Value::Null,
            json!("anonymous"),
            json!(429),
            json!("/api/auth/users/register/"),
        ],
    ];
    assert_eq!(events, expected);
}

#[tokio::test]
async fn a_refusal_that_the_answer_does_not_tell_is_told() {
    let server = Server::with(&[("HIDE_USERS", "true")]).await;
    let ann = server.user("ann").await;
    let log = Log::start();
    for id in [server.admin.id.0, 99] {
        server.get(&ann, &user_path(id)).await.assert_status(404);
    }
    let events = log.events(["event", "userId", "actor", "status", "reason"]);
    let refused = [
        json!("refused"),
        json!(ann.id.0),
        json!(by(&ann)),
        json!(404),
        json!("rights"),
    ];
    assert_eq!(events, [refused]);
}

#[tokio::test]
async fn a_replaced_refresh_token_that_is_used_again_is_told_with_its_session() {
    let rotation = [
        ("ROTATE_REFRESH_TOKENS", "True"),
        ("REFRESH_TOKEN_GRACE", "0"),
    ];
    let server = Server::with(&rotation).await;
    let ann = server.user("ann").await;
    let pair = server.login("ann", PASSWORD).await;
    let log = Log::start();
    let refresh = json!({"refresh": pair.field("refresh")});
    for status in [200, 401] {
        let answer = server.post(testkit::NOBODY, "token/refresh/", refresh.clone());
        answer.await.assert_status(status);
    }
    let events = log.events(["event", "userId", "actor", "reason", "sid", "level"]);
    let [reused, ended] = &events[..] else {
        panic!("{events:?}");
    };
    let sid = reused[4].as_str().unwrap();
    assert_eq!(sid.len(), 32);
    let line = |event: &str, reason: Value, level: &str| {
        let (id, sid) = (json!(ann.id.0), json!(sid));
        [
            json!(event),
            id,
            json!("anonymous"),
            reason,
            sid,
            json!(level),
        ]
    };
    assert_eq!(*reused, line("token.reused", Value::Null, "WARN"));
    assert_eq!(*ended, line("session.ended", json!("reuse"), "INFO"));
}
