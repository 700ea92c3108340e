//! What is done with users, and what the API and the users then see of it.

use testkit::{PASSWORD, user_path};

use super::site::{as_admin, page_of};

#[tokio::test]
async fn a_user_who_is_made_and_given_a_group_logs_in_and_has_it() {
    let Some(site) = as_admin().await else { return };
    site.server.group("editors", &["auth.view_user"]).await;
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
    site.click("#id_groups .moves .to").await;
    site.field("Chosen groups (1)").await;
    site.press("Save").await;
    site.sees("The user “ann” was changed successfully.").await;

    let token = site.server.log_in("ann", PASSWORD).await;
    let own = site.server.get(&token, "users/me/").await;
    own.assert_status(200);
    assert_eq!(own.body["first_name"], "Ann");
    assert_eq!(own.body["groups"][0]["name"], "editors");
    site.server.assert_sound().await;
}

#[tokio::test]
async fn what_is_wrong_with_a_form_is_said_and_nothing_is_saved() {
    let Some(site) = as_admin().await else { return };
    let ann = site.server.user("ann").await;
    site.open(&page_of(ann.id, "change")).await;
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
    assert_eq!(site.profile(&ann).await["first_name"], "");
}

#[tokio::test]
async fn deactivated_users_are_out_at_once_wherever_they_are_logged_in() {
    let Some(site) = as_admin().await else { return };
    let ann = site.server.user("ann").staff().await;
    site.server.user("bob").await;
    let theirs = site.another_browser().await;
    theirs.log_in("ann").await;
    let token = site.server.log_in("ann", PASSWORD).await;

    site.open("/admin/auth/user/").await;
    site.tick("Select ann").await;
    site.tick("Select bob").await;
    site.sees("2 of 3 selected").await;
    site.choose("Action", "Deactivate selected users").await;
    site.press("Go").await;
    let question = "Are you sure you want to deactivate 2 users?";
    site.sees(question).await;
    // Nothing is done before the answer.
    site.server.login("bob", PASSWORD).await.assert_status(200);
    site.press("Yes, I’m sure").await;
    site.sees("Successfully deactivated 2 users.").await;

    theirs.reload().await;
    theirs.field("Password").await;
    theirs.enter("ann", PASSWORD).await;
    let refused = "Please enter the correct username and password";
    theirs.sees(refused).await;
    for username in ["ann", "bob"] {
        let answer = site.server.login(username, PASSWORD).await;
        answer.assert_status(401);
    }
    let answer = site.server.get(&token, &user_path(ann.id)).await;
    answer.assert_status(401);
    assert_eq!(answer.body["detail"], "User is inactive");
}

#[tokio::test]
async fn a_user_is_deleted_after_a_question_only_and_the_history_names_who_did_it() {
    let Some(site) = as_admin().await else { return };
    let ann = site.server.user("ann").staff().await;
    let theirs = site.another_browser().await;
    theirs.log_in("ann").await;
    let question = "Are you sure you want to delete the user “ann”?";

    site.open(&page_of(ann.id, "change")).await;
    site.press("Delete").await;
    site.sees(question).await;
    site.press("No, take me back").await;
    site.sees("Change user: ann").await;
    assert_eq!(site.profile(&ann).await["username"], "ann");

    site.press("Delete").await;
    site.sees(question).await;
    site.press("Yes, I’m sure").await;
    site.sees("The user “ann” was deleted successfully.").await;
    let answer = site
        .server
        .get(&site.server.admin, &user_path(ann.id))
        .await;
    answer.assert_status(404);
    site.server.login("ann", PASSWORD).await.assert_status(401);
    theirs.reload().await;
    theirs.field("Password").await;

    site.open(&page_of(ann.id, "history")).await;
    let row = site.text_of("tbody tr:first-child").await;
    assert!(row.contains("admin") && row.contains("Deleted"), "{row}");
    site.server.assert_sound().await;
}

#[tokio::test]
async fn the_history_tells_what_was_changed_and_who_did_it() {
    let Some(site) = as_admin().await else { return };
    let ann = site.server.user("ann").await;
    site.open(&page_of(ann.id, "change")).await;
    site.fill("First name", "Ann").await;
    site.fill("Email address", "new@example.com").await;
    site.press("Save and continue editing").await;
    site.sees("You may edit it again below.").await;
    site.press("History").await;
    site.sees("Change history: ann").await;
    let row = site.text_of("tbody tr").await;
    assert!(row.contains("admin") && row.contains("Changed"), "{row}");
    assert!(row.contains("First name") && row.contains("Email"), "{row}");
    site.open("/admin/").await;
    let recent = site.text_of(".recent li").await;
    let told = recent.contains("ann") && recent.contains("by admin");
    assert!(told, "{recent}");
}
