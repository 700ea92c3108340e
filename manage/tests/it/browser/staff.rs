//! Staff who may do little or nothing.

use super::site::{page_of, site};

const REFUSED: &str = "You don’t have permission to view or edit this.";

#[tokio::test]
async fn staff_without_permissions_see_nothing_to_change() {
    let Some(site) = site().await else { return };
    let ann = site.server.user("ann").staff().await;
    site.log_in("ann").await;
    let nothing = "You don’t have permission to view or edit anything.";
    site.sees(nothing).await;
    assert!(!site.has("main a, main form, .sections").await);
    for path in [
        "/admin/auth/user/".to_owned(),
        "/admin/auth/user/add/".to_owned(),
        "/admin/auth/group/".to_owned(),
        "/admin/auth/permission/".to_owned(),
        // Not even their own.
        page_of(ann.id, "change"),
        page_of(ann.id, "history"),
        page_of(site.server.admin.id, "delete"),
    ] {
        site.open(&path).await;
        site.sees(REFUSED).await;
        assert!(!site.has("form").await, "{path}");
    }
}

#[tokio::test]
async fn staff_who_may_only_look_find_no_field_and_no_button() {
    let Some(site) = site().await else { return };
    let labels = ["auth.view_user", "auth.view_group"];
    let group = site.server.group("lookers", &labels).await;
    site.server.user("ann").staff().joins([&group]).await;
    site.log_in("ann").await;
    assert!(!site.has("a[href$='/add/'], a[href*=permission]").await);
    site.press("Users").await;
    site.sees("Select user to view").await;
    let actions = "[name=action], [name=_selected_action], a[href$='/add/']";
    assert!(!site.has(actions).await);
    site.press("admin").await;
    site.sees("View user: admin").await;
    let open = "main input:enabled, main button, main a[href$='/delete/'], main select:enabled";
    assert!(!site.has(open).await);
    let path = format!("/admin/auth/group/{}/change/", group.id);
    site.open(&path).await;
    site.sees("View group: lookers").await;
    assert!(!site.has(open).await);
}

#[tokio::test]
async fn staff_who_may_change_users_are_offered_only_what_they_hold_themselves() {
    let Some(site) = site().await else { return };
    let labels = ["auth.view_user", "auth.change_user"];
    let group = site.server.group("helpers", &labels).await;
    site.server.group("bosses", &["auth.delete_user"]).await;
    site.server.user("ann").staff().joins([&group]).await;
    let bob = site.server.user("bob").await;
    site.log_in("ann").await;
    site.open(&page_of(bob.id, "change")).await;
    site.option("Available groups (1)", "helpers").await;
    site.field("Available user permissions (2)").await;
    let superuser = site.field("Superuser status").await;
    assert!(!superuser.is_enabled().await.unwrap());
    assert!(!site.shows("bosses").await);
    let admin = site.server.admin.id;
    // A user who holds more is not theirs to change.
    site.open(&page_of(admin, "change")).await;
    site.sees("View user: admin").await;
    site.open(&page_of(admin, "password")).await;
    site.sees(REFUSED).await;
}
