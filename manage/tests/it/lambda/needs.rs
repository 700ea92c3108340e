//! What each function needs: recorded at the SDK's wire, through its whole API.

use std::sync::{Arc, atomic::AtomicI64};

use manage::{
    check::broken_invariants,
    engine::{Engine, LOOPBACK},
    init,
};
use serde_json::{Value, json};
use shared::{
    accounts::sessions::{self, Client},
    clock::Clock,
    domain::User,
    jwt::TokenType,
    store::{Store, connect_to, layout::Schema, sessions::Kind},
};
use testkit::{
    NOBODY, PASSWORD, Pages, Server, TABLE, app,
    events::{event, invoke},
    proxy::{Call, Proxy},
    registration, serve,
};

use super::{
    account_life::{send_mails, visit_account},
    authorizer,
    calls::Needs,
    every_page::visit,
};

/// The usual password as an older Django stored it.
const OUTDATED: &str = "pbkdf2_sha256$1000$samplesalt$281eZ2aHXrDbaYjxz4SaxhNULrs5Kzvl8mBhTWCUWow=";

/// A request and the status it must have.
type Asked = (&'static str, &'static str, Value, u16);

/// Every path through the functions that makes calls of its own.
fn requests(function: &str, tokens: &Value) -> Vec<Asked> {
    match function {
        "auth" => auth(tokens),
        "users" => users(),
        "groups" => groups(),
        "permissions" => permissions(),
        _ => Vec::new(),
    }
}

fn auth(tokens: &Value) -> Vec<Asked> {
    let login = |name: &str, password: &str| json!({"username": name, "password": password});
    let refresh = json!({"refresh": tokens["refresh"]});
    let verify = json!({"token": tokens["access"]});
    vec![
        ("POST", "login/", login("ann", PASSWORD), 200),
        ("POST", "login/", login("outdated", PASSWORD), 200),
        ("POST", "login/", login("ann", "wrong"), 401),
        ("POST", "login/", login("nobody", "wrong"), 401),
        // The first after a failure.
        ("POST", "login/", login("ann", PASSWORD), 200),
        ("GET", "sessions/", Value::Null, 200),
        ("DELETE", "sessions/0/", Value::Null, 404),
        ("DELETE", "sessions/", Value::Null, 204),
        ("POST", "token/refresh/", refresh.clone(), 200),
        ("POST", "token/verify/", verify, 200),
        ("POST", "token/blacklist/", refresh.clone(), 200),
        ("POST", "token/refresh/", refresh, 401),
    ]
}

fn users() -> Vec<Asked> {
    let bob = || registration("bob", "bob@example.com");
    let renamed = json!({"username": "bob", "email": "bob@new.example"});
    let eve = json!({"username": "eve", "email": "eve@example.com"});
    let flag = |on: bool| json!({ "is_superuser": on });
    let groups = |ids: &[u64]| json!({ "group_ids": ids });
    let email = || json!({"email": "ann@example.com"});
    let by_link = |field: &str| json!({"uid": "MQ", "token": "x-y", field: "Rk-9-Lo.pq_Wx"});
    let renames = json!({"new_username": "root", "current_password": PASSWORD});
    let wrong = json!({"new_password": "Rk-9-Lo.pq_Wx", "current_password": "wrong"});
    vec![
        ("POST", "users/register/", bob(), 201),
        ("POST", "users/register/", bob(), 400),
        ("POST", "users/register/", json!({"username": "bob"}), 400),
        ("GET", "users/", Value::Null, 200),
        ("GET", "users/?search=an", Value::Null, 200),
        ("GET", "users/2/", Value::Null, 200),
        ("GET", "users/99/", Value::Null, 404),
        ("GET", "users/2/permissions/", Value::Null, 200),
        (
            "PUT",
            "users/2/permissions/",
            json!({"permission_ids": [1]}),
            200,
        ),
        ("PUT", "users/2/", renamed, 400),
        ("PATCH", "users/2/", eve, 200),
        ("PATCH", "users/2/", flag(true), 200),
        ("PATCH", "users/2/", flag(false), 200),
        ("POST", "users/2/assign_groups/", groups(&[1]), 200),
        ("POST", "users/2/assign_groups/", groups(&[]), 200),
        ("POST", "users/2/assign_groups/", groups(&[1]), 200),
        ("GET", "users/2/sessions/", Value::Null, 200),
        ("DELETE", "users/2/sessions/", Value::Null, 204),
        ("DELETE", "users/2/", Value::Null, 204),
        // Account life, of the caller themself.
        ("POST", "users/reset_password/", email(), 204),
        ("POST", "users/reset_username/", email(), 204),
        ("POST", "users/resend_activation/", email(), 204),
        (
            "POST",
            "users/reset_password_confirm/",
            by_link("new_password"),
            400,
        ),
        (
            "POST",
            "users/reset_username_confirm/",
            by_link("new_username"),
            400,
        ),
        ("POST", "users/activation/", by_link("none"), 400),
        ("PATCH", "users/me/", json!({"first_name": "Ada"}), 200),
        ("POST", "users/set_username/", renames, 204),
        ("POST", "users/set_password/", wrong, 400),
    ]
}

fn groups() -> Vec<Asked> {
    let ids = |ids: &[u64]| json!({ "permission_ids": ids });
    let crew = json!({"name": "Crew", "permissions": [1, 2]});
    let invalid = json!({"name": "Board", "permissions": ["x"]});
    vec![
        ("GET", "groups/", Value::Null, 200),
        ("POST", "groups/", json!({"name": "Board"}), 201),
        ("POST", "groups/", json!({"name": "Board"}), 400),
        ("GET", "groups/1/", Value::Null, 200),
        ("PUT", "groups/1/", crew, 200),
        ("PATCH", "groups/1/", invalid, 400),
        ("GET", "groups/1/", Value::Null, 200),
        ("POST", "groups/1/assign_permissions/", ids(&[3]), 200),
        ("POST", "groups/1/remove_permissions/", ids(&[3]), 200),
        ("GET", "groups/1/users/", Value::Null, 200),
        ("DELETE", "groups/1/", Value::Null, 204),
    ]
}

fn permissions() -> Vec<Asked> {
    let new = || json!({"name": "Can go", "codename": "go", "content_type": "auth.user"});
    let leave = json!({"codename": "leave"});
    let group = || json!({"group_id": 1});
    vec![
        ("GET", "permissions/", Value::Null, 200),
        ("POST", "permissions/", new(), 201),
        ("POST", "permissions/", new(), 400),
        ("GET", "permissions/1/", Value::Null, 200),
        ("PUT", "permissions/13/", new(), 200),
        ("PATCH", "permissions/13/", leave, 200),
        ("POST", "permissions/1/assign_to_group/", group(), 200),
        ("POST", "permissions/1/remove_from_group/", group(), 200),
        ("DELETE", "permissions/13/", Value::Null, 204),
    ]
}

/// What a function needs, from its start to its last request.
pub async fn needs(function: &str) -> Needs {
    let server = Server::start().await;
    server.group("Staff", &[]).await;
    let ann = server.user("ann").hash(OUTDATED).await;
    server.user("zoe").await;
    server.user("outdated").id(9).hash(OUTDATED).await;

    let now = server.app.clock.now();
    let session = || {
        let sid = "0".repeat(32);
        sessions::new(&ann, Kind::Api, sid, &Client::default(), now, 1000)
    };
    let begun = server.table.begin_session(session).await;
    begun.expect("a session");

    let proxy = Proxy::start(server.engine.endpoint()).await;
    let time = Arc::new(AtomicI64::new(server.app.clock.now()));
    let clock = Clock::Fixed(Arc::clone(&time));
    let settings = [
        ("UPDATE_LAST_LOGIN", "true"),
        ("LOGIN_FAILURE_LIMIT", "4"),
        ("THROTTLE_RATE_REGISTER", "100/hour"),
        ("EMAIL_FRONTEND_DOMAIN", "app.example.com"),
        ("PASSWORD_RESET_CONFIRM_URL", "reset/{uid}/{token}"),
        ("USERNAME_RESET_CONFIRM_URL", "name/{uid}/{token}"),
        ("ACTIVATION_URL", "activate/{uid}/{token}"),
        ("SEND_ACTIVATION_EMAIL", "true"),
        ("USERNAME_CHANGED_EMAIL_CONFIRMATION", "true"),
        ("PASSWORD_CHANGED_EMAIL_CONFIRMATION", "true"),
        ("SESSION_ENDED_EMAIL", "true"),
    ];
    let app = app(&proxy.endpoint(), &settings, clock.clone());
    app.store.refuse_newer_layout().await.expect("the layout");
    let access = server.issue(TokenType::Access, &server.admin);
    let held = server.issue(TokenType::Access, &holder(&server).await);
    let refresh = server.issue(TokenType::Refresh, &ann);
    let tokens = json!({"access": access, "refresh": refresh});
    for (method, path, body, status) in requests(function, &tokens) {
        let is_open = function == "auth" && !path.starts_with("sessions/");
        let token = (!is_open && !path.ends_with("register/")).then_some(&*access);
        let event = event(method, &format!("/api/auth/{path}"), token, &body);
        let answer = invoke(function, &app, &event).await;
        assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
    }
    // A user who is no admin: what they hold is looked up.
    match function {
        "auth" => reuse_a_token(&proxy, clock).await,
        "admin" => {
            let browser = Pages::of(serve(app.clone()).await);
            visit(browser, &time).await;
        }
        "account" => visit_account(&server, &proxy, clock).await,
        "mailer" => send_mails(&server, app).await,
        "authorizer" => {
            let event = authorizer::event(Some(&format!("Bearer {held}")));
            let answer = authorizer::authorize(&app, &event).await;
            assert_eq!(answer["isAuthorized"], true);
        }
        function => {
            let path = format!("/api/auth/{function}/");
            let event = event("GET", &path, Some(&held), &Value::Null);
            invoke(function, &app, &event).await.assert_status(200);
        }
    }
    let mut calls = proxy.take_calls();
    if function == "users" {
        calls.extend(first_registration().await);
    }
    Needs::of(&calls)
}

/// The calls of the first registration in a table that a deployment made.
async fn first_registration() -> Vec<Call> {
    let engine = Engine::memory(LOOPBACK).await.expect("an engine");
    let client = connect_to(&engine.endpoint());
    init::create_table(&client, TABLE).await.expect("a table");
    let proxy = Proxy::start(engine.endpoint()).await;
    let app = app(&proxy.endpoint(), &[], Clock::System);
    app.store.refuse_newer_layout().await.expect("the layout");
    let body = registration("ann", "ann@example.com");
    let event = event("POST", "/api/auth/users/register/", None, &body);
    invoke("users", &app, &event).await.assert_status(201);
    let table = Store::new(client, TABLE);
    assert_eq!(table.schema().await.unwrap(), Schema::CURRENT);
    assert_eq!(broken_invariants(&table).await.unwrap(), [""; 0]);
    proxy.take_calls()
}

/// Uses a replaced token again, which ends its session and owes a mail.
async fn reuse_a_token(proxy: &Proxy, clock: Clock) {
    let settings = [
        ("ROTATE_REFRESH_TOKENS", "true"),
        ("REFRESH_TOKEN_GRACE", "0"),
        ("EMAIL_FRONTEND_DOMAIN", "app.example.com"),
        ("PASSWORD_RESET_CONFIRM_URL", "reset/{uid}/{token}"),
        ("SESSION_ENDED_EMAIL", "true"),
    ];
    let client = serve(app(&proxy.endpoint(), &settings, clock)).await;
    let tokens = client.login("ann", PASSWORD).await;
    tokens.assert_status(200);
    let refresh = json!({"refresh": tokens.body["refresh"]});
    for status in [200, 401] {
        let path = "token/refresh/";
        let answer = client.post(NOBODY, path, refresh.clone()).await;
        answer.assert_status(status);
    }
}

/// A user who holds everything, some of it through a group, and whose hash is an older one.
async fn holder(server: &Server) -> User {
    let group = server.group("Holders", &[]).await;
    let all = server.labels().await;
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let holder = server.user("holder").id(8).hash(OUTDATED);
    holder.holds(&all).joins([&group]).await
}
