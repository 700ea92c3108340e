//! What a page costs: its bytes, and its sequential round trips to the table.

use shared::{
    domain::{Actor, NewUser, Permission, PermissionId, UserId},
    hashing::PasswordHash,
    store::keys::Sequence,
};

use crate::{
    proxy::round_trips,
    site::{Site, user_url},
    support::parsed,
};

/// Of every page, with as much on it as there may well be.
#[tokio::test]
async fn a_page_is_under_50_kb_and_three_round_trips_after_the_sessions() {
    let site = Site::start().await;
    let store = &site.app.store;
    let long = |letter: &str| letter.repeat(100);
    for number in 0..100 {
        let new = NewUser {
            username: parsed(&format!("{}{number}", long("u"))),
            email: parsed(&format!("{}{number}@example.com", "e".repeat(60))),
            first_name: parsed(&long("f")),
            last_name: parsed(&long("l")),
            is_active: true,
            is_staff: false,
            is_superuser: false,
            date_joined: 0,
        };
        let id = UserId(store.next_id(Sequence::User).await.unwrap());
        let unusable = PasswordHash::new("!".to_owned());
        store
            .insert_user(new.into_user(id), &unusable, Actor::Command)
            .await
            .unwrap();
    }
    let user_type = shared::domain::ContentType::parse("auth.user").unwrap();
    for number in 0..288 {
        let permission = Permission {
            id: PermissionId(100 + number),
            name: parsed(&format!("Can do what number {number} is about")),
            codename: parsed(&format!("do_{number}")),
            content_type: user_type.clone(),
            version: 1,
        };
        store
            .insert(permission, Vec::new(), Actor::Command)
            .await
            .unwrap();
    }
    let labels = [
        "auth.view_user",
        "auth.change_user",
        "auth.delete_user",
        "auth.add_user",
        "auth.view_group",
        "auth.change_group",
        "auth.delete_group",
        "auth.add_group",
        "auth.view_permission",
        "auth.change_permission",
        "auth.delete_permission",
        "auth.add_permission",
    ];
    let group = site.group("Managers", &labels).await;
    let eve = site.staff("eve", &["auth.view_user"]).await;
    site.join(&eve, &group).await;
    for account in ["admin", "eve"] {
        let mut browser = site.log_in(account).await;
        for name in ["a", "b", "c"] {
            let name = format!("{name} group of {account}");
            let fields = [("name", name.as_str())];
            assert_eq!(
                browser.post("/admin/auth/group/add/", &fields).await.status,
                302
            );
        }
        for path in [
            "/admin/",
            "/admin/auth/user/",
            "/admin/auth/user/?q=uu",
            "/admin/auth/user/?is_staff__exact=1&is_superuser__exact=1",
            "/admin/auth/user/add/",
            "/admin/auth/user/2/change/",
            "/admin/auth/user/2/password/",
            "/admin/auth/user/2/delete/",
            "/admin/auth/user/2/history/",
            "/admin/auth/group/",
            "/admin/auth/group/add/",
            "/admin/auth/group/1/change/",
            "/admin/auth/group/1/delete/",
            "/admin/auth/permission/",
            "/admin/auth/permission/add/",
            "/admin/auth/permission/1/change/",
            "/admin/password_change/",
            &user_url(&eve, "change"),
        ] {
            site.proxy.take_calls();
            let page = browser.get(path).await;
            let calls = site.proxy.take_calls();
            assert_eq!(page.status, 200, "{path}");
            let trips = round_trips(&calls);
            assert!(trips.len() <= 4, "{account} {path}: {trips:?}");
            let size = page.text.len();
            assert!(size < 50_000, "{path}: {size} bytes");
            println!(
                "{account:5} {path:60} {size:>6} bytes, {} round trips",
                trips.len()
            );
        }
    }
}

#[tokio::test]
async fn what_a_page_shows_of_its_own_is_kept_by_browsers_and_changes_its_address() {
    let site = Site::start().await;
    let mut browser = site.browser();
    let login = browser.get("/admin/login/").await;
    for (pattern, kind) in [
        (
            r#"rel="stylesheet" href="([^"]+)""#,
            "text/css; charset=utf-8",
        ),
        (r#"<script src="([^"]+)""#, "text/javascript; charset=utf-8"),
    ] {
        let url = login.find(pattern).unwrap();
        assert!(
            url.starts_with("/admin/static/") && url.contains("?v="),
            "{url}"
        );
        let answer = browser.get(url).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, Some(kind))
        );
        let kept = answer.header("cache-control");
        assert_eq!(kept, Some("public, max-age=31536000, immutable"));
    }
}
