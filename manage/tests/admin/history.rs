//! The log of changes: who did what to what, by the API and by the pages.

use axum::http::Request;
use serde_json::{Value, json};
use shared::{
    domain::{
        User, UserId,
        log_entry::{ActionFlag, LogEntry, Model, Object},
    },
    jwt::TokenType,
};

use crate::{
    pages::Page,
    site::{NOW, Site, give_password, user_url},
    support::ADMIN_PASSWORD,
};

/// A request to the API by a user.
async fn api(site: &Site, user: Option<&User>, method: &str, path: &str, body: Value) -> Page {
    let mut request = Request::builder()
        .method(method)
        .uri(format!("/api/auth/{path}"));
    if let Some(user) = user {
        let now = site.app.clock.now();
        let token = site.app.keys.at_hand().issue(TokenType::Access, user, now);
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let request = request.header("content-type", "application/json");
    site.browser().send(request, body.to_string()).await
}

async fn admin(site: &Site) -> User {
    site.app.store.user(UserId(1)).await.unwrap().unwrap()
}

/// An object's entries, the oldest first.
async fn entries(site: &Site, model: Model, id: u64) -> Vec<LogEntry> {
    let history = site
        .app
        .store
        .history(&Object { model, id }, None, 100)
        .await;
    let mut entries = history.unwrap().entries;
    entries.reverse();
    entries
}

fn texts(entries: &[LogEntry]) -> Vec<(u64, &str, String)> {
    let text = |entry: &'_ LogEntry| entry.message();
    entries
        .iter()
        .map(|entry| (entry.user_id.0, entry.object_repr.as_str(), text(entry)))
        .collect()
}

#[tokio::test]
async fn every_change_by_the_api_is_logged_in_the_shape_of_djangos_log_entries() {
    let site = Site::start().await;
    let (admin, ann) = (admin(&site).await, site.user("ann").await);
    let who = Some(&admin);
    let id = ann.id.0;
    let user = format!("users/{id}/");
    for (method, path, body) in [
        ("POST", "groups/", json!({"name": "Editors"})),
        ("PATCH", "groups/1/", json!({"name": "Writers"})),
        (
            "POST",
            "groups/1/assign_permissions/",
            json!({"permission_ids": [1, 2]}),
        ),
        (
            "POST",
            "groups/1/remove_permissions/",
            json!({"permission_ids": [2]}),
        ),
        (
            "POST",
            "permissions/1/remove_from_group/",
            json!({"group_id": 1}),
        ),
        (
            "POST",
            "permissions/1/assign_to_group/",
            json!({"group_id": 1}),
        ),
        (
            "PATCH",
            &user,
            json!({"first_name": "Ann", "email": "a@example.com"}),
        ),
        // What changes nothing is no change.
        ("PATCH", &user, json!({"first_name": "Ann"})),
        (
            "POST",
            &format!("{user}assign_groups/"),
            json!({"group_ids": [1]}),
        ),
        (
            "PUT",
            &format!("{user}permissions/"),
            json!({"permission_ids": [3]}),
        ),
        (
            "PATCH",
            &user,
            json!({"is_active": false, "is_staff": true}),
        ),
        ("DELETE", &user, Value::Null),
        (
            "POST",
            "permissions/",
            json!({"name": "Can fly", "codename": "fly", "content_type": "auth.user"}),
        ),
        (
            "PATCH",
            "permissions/13/",
            json!({"name": "May fly", "codename": "flies"}),
        ),
        ("DELETE", "permissions/13/", Value::Null),
        ("DELETE", "groups/1/", Value::Null),
    ] {
        site.pass(1);
        let answer = api(&site, who, method, path, body).await;
        assert!(answer.status < 300, "{method} {path}: {answer:?}");
    }
    let of_user = entries(&site, Model::User, id).await;
    let expected = [
        "Changed First name and Email address.",
        "Changed Groups.",
        "Changed User permissions.",
        "Changed Active and Staff status.",
        "Deleted.",
    ];
    assert_eq!(
        texts(&of_user),
        expected.map(|text| (1, "ann", text.to_owned()))
    );
    assert_eq!(
        of_user[0],
        LogEntry {
            action_time: (NOW + 7) * 1000,
            user_id: UserId(1),
            username: "admin".to_owned(),
            content_type: Model::User,
            object_id: id,
            object_repr: "ann".to_owned(),
            action_flag: ActionFlag::Change,
            change_message: r#"[{"changed":{"fields":["First name","Email address"]}}]"#.to_owned(),
        }
    );
    let of_group = entries(&site, Model::Group, 1).await;
    let expected = [
        ("Editors", "Added."),
        ("Writers", "Changed Name."),
        ("Writers", "Changed Permissions."),
        ("Writers", "Changed Permissions."),
        ("Writers", "Changed Permissions."),
        ("Writers", "Changed Permissions."),
        ("Writers", "Deleted."),
    ];
    assert_eq!(
        texts(&of_group),
        expected.map(|(name, text)| (1, name, text.to_owned()))
    );
    let of_permission = entries(&site, Model::Permission, 13).await;
    let expected = [
        ("auth | user | Can fly", "Added."),
        ("auth | user | May fly", "Changed Name and Codename."),
        ("auth | user | May fly", "Deleted."),
    ];
    assert_eq!(
        texts(&of_permission),
        expected.map(|(name, text)| (1, name, text.to_owned()))
    );
}

#[tokio::test]
async fn whoever_registers_or_is_made_at_the_command_line_leaves_no_entry() {
    let site = Site::start().await;
    let body = json!({
        "username": "bob", "email": "b@example.com",
        "password": "a-Long-phrase-1", "password2": "a-Long-phrase-1",
    });
    assert_eq!(
        api(&site, None, "POST", "users/register/", body)
            .await
            .status,
        201
    );
    assert_eq!(entries(&site, Model::User, 1).await, []);
    assert_eq!(entries(&site, Model::User, 2).await, []);
    assert_eq!(site.app.store.recent_changes(10).await.unwrap(), []);
}

#[tokio::test]
async fn a_change_that_is_refused_leaves_no_entry() {
    let site = Site::start().await;
    let admin = admin(&site).await;
    site.user("ann").await;
    let taken = json!({"username": "admin"});
    assert_eq!(
        api(&site, Some(&admin), "PATCH", "users/2/", taken)
            .await
            .status,
        400
    );
    assert_eq!(
        api(&site, Some(&admin), "DELETE", "users/1/", Value::Null)
            .await
            .status,
        400
    );
    assert_eq!(site.app.store.recent_changes(10).await.unwrap(), []);
}

#[tokio::test]
async fn a_password_is_logged_as_changed_and_never_itself() {
    let site = Site::start().await;
    let ann = site.user("ann").await;
    let mut browser = site.log_in("admin").await;
    give_password(&mut browser, &ann, "another-Long-1").await;
    let entries = entries(&site, Model::User, ann.id.0).await;
    assert_eq!(
        texts(&entries),
        [(1, "ann", "Changed password.".to_owned())]
    );
    assert!(!format!("{entries:?}").contains("Long"));
}

#[tokio::test]
async fn the_history_of_an_object_shows_who_did_what_and_stays_when_it_is_gone() {
    let site = Site::start().await;
    let eve = site
        .staff(
            "eve",
            &["auth.add_group", "auth.change_group", "auth.delete_group"],
        )
        .await;
    let mut browser = site.log_in("eve").await;
    browser
        .post("/admin/auth/group/add/", &[("name", "<b>Editors</b>")])
        .await;
    site.pass(60);
    browser
        .post("/admin/auth/group/1/delete/", &[("post", "yes")])
        .await;
    let page = browser.get("/admin/auth/group/1/history/").await;
    assert_eq!(page.status, 200);
    assert!(
        !page.says("<b>Editors") && page.says("Change history: "),
        "{page:?}"
    );
    let (deleted, added) = (
        page.text.find("Deleted</span>"),
        page.text.find("Added</span>"),
    );
    assert!(deleted < added && deleted.is_some(), "{page:?}");
    assert!(
        page.says("Nov. 25, 2026, 3:05 p.m.") && page.says("<td>eve</td>"),
        "{page:?}"
    );
    // Whoever is gone is still named.
    let store = &site.app.store;
    let eve = site.read(&eve).await;
    let gone = shared::accounts::users::delete(store, shared::domain::Actor::Command, eve);
    gone.await.unwrap();
    let page = site
        .log_in("admin")
        .await
        .get("/admin/auth/group/1/history/")
        .await;
    assert!(page.says("<td>eve</td>"), "{page:?}");
    let page = site
        .log_in("admin")
        .await
        .get("/admin/auth/user/1/history/")
        .await;
    assert!(
        page.says("This object doesn’t have a change history."),
        "{page:?}"
    );
}

#[tokio::test]
async fn the_front_page_tells_the_last_ten_changes_of_the_week() {
    let site = Site::start().await;
    let mut browser = site.log_in("admin").await;
    for number in 0..12 {
        site.pass(24 * 3600);
        browser.log_in("admin", ADMIN_PASSWORD).await;
        let name = format!("Group {number:02}");
        browser
            .post("/admin/auth/group/add/", &[("name", name.as_str())])
            .await;
    }
    let page = browser.get("/admin/").await;
    for number in 0..12 {
        let name = format!(">Group {number:02}<");
        assert_eq!(page.says(&name), number > 4, "{number}: {page:?}");
    }
    assert!(
        page.says("12 groups") && page.says("12 permissions"),
        "{page:?}"
    );
}

#[tokio::test]
async fn a_long_history_comes_in_pages() {
    let site = Site::start().await;
    let (admin, ann) = (admin(&site).await, site.user("ann").await);
    let path = format!("users/{}/", ann.id);
    for number in 0..105 {
        site.pass(1);
        let body = json!({"first_name": format!("Ann{number}")});
        assert_eq!(
            api(&site, Some(&admin), "PATCH", &path, body).await.status,
            200
        );
    }
    let mut browser = site.log_in("admin").await;
    let page = browser.get(&user_url(&ann, "history")).await;
    let count = |page: &Page| page.text.matches("Changed First name.").count();
    assert_eq!(count(&page), 100);
    let next = page
        .find(r#"rel="next" href="([^"]+)""#)
        .unwrap()
        .to_owned();
    let page = browser.get(&next).await;
    assert_eq!((page.status, count(&page)), (200, 5));
    assert!(!page.says("rel=\"next\""));
}

#[tokio::test]
async fn entries_end_after_their_days() {
    let site = Site::start().await;
    let admin = admin(&site).await;
    let body = json!({"name": "Editors"});
    assert_eq!(
        api(&site, Some(&admin), "POST", "groups/", body)
            .await
            .status,
        201
    );
    site.pass(365 * 24 * 3600 - 1);
    assert_eq!(entries(&site, Model::Group, 1).await.len(), 1);
    site.pass(1);
    assert_eq!(entries(&site, Model::Group, 1).await, []);
}
