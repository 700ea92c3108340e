//! Logging in and out.

use serde_json::json;
use testkit::PASSWORD;

use super::site::{as_admin, site};

#[tokio::test]
async fn a_login_leads_to_the_page_that_was_asked_for() {
    let Some(site) = site().await else { return };
    site.open("/admin/auth/group/?q=a%20b").await;
    site.sees("Log in").await;
    site.enter("admin", PASSWORD).await;
    site.sees("Select group to change").await;
    assert_eq!(site.path().await, "/admin/auth/group/?q=a%20b");
    site.sees("Welcome, admin").await;
}

#[tokio::test]
async fn a_wrong_password_lets_nobody_in_and_says_so() {
    let Some(site) = site().await else { return };
    site.server.user("ann").await;
    let refused = "Please enter the correct username and password for a staff account.";
    // The last user's password is right, but they are not staff.
    for (username, password) in [("admin", "wrong"), ("nobody", "wrong"), ("ann", PASSWORD)] {
        site.open("/admin/login/").await;
        site.enter(username, password).await;
        site.sees(refused).await;
        let filled = "return [id_username.value, id_password.value]";
        assert_eq!(site.run(filled).await, json!([username, ""]));
        site.open("/admin/").await;
        assert_eq!(site.path().await, "/admin/login/?next=/admin/");
    }
}

#[tokio::test]
async fn a_user_who_logs_out_is_out() {
    let Some(site) = as_admin().await else { return };
    site.press("Log out").await;
    site.field("Password").await;
    site.open("/admin/auth/user/").await;
    assert_eq!(site.path().await, "/admin/login/?next=/admin/auth/user/");
}

#[tokio::test]
async fn a_user_who_changes_the_password_stays_and_their_other_sessions_end() {
    let Some(site) = site().await else { return };
    site.server.user("ann").staff().await;
    let elsewhere = site.another_browser().await;
    elsewhere.log_in("ann").await;
    site.log_in("ann").await;
    site.press("Change password").await;
    site.fill("Old password", PASSWORD).await;
    let new = "An-0ther Kq!wz";
    site.fill("New password", new).await;
    site.fill("New password confirmation", new).await;
    site.click("main form button").await;
    site.sees("Your password was changed.").await;
    site.open("/admin/").await;
    site.sees("Welcome, ann").await;
    elsewhere.reload().await;
    elsewhere.field("Password").await;
    site.server.login("ann", PASSWORD).await.assert_status(401);
    site.server.log_in("ann", new).await;
}
