//! What becomes of superusers.

use serde_json::{Value, json};
use testkit::{NOBODY, PASSWORD, Server, detail, forbidden, user_path};

use super::flags::flags;

fn last_superuser() -> Value {
    detail("The last active superuser cannot be removed.")
}

fn active(is_active: bool) -> Value {
    json!({ "is_active": is_active })
}

#[tokio::test]
async fn only_a_superuser_changes_or_deletes_a_superuser() {
    let server = Server::start().await;
    let staff = server.user("staff").staff().await;
    let root = server.user("root").superuser().await;
    let path = user_path(root.id);
    let assign = format!("{path}assign_groups/");
    for (method, path) in [
        ("PUT", &path),
        ("PATCH", &path),
        ("DELETE", &path),
        ("POST", &assign),
    ] {
        let body = json!({"group_ids": []});
        let answer = server.ask(&staff, method, path, body).await;
        assert_eq!(answer.parts(), (403, &forbidden()), "{method} {path}");
    }
    server.get(&staff, &path).await.assert_status(200);
    // They may change themselves, and another superuser may delete them.
    let answer = server.patch(&root, &path, json!({"first_name": "R"})).await;
    answer.assert_status(200);
    let answer = server.delete(&server.admin, &path).await;
    answer.assert_status(204);
    server.assert_sound().await;
}

#[tokio::test]
async fn the_last_active_superuser_stays_and_a_second_one_may_go() {
    let server = Server::start().await;
    let admin = &server.admin;
    let own = user_path(admin.id);
    for change in [json!({"is_superuser": false}), active(false)] {
        let answer = server.patch(admin, &own, change).await;
        answer.assert(400, last_superuser());
    }
    server
        .delete(admin, &own)
        .await
        .assert(400, last_superuser());
    let root = user_path(server.user("root").superuser().await.id);
    server
        .patch(admin, &root, active(false))
        .await
        .assert_status(200);
    // A deactivated superuser does not count.
    server
        .delete(admin, &own)
        .await
        .assert(400, last_superuser());
    server
        .patch(admin, &root, active(true))
        .await
        .assert_status(200);
    server.delete(admin, &own).await.assert_status(204);
    server.assert_sound().await;
}

#[tokio::test]
async fn field_errors_come_before_the_last_superuser() {
    let server = Server::start().await;
    let change = json!({"is_superuser": false, "email": "no"});
    let answer = server.patch(&server.admin, "users/1/", change).await;
    answer.assert(400, json!({"email": ["Enter a valid email address."]}));
}

#[tokio::test]
async fn a_deactivated_superuser_can_do_nothing_but_is_still_a_superuser() {
    let server = Server::start().await;
    let admin = &server.admin;
    let staff = server.user("staff").staff().await;
    let user = server.user("root").staff().superuser().await;
    let root = server.login("root", PASSWORD).await;
    let (access, refresh) = (
        root.field("access"),
        json!({"refresh": root.field("refresh")}),
    );
    let path = user_path(user.id);
    server
        .patch(admin, &path, active(false))
        .await
        .assert_status(200);

    let inactive = json!({"detail": "User is inactive", "code": "user_inactive"});
    for here in [&path, "users/", "permissions/"] {
        server.get(&access, here).await.assert(401, &inactive);
    }
    let answer = server.login("root", PASSWORD).await;
    answer.assert(
        401,
        detail("No active account found with the given credentials"),
    );
    let answer = server.post(NOBODY, "token/refresh/", refresh.clone()).await;
    answer.assert(401, detail("No active account found for the given token."));

    // Another admin gets no power over them by it.
    let answer = server.patch(&staff, &path, active(true)).await;
    answer.assert(403, forbidden());
    server.delete(&staff, &path).await.assert(403, forbidden());

    server
        .patch(admin, &path, active(true))
        .await
        .assert_status(200);
    assert_eq!(flags(&server, user.id).await, (true, true, true));
    // The sessions that the deactivation ended stay ended.
    server.get(&access, "users/").await.assert_status(401);
    let answer = server.post(NOBODY, "token/refresh/", refresh).await;
    answer.assert_status(401);
    server.log_in("root", PASSWORD).await;
    server.assert_sound().await;
}
