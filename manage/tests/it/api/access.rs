//! Who may do what: every route and method, by everybody.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use testkit::{
    Server,
    routes::{Route, route_of, routes},
};

/// Anonymous, an ordinary user, the user themselves, the holder of the permission, an admin, a
/// superuser, and a superuser who is inactive.
type Statuses = [u16; 7];

/// With them every route is there.
pub const LINKS: [(&str, &str); 3] = [
    ("EMAIL_FRONTEND_DOMAIN", "app.example.com"),
    ("PASSWORD_RESET_CONFIRM_URL", "reset/{uid}/{token}"),
    ("USERNAME_RESET_CONFIRM_URL", "name/{uid}/{token}"),
];

const OPEN: Statuses = [400; 7];
const REGISTER: Statuses = [400, 400, 400, 400, 400, 400, 401];
const fn admins(done: u16) -> Statuses {
    [401, 403, 403, done, done, done, 401]
}
const OWN: Statuses = [401, 403, 200, 200, 200, 200, 401];
const fn anybody(done: u16) -> Statuses {
    [401, done, done, done, done, done, 401]
}

/// A route's method, a path with what stands for fresh ids, a body, the permission that opens it,
/// and what everybody is answered.
type Row = (&'static str, &'static str, Value, &'static str, Statuses);

fn table() -> Vec<Row> {
    let (none, nothing) = (|| Value::Null, || json!({}));
    let names = || json!({"username": "$NEW", "email": "$NEW@example.com"});
    let (groups, ids) = (json!({"group_ids": []}), || json!({"permission_ids": []}));
    let (name, to) = (|| json!({"name": "$NEW"}), || json!({"group_id": "$GROUP"}));
    let new = || json!({"name": "Can", "codename": "$NEW", "content_type": "auth.user"});
    vec![
        ("GET", "/api/schema/", none(), "", [200; 7]),
        ("POST", "login/", nothing(), "", OPEN),
        ("POST", "token/refresh/", nothing(), "", OPEN),
        ("POST", "token/verify/", nothing(), "", OPEN),
        ("POST", "token/blacklist/", nothing(), "", OPEN),
        ("POST", "jwt/create/", nothing(), "", OPEN),
        ("POST", "jwt/refresh/", nothing(), "", OPEN),
        ("POST", "jwt/verify/", nothing(), "", OPEN),
        ("POST", "logout/", nothing(), "", OPEN),
        ("GET", "/.well-known/jwks.json/", none(), "", [200; 7]),
        // Tokens of these tests are signed by HMAC.
        (
            "GET",
            "/.well-known/openid-configuration/",
            none(),
            "",
            [404; 7],
        ),
        ("GET", "userinfo/", none(), "", anybody(200)),
        ("POST", "userinfo/", nothing(), "", anybody(200)),
        ("GET", "sessions/", none(), "", anybody(200)),
        ("DELETE", "sessions/", none(), "", anybody(204)),
        ("DELETE", "sessions/1/", none(), "", anybody(404)),
        (
            "GET",
            "users/$USER/sessions/",
            none(),
            "view_user",
            admins(200),
        ),
        (
            "DELETE",
            "users/$USER/sessions/",
            none(),
            "change_user",
            admins(204),
        ),
        ("POST", "users/register/", nothing(), "", REGISTER),
        ("GET", "users/", none(), "view_user", admins(200)),
        ("GET", "users/$USER/", none(), "view_user", OWN),
        ("GET", "users/me/", none(), "view_user", anybody(200)),
        ("PUT", "users/me/", names(), "", anybody(200)),
        ("PATCH", "users/me/", names(), "", anybody(200)),
        ("DELETE", "users/me/", nothing(), "", anybody(400)),
        ("POST", "users/set_password/", nothing(), "", anybody(400)),
        ("POST", "users/set_username/", nothing(), "", anybody(400)),
        ("POST", "users/reset_password/", nothing(), "", REGISTER),
        (
            "POST",
            "users/reset_password_confirm/",
            nothing(),
            "",
            REGISTER,
        ),
        ("POST", "users/reset_username/", nothing(), "", REGISTER),
        (
            "POST",
            "users/reset_username_confirm/",
            nothing(),
            "",
            REGISTER,
        ),
        ("POST", "users/activation/", nothing(), "", REGISTER),
        ("POST", "users/resend_activation/", nothing(), "", REGISTER),
        ("PUT", "users/$USER/", names(), "change_user", OWN),
        ("PATCH", "users/$USER/", names(), "change_user", OWN),
        ("DELETE", "users/$USER/", none(), "delete_user", admins(204)),
        (
            "POST",
            "users/$USER/assign_groups/",
            groups,
            "change_user",
            admins(200),
        ),
        ("GET", "users/$USER/permissions/", none(), "view_user", OWN),
        (
            "PUT",
            "users/$USER/permissions/",
            ids(),
            "change_user",
            admins(200),
        ),
        ("GET", "groups/", none(), "view_group", admins(200)),
        ("POST", "groups/", name(), "add_group", admins(201)),
        ("GET", "groups/$GROUP/", none(), "view_group", admins(200)),
        ("PUT", "groups/$GROUP/", name(), "change_group", admins(200)),
        (
            "PATCH",
            "groups/$GROUP/",
            name(),
            "change_group",
            admins(200),
        ),
        (
            "DELETE",
            "groups/$GROUP/",
            none(),
            "delete_group",
            admins(204),
        ),
        (
            "POST",
            "groups/$GROUP/assign_permissions/",
            ids(),
            "change_group",
            admins(200),
        ),
        (
            "POST",
            "groups/$GROUP/remove_permissions/",
            ids(),
            "change_group",
            admins(200),
        ),
        (
            "GET",
            "groups/$GROUP/users/",
            none(),
            "view_group",
            admins(200),
        ),
        (
            "GET",
            "permissions/",
            none(),
            "view_permission",
            admins(200),
        ),
        ("POST", "permissions/", new(), "add_permission", admins(201)),
        (
            "GET",
            "permissions/$OWN/",
            none(),
            "view_permission",
            admins(200),
        ),
        (
            "PUT",
            "permissions/$OWN/",
            new(),
            "change_permission",
            admins(200),
        ),
        (
            "PATCH",
            "permissions/$OWN/",
            new(),
            "change_permission",
            admins(200),
        ),
        (
            "DELETE",
            "permissions/$OWN/",
            none(),
            "delete_permission",
            admins(204),
        ),
        (
            "POST",
            "permissions/$OWN/assign_to_group/",
            to(),
            "change_group",
            admins(200),
        ),
        (
            "POST",
            "permissions/$OWN/remove_from_group/",
            to(),
            "change_group",
            admins(200),
        ),
    ]
}

#[tokio::test]
async fn every_route_and_method_answers_everybody_as_the_table_says() {
    let server = Server::with(&LINKS).await;
    let mut wrong = Vec::new();
    for (method, path, body, label, expected) in table() {
        for (who, expected) in expected.into_iter().enumerate() {
            let target = server.anybody().await;
            let own = server.permission(&server.name(), "Own").await;
            let group = server.group(&server.name(), &[&own.label()]).await;
            let label = format!("auth.{label}");
            let held = [label.as_str()];
            let caller = match who {
                0 => None,
                1 => Some(server.anybody().await),
                2 => Some(target.clone()),
                3 if label == "auth." => Some(server.anybody().await),
                // A group's name is for its members to change.
                3 => Some(server.anybody().holds(&held).joins([&group]).await),
                4 => Some(server.anybody().staff().await),
                5 => Some(server.anybody().superuser().await),
                _ => Some(server.anybody().superuser().inactive().await),
            };
            let filled = |text: &str| {
                text.replace("$USER", &target.id.to_string())
                    .replace("$GROUP", &group.id.to_string())
                    .replace("$OWN", &own.id.to_string())
                    .replace("$NEW", &server.name())
            };
            let path = filled(path);
            let body = serde_json::from_str(&filled(&body.to_string())).unwrap();
            let answer = server.ask(caller.as_ref(), method, &path, body).await;
            if answer.status != expected {
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
    let listed = table().into_iter().map(|(method, path, ..)| {
        let mut path = path.to_owned();
        for id in ["$USER", "$GROUP", "$OWN"] {
            path = path.replace(id, "1");
        }
        let whole = match path.starts_with('/') {
            true => path,
            false => format!("/api/auth/{path}"),
        };
        (route_of(&whole), method.to_owned())
    });
    assert_eq!(BTreeSet::<Route>::from_iter(listed), routes());
}

#[tokio::test]
async fn reading_does_not_open_changing_and_changing_does_not_open_reading() {
    let server = Server::with(&LINKS).await;
    let user = server.anybody().await.id;
    let group = server.group("group", &["auth.add_user"]).await;
    let permission = server.permission("own", "Own").await;
    for (model, path) in [
        ("user", format!("users/{user}/")),
        ("group", format!("groups/{}/", group.id)),
        ("permission", format!("permissions/{}/", permission.id)),
    ] {
        for (held, status) in [
            ("view", [200, 403, 403]),
            ("change", [403, 200, 403]),
            ("delete", [403, 403, 204]),
        ] {
            let label = format!("auth.{held}_{model}");
            let labels = [label.as_str(), "auth.add_user", &permission.label()];
            let holder = server.anybody().holds(&labels).joins([&group]).await;
            for (method, status) in ["GET", "PATCH", "DELETE"].into_iter().zip(status) {
                let answer = server.ask(&holder, method, &path, json!({})).await;
                assert_eq!(answer.status, status, "{held} {method} {path}");
            }
        }
    }
}

#[tokio::test]
async fn me_is_oneself_by_id() {
    let server = Server::with(&LINKS).await;
    let ann = server.anybody().await;
    let by_id = format!("users/{}/", ann.id);
    let own = server.get(&ann, "users/me/").await;
    assert_eq!(own.parts(), server.get(&ann, &by_id).await.parts());
    let head = server.ask(&ann, "HEAD", "users/me/", Value::Null).await;
    head.assert(200, Value::Null);
    let name = json!({"first_name": "Ann"});
    let changed = server.ask(&ann, "PATCH", "users/me/", name).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    assert_eq!(changed.parts(), server.get(&ann, &by_id).await.parts());
    let detail = json!({"detail": "Method \"POST\" not allowed."});
    let refused = server.ask(&ann, "POST", "users/me/", json!({})).await;
    refused.assert(405, detail);
}
