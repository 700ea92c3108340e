//! The authorizer: what other APIs are told of a caller.

use lambda_http::Context;
use manage::engine::{Engine, LOOPBACK};
use serde_json::{Value, json};
use shared::{
    app::{App, Clock},
    domain::{Group, User},
    jwt::TokenType,
    settings::Settings,
    store::{Actor, connect_to, nothing_forbids},
};

use super::{
    samples::{read, sample_app},
    support::{SIGNING_KEY, Server, TABLE, add_user, parsed},
};

/// The answer to an event.
pub async fn authorize(app: &App, event: &Value) -> Value {
    let request = serde_json::from_value(event.clone()).expect("an event");
    let answer = authorizer::authorize(app, request, Context::default()).await;
    serde_json::to_value(answer.expect("an answer")).expect("JSON")
}

/// An event with that `Authorization` header.
pub fn event(header: Option<&str>) -> Value {
    let mut event = json!({
        "version": "2.0",
        "type": "REQUEST",
        "headers": {},
        "requestContext": {"http": {"method": "GET", "path": "/posts"}, "requestId": "x="},
    });
    if let Some(header) = header {
        event["headers"]["authorization"] = header.into();
    }
    event
}

fn refused() -> Value {
    json!({"isAuthorized": false})
}

struct World {
    server: Server,
    user: User,
}

impl World {
    /// A user who holds `auth.view_user` himself and `auth.add_user` by a group.
    async fn start() -> Self {
        let server = Server::start().await;
        let password = super::support::ADMIN_PASSWORD;
        let ann = add_user(&server.app, "ann", "ann@example.com", password, |_| {}).await;
        let store = &server.app.store;
        let group = store
            .create_group(parsed("Staff"), Actor::Command)
            .await
            .unwrap();
        let all = store.permissions().await.unwrap();
        let id = |label: &str| all.iter().find(|one| one.label() == label).unwrap().id;
        let (view, add) = (id("auth.view_user"), id("auth.add_user"));
        let fill = |group: &Group| {
            Ok::<_, std::convert::Infallible>(Group {
                permission_ids: [add].into(),
                ..group.clone()
            })
        };
        let filled = store.update_group(group, Actor::Command, nothing_forbids, fill);
        let group = filled.await.unwrap();
        let mut world = Self { server, user: ann };
        world
            .change(|user| {
                user.group_ids = [group.id].into();
                user.permission_ids = [view].into();
            })
            .await;
        world
    }

    async fn change(&mut self, change: impl Fn(&mut User)) {
        let change = |user: &User| {
            let mut user = user.clone();
            change(&mut user);
            Ok::<_, std::convert::Infallible>(user)
        };
        let store = &self.server.app.store;
        let known = store.user(self.user.id).await.unwrap().unwrap();
        let changed = store.update_user(known, Actor::Command, nothing_forbids, change);
        self.user = changed.await.unwrap();
    }

    fn bearer(&self) -> String {
        let app = &self.server.app;
        let now = app.clock.now();
        let token = app.keys.at_hand().issue(TokenType::Access, &self.user, now);
        format!("Bearer {token}")
    }

    async fn ask(&self, required: &str) -> Value {
        let settings = Settings::from_lookup(|name| match name {
            "SIGNING_KEY" => Some(SIGNING_KEY.to_owned()),
            "TABLE_NAME" => Some(TABLE.to_owned()),
            "REQUIRED_PERMISSIONS" => Some(required.to_owned()),
            _ => None,
        });
        let client = connect_to(&self.server.engine.endpoint());
        let app = App::local(settings.unwrap(), client, Clock::System).unwrap();
        authorize(&app, &event(Some(&self.bearer()))).await
    }

    fn identity(&self) -> Value {
        json!({
            "isAuthorized": true,
            "context": {
                "user_id": self.user.id.0,
                "username": "ann",
                "is_staff": false,
                "is_superuser": false,
                "groups": ["Staff"],
                "permissions": ["auth.add_user", "auth.view_user"],
            },
        })
    }
}

#[tokio::test]
async fn a_route_is_told_who_calls_and_what_he_may_do() {
    let mut world = World::start().await;
    assert_eq!(world.ask("").await, world.identity());
    // A superuser has all permissions, so none is listed.
    world.change(|user| user.is_superuser = true).await;
    let mut identity = world.identity();
    identity["context"]["is_superuser"] = true.into();
    identity["context"]["permissions"] = json!([]);
    assert_eq!(world.ask("blog.publish_post").await, identity);
}

#[tokio::test]
async fn required_permissions_must_all_be_held() {
    let world = World::start().await;
    for (required, allowed) in [
        ("auth.view_user", true),
        ("auth.view_user, auth.add_user", true),
        ("auth.view_user,auth.delete_user", false),
        ("view_user", false),
    ] {
        let expected = if allowed { world.identity() } else { refused() };
        assert_eq!(world.ask(required).await, expected, "{required}");
    }
}

#[tokio::test]
async fn deactivation_deletion_and_a_new_password_act_at_once() {
    let mut world = World::start().await;
    assert_eq!(world.ask("").await["isAuthorized"], true);
    world.change(|user| user.is_active = false).await;
    assert_eq!(world.ask("").await, refused());
    world.change(|user| user.is_active = true).await;
    assert_eq!(world.ask("").await["isAuthorized"], true);
    let later = world.server.app.clock.now() + 60;
    let before = world.bearer();
    world
        .change(|user| user.tokens_valid_after = Some(later))
        .await;
    let answer = authorize(&world.server.app, &event(Some(&before))).await;
    assert_eq!(answer, refused());
    world.change(|user| user.tokens_valid_after = None).await;
    let store = &world.server.app.store;
    let gone = store.delete_user::<std::convert::Infallible, _>(
        world.user.clone(),
        Actor::Command,
        nothing_forbids,
    );
    gone.await.unwrap();
    assert_eq!(world.ask("").await, refused());
}

#[tokio::test]
async fn anything_but_a_good_access_token_is_refused() {
    let world = World::start().await;
    let app = &world.server.app;
    let now = app.clock.now();
    let refresh = app
        .keys
        .at_hand()
        .issue(TokenType::Refresh, &world.user, now);
    let old = app
        .keys
        .at_hand()
        .issue(TokenType::Access, &world.user, now - 301);
    for header in [
        None,
        Some(String::new()),
        Some("Bearer".to_owned()),
        Some("Bearer x".to_owned()),
        Some(world.bearer().replace("Bearer", "bearer")),
        Some(format!("{}x", world.bearer())),
        Some(format!("Bearer {refresh}")),
        Some(format!("Bearer {old}")),
        Some("Bearer \u{e9} x".to_owned()),
    ] {
        let answer = authorize(app, &event(header.as_deref())).await;
        assert_eq!(answer, refused(), "{header:?}");
    }
}

#[tokio::test]
async fn the_sample_event_is_authorized() {
    let engine = Engine::memory(LOOPBACK).await.expect("an engine");
    let app = sample_app(&engine).await;
    let expected = json!({
        "isAuthorized": true,
        "context": {
            "user_id": 1002,
            "username": "sample-ann",
            "is_staff": false,
            "is_superuser": false,
            "groups": ["Sample editors"],
            "permissions": ["auth.publish_sample"],
        },
    });
    assert_eq!(authorize(&app, &read("authorize")).await, expected);
}
