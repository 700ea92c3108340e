//! What becomes of superusers.

use serde_json::{Value, json};

use super::{
    client::{Api, PASSWORD, user},
    flags::{flags, forbidden},
};

fn last_superuser() -> Value {
    json!({"detail": "The last active superuser cannot be removed."})
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
    assert_eq!(api.delete(&path, &api.admin).await.status, 204);
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
    let answer = api.delete(&admin, &api.admin).await;
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
    let answer = api.delete(&admin, &api.admin).await;
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
    assert_eq!(api.delete(&admin, &api.admin).await.status, 204);
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

#[tokio::test]
async fn a_deactivated_superuser_can_do_nothing_but_is_still_a_superuser() {
    let api = Api::start().await;
    let staff = api.account_with("staff", json!({"is_staff": true})).await;
    let all = json!({"is_staff": true, "is_superuser": true});
    let root = api.account_with("root", all).await;
    let path = user(root.id);
    let off = json!({"is_active": false});
    let answer = api.json("PATCH", &path, &api.admin, off).await;
    assert_eq!(answer.status, 200);

    let inactive = json!({"detail": "User is inactive", "code": "user_inactive"});
    for here in [&path, "/api/auth/users/", "/api/auth/permissions/"] {
        assert_eq!(api.get(here, &root.token).await.parts(), (401, &inactive));
    }
    let answer = api.login("root", PASSWORD).await;
    let refused = json!({"detail": "No active account found with the given credentials"});
    assert_eq!(answer.parts(), (401, &refused));
    let refresh = json!({"refresh": root.refresh});
    let answer = api.post("/api/auth/token/refresh/", refresh.clone()).await;
    let refused = json!({"detail": "No active account found for the given token."});
    assert_eq!(answer.parts(), (401, &refused));

    // Another admin gets no power over him by it.
    let on = json!({"is_active": true});
    let answer = api.json("PATCH", &path, &staff.token, on.clone()).await;
    assert_eq!(answer.parts(), (403, &forbidden()));
    let answer = api.delete(&path, &staff.token).await;
    assert_eq!(answer.parts(), (403, &forbidden()));

    let answer = api.json("PATCH", &path, &api.admin, on).await;
    assert_eq!(answer.status, 200);
    assert_eq!(flags(&api, root.id).await, (true, true, true));
    assert_eq!(
        api.get("/api/auth/users/", &root.token).await.status,
        200,
        "his token was never taken back"
    );
    let answer = api.post("/api/auth/token/refresh/", refresh).await;
    assert_eq!(answer.status, 200);
    api.assert_consistent().await;
}
