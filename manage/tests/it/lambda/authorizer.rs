//! The authorizer: what other APIs learn about a caller.

use lambda_http::Context;
use serde_json::{Value, json};
use shared::{app::App, clock::Clock, domain::User, jwt::TokenType};
use testkit::{Server, app, samples};

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
    /// A user who holds `auth.view_user` directly and `auth.add_user` by a group.
    async fn start() -> Self {
        let server = Server::start().await;
        let group = server.group("Staff", &["auth.add_user"]).await;
        let user = server.user("ann").holds(&["auth.view_user"]);
        let user = user.joins([&group]).await;
        Self { server, user }
    }

    async fn change(&mut self, change: impl Fn(&mut User)) {
        self.user = self.server.change(&self.user, change).await;
    }

    fn bearer(&self) -> String {
        format!(
            "Bearer {}",
            self.server.issue(TokenType::Access, &self.user)
        )
    }

    async fn ask(&self, required: &str) -> Value {
        let settings = [("REQUIRED_PERMISSIONS", required)];
        let app = app(&self.server.engine.endpoint(), &settings, Clock::System);
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
async fn a_route_is_told_who_calls_and_what_they_may_do() {
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
async fn requests_for_other_apis_need_no_secret_of_this_ones_proxy() {
    let world = World::start().await;
    let settings = [("ORIGIN_SECRET", "the-secret-of-the-proxy-0123456789")];
    let app = app(&world.server.engine.endpoint(), &settings, Clock::System);
    let answer = authorize(&app, &event(Some(&world.bearer()))).await;
    assert_eq!(answer, world.identity());
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

/// The API's tokens are for several audiences, of which the authorizer serves one.
#[tokio::test]
async fn the_authorizer_may_ask_for_another_audience_than_the_api() {
    let world = World::start().await;
    let with = |audience: &str| {
        let endpoint = world.server.engine.endpoint();
        let clock = world.server.app.clock.clone();
        app(&endpoint, &[("AUDIENCE", audience)], clock)
    };
    let now = world.server.app.clock.now();
    let issued = |audience| {
        let keys = with(audience).keys.at_hand();
        format!("Bearer {}", keys.issue(TokenType::Access, &world.user, now))
    };
    for (issued, is_authorized) in [
        (issued("api,shop"), true),
        (issued("shop"), true),
        (issued("api"), false),
        (issued(""), false),
    ] {
        let answer = authorize(&with("shop"), &event(Some(&issued))).await;
        assert_eq!(answer["isAuthorized"], is_authorized);
    }
}

#[tokio::test]
async fn deactivation_deletion_and_a_new_password_act_at_once() {
    let mut world = World::start().await;
    assert_eq!(world.ask("").await["isAuthorized"], true);
    let first = world.bearer();
    world.change(|user| user.is_active = false).await;
    assert_eq!(world.ask("").await, refused());
    world.change(|user| user.is_active = true).await;
    let second = world.bearer();
    let new = "another-Long-phrase";
    world.user = world.server.set_password(&world.user, new).await;
    // What the deactivation and the new password ended stays ended.
    for bearer in [first, second] {
        let answer = authorize(&world.server.app, &event(Some(&bearer))).await;
        assert_eq!(answer, refused());
    }
    let access = world.server.log_in("ann", new).await;
    let bearer = Some(format!("Bearer {access}"));
    let authorized = async || authorize(&world.server.app, &event(bearer.as_deref())).await;
    assert_eq!(authorized().await["isAuthorized"], true);
    world.server.remove(&world.user).await;
    assert_eq!(authorized().await, refused());
}

#[tokio::test]
async fn anything_but_a_good_access_token_is_refused() {
    let world = World::start().await;
    let app = &world.server.app;
    let refresh = world.server.issue(TokenType::Refresh, &world.user);
    let then = app.clock.now() - 301;
    let keys = app.keys.at_hand();
    let old = keys.issue(TokenType::Access, &world.user, then);
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
    let (_engine, app) = samples::service().await;
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
    assert_eq!(authorize(&app, &samples::read("authorize")).await, expected);
}
