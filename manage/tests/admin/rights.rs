//! Who may look at what and change what: staff only opens the door, as in Django's admin, and
//! nobody hands out what he does not hold.

use crate::{
    pages::Pages,
    site::{Site, field_errors, messages, user_url},
    support::ADMIN_PASSWORD,
};

/// Every page, and the permissions of which one opens it.
const PAGES: [(&str, &[&str]); 16] = [
    ("/admin/auth/user/", &["view_user", "change_user"]),
    ("/admin/auth/user/add/", &["add_user"]),
    ("/admin/auth/user/2/change/", &["view_user", "change_user"]),
    ("/admin/auth/user/2/password/", &["change_user"]),
    ("/admin/auth/user/2/delete/", &["delete_user"]),
    ("/admin/auth/user/2/history/", &["view_user", "change_user"]),
    ("/admin/auth/group/", &["view_group", "change_group"]),
    ("/admin/auth/group/add/", &["add_group"]),
    (
        "/admin/auth/group/1/change/",
        &["view_group", "change_group"],
    ),
    ("/admin/auth/group/1/delete/", &["delete_group"]),
    (
        "/admin/auth/group/1/history/",
        &["view_group", "change_group"],
    ),
    (
        "/admin/auth/permission/",
        &["view_permission", "change_permission"],
    ),
    ("/admin/auth/permission/add/", &["add_permission"]),
    (
        "/admin/auth/permission/1/change/",
        &["view_permission", "change_permission"],
    ),
    ("/admin/auth/permission/1/delete/", &["delete_permission"]),
    (
        "/admin/auth/permission/1/history/",
        &["view_permission", "change_permission"],
    ),
];

/// Every form, and the permission that it needs.
const FORMS: [(&str, &str); 11] = [
    ("/admin/auth/user/add/", "add_user"),
    ("/admin/auth/user/2/change/", "change_user"),
    ("/admin/auth/user/2/password/", "change_user"),
    ("/admin/auth/user/2/delete/", "delete_user"),
    ("/admin/auth/group/add/", "add_group"),
    ("/admin/auth/group/1/change/", "change_group"),
    ("/admin/auth/group/1/delete/", "delete_group"),
    ("/admin/auth/permission/add/", "add_permission"),
    ("/admin/auth/permission/1/change/", "change_permission"),
    ("/admin/auth/permission/1/delete/", "delete_permission"),
    ("/admin/auth/user/", "change_user"),
];

const ALL: [&str; 12] = [
    "view_user",
    "add_user",
    "change_user",
    "delete_user",
    "view_group",
    "add_group",
    "change_group",
    "delete_group",
    "view_permission",
    "add_permission",
    "change_permission",
    "delete_permission",
];

async fn site() -> Site {
    let site = Site::start().await;
    site.user("ann").await;
    site.group("Editors", &[]).await;
    site
}

#[tokio::test]
async fn each_page_and_form_asks_for_its_own_permission() {
    let site = site().await;
    for held in ALL {
        let name = format!("only_{held}");
        site.staff(&name, &[&format!("auth.{held}")]).await;
        let mut browser = site.log_in(&name).await;
        for (path, permissions) in PAGES {
            let expected = if permissions.contains(&held) {
                200
            } else {
                403
            };
            let page = browser.get(path).await;
            assert_eq!(page.status, expected, "{held}: {path}");
            if expected == 403 {
                assert!(page.says("<h1>Forbidden</h1>"), "{page:?}");
            }
        }
        for (path, permission) in FORMS {
            // What is sent is not valid, so that nothing changes.
            let (fields, invalid) = match path {
                _ if path.ends_with("delete/") => (vec![], None),
                "/admin/auth/user/" => (vec![("action", "activate")], Some(302)),
                _ => (vec![("username", ""), ("name", "")], Some(200)),
            };
            if permission == held && invalid.is_none() {
                continue;
            }
            let expected = if permission == held {
                invalid.unwrap()
            } else {
                403
            };
            let answer = browser.post(path, &fields).await;
            assert_eq!(answer.status, expected, "{held}: {path}");
        }
    }
    assert_eq!(site.app.store.groups().await.unwrap().len(), 1);
}

#[tokio::test]
async fn staff_without_permissions_sees_nothing_to_change() {
    let site = site().await;
    site.staff("eve", &[]).await;
    let mut browser = site.log_in("eve").await;
    let page = browser.get("/admin/").await;
    assert!(
        page.says("You don’t have permission to view or edit anything."),
        "{page:?}"
    );
    assert!(
        !page.says("/admin/auth/") && !page.says("Recent actions"),
        "{page:?}"
    );
}

#[tokio::test]
async fn buttons_that_would_fail_are_not_shown() {
    let site = site().await;
    site.staff("eve", &["auth.view_user", "auth.view_group"])
        .await;
    let mut browser = site.log_in("eve").await;
    let list = browser.get("/admin/auth/user/").await;
    assert!(list.says("<h1>Select user to view</h1>") && !list.says("_selected_action"));
    assert!(!list.says("/admin/auth/user/add/"));
    let user = browser.get("/admin/auth/user/2/change/").await;
    assert!(user.says("<h1>View user: ann</h1>"), "{user:?}");
    for button in [
        "_save",
        "_continue",
        "Set password",
        "Delete</a>",
        "_addanother",
    ] {
        assert!(!user.says(button), "{button}: {user:?}");
    }
    assert!(user.says("History"));
}

#[tokio::test]
async fn whoever_may_only_add_is_led_nowhere_else() {
    let site = site().await;
    for (model, field) in [
        ("group", "name"),
        ("user", "username"),
        ("permission", "name"),
    ] {
        let name = format!("adds_{model}");
        site.staff(&name, &[&format!("auth.add_{model}")]).await;
        let mut browser = site.log_in(&name).await;
        let add = format!("/admin/auth/{model}/add/");
        for path in ["/admin/", add.as_str()] {
            let page = browser.get(path).await;
            let list = format!("href=\"/admin/auth/{model}/\"");
            assert!(
                page.status == 200 && page.says(&add) && !page.says(&list),
                "{page:?}"
            );
            assert!(!page.says("_continue"), "{page:?}");
        }
        let fields = [
            (field, "something"),
            ("password1", ADMIN_PASSWORD),
            ("password2", ADMIN_PASSWORD),
            ("codename", "something"),
            ("content_type", "auth.user"),
            ("_continue", "1"),
        ];
        let answer = browser.post(&add, &fields).await;
        assert_eq!(answer.location(), "/admin/", "{model}");
        assert_eq!(messages(&browser.follow(&answer).await).len(), 1);
    }
}

#[tokio::test]
async fn a_superuser_is_changed_by_superusers_only() {
    let site = site().await;
    site.staff(
        "eve",
        &["auth.view_user", "auth.change_user", "auth.delete_user"],
    )
    .await;
    let mut browser = site.log_in("eve").await;
    let page = browser.get("/admin/auth/user/1/change/").await;
    assert!(
        page.says("<h1>View user: admin</h1>") && !page.says("_save"),
        "{page:?}"
    );
    for path in ["change", "password", "delete"] {
        let path = format!("/admin/auth/user/1/{path}/");
        assert_eq!(
            browser.post(&path, &[("username", "x")]).await.status,
            403,
            "{path}"
        );
    }
    let page = browser.get("/admin/auth/user/1/password/").await;
    assert_eq!(page.status, 403);
}

#[tokio::test]
async fn nobody_makes_himself_or_others_more_than_he_is() {
    let site = site().await;
    let eve = site
        .staff("eve", &["auth.change_user", "auth.change_group"])
        .await;
    let strong = site.group("Strong", &["auth.delete_user"]).await;
    let delete = site.permissions(&["auth.delete_user"]).await;
    let delete = delete.first().unwrap().to_string();
    let mut browser = site.log_in("eve").await;
    let url = user_url(&eve, "change");
    let names = [("username", "eve"), ("email", "eve@example.com")];
    let own = site.read(&eve).await.permission_ids;
    let own: Vec<String> = own.iter().map(ToString::to_string).collect();
    let kept: Vec<(&str, &str)> = own
        .iter()
        .map(|id| ("user_permissions", id.as_str()))
        .collect();
    let strong_id = strong.id.to_string();
    let refused = "You may not do this: it would take permissions that you do not hold yourself.";
    for more in [
        ("user_permissions", delete.as_str()),
        ("groups", &strong_id),
    ] {
        let fields = [names.as_slice(), &kept, &[more]].concat();
        let page = browser.post(&url, &fields).await;
        assert!(
            page.status == 200 && page.says(refused),
            "{more:?}: {page:?}"
        );
    }
    // Flags that he may not set are ignored, as in the API.
    let flags = [("is_superuser", "true"), ("is_staff", "true")];
    let fields = [names.as_slice(), &kept, &flags].concat();
    assert_eq!(browser.post(&url, &fields).await.status, 302);
    let after = site.read(&eve).await;
    assert!(!after.is_superuser && after.permission_ids.len() == 2 && after.group_ids.is_empty());
    // Nor does he get more by way of a group of his.
    let group = format!("/admin/auth/group/{}/change/", strong.id);
    let fields = [("name", "Strong"), ("permissions", delete.as_str())];
    assert_eq!(browser.post(&group, &fields).await.status, 302);
    let add = site
        .permissions(&["auth.add_user"])
        .await
        .first()
        .unwrap()
        .to_string();
    let fields = [
        ("name", "Strong"),
        ("permissions", &delete),
        ("permissions", &add),
    ];
    let page = browser.post(&group, &fields).await;
    assert!(page.says(refused), "{page:?}");
    // What he cannot give is not offered.
    let page = browser.get("/admin/auth/user/2/change/").await;
    assert!(
        page.says("Can change user") && !page.says("Can delete user"),
        "{page:?}"
    );
    assert!(page.says("Editors") && !page.says("Strong"), "{page:?}");
}

#[tokio::test]
async fn what_is_wrong_with_a_field_is_said_before_that_one_may_not() {
    let site = site().await;
    site.staff("eve", &["auth.add_group"]).await;
    let more = site.permissions(&["auth.delete_user"]).await;
    let more = more.first().unwrap().to_string();
    let mut browser = site.log_in("eve").await;
    let fields = [("name", ""), ("permissions", more.as_str())];
    let page = browser.post("/admin/auth/group/add/", &fields).await;
    assert_eq!(field_errors(&page), ["This field is required."]);
    assert!(!page.says("You may not do this"), "{page:?}");
    let fields = [("name", "Strong"), ("permissions", more.as_str())];
    let page = browser.post("/admin/auth/group/add/", &fields).await;
    assert!(page.says("You may not do this"), "{page:?}");
    assert_eq!(site.app.store.groups().await.unwrap().len(), 1);
}

#[tokio::test]
async fn nobody_decides_over_whoever_holds_more() {
    let site = site().await;
    site.staff("eve", &["auth.change_user", "auth.delete_user"])
        .await;
    let holder = site.staff("holder", &["auth.add_group"]).await;
    let mut browser = site.log_in("eve").await;
    let page = browser.get(&user_url(&holder, "change")).await;
    assert!(
        !page.says("Set password") && !page.says("Delete</a>"),
        "{page:?}"
    );
    for path in ["password", "delete"] {
        assert_eq!(browser.get(&user_url(&holder, path)).await.status, 403);
        let password = [("password1", ADMIN_PASSWORD), ("password2", ADMIN_PASSWORD)];
        assert_eq!(
            browser
                .post(&user_url(&holder, path), &password)
                .await
                .status,
            403
        );
    }
    let add = site
        .permissions(&["auth.add_group"])
        .await
        .first()
        .unwrap()
        .to_string();
    let kept = ("user_permissions", add.as_str());
    for account in [
        ("date_joined", "2020-01-01T00:00"),
        ("username", "held"),
        ("email", "e@x.org"),
        ("is_active", "false"),
    ] {
        let page = browser
            .post(&user_url(&holder, "change"), &[account, kept])
            .await;
        assert!(page.says("You may not do this"), "{account:?}: {page:?}");
    }
    // His name is not his account.
    let answer = browser
        .post(&user_url(&holder, "change"), &[("first_name", "Hal"), kept])
        .await;
    assert_eq!(answer.status, 302, "{answer:?}");
    assert_eq!(site.read(&holder).await.first_name.as_str(), "Hal");
}

#[tokio::test]
async fn the_last_superuser_stays() {
    let site = site().await;
    let mut browser = site.log_in("admin").await;
    let text = "The last active superuser cannot be removed.";
    for flag in ["is_active", "is_superuser"] {
        let fields = [
            ("username", "admin"),
            ("email", "admin@example.com"),
            (flag, "false"),
        ];
        let page = browser.post("/admin/auth/user/1/change/", &fields).await;
        assert_eq!((page.status, messages(&page).len()), (200, 0), "{flag}");
        assert!(page.says(text), "{page:?}");
    }
    browser.get("/admin/auth/user/1/delete/").await;
    let page = browser
        .post("/admin/auth/user/1/delete/", &[("post", "yes")])
        .await;
    assert!(page.status == 400 && page.says(text), "{page:?}");
}

#[tokio::test]
async fn a_bearer_token_opens_no_page() {
    let site = site().await;
    let admin = site
        .app
        .store
        .user(shared::domain::UserId(1))
        .await
        .unwrap()
        .unwrap();
    let now = site.app.clock.now();
    let token = site
        .app
        .keys
        .at_hand()
        .issue(shared::jwt::TokenType::Access, &admin, now);
    let mut browser: Pages = site.browser();
    let request =
        axum::http::Request::get("/admin/").header("authorization", format!("Bearer {token}"));
    assert_eq!(browser.send(request, "").await.status, 302);
}
