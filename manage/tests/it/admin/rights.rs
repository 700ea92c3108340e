//! Who may look at what and change what: staff only opens the door, as in Django's admin, and
//! no user hands out what they do not hold.

use axum::http::Request;
use shared::jwt::TokenType;
use testkit::{Observed, PASSWORD};

use super::site::{done, field_errors, messages, user_url};

const ACTIONS: [&str; 4] = ["view", "add", "change", "delete"];
/// The models, and the id of an object of each.
const MODELS: [(&str, u64); 3] = [("user", 2), ("group", 1), ("permission", 13)];

/// The pages of a model, and the actions of which one must be allowed. The form of a page needs
/// the last one.
fn pages(model: &str, id: u64) -> Vec<(String, &'static [&'static str])> {
    let list = format!("/admin/auth/{model}/");
    let mut pages = vec![
        (list.clone(), &["view", "change"][..]),
        (format!("{list}add/"), &["add"]),
        (format!("{list}{id}/change/"), &["view", "change"]),
        (format!("{list}{id}/delete/"), &["delete"]),
        (format!("{list}{id}/history/"), &["view", "change"]),
    ];
    if model == "user" {
        pages.push((format!("{list}{id}/password/"), &["change"]));
    }
    pages
}

async fn site() -> Observed {
    let site = Observed::start().await;
    site.user("ann").await;
    site.group("Editors", &[]).await;
    // Only superusers delete the stock permissions, which have the ids before it.
    site.permission("publish", "Can publish").await;
    site
}

#[tokio::test]
async fn each_page_and_form_asks_for_its_own_permission() {
    let site = site().await;
    for (held, action) in MODELS
        .iter()
        .flat_map(|one| ACTIONS.map(|action| (one.0, action)))
    {
        let name = format!("only_{action}_{held}");
        site.staff(&name, &[&format!("auth.{action}_{held}")]).await;
        let mut browser = site.browser_of(&name).await;
        for (model, id) in MODELS {
            for (path, opens) in pages(model, id) {
                let expected = match model == held && opens.contains(&action) {
                    true => (200, "<main"),
                    false => (403, "<h1>Forbidden</h1>"),
                };
                let page = browser.get(&path).await;
                assert_eq!(page.status, expected.0, "{name}: {path}");
                page.assert_says(expected.1);
                // What is sent is not valid, so that nothing changes.
                let (fields, invalid) = match path.as_str() {
                    "/admin/auth/user/" => (&[("action", "activate")][..], 302),
                    path if path.ends_with("/history/") => continue,
                    path if path.ends_with(&format!("{model}/")) => continue,
                    _ => (&[("username", ""), ("name", "")][..], 200),
                };
                let may = model == held && opens.last() == Some(&action);
                if may && path.ends_with("delete/") {
                    continue;
                }
                let expected = if may { invalid } else { 403 };
                let answer = browser.post(&path, fields).await;
                assert_eq!(answer.status, expected, "{name}: {path}");
            }
        }
    }
    assert_eq!(site.table.groups().await.unwrap().len(), 1);
}

#[tokio::test]
async fn staff_without_permissions_sees_nothing_to_change() {
    let site = site().await;
    site.staff("eve", &[]).await;
    let mut browser = site.browser_of("eve").await;
    let page = browser.get("/admin/").await;
    page.assert_says("You don’t have permission to view or edit anything.");
    for text in ["/admin/auth/", "Recent actions"] {
        assert!(!page.says(text), "{page:?}");
    }
}

#[tokio::test]
async fn buttons_that_would_fail_are_not_shown() {
    let site = site().await;
    let may = ["auth.view_user", "auth.view_group"];
    site.staff("eve", &may).await;
    let mut browser = site.browser_of("eve").await;
    let list = browser.get("/admin/auth/user/").await;
    list.assert_says("<h1>Select user to view</h1>");
    assert!(!list.says("_selected_action") && !list.says("/admin/auth/user/add/"));
    let user = browser.get("/admin/auth/user/2/change/").await;
    user.assert_says("<h1>View user: ann</h1>")
        .assert_says("History");
    for button in [
        "_save",
        "_continue",
        "_addanother",
        "Set password",
        "Delete</a>",
    ] {
        assert!(!user.says(button), "{button}: {user:?}");
    }
}

#[tokio::test]
async fn a_user_who_may_only_add_is_led_nowhere_else() {
    let site = site().await;
    for (model, field) in [
        ("group", "name"),
        ("user", "username"),
        ("permission", "name"),
    ] {
        let name = format!("adds_{model}");
        site.staff(&name, &[&format!("auth.add_{model}")]).await;
        let mut browser = site.browser_of(&name).await;
        let add = format!("/admin/auth/{model}/add/");
        for path in ["/admin/", add.as_str()] {
            let page = browser.get(path).await;
            page.assert_status(200).assert_says(&add);
            for text in [&format!("href=\"/admin/auth/{model}/\""), "_continue"] {
                assert!(!page.says(text), "{page:?}");
            }
        }
        let fields = [
            (field, "something"),
            ("password1", PASSWORD),
            ("password2", PASSWORD),
            ("codename", "something"),
            ("content_type", "auth.user"),
            ("_continue", "1"),
        ];
        let told = done(&mut browser, &add, &fields, "/admin/").await;
        assert_eq!(told.len(), 1, "{model}");
    }
}

#[tokio::test]
async fn a_superuser_is_changed_by_superusers_only() {
    let site = site().await;
    let may = ["auth.view_user", "auth.change_user", "auth.delete_user"];
    site.staff("eve", &may).await;
    let mut browser = site.browser_of("eve").await;
    let page = browser.get("/admin/auth/user/1/change/").await;
    page.assert_says("<h1>View user: admin</h1>");
    assert!(!page.says("_save"), "{page:?}");
    for path in ["change", "password", "delete"] {
        let path = user_url(&site.admin, path);
        let answer = browser.post(&path, &[("username", "x")]).await;
        assert_eq!(answer.status, 403, "{path}");
    }
    let page = browser.get("/admin/auth/user/1/password/").await;
    page.assert_status(403);
}

#[tokio::test]
async fn no_user_gives_more_than_they_hold() {
    let site = site().await;
    let may = ["auth.change_user", "auth.change_group"];
    let eve = site.staff("eve", &may).await;
    let strong = site.group("Strong", &["auth.delete_user"]).await;
    let delete = site.id("auth.delete_user").await.to_string();
    let mut browser = site.browser_of("eve").await;
    let url = user_url(&eve, "change");
    let names = [("username", "eve"), ("email", "eve@example.com")];
    let own = site.read(eve.id).await.permission_ids;
    let own: Vec<String> = own.iter().map(ToString::to_string).collect();
    let kept = own.iter().map(|id| ("user_permissions", id.as_str()));
    let kept: Vec<(&str, &str)> = kept.collect();
    let strong_id = strong.id.to_string();
    let refused = "You may not do this: it would take permissions that you do not hold yourself.";
    for more in [
        ("user_permissions", delete.as_str()),
        ("groups", &strong_id),
    ] {
        let fields = [names.as_slice(), &kept, &[more]].concat();
        let page = browser.post(&url, &fields).await;
        page.assert_status(200).assert_says(refused);
    }
    // Flags that the user may not set are ignored, as in the API.
    let flags = [("is_superuser", "true"), ("is_staff", "true")];
    let fields = [names.as_slice(), &kept, &flags].concat();
    browser.post(&url, &fields).await.assert_status(302);
    let after = site.read(eve.id).await;
    assert!(!after.is_superuser && after.permission_ids.len() == 2 && after.group_ids.is_empty());
    // Nor do they get more by way of one of their groups.
    let group = format!("/admin/auth/group/{}/change/", strong.id);
    let fields = [("name", "Strong"), ("permissions", delete.as_str())];
    browser.post(&group, &fields).await.assert_status(302);
    let add = site.id("auth.add_user").await.to_string();
    let fields = [
        ("name", "Strong"),
        ("permissions", &delete),
        ("permissions", &add),
    ];
    let page = browser.post(&group, &fields).await;
    page.assert_says(refused);
    // What they cannot give is not offered.
    let page = browser.get("/admin/auth/user/2/change/").await;
    page.assert_says("Can change user").assert_says("Editors");
    for text in ["Can delete user", "Strong"] {
        assert!(!page.says(text), "{page:?}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_field_is_said_before_that_one_may_not() {
    let site = site().await;
    site.staff("eve", &["auth.add_group"]).await;
    let more = site.id("auth.delete_user").await.to_string();
    let mut browser = site.browser_of("eve").await;
    let fields = [("name", ""), ("permissions", more.as_str())];
    let page = browser.post("/admin/auth/group/add/", &fields).await;
    assert_eq!(field_errors(&page), ["This field is required."]);
    assert!(!page.says("You may not do this"), "{page:?}");
    let fields = [("name", "Strong"), ("permissions", more.as_str())];
    let page = browser.post("/admin/auth/group/add/", &fields).await;
    page.assert_says("You may not do this");
    assert_eq!(site.table.groups().await.unwrap().len(), 1);
}

#[tokio::test]
async fn no_user_decides_over_one_who_holds_more() {
    let site = site().await;
    let may = ["auth.change_user", "auth.delete_user"];
    site.staff("eve", &may).await;
    let holder = site.staff("holder", &["auth.add_group"]).await;
    let mut browser = site.browser_of("eve").await;
    let change = user_url(&holder, "change");
    let page = browser.get(&change).await;
    for text in ["Set password", "Delete</a>"] {
        assert!(!page.says(text), "{page:?}");
    }
    for path in ["password", "delete"] {
        let path = user_url(&holder, path);
        browser.get(&path).await.assert_status(403);
        let password = [("password1", PASSWORD), ("password2", PASSWORD)];
        browser.post(&path, &password).await.assert_status(403);
    }
    let add = site.id("auth.add_group").await.to_string();
    let kept = ("user_permissions", add.as_str());
    for account in [
        ("date_joined", "2020-01-01T00:00"),
        ("username", "held"),
        ("email", "e@x.org"),
        ("is_active", "false"),
    ] {
        let page = browser.post(&change, &[account, kept]).await;
        assert!(page.says("You may not do this"), "{account:?}: {page:?}");
    }
    // A name decides nothing about an account.
    let hal = [("first_name", "Hal"), kept];
    let answer = browser.post(&change, &hal).await;
    answer.assert_status(302);
    assert_eq!(site.read(holder.id).await.first_name.as_str(), "Hal");
}

#[tokio::test]
async fn the_last_superuser_stays() {
    let site = site().await;
    let mut browser = site.browser_of("admin").await;
    let text = "The last active superuser cannot be removed.";
    for flag in ["is_active", "is_superuser"] {
        let fields = [
            ("username", "admin"),
            ("email", "admin@example.com"),
            (flag, "false"),
        ];
        let page = browser.post("/admin/auth/user/1/change/", &fields).await;
        assert_eq!((page.status, messages(&page).len()), (200, 0), "{flag}");
        page.assert_says(text);
    }
    browser.get("/admin/auth/user/1/delete/").await;
    let yes = [("post", "yes")];
    let page = browser.post("/admin/auth/user/1/delete/", &yes).await;
    page.assert_status(400).assert_says(text);
}

#[tokio::test]
async fn a_bearer_token_opens_no_page() {
    let site = site().await;
    let token = site.issue(TokenType::Access, &site.admin);
    let request = Request::get("/admin/").header("authorization", format!("Bearer {token}"));
    let answer = site.browser().send(request, "").await;
    answer.assert_status(302);
}

#[tokio::test]
async fn the_stock_permissions_are_offered_for_deletion_to_superusers_only() {
    let site = site().await;
    let held = ["auth.view_permission", "auth.delete_permission"];
    site.staff("eve", &held).await;
    for (who, id, status) in [("eve", 1, 403), ("eve", 13, 200), ("admin", 1, 200)] {
        let mut browser = site.browser_of(who).await;
        let form = browser
            .get(&format!("/admin/auth/permission/{id}/change/"))
            .await;
        let delete = format!("/admin/auth/permission/{id}/delete/");
        assert_eq!(form.says(&delete), status == 200, "{who} {id}");
        assert_eq!(browser.get(&delete).await.status, status, "{who} {id}");
    }
}

#[tokio::test]
async fn staff_change_the_name_of_a_stock_permission_and_not_its_label() {
    let site = site().await;
    site.staff("eve", &["auth.change_permission"]).await;
    let id = site.id("auth.add_user").await;
    let path = &format!("/admin/auth/permission/{id}/change/");
    let closed = r#"id="id_codename" autocomplete="off" required disabled"#;
    let mut browser = site.browser_of("admin").await;
    assert!(!browser.get(path).await.says(closed));
    let mut browser = site.browser_of("eve").await;
    browser.get(path).await.assert_says(closed);
    let fields = [("name", "Can enrol user"), ("codename", "enrol_user")];
    browser.post(path, &fields).await.assert_status(302);
    let permission = site.table.permission(id).await;
    let permission = permission.unwrap().unwrap();
    assert_eq!(permission.name.as_str(), "Can enrol user");
    assert_eq!(permission.label(), "auth.add_user");
    let answer = browser.post(path, &[("name", "")]).await;
    answer.assert_says("This field is required.");
}
