//! Who sets flags, and what becomes of superusers.

use serde_json::{Value, json};

use crate::client::{Api, PASSWORD, user};

fn forbidden() -> Value {
    json!({"detail": "You do not have permission to perform this action."})
}

fn last_superuser() -> Value {
    json!({"detail": "The last active superuser cannot be removed."})
}

#[tokio::test]
async fn an_admin_sets_is_active_and_a_deactivated_user_is_out() {
    let api = Api::start().await;
    let staff = api.account_with("staff", json!({"is_staff": true})).await;
    let ann = api.account("ann").await;
    let answer = api
        .json(
            "PATCH",
            &user(ann.id),
            &staff.token,
            json!({"is_active": "off"}),
        )
        .await;
    assert_eq!(answer.status, 200);
    let answer = api.get(&user(ann.id), &ann.token).await;
    assert_eq!(
        answer.parts(),
        (
            401,
            &json!({"detail": "User is inactive", "code": "user_inactive"})
        )
    );
    assert_eq!(api.login("ann", PASSWORD).await.status, 401);
    let answer = api
        .json(
            "PATCH",
            &user(ann.id),
            &staff.token,
            json!({"is_active": 1}),
        )
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(api.get(&user(ann.id), &ann.token).await.status, 200);
}

#[tokio::test]
async fn flags_that_the_caller_may_not_set_are_ignored_unread() {
    let api = Api::start().await;
    let staff = api.account_with("staff", json!({"is_staff": true})).await;
    let ann = api.account("ann").await;
    let nonsense = json!({"is_active": "maybe", "is_staff": [], "is_superuser": {}});
    assert_eq!(
        api.json("PATCH", &user(ann.id), &ann.token, nonsense)
            .await
            .status,
        200
    );
    let nonsense = json!({"is_staff": [], "is_superuser": true});
    assert_eq!(
        api.json("PATCH", &user(ann.id), &staff.token, nonsense)
            .await
            .status,
        200
    );
    assert_eq!(
        api.get("/api/auth/groups/", &ann.token).await.parts(),
        (403, &forbidden())
    );
}

#[tokio::test]
async fn flags_are_read_as_drfs_boolean_field_reads_them() {
    let api = Api::start().await;
    let ann = api.account("ann").await;
    for bad in [json!("maybe"), json!(2), json!([]), json!({}), json!("")] {
        let answer = api
            .json(
                "PATCH",
                &user(ann.id),
                &api.admin,
                json!({ "is_staff": bad }),
            )
            .await;
        assert_eq!(
            answer.parts(),
            (400, &json!({"is_staff": ["Must be a valid boolean."]}))
        );
    }
    let answer = api
        .json(
            "PATCH",
            &user(ann.id),
            &api.admin,
            json!({"is_staff": null}),
        )
        .await;
    assert_eq!(
        answer.parts(),
        (400, &json!({"is_staff": ["This field may not be null."]}))
    );
    for (word, status) in [
        (json!("ON"), 200),
        (json!(0.0), 403),
        (json!("t"), 200),
        (json!("No"), 403),
    ] {
        let answer = api
            .json(
                "PATCH",
                &user(ann.id),
                &api.admin,
                json!({ "is_staff": word }),
            )
            .await;
        assert_eq!(answer.status, 200);
        assert_eq!(
            api.get("/api/auth/groups/", &ann.token).await.status,
            status,
            "{word}"
        );
    }
}

#[tokio::test]
async fn a_flag_that_is_absent_stays_as_it_is() {
    let api = Api::start().await;
    let staff = api.account_with("staff", json!({"is_staff": true})).await;
    let body = "username=staff&email=staff%40example.com&is_active=";
    assert_eq!(
        api.form("PUT", &user(staff.id), &api.admin, body)
            .await
            .status,
        200
    );
    let body = json!({"username": "staff", "email": "staff@example.com"});
    assert_eq!(
        api.json("PUT", &user(staff.id), &api.admin, body)
            .await
            .status,
        200
    );
    assert_eq!(api.get("/api/auth/groups/", &staff.token).await.status, 200);
}

#[tokio::test]
async fn only_a_superuser_changes_or_deletes_a_superuser() {
    let api = Api::start().await;
    let staff = api.account_with("staff", json!({"is_staff": true})).await;
    let root = api
        .account_with("root", json!({"is_superuser": true}))
        .await;
    let path = user(root.id);
    let assign = format!("{path}assign_groups/");
    for (method, path) in [
        ("PUT", &path),
        ("PATCH", &path),
        ("DELETE", &path),
        ("POST", &assign),
    ] {
        let answer = api
            .json(method, path, &staff.token, json!({"group_ids": []}))
            .await;
        assert_eq!(answer.parts(), (403, &forbidden()), "{method} {path}");
    }
    assert_eq!(api.get(&path, &staff.token).await.status, 200);
    // He may change himself, and another superuser him.
    assert_eq!(
        api.json("PATCH", &path, &root.token, json!({"first_name": "R"}))
            .await
            .status,
        200
    );
    assert_eq!(
        api.json("DELETE", &path, &api.admin, Value::Null)
            .await
            .status,
        204
    );
    api.assert_consistent().await;
}

#[tokio::test]
async fn the_last_active_superuser_stays_and_a_second_one_may_go() {
    let api = Api::start().await;
    let admin = user(1);
    for change in [json!({"is_superuser": false}), json!({"is_active": false})] {
        let answer = api.json("PATCH", &admin, &api.admin, change).await;
        assert_eq!(answer.parts(), (400, &last_superuser()));
    }
    let answer = api.json("DELETE", &admin, &api.admin, Value::Null).await;
    assert_eq!(answer.parts(), (400, &last_superuser()));
    let root = api
        .account_with("root", json!({"is_superuser": true}))
        .await;
    let answer = api
        .json(
            "PATCH",
            &user(root.id),
            &api.admin,
            json!({"is_active": false}),
        )
        .await;
    assert_eq!(answer.status, 200);
    // A deactivated superuser does not count.
    let answer = api.json("DELETE", &admin, &api.admin, Value::Null).await;
    assert_eq!(answer.parts(), (400, &last_superuser()));
    let answer = api
        .json(
            "PATCH",
            &user(root.id),
            &api.admin,
            json!({"is_active": true}),
        )
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        api.json("DELETE", &admin, &api.admin, Value::Null)
            .await
            .status,
        204
    );
    api.assert_consistent().await;
}

#[tokio::test]
async fn field_errors_come_before_the_last_superuser() {
    let api = Api::start().await;
    let change = json!({"is_superuser": false, "email": "no"});
    let answer = api.json("PATCH", &user(1), &api.admin, change).await;
    assert_eq!(
        answer.parts(),
        (400, &json!({"email": ["Enter a valid email address."]}))
    );
}
