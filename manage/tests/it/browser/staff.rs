//! Staff who may do little or nothing.

use super::{
    client::PASSWORD,
    site::{Site, page_of},
};

#[tokio::test]
async fn staff_without_permissions_see_nothing_to_change() {
    let Some(site) = Site::open().await else {
        return;
    };
    let id = site.account("ann", true).await;
    site.log_in("ann", PASSWORD).await;
    site.sees("You don’t have permission to view or edit anything.")
        .await;
    assert!(!site.has("main a, main form, .sections").await);
    for path in [
        "/admin/auth/user/".to_owned(),
        "/admin/auth/user/add/".to_owned(),
        "/admin/auth/group/".to_owned(),
        "/admin/auth/permission/".to_owned(),
        // Not even himself.
        page_of(id, "change"),
        page_of(id, "history"),
        page_of(1, "delete"),
    ] {
        site.open(&path).await;
        site.sees("You don’t have permission to view or edit this.")
            .await;
        assert!(!site.has("form").await, "{path}");
    }
}

#[tokio::test]
async fn staff_who_may_only_look_find_no_field_and_no_button() {
    let Some(site) = Site::open().await else {
        return;
    };
    let id = site.account("ann", true).await;
    let group = site.group("lookers", &["view_user", "view_group"]).await;
    site.join(id, group).await;
    site.log_in("ann", PASSWORD).await;
    assert!(!site.has("a[href$='/add/'], a[href*=permission]").await);
    site.press("Users").await;
    site.sees("Select user to view").await;
    assert!(
        !site
            .has("[name=action], [name=_selected_action], a[href$='/add/']")
            .await
    );
    site.press("admin").await;
    site.sees("View user: admin").await;
    let open = "main input:enabled, main button, main a[href$='/delete/'], main select:enabled";
    assert!(!site.has(open).await);
    site.open(&format!("/admin/auth/group/{group}/change/"))
        .await;
    site.sees("View group: lookers").await;
    assert!(!site.has(open).await);
}

#[tokio::test]
async fn staff_who_may_change_users_are_offered_only_what_they_hold_themselves() {
    let Some(site) = Site::open().await else {
        return;
    };
    let (ann, bob) = (
        site.account("ann", true).await,
        site.account("bob", false).await,
    );
    let group = site.group("helpers", &["view_user", "change_user"]).await;
    site.group("bosses", &["delete_user"]).await;
    site.join(ann, group).await;
    site.log_in("ann", PASSWORD).await;
    site.open(&page_of(bob, "change")).await;
    site.option("Available groups (1)", "helpers").await;
    site.field("Available user permissions (2)").await;
    assert!(
        !site
            .field("Superuser status")
            .await
            .is_enabled()
            .await
            .unwrap()
    );
    assert!(!site.shows("bosses").await);
    // Whoever holds more than she does is not hers to decide over.
    site.open(&page_of(1, "change")).await;
    site.sees("View user: admin").await;
    site.open(&page_of(1, "password")).await;
    site.sees("You don’t have permission to view or edit this.")
        .await;
}
