//! Least privilege: each function's role allows what the function does, and nothing else. What it
//! does is recorded at the SDK's wire, through its whole API.

use std::{
    collections::BTreeSet,
    sync::{Arc, atomic::AtomicI64},
};

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
    registration,
    routes::{ADMIN, FUNCTIONS, function_of, prefix_of},
    serve,
};

use super::{
    authorizer,
    calls::Needs,
    every_page::visit,
    template::{Statement, Template},
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
async fn needs(function: &str) -> Needs {
    let server = Server::start().await;
    server.group("Staff", &[]).await;
    let ann = server.user("ann").hash(OUTDATED).await;
    server.user("zoe").await;
    server.user("outdated").id(9).hash(OUTDATED).await;

    let now = server.app.clock.now();
    let session = sessions::new(
        &ann,
        Kind::Api,
        "0".repeat(32),
        &Client::default(),
        now,
        1000,
    );
    let begun = server.table.begin_session(&session).await;
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

/// Every function of the template.
fn all() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.into_iter().chain([ADMIN, "authorizer"])
}

#[test]
fn the_functions_of_the_template_are_those_of_the_tests() {
    let here: BTreeSet<String> = all().map(str::to_owned).collect();
    assert_eq!(Template::read().functions(), here);
}

/// What a flood is kept to, so that it closes nothing else.
const LIMITED: [&str; 4] = [
    "/api/auth/login",
    "/api/auth/jwt/create",
    "/admin/login",
    "/api/auth/users/register",
];

#[test]
fn logins_and_registrations_have_limits_of_their_own() {
    let limits = LIMITED.iter().flat_map(|path| {
        let parameter = match path.ends_with("register") {
            true => "RegistrationThrottlingRateLimit",
            false => "LoginThrottlingRateLimit",
        };
        let both = [format!("ANY {path}"), format!("ANY {path}/{{proxy+}}")];
        both.map(|route| (route, parameter.to_owned()))
    });
    assert_eq!(Template::read().limits(), limits.collect());
}

#[test]
fn each_function_has_the_routes_of_its_prefix() {
    let template = Template::read();
    for function in FUNCTIONS.into_iter().chain([ADMIN]) {
        let prefix = prefix_of(function);
        let own = |path: &&&str| function_of(&format!("{path}/")) == function;
        let limited = LIMITED.iter().filter(own).map(|path| (*path).to_owned());
        let paths = limited.chain([prefix]);
        let both = paths.flat_map(|path| [format!("{path}/{{proxy+}}"), path]);
        let expected: BTreeSet<_> = both.map(|path| (path, "ANY".to_owned())).collect();
        assert_eq!(template.routes(function), expected, "{function}");
    }
}

#[tokio::test]
async fn each_role_allows_what_its_function_does_and_nothing_else() {
    let template = Template::read();
    for function in all() {
        let mut needed = needs(function).await.actions;
        // At its start, for the signing key.
        let secret = ["SigningKey", "secretsmanager:GetSecretValue"];
        needed.insert(secret.map(str::to_owned).into());
        let mut allowed = BTreeSet::new();
        for statement in template.statements(function) {
            let pair = |action| (statement.resource.clone(), action);
            allowed.extend(statement.actions.into_iter().map(pair));
        }
        assert_eq!(allowed, needed, "{function}");
    }
}

#[tokio::test]
async fn each_role_writes_the_keys_that_its_function_writes_and_no_others() {
    let template = Template::read();
    for function in all() {
        let mut written = needs(function).await.keys;
        written.retain(|(action, _)| writes(action));
        let mut statements = template.statements(function);
        statements.retain(|statement| statement.actions.iter().any(|action| writes(action)));
        let allows = |statement: &Statement, action: &str, key: &str| {
            let mut patterns = statement.keys().iter();
            statement.actions.contains(action) && patterns.any(|pattern| matches(pattern, key))
        };
        for (action, key) in &written {
            let allowed = statements.iter().any(|one| allows(one, action, key));
            assert!(allowed, "{function} may not call {action} on {key}");
        }
        for statement in &statements {
            for pattern in statement.keys() {
                let used = written.iter().any(|(action, key)| {
                    statement.actions.contains(action) && matches(pattern, key)
                });
                assert!(
                    used,
                    "{function} may write {pattern}, but writes {written:?}"
                );
            }
            if !["auth", "users", ADMIN].contains(&function) {
                let mut patterns = statement.keys().iter();
                assert!(!patterns.any(|pattern| matches(pattern, "USER#7")));
            }
        }
    }
}

#[test]
fn only_functions_that_verify_passwords_may_read_hashes() {
    let template = Template::read();
    for function in all() {
        let mut statements = template.statements(function);
        let reads = |action: &String| action.starts_with("dynamodb:") && !writes(action);
        statements.retain(|one| one.resource == "Table" && one.actions.iter().any(reads));
        assert!(!statements.is_empty());
        for statement in statements {
            let may_not = statement.not_leading_keys.unwrap_or_default();
            let closed = may_not
                .iter()
                .any(|pattern| matches(pattern, "CREDENTIAL#7"));
            let verifies = ["auth", "users", ADMIN].contains(&function);
            assert_eq!(closed, !verifies, "{function}");
        }
    }
}

#[test]
fn no_function_may_change_or_delete_an_entry_of_the_log() {
    let template = Template::read();
    for function in all() {
        for statement in template.statements(function) {
            let changes =
                |action: &String| action.ends_with("UpdateItem") || action.ends_with("DeleteItem");
            if statement.actions.iter().any(changes) {
                let mut patterns = statement.keys().iter();
                let log = "LOG#auth.user#7";
                assert!(!patterns.any(|pattern| matches(pattern, log)), "{function}");
            }
        }
    }
}

fn matches(pattern: &str, key: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => key.starts_with(prefix),
        None => key == pattern,
    }
}

fn writes(action: &str) -> bool {
    let writes = ["PutItem", "UpdateItem", "DeleteItem"];
    writes.iter().any(|name| action.ends_with(name))
}
