//! The log of changes: who did what to what, by the API and by the pages.

use serde_json::{Value, json};
use shared::{
    accounts::{lockout, users},
    domain::{
        Actor, UserChange, UserId,
        log_entry::{ActionFlag, LogEntry, Model, Object},
    },
    store::attempts::Counter,
};
use testkit::{Answer, NOW, Observed, PASSWORD, user_path};

use super::site::{give_password, user_url};

/// An object's entries, the oldest first.
async fn entries(site: &Observed, model: Model, id: u64) -> Vec<LogEntry> {
    let object = Object { model, id };
    let history = site.table.history(&object, None, 100).await;
    let mut entries = history.unwrap().entries;
    entries.reverse();
    entries
}

/// Asserts what the entries of an object say: the user, the object and the change.
#[track_caller]
fn assert_told(entries: &[LogEntry], expected: &[(u64, &str, &str)]) {
    let told: Vec<(u64, &str, String)> = entries
        .iter()
        .map(|entry| (entry.user_id.0, entry.object_repr.as_str(), entry.message()))
        .collect();
    let expected = expected
        .iter()
        .map(|&(by, of, text)| (by, of, text.to_owned()));
    assert_eq!(told, expected.collect::<Vec<_>>());
}

#[tokio::test]
async fn every_change_by_the_api_is_logged_in_the_shape_of_djangos_log_entries() {
    let site = Observed::start().await;
    let id = site.user("ann").await.id.0;
    let user = user_path(id);
    let ids = |ids: &[u64]| json!({ "permission_ids": ids });
    let group = json!({"group_id": 1});
    let names = json!({"first_name": "Ann", "email": "a@example.com"});
    let flags = json!({"is_active": false, "is_staff": true});
    let fly = json!({"name": "Can fly", "codename": "fly", "content_type": "auth.user"});
    let flies = json!({"name": "May fly", "codename": "flies"});
    for (method, path, body) in [
        ("POST", "groups/", json!({"name": "Editors"})),
        ("PATCH", "groups/1/", json!({"name": "Writers"})),
        ("POST", "groups/1/assign_permissions/", ids(&[1, 2])),
        ("POST", "groups/1/remove_permissions/", ids(&[2])),
        ("POST", "permissions/1/remove_from_group/", group.clone()),
        ("POST", "permissions/1/assign_to_group/", group),
        ("PATCH", &user, names),
        // What changes nothing is no change.
        ("PATCH", &user, json!({"first_name": "Ann"})),
        (
            "POST",
            &format!("{user}assign_groups/"),
            json!({"group_ids": [1]}),
        ),
        ("PUT", &format!("{user}permissions/"), ids(&[3])),
        ("PATCH", &user, flags),
        ("DELETE", &user, Value::Null),
        ("POST", "permissions/", fly),
        ("PATCH", "permissions/13/", flies),
        ("DELETE", "permissions/13/", Value::Null),
        ("DELETE", "groups/1/", Value::Null),
    ] {
        site.pass(1);
        let answer = site.ask(&site.admin, method, path, body).await;
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
    assert_told(&of_user, &expected.map(|text| (1, "ann", text)));
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
        (1, "Editors", "Added."),
        (1, "Writers", "Changed Name."),
        (1, "Writers", "Changed Permissions."),
        (1, "Writers", "Changed Permissions."),
        (1, "Writers", "Changed Permissions."),
        (1, "Writers", "Changed Permissions."),
        (1, "Writers", "Deleted."),
    ];
    assert_told(&of_group, &expected);
    let of_permission = entries(&site, Model::Permission, 13).await;
    let expected = [
        (1, "auth | user | Can fly", "Added."),
        (1, "auth | user | May fly", "Changed Name and Codename."),
        (1, "auth | user | May fly", "Deleted."),
    ];
    assert_told(&of_permission, &expected);
}

#[tokio::test]
async fn what_users_change_of_themselves_is_in_their_own_history_only() {
    let site = Observed::start().await;
    let bob = site.register("bob").await.assert_status(201).id();
    let tokens = site.log_in("bob", PASSWORD).await;
    let name = json!({"first_name": "Bob"});
    site.pass(1);
    let answer = site.patch(&tokens, &user_path(bob), name).await;
    answer.assert_status(200);
    let of_bob = entries(&site, Model::User, bob).await;
    assert_told(
        &of_bob,
        &[(bob, "bob", "Added."), (bob, "bob", "Changed First name.")],
    );
    assert_eq!(of_bob[0].username, "bob");
    assert_eq!(site.table.recent_changes(10).await.unwrap(), []);
    let mut browser = site.browser_of("admin").await;
    browser.get("/admin/").await.assert_says("None available");
}

#[tokio::test]
async fn what_a_command_changes_is_logged_with_who_ran_it() {
    let site = Observed::start().await;
    let ann = site.user("ann").await;
    let change = UserChange {
        is_active: Some(false),
        ..UserChange::default()
    };
    let (store, operator) = (&site.table, Actor::Command("<i>eve"));
    users::change(store, operator, ann.clone(), &change)
        .await
        .unwrap();
    let address = "192.0.2.7".parse().unwrap();
    for subject in ["logins from 192.0.2.7", "logins from 192.0.2.8"] {
        store
            .count_attempt(&Counter::new(subject, 60))
            .await
            .unwrap();
    }
    let unlocked = lockout::unlock_address(store, operator, address).await;
    assert_eq!(unlocked.unwrap(), 1);
    let mut browser = site.browser_of("admin").await;
    let page = browser.get("/admin/").await;
    page.assert_says("by command (&#60;i&#62;eve)");
    page.assert_says("<a href=\"/admin/auth/user/2/change/\">ann</a>");
    page.assert_says("<span class=\"name\">address 192.0.2.7</span>");
    let page = browser.get(&user_url(&ann, "history")).await;
    page.assert_says("<td>command (&#60;i&#62;eve)</td>");
    page.assert_says("Changed Active.");
}

#[tokio::test]
async fn the_stock_of_a_fresh_table_leaves_no_entry() {
    let site = Observed::start().await;
    assert_eq!(entries(&site, Model::User, 1).await, []);
    assert_eq!(entries(&site, Model::Permission, 1).await, []);
    assert_eq!(site.table.recent_changes(10).await.unwrap(), []);
}

#[tokio::test]
async fn a_change_that_is_refused_leaves_no_entry() {
    let site = Observed::start().await;
    site.user("ann").await;
    let taken = json!({"username": "admin"});
    let answer = site.patch(&site.admin, "users/2/", taken).await;
    answer.assert_status(400);
    let answer = site.delete(&site.admin, "users/1/").await;
    answer.assert_status(400);
    assert_eq!(site.table.recent_changes(10).await.unwrap(), []);
}

#[tokio::test]
async fn a_password_is_logged_as_changed_and_never_itself() {
    let site = Observed::start().await;
    let ann = site.user("ann").await;
    let mut browser = site.browser_of("admin").await;
    give_password(&mut browser, &ann, "another-Long-1").await;
    let entries = entries(&site, Model::User, ann.id.0).await;
    assert_told(&entries, &[(1, "ann", "Changed password.")]);
    assert!(!format!("{entries:?}").contains("Long"));
}

#[tokio::test]
async fn the_history_of_an_object_shows_who_did_what_and_stays_when_it_is_gone() {
    let site = Observed::start().await;
    let may = ["auth.add_group", "auth.change_group", "auth.delete_group"];
    let eve = site.staff("eve", &may).await;
    let mut browser = site.browser_of("eve").await;
    let name = [("name", "<b>Editors</b>")];
    browser.post("/admin/auth/group/add/", &name).await;
    site.pass(60);
    let yes = [("post", "yes")];
    browser.post("/admin/auth/group/1/delete/", &yes).await;
    let page = browser.get("/admin/auth/group/1/history/").await;
    page.assert_status(200).assert_says("Change history: ");
    assert!(!page.says("<b>Editors"), "{page:?}");
    let place = |text| page.text.find(text);
    let (deleted, added) = (place("Deleted</span>"), place("Added</span>"));
    assert!(deleted < added && deleted.is_some(), "{page:?}");
    page.assert_says("Nov. 25, 2026, 3:05 p.m.");
    page.assert_says("<td>eve</td>");
    // A deleted user is still named.
    site.remove(&eve).await;
    let mut browser = site.browser_of("admin").await;
    let page = browser.get("/admin/auth/group/1/history/").await;
    page.assert_says("<td>eve</td>");
    let page = browser.get("/admin/auth/user/1/history/").await;
    page.assert_says("This object doesn’t have a change history.");
}

#[tokio::test]
async fn the_front_page_tells_the_last_ten_changes_of_the_week() {
    let site = Observed::start().await;
    let mut browser = site.browser_of("admin").await;
    for number in 0..12 {
        site.pass(24 * 3600);
        browser.log_in("admin", PASSWORD).await;
        let name = format!("Group {number:02}");
        let fields = [("name", name.as_str())];
        browser.post("/admin/auth/group/add/", &fields).await;
    }
    let page = browser.get("/admin/").await;
    for number in 0..12 {
        let name = format!(">Group {number:02}<");
        assert_eq!(page.says(&name), number > 4, "{number}: {page:?}");
    }
    page.assert_says("12 groups").assert_says("12 permissions");
}

#[tokio::test]
async fn a_long_history_comes_in_pages() {
    let site = Observed::start().await;
    let ann = site.user("ann").await;
    let path = user_path(ann.id);
    for number in 0..105 {
        site.pass(1);
        let body = json!({"first_name": format!("Ann{number}")});
        let answer = site.patch(&site.admin, &path, body).await;
        answer.assert_status(200);
    }
    let mut browser = site.browser_of("admin").await;
    let page = browser.get(&user_url(&ann, "history")).await;
    let count = |page: &Answer| page.text.matches("Changed First name.").count();
    assert_eq!(count(&page), 100);
    let next = page.find(r#"rel="next" href="([^"]+)""#);
    let page = browser.get(next.unwrap()).await;
    assert_eq!((page.status, count(&page)), (200, 5));
    assert!(!page.says("rel=\"next\""));
}

#[tokio::test]
async fn entries_end_after_their_days() {
    let site = Observed::start().await;
    let body = json!({"name": "Editors"});
    let answer = site.post(&site.admin, "groups/", body).await;
    answer.assert_status(201);
    site.pass(365 * 24 * 3600 - 1);
    assert_eq!(entries(&site, Model::Group, 1).await.len(), 1);
    site.pass(1);
    assert_eq!(entries(&site, Model::Group, 1).await, []);
}
