//! Least privilege: each function's role allows what the function does, and nothing else. What it
//! does is recorded at the SDK's wire, through its whole API.

use std::{
    collections::BTreeSet,
    sync::{Arc, atomic::AtomicI64},
};

use serde_json::{Value, json};
use shared::{
    app::{App, Clock},
    domain::User,
    hashing::PasswordHash,
    jwt::TokenType,
    settings::Settings,
    store::{Actor, connect_to, nothing_forbids, users::NewUser, warm_up},
};

use super::{
    calls::Needs,
    event::{event, invoke, prefix_of},
    every_page::visit,
    pages::Pages,
    proxy::Proxy,
    routes::{ADMIN, FUNCTIONS},
    support::{SIGNING_KEY, Server, TABLE, add_user, parsed, serve},
    template::{Statement, Template},
};

const PASSWORD: &str = "Kq!wz-Mv%Tn#Yp_Gx";
/// The same password as an older Django stored it.
const OUTDATED: &str = "pbkdf2_sha256$1000$samplesalt$281eZ2aHXrDbaYjxz4SaxhNULrs5Kzvl8mBhTWCUWow=";

/// A request, who sends it, and the status it must have.
type Asked = (&'static str, &'static str, Value, u64);

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
    vec![
        ("POST", "login/", login("ann", PASSWORD), 200),
        ("POST", "login/", login("outdated", PASSWORD), 200),
        ("POST", "login/", login("ann", "wrong"), 401),
        ("POST", "login/", login("nobody", "wrong"), 401),
        // The first after a failure.
        ("POST", "login/", login("ann", PASSWORD), 200),
        ("POST", "token/refresh/", refresh.clone(), 200),
        (
            "POST",
            "token/verify/",
            json!({"token": tokens["access"]}),
            200,
        ),
        ("POST", "token/blacklist/", refresh.clone(), 200),
        ("POST", "token/refresh/", refresh, 401),
    ]
}

fn users() -> Vec<Asked> {
    let registration = |name: &str, email: &str| json!({"username": name, "email": email, "password": PASSWORD, "password2": PASSWORD});
    let renamed = json!({"username": "bob", "email": "bob@new.example"});
    vec![
        (
            "POST",
            "users/register/",
            registration("bob", "bob@example.com"),
            201,
        ),
        (
            "POST",
            "users/register/",
            registration("bob", "bob@example.com"),
            400,
        ),
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
        (
            "PATCH",
            "users/2/",
            json!({"username": "eve", "email": "eve@example.com"}),
            200,
        ),
        ("PATCH", "users/2/", json!({"is_superuser": true}), 200),
        ("PATCH", "users/2/", json!({"is_superuser": false}), 200),
        (
            "POST",
            "users/2/assign_groups/",
            json!({"group_ids": [1]}),
            200,
        ),
        (
            "POST",
            "users/2/assign_groups/",
            json!({"group_ids": []}),
            200,
        ),
        (
            "POST",
            "users/2/assign_groups/",
            json!({"group_ids": [1]}),
            200,
        ),
        ("DELETE", "users/2/", Value::Null, 204),
    ]
}

fn groups() -> Vec<Asked> {
    let ids = |ids: &[u64]| json!({ "permission_ids": ids });
    vec![
        ("GET", "groups/", Value::Null, 200),
        ("POST", "groups/", json!({"name": "Board"}), 201),
        ("POST", "groups/", json!({"name": "Board"}), 400),
        ("GET", "groups/1/", Value::Null, 200),
        (
            "PUT",
            "groups/1/",
            json!({"name": "Crew", "permissions": [1, 2]}),
            200,
        ),
        (
            "PATCH",
            "groups/1/",
            json!({"name": "Board", "permissions": ["x"]}),
            400,
        ),
        ("GET", "groups/1/", Value::Null, 200),
        ("POST", "groups/1/assign_permissions/", ids(&[3]), 200),
        ("POST", "groups/1/remove_permissions/", ids(&[3]), 200),
        ("GET", "groups/1/users/", Value::Null, 200),
        ("DELETE", "groups/1/", Value::Null, 204),
    ]
}

fn permissions() -> Vec<Asked> {
    let new = || json!({"name": "Can go", "codename": "go", "content_type": "auth.user"});
    vec![
        ("GET", "permissions/", Value::Null, 200),
        ("POST", "permissions/", new(), 201),
        ("POST", "permissions/", new(), 400),
        ("GET", "permissions/1/", Value::Null, 200),
        ("PUT", "permissions/13/", new(), 200),
        (
            "PATCH",
            "permissions/13/",
            json!({"codename": "leave"}),
            200,
        ),
        (
            "POST",
            "permissions/1/assign_to_group/",
            json!({"group_id": 1}),
            200,
        ),
        (
            "POST",
            "permissions/1/remove_from_group/",
            json!({"group_id": 1}),
            200,
        ),
        ("DELETE", "permissions/13/", Value::Null, 204),
    ]
}

/// What a function needs, from its start to its last request.
async fn needs(function: &str) -> Needs {
    let server = Server::start().await;
    let store = &server.app.store;
    let group = store.create_group(parsed("Staff"), Actor::Command).await;
    group.expect("a group");
    // The server has made users 1 and 2.
    let inactive = store
        .user(shared::domain::UserId(2))
        .await
        .unwrap()
        .unwrap();
    let gone =
        store.delete_user::<std::convert::Infallible, _>(inactive, Actor::Command, nothing_forbids);
    gone.await.expect("one user less");
    let ann = server_user(&server, 2, "ann").await;
    add_user(&server.app, "zoe", "zoe@example.com", PASSWORD, |_| {}).await;
    server_user(&server, 9, "outdated").await;

    let proxy = Proxy::start(server.engine.endpoint()).await;
    let settings = Settings::from_lookup(|name| match name {
        "SIGNING_KEY" => Some(SIGNING_KEY.to_owned()),
        "TABLE_NAME" => Some(TABLE.to_owned()),
        "UPDATE_LAST_LOGIN" => Some("true".to_owned()),
        _ => None,
    });
    let client = connect_to(&proxy.endpoint());
    warm_up(&client, TABLE).await;
    let time = Arc::new(AtomicI64::new(server.app.clock.now()));
    let clock = Clock::Fixed(Arc::clone(&time));
    let app = App::local(settings.unwrap(), client, clock).unwrap();
    let admin = store
        .user(shared::domain::UserId(1))
        .await
        .unwrap()
        .unwrap();
    let token = |kind, user: &User| app.keys.at_hand().issue(kind, user, app.clock.now());
    let access = token(TokenType::Access, &admin);
    let holder = holder(&server).await;
    let held = token(TokenType::Access, &holder);
    let tokens = json!({"access": access, "refresh": token(TokenType::Refresh, &ann)});
    for (method, path, body, status) in requests(function, &tokens) {
        let token = (function != "auth" && !path.ends_with("register/")).then_some(&*access);
        let event = event(method, &format!("/api/auth/{path}"), token, &body);
        let answer = invoke(function, &app, &event).await;
        assert_eq!(answer.0, status, "{method} {path}: {}", answer.1);
    }
    // Who is no admin: what he holds is looked up.
    match function {
        "auth" => {}
        "admin" => {
            let browser = Pages::at(format!("http://{}", serve(app.clone()).await));
            visit(browser, &time).await;
        }
        "authorizer" => {
            let event = super::authorizer::event(Some(&format!("Bearer {held}")));
            let answer = super::authorizer::authorize(&app, &event).await;
            assert_eq!(answer["isAuthorized"], true);
        }
        function => {
            let path = format!("/api/auth/{function}/");
            let event = event("GET", &path, Some(&held), &Value::Null);
            let answer = invoke(function, &app, &event).await;
            assert_eq!(answer.0, 200, "{}", answer.1);
        }
    }
    Needs::of(&proxy.take_calls())
}

/// A user who holds everything, some of it through a group.
async fn holder(server: &Server) -> User {
    let store = &server.app.store;
    let all = store.permissions().await.unwrap();
    let group = store.create_group(parsed("Holders"), Actor::Command).await;
    let group = group.expect("a group");
    let holder = server_user(server, 8, "holder").await;
    let change = |user: &User| {
        Ok::<_, std::convert::Infallible>(User {
            permission_ids: all.iter().map(|one| one.id).collect(),
            group_ids: [group.id].into(),
            ..user.clone()
        })
    };
    let changed = store.update_user(holder, Actor::Command, nothing_forbids, change);
    changed.await.expect("a holder")
}

async fn server_user(server: &Server, id: u64, name: &str) -> User {
    let new = NewUser {
        username: parsed(name),
        email: parsed(&format!("{name}@example.com")),
        first_name: parsed(""),
        last_name: parsed(""),
        is_active: true,
        is_staff: false,
        is_superuser: false,
        date_joined: 0,
    };
    let hash = PasswordHash::new(OUTDATED.to_owned());
    let id = shared::domain::UserId(id);
    let made = server.app.store.create_user(id, new, &hash, Actor::Command);
    made.await.expect("a user")
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

#[test]
fn each_function_has_the_routes_of_its_prefix() {
    let template = Template::read();
    for function in FUNCTIONS.into_iter().chain([ADMIN]) {
        let prefix = prefix_of(function);
        let routes = [prefix.clone(), format!("{prefix}/{{proxy+}}")];
        let expected: BTreeSet<_> = routes.map(|path| (path, "ANY".to_owned())).into();
        assert_eq!(template.routes(function), expected, "{function}");
    }
}

#[tokio::test]
async fn each_role_allows_what_its_function_does_and_nothing_else() {
    let template = Template::read();
    for function in all() {
        let mut needed = needs(function).await.actions;
        // At its start, for the signing key.
        let secret = ("SigningKey", "secretsmanager:GetSecretValue");
        needed.insert((secret.0.to_owned(), secret.1.to_owned()));
        let statements = template.statements(function);
        let allowed: BTreeSet<(String, String)> = statements
            .into_iter()
            .flat_map(|one| {
                let resource = one.resource;
                let pair = move |action| (resource.clone(), action);
                one.actions.into_iter().map(pair).collect::<Vec<_>>()
            })
            .collect();
        assert_eq!(allowed, needed, "{function}");
    }
}

#[tokio::test]
async fn each_role_writes_the_keys_that_its_function_writes_and_no_others() {
    let template = Template::read();
    for function in all() {
        let written = needs(function).await.written;
        let mut statements = template.statements(function);
        statements.retain(|statement| statement.actions.iter().any(|action| writes(action)));
        let matches = |pattern: &str, key: &str| match pattern.strip_suffix('*') {
            Some(prefix) => key.starts_with(prefix),
            None => key == pattern,
        };
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

fn writes(action: &str) -> bool {
    let writes = ["PutItem", "UpdateItem", "DeleteItem"];
    writes.iter().any(|name| action.ends_with(name))
}
