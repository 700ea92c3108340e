//! Who may do what: every route and method, by everybody.

use std::collections::BTreeSet;

use axum::{Router, body::Body, http::header};
use manage::all_routes;
use serde_json::{Value, json};
use shared::{
    app::App,
    domain::{Group, Permission, PermissionId, User},
    hashing::PasswordHash,
    jwt::TokenType,
    store::{Actor, nothing_forbids, users::NewUser},
};

use super::{
    client::{Answer, request, send},
    routes::{route_of, routes},
    support::{Server, parsed},
};

/// A service whose accounts are made in the table itself, so that none waits for a hash.
pub struct World {
    pub app: App,
    router: Router,
    made: std::cell::Cell<u64>,
    _server: Server,
}

impl World {
    pub async fn start() -> Self {
        let server = Server::start().await;
        Self {
            app: server.app.clone(),
            router: all_routes(server.app.clone()),
            made: 0.into(),
            _server: server,
        }
    }

    /// A name that nothing has.
    pub fn name(&self) -> String {
        self.made.set(self.made.get() + 1);
        format!("name{}", self.made.get())
    }

    pub async fn user(&self, change: impl FnOnce(&mut User)) -> User {
        let store = &self.app.store;
        let name = self.name();
        let new = NewUser {
            username: parsed(&name),
            email: parsed(&format!("{name}@example.com")),
            first_name: parsed(""),
            last_name: parsed(""),
            is_active: true,
            is_staff: false,
            is_superuser: false,
            date_joined: 0,
        };
        let id = store.next_user_id().await.unwrap();
        let unusable = PasswordHash::new("!".to_owned());
        let user = store.create_user(id, new, &unusable, Actor::Command).await;
        let user = user.unwrap();
        let mut after = user.clone();
        change(&mut after);
        let change = |_: &User| Ok::<_, std::convert::Infallible>(after.clone());
        let changed = store.update_user(user, Actor::Command, nothing_forbids, change);
        changed.await.unwrap()
    }

    pub async fn group(&self, ids: impl IntoIterator<Item = PermissionId>) -> Group {
        let store = &self.app.store;
        let group = store
            .create_group(parsed(&self.name()), Actor::Command)
            .await
            .unwrap();
        let permission_ids: BTreeSet<_> = ids.into_iter().collect();
        let change = |group: &Group| {
            Ok::<_, std::convert::Infallible>(Group {
                permission_ids: permission_ids.clone(),
                ..group.clone()
            })
        };
        let changed = store.update_group(group, Actor::Command, nothing_forbids, change);
        changed.await.unwrap()
    }

    /// A permission that decides nothing here.
    pub async fn permission(&self) -> Permission {
        let (name, store) = (self.name(), &self.app.store);
        let content_type = store.permissions().await.unwrap()[0].content_type.clone();
        let made =
            store.create_permission(parsed(&name), parsed(&name), content_type, Actor::Command);
        made.await.unwrap()
    }

    /// The id of a stock permission.
    pub async fn id(&self, label: &str) -> PermissionId {
        let all = self.app.store.permissions().await.unwrap();
        all.iter().find(|one| one.label() == label).unwrap().id
    }

    pub async fn ask(
        &self,
        caller: Option<&User>,
        method: &str,
        path: &str,
        body: &Value,
    ) -> Answer {
        let token = caller.map(|user| {
            let now = self.app.clock.now();
            self.app.keys.at_hand().issue(TokenType::Access, user, now)
        });
        let request = request(method, path, token.as_deref().unwrap_or_default())
            .header(header::CONTENT_TYPE, "application/json");
        let body = Body::from(body.to_string());
        send(&self.router, request.body(body).unwrap()).await
    }
}

/// Anonymous, an ordinary user, the user himself, the holder of the permission, an admin, a
/// superuser, and a superuser who is inactive.
type Statuses = [u16; 7];

const OPEN: Statuses = [400; 7];
const REGISTER: Statuses = [400, 400, 400, 400, 400, 400, 401];
const fn admins(done: u16) -> Statuses {
    [401, 403, 403, done, done, done, 401]
}
const OWN: Statuses = [401, 403, 200, 200, 200, 200, 401];
const ANYBODY: Statuses = [401, 200, 200, 200, 200, 200, 401];

/// A route's method, a path with what stands for fresh ids, a body, the permission that opens it,
/// and what everybody is answered.
type Row = (&'static str, &'static str, Value, &'static str, Statuses);

fn table() -> Vec<Row> {
    let (none, nothing) = (|| Value::Null, || json!({}));
    let names = || json!({"username": "$NEW", "email": "$NEW@example.com"});
    let ids = |name: &str| json!({ name: [] });
    let permission = || json!({"name": "Can", "codename": "$NEW", "content_type": "auth.user"});
    vec![
        ("POST", "login/", nothing(), "", OPEN),
        ("POST", "token/refresh/", nothing(), "", OPEN),
        ("POST", "token/verify/", nothing(), "", OPEN),
        ("POST", "token/blacklist/", nothing(), "", OPEN),
        ("POST", "users/register/", nothing(), "", REGISTER),
        ("GET", "users/", none(), "auth.view_user", admins(200)),
        ("GET", "users/$USER/", none(), "auth.view_user", OWN),
        ("GET", "users/me/", none(), "auth.view_user", ANYBODY),
        ("PUT", "users/$USER/", names(), "auth.change_user", OWN),
        ("PATCH", "users/$USER/", names(), "auth.change_user", OWN),
        (
            "DELETE",
            "users/$USER/",
            none(),
            "auth.delete_user",
            admins(204),
        ),
        (
            "POST",
            "users/$USER/assign_groups/",
            ids("group_ids"),
            "auth.change_user",
            admins(200),
        ),
        (
            "GET",
            "users/$USER/permissions/",
            none(),
            "auth.view_user",
            OWN,
        ),
        (
            "PUT",
            "users/$USER/permissions/",
            ids("permission_ids"),
            "auth.change_user",
            admins(200),
        ),
        ("GET", "groups/", none(), "auth.view_group", admins(200)),
        (
            "POST",
            "groups/",
            json!({"name": "$NEW"}),
            "auth.add_group",
            admins(201),
        ),
        (
            "GET",
            "groups/$GROUP/",
            none(),
            "auth.view_group",
            admins(200),
        ),
        (
            "PUT",
            "groups/$GROUP/",
            json!({"name": "$NEW"}),
            "auth.change_group",
            admins(200),
        ),
        (
            "PATCH",
            "groups/$GROUP/",
            json!({"name": "$NEW"}),
            "auth.change_group",
            admins(200),
        ),
        (
            "DELETE",
            "groups/$GROUP/",
            none(),
            "auth.delete_group",
            admins(204),
        ),
        (
            "POST",
            "groups/$GROUP/assign_permissions/",
            ids("permission_ids"),
            "auth.change_group",
            admins(200),
        ),
        (
            "POST",
            "groups/$GROUP/remove_permissions/",
            ids("permission_ids"),
            "auth.change_group",
            admins(200),
        ),
        (
            "GET",
            "groups/$GROUP/users/",
            none(),
            "auth.view_group",
            admins(200),
        ),
        (
            "GET",
            "permissions/",
            none(),
            "auth.view_permission",
            admins(200),
        ),
        (
            "POST",
            "permissions/",
            permission(),
            "auth.add_permission",
            admins(201),
        ),
        (
            "GET",
            "permissions/$PERMISSION/",
            none(),
            "auth.view_permission",
            admins(200),
        ),
        (
            "PUT",
            "permissions/$PERMISSION/",
            permission(),
            "auth.change_permission",
            admins(200),
        ),
        (
            "PATCH",
            "permissions/$PERMISSION/",
            permission(),
            "auth.change_permission",
            admins(200),
        ),
        (
            "DELETE",
            "permissions/$PERMISSION/",
            none(),
            "auth.delete_permission",
            admins(204),
        ),
        (
            "POST",
            "permissions/$PERMISSION/assign_to_group/",
            json!({"group_id": "$GROUP"}),
            "auth.change_group",
            admins(200),
        ),
        (
            "POST",
            "permissions/$PERMISSION/remove_from_group/",
            json!({"group_id": "$GROUP"}),
            "auth.change_group",
            admins(200),
        ),
    ]
}

#[tokio::test]
async fn every_route_and_method_answers_everybody_as_the_table_says() {
    let world = World::start().await;
    let superuser = |user: &mut User| user.is_superuser = true;
    let mut wrong = Vec::new();
    for (method, path, body, label, expected) in table() {
        for (who, expected) in expected.into_iter().enumerate() {
            let target = world.user(|_| {}).await;
            let permission = world.permission().await;
            let group = world.group([permission.id]).await;
            let held = match label {
                "" => None,
                label => Some(world.id(label).await),
            };
            let caller = match who {
                0 => None,
                1 => Some(world.user(|_| {}).await),
                2 => Some(target.clone()),
                3 => Some(world.user(|user| user.permission_ids.extend(held)).await),
                4 => Some(world.user(|user| user.is_staff = true).await),
                5 => Some(world.user(superuser).await),
                _ => Some(
                    world
                        .user(|user| (user.is_active, user.is_superuser) = (false, true))
                        .await,
                ),
            };
            let filled = |text: &str| {
                text.replace("$USER", &target.id.to_string())
                    .replace("$GROUP", &group.id.to_string())
                    .replace("$PERMISSION", &permission.id.to_string())
                    .replace("$NEW", &world.name())
            };
            let path = format!("/api/auth/{}", filled(path));
            let body = serde_json::from_str(&filled(&body.to_string())).unwrap();
            let answer = world.ask(caller.as_ref(), method, &path, &body).await;
            if answer.status.as_u16() != expected {
                wrong.push(format!(
                    "{method} {path} by {who}: {answer:?}, not {expected}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_has_every_route_and_method() {
    let listed: BTreeSet<(String, String)> = table()
        .into_iter()
        .map(|(method, path, ..)| {
            let path = path
                .replace("$USER", "1")
                .replace("$GROUP", "1")
                .replace("$PERMISSION", "1");
            (route_of(&format!("/api/auth/{path}")), method.to_owned())
        })
        .filter(|(path, _)| path != "/api/auth/users/me/")
        .collect();
    assert_eq!(listed, routes());
}

#[tokio::test]
async fn reading_does_not_open_changing_and_changing_does_not_open_reading() {
    let world = World::start().await;
    let (user, group, permission) = (
        world.user(|_| {}).await,
        world.group([]).await,
        world.permission().await,
    );
    for (model, path) in [
        ("user", format!("/api/auth/users/{}/", user.id)),
        ("group", format!("/api/auth/groups/{}/", group.id)),
        (
            "permission",
            format!("/api/auth/permissions/{}/", permission.id),
        ),
    ] {
        for (held, status) in [
            ("view", [200, 403, 403]),
            ("change", [403, 200, 403]),
            ("delete", [403, 403, 204]),
        ] {
            let id = world.id(&format!("auth.{held}_{model}")).await;
            let holder = world.user(|user| _ = user.permission_ids.insert(id)).await;
            for (method, status) in ["GET", "PATCH", "DELETE"].into_iter().zip(status) {
                let answer = world.ask(Some(&holder), method, &path, &json!({})).await;
                assert_eq!(answer.status, status, "{held} {method} {path}");
            }
        }
    }
}

#[tokio::test]
async fn me_is_for_reading_only() {
    let world = World::start().await;
    let ann = world.user(|_| {}).await;
    let staff = world.user(|user| user.is_staff = true).await;
    let me = "/api/auth/users/me/";
    let own = world.ask(Some(&ann), "GET", me, &Value::Null).await;
    let path = format!("/api/auth/users/{}/", ann.id);
    let by_id = world.ask(Some(&ann), "GET", &path, &Value::Null).await;
    assert_eq!(own.parts(), by_id.parts());
    let head = world.ask(Some(&ann), "HEAD", me, &Value::Null).await;
    assert_eq!(head.parts(), (200, &Value::Null));
    let missing = "/api/auth/users/987654321/";
    for (caller, method) in [
        (&ann, "PUT"),
        (&ann, "PATCH"),
        (&ann, "DELETE"),
        (&ann, "POST"),
        (&staff, "PUT"),
        (&staff, "DELETE"),
    ] {
        let body = json!({});
        let answer = world.ask(Some(caller), method, me, &body).await;
        let expected = world.ask(Some(caller), method, missing, &body).await;
        assert_eq!(answer.parts(), expected.parts(), "{method}");
    }
}
