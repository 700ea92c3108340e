//! What is done with users, and what the API and the users then see of it.

use super::{
    client::{PASSWORD, user},
    site::{Site, page_of},
};

#[tokio::test]
async fn a_user_who_is_made_and_given_a_group_logs_in_and_has_it() {
    let Some(site) = Site::open_as_admin().await else {
        return;
    };
    site.group("editors", &["view_user"]).await;
    site.press("Users").await;
    site.press("+ Add user").await;
    site.fill("Username", "ann").await;
    site.fill("Password", PASSWORD).await;
    site.fill("Password confirmation", PASSWORD).await;
    site.press("Save").await;
    site.sees("The user “ann” was added successfully.").await;
    site.sees("Change user: ann").await;
    site.fill("First name", "Ann").await;
    site.choose("Available groups (1)", "editors").await;
    site.element("#id_groups .moves .to")
        .await
        .click()
        .await
        .unwrap();
    site.field("Chosen groups (1)").await;
    site.press("Save").await;
    site.sees("The user “ann” was changed successfully.").await;

    let tokens = site.api.login("ann", PASSWORD).await;
    assert_eq!(tokens.status, 200);
    let listed = site
        .api
        .get("/api/auth/users/?search=ann", &site.api.admin)
        .await;
    let id = listed.body[0]["id"].as_u64().unwrap();
    let own = site.api.get(&user(id), &tokens.text("access")).await;
    assert_eq!(own.status, 200);
    assert_eq!(own.body["first_name"], "Ann");
    assert_eq!(own.body["groups"][0]["name"], "editors");
    site.api.assert_consistent().await;
}

#[tokio::test]
async fn what_is_wrong_with_a_form_is_said_and_nothing_is_saved() {
    let Some(site) = Site::open_as_admin().await else {
        return;
    };
    let id = site.account("ann", false).await;
    site.open(&page_of(id, "change")).await;
    site.fill("Username", "admin").await;
    site.fill("First name", "Ann").await;
    site.press("Save").await;
    site.sees("Please correct the error below.").await;
    site.sees("A user with that username already exists.").await;
    // What was typed is still there, and the keyboard starts at what is wrong.
    let first_name = site.field("First name").await.value().await.unwrap();
    assert_eq!(first_name.as_deref(), Some("Ann"));
    let focused = "return document.activeElement.getAttribute('role')";
    assert_eq!(site.run(focused).await, "alert");
    assert_eq!(site.profile(id).await["first_name"], "");
}

#[tokio::test]
async fn deactivated_users_are_out_at_once_wherever_they_are_logged_in() {
    let Some(site) = Site::open_as_admin().await else {
        return;
    };
    let ann = site.account("ann", true).await;
    site.account("bob", false).await;
    let his = site.another_browser().await;
    his.log_in("ann", PASSWORD).await;
    let token = site.api.login("ann", PASSWORD).await.text("access");

    site.open("/admin/auth/user/").await;
    site.tick("Select ann").await;
    site.tick("Select bob").await;
    site.sees("2 of 4 selected").await;
    site.choose("Action", "Deactivate selected users").await;
    site.press("Go").await;
    site.sees("Are you sure you want to deactivate 2 users?")
        .await;
    // Nothing is done before the answer.
    assert_eq!(site.api.login("bob", PASSWORD).await.status, 200);
    site.press("Yes, I’m sure").await;
    site.sees("Successfully deactivated 2 users.").await;

    his.reload().await;
    his.field("Password").await;
    his.enter("ann", PASSWORD).await;
    his.sees("Please enter the correct username and password")
        .await;
    for username in ["ann", "bob"] {
        assert_eq!(site.api.login(username, PASSWORD).await.status, 401);
    }
    let answer = site.api.get(&user(ann), &token).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.body["detail"]),
        (401, &"User is inactive".into())
    );
}

#[tokio::test]
async fn a_user_is_deleted_after_a_question_only_and_the_history_tells_by_whom() {
    let Some(site) = Site::open_as_admin().await else {
        return;
    };
    let id = site.account("ann", true).await;
    let his = site.another_browser().await;
    his.log_in("ann", PASSWORD).await;
    let question = "Are you sure you want to delete the user “ann”?";

    site.open(&page_of(id, "change")).await;
    site.press("Delete").await;
    site.sees(question).await;
    site.press("No, take me back").await;
    site.sees("Change user: ann").await;
    assert_eq!(site.profile(id).await["username"], "ann");

    site.press("Delete").await;
    site.sees(question).await;
    site.press("Yes, I’m sure").await;
    site.sees("The user “ann” was deleted successfully.").await;
    assert_eq!(site.api.get(&user(id), &site.api.admin).await.status, 404);
    assert_eq!(site.api.login("ann", PASSWORD).await.status, 401);
    his.reload().await;
    his.field("Password").await;

    site.open(&page_of(id, "history")).await;
    let row = site
        .element("tbody tr:first-child")
        .await
        .text()
        .await
        .unwrap();
    assert!(row.contains("admin") && row.contains("Deleted"), "{row}");
    site.api.assert_consistent().await;
}

#[tokio::test]
async fn the_history_tells_what_was_changed_and_by_whom() {
    let Some(site) = Site::open_as_admin().await else {
        return;
    };
    let id = site.account("ann", false).await;
    site.open(&page_of(id, "change")).await;
    site.fill("First name", "Ann").await;
    site.fill("Email address", "new@example.com").await;
    site.press("Save and continue editing").await;
    site.sees("You may edit it again below.").await;
    site.press("History").await;
    site.sees("Change history: ann").await;
    let row = site.element("tbody tr").await.text().await.unwrap();
    assert!(row.contains("admin") && row.contains("Changed"), "{row}");
    assert!(row.contains("First name") && row.contains("Email"), "{row}");
    site.open("/admin/").await;
    let recent = site.element(".recent li").await.text().await.unwrap();
    assert!(
        recent.contains("ann") && recent.contains("by admin"),
        "{recent}"
    );
}
