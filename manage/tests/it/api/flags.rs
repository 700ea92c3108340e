//! Who sets flags, and how they are read.

use serde_json::json;
use shared::domain::UserId;
use testkit::{NOBODY, PASSWORD, Server, forbidden, registration, user_path};

/// `is_active`, `is_staff` and `is_superuser` as they are stored.
pub async fn flags(server: &Server, id: UserId) -> (bool, bool, bool) {
    let user = server.read(id).await;
    (user.is_active, user.is_staff, user.is_superuser)
}

#[tokio::test]
async fn an_admin_sets_is_active_and_a_deactivated_user_is_out() {
    let server = Server::start().await;
    let staff = server.user("staff").staff().await;
    let ann = server.user("ann").await;
    let path = user_path(ann.id);
    let token = server.log_in("ann", PASSWORD).await;
    let answer = server
        .patch(&staff, &path, json!({"is_active": "off"}))
        .await;
    answer.assert_status(200);
    let inactive = json!({"detail": "User is inactive", "code": "user_inactive"});
    server.get(&token, &path).await.assert(401, inactive);
    server.login("ann", PASSWORD).await.assert_status(401);
    let answer = server.patch(&staff, &path, json!({"is_active": 1})).await;
    answer.assert_status(200);
    // What the deactivation ended stays ended.
    server.get(&token, &path).await.assert_status(401);
    let access = server.log_in("ann", PASSWORD).await;
    server.get(&access, &path).await.assert_status(200);
}

#[tokio::test]
async fn flags_that_the_caller_may_not_set_are_ignored_unread() {
    let server = Server::start().await;
    let staff = server.user("staff").staff().await;
    let ann = server.user("ann").await;
    let path = user_path(ann.id);
    let nonsense = json!({"is_active": "maybe", "is_staff": [], "is_superuser": {}});
    let answer = server.patch(&ann, &path, nonsense).await;
    answer.assert_status(200);
    let nonsense = json!({"is_staff": [], "is_superuser": true});
    let answer = server.patch(&staff, &path, nonsense).await;
    answer.assert_status(200);
    server.get(&ann, "groups/").await.assert(403, forbidden());
}

#[tokio::test]
async fn flags_are_read_as_drfs_boolean_field_reads_them() {
    let server = Server::start().await;
    let ann = server.user("ann").await;
    let path = user_path(ann.id);
    let no_boolean = "Must be a valid boolean.";
    for (bad, text) in [
        (json!("maybe"), no_boolean),
        (json!(2), no_boolean),
        (json!([]), no_boolean),
        (json!({}), no_boolean),
        (json!(""), no_boolean),
        (json!(null), "This field may not be null."),
    ] {
        let body = json!({ "is_staff": bad });
        let answer = server.patch(&server.admin, &path, body).await;
        answer.assert(400, json!({ "is_staff": [text] }));
    }
    for (word, status) in [
        (json!("ON"), 200),
        (json!(0.0), 403),
        (json!("t"), 200),
        (json!("No"), 403),
    ] {
        let body = json!({ "is_staff": word });
        let answer = server.patch(&server.admin, &path, body).await;
        answer.assert_status(200);
        assert_eq!(server.get(&ann, "groups/").await.status, status, "{word}");
    }
}

#[tokio::test]
async fn a_flag_that_is_absent_stays_as_it_is() {
    let server = Server::start().await;
    let staff = server.user("staff").staff().await;
    let (admin, path) = (&server.admin, user_path(staff.id));
    let body = "username=staff&email=staff%40example.com&is_active=";
    server
        .form(admin, "PUT", &path, body)
        .await
        .assert_status(200);
    let body = json!({"username": "staff", "email": "staff@example.com"});
    server.put(admin, &path, body).await.assert_status(200);
    server.get(&staff, "groups/").await.assert_status(200);
}

#[tokio::test]
async fn an_answer_to_changed_flags_has_the_shape_of_a_profile() {
    let server = Server::start().await;
    let ann = server.user("ann").await;
    let change = json!({"is_active": true, "is_staff": "yes", "is_superuser": "0"});
    let answer = server
        .patch(&server.admin, &user_path(ann.id), change)
        .await;
    let profile = json!({
        "id": ann.id, "username": "ann", "email": "ann@example.com", "first_name": "",
        "last_name": "", "groups": [],
    });
    answer.assert(200, profile);
    assert_eq!(flags(&server, ann.id).await, (true, true, false));
}

#[tokio::test]
async fn a_form_sets_flags_too_and_leaves_those_it_does_not_name() {
    let server = Server::start().await;
    let ann = server.user("ann").staff().superuser().await;
    let path = user_path(ann.id);
    let names = "username=ann&email=ann%40example.com";
    let demoted = format!("{names}&is_superuser=off");
    for (method, body, after) in [
        ("PUT", names, (true, true, true)),
        ("PATCH", "first_name=A", (true, true, true)),
        ("PUT", &demoted, (true, true, false)),
        (
            "PATCH",
            "is_staff=no&is_active=False",
            (false, false, false),
        ),
        // Of a repeated key the last one counts.
        ("PATCH", "is_active=0&is_active=on", (true, false, false)),
    ] {
        let answer = server.form(&server.admin, method, &path, body).await;
        assert_eq!(answer.status, 200, "{body}: {answer:?}");
        assert_eq!(flags(&server, ann.id).await, after, "{body}");
    }
    let bad = "is_active=maybe&is_staff=2";
    let answer = server.form(&server.admin, "PATCH", &path, bad).await;
    let text = ["Must be a valid boolean."];
    answer.assert(400, json!({"is_active": text, "is_staff": text}));
}

#[tokio::test]
async fn an_admin_who_is_no_superuser_gives_nobody_more_power() {
    let server = Server::start().await;
    let staff = server.user("staff").staff().await;
    let ann = server.user("ann").await;
    let all = json!({"is_active": true, "is_staff": true, "is_superuser": true});
    let form = "is_staff=on&is_superuser=on";
    for (target, caller, after) in [
        (&ann, &staff, (true, false, false)),
        (&staff, &staff, (true, true, false)),
        (&ann, &ann, (true, false, false)),
    ] {
        let path = user_path(target.id);
        let answer = server.patch(caller, &path, all.clone()).await;
        answer.assert_status(200);
        let answer = server.form(caller, "PATCH", &path, form).await;
        answer.assert_status(200);
        assert_eq!(flags(&server, target.id).await, after);
    }
    // What they may set is read, and what a registration is sent is not.
    let null = json!({"is_active": null});
    let answer = server.patch(&staff, &user_path(ann.id), null).await;
    answer.assert(400, json!({"is_active": ["This field may not be null."]}));
    let mut body = registration("eve", "eve@example.com");
    for flag in ["is_active", "is_staff", "is_superuser"] {
        body[flag] = json!("maybe");
    }
    let answer = server.post(NOBODY, "users/register/", body).await;
    let id = UserId(answer.assert_status(201).id());
    assert_eq!(flags(&server, id).await, (true, false, false));
}
