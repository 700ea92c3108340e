//! Who sets flags, and how they are read.

use serde_json::{Value, json};
use shared::domain::UserId;

use super::client::{Api, PASSWORD, user};

pub fn forbidden() -> Value {
    json!({"detail": "You do not have permission to perform this action."})
}

/// `is_active`, `is_staff` and `is_superuser` as they are stored.
pub async fn flags(api: &Api, id: u64) -> (bool, bool, bool) {
    let user = api.app().store.user(UserId(id)).await.unwrap().unwrap();
    (user.is_active, user.is_staff, user.is_superuser)
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
async fn an_answer_to_changed_flags_has_the_shape_of_a_profile() {
    let api = Api::start().await;
    let ann = api.account("ann").await;
    let change = json!({"is_active": true, "is_staff": "yes", "is_superuser": "0"});
    let answer = api.json("PATCH", &user(ann.id), &api.admin, change).await;
    let profile = json!({
        "id": ann.id,
        "username": "ann",
        "email": "ann@example.com",
        "first_name": "",
        "last_name": "",
        "groups": [],
    });
    assert_eq!(answer.parts(), (200, &profile));
    assert_eq!(flags(&api, ann.id).await, (true, true, false));
}

#[tokio::test]
async fn a_form_sets_flags_too_and_leaves_those_it_does_not_name() {
    let api = Api::start().await;
    let all = json!({"is_staff": true, "is_superuser": true});
    let ann = api.account_with("ann", all).await;
    let path = user(ann.id);
    let names = "username=ann&email=ann%40example.com";
    for (method, body, after) in [
        ("PUT", names.to_owned(), (true, true, true)),
        ("PATCH", "first_name=A".to_owned(), (true, true, true)),
        (
            "PUT",
            format!("{names}&is_superuser=off"),
            (true, true, false),
        ),
        (
            "PATCH",
            "is_staff=no&is_active=False".to_owned(),
            (false, false, false),
        ),
        // Of a repeated key the last one counts.
        (
            "PATCH",
            "is_active=0&is_active=on".to_owned(),
            (true, false, false),
        ),
    ] {
        let answer = api.form(method, &path, &api.admin, &body).await;
        assert_eq!(answer.status, 200, "{body}: {answer:?}");
        assert_eq!(flags(&api, ann.id).await, after, "{body}");
    }
    let bad = "is_active=maybe&is_staff=2";
    let answer = api.form("PATCH", &path, &api.admin, bad).await;
    let text = ["Must be a valid boolean."];
    assert_eq!(
        answer.parts(),
        (400, &json!({"is_active": text, "is_staff": text}))
    );
}

#[tokio::test]
async fn an_admin_who_is_no_superuser_gives_nobody_more_power() {
    let api = Api::start().await;
    let staff = api.account_with("staff", json!({"is_staff": true})).await;
    let ann = api.account("ann").await;
    let all = json!({"is_active": true, "is_staff": true, "is_superuser": true});
    let form = "is_staff=on&is_superuser=on";
    for (target, token, after) in [
        (ann.id, &staff.token, (true, false, false)),
        (staff.id, &staff.token, (true, true, false)),
        (ann.id, &ann.token, (true, false, false)),
    ] {
        let answer = api.json("PATCH", &user(target), token, all.clone()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let answer = api.form("PATCH", &user(target), token, form).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(flags(&api, target).await, after);
    }
    // What he may set is read, and what a registration is sent is not.
    let null = json!({"is_active": null});
    let answer = api.json("PATCH", &user(ann.id), &staff.token, null).await;
    let text = "This field may not be null.";
    assert_eq!(answer.parts(), (400, &json!({"is_active": [text]})));
    let mut body = json!({"username": "eve", "email": "eve@example.com"});
    body["password"] = json!(PASSWORD);
    body["password2"] = json!(PASSWORD);
    for flag in ["is_active", "is_staff", "is_superuser"] {
        body[flag] = json!("maybe");
    }
    let answer = api.post("/api/auth/users/register/", body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(flags(&api, answer.id()).await, (true, false, false));
}
