//! What forms refuse, and what pages make of hostile text.

use serde_json::json;
use testkit::{PASSWORD, percent_encoded};

use super::{
    site::{Site, as_admin, page_of, site},
    window::Browser,
};

const SCRIPT: &str = "<script>ran=1</script><img src=x onerror=ran=1>";

impl Browser {
    /// Sends a form of another site's making: one that cannot know the token.
    pub async fn forget_token(&self) {
        let taken =
            "document.querySelectorAll('[name=csrfmiddlewaretoken]').forEach(e => e.remove())";
        self.run(taken).await;
    }
}

#[tokio::test]
async fn a_form_without_its_token_is_refused() {
    let Some(site) = site().await else { return };
    let refused = "The form was not sent from this site, or is too old.";
    site.open("/admin/login/").await;
    site.forget_token().await;
    site.enter("admin", PASSWORD).await;
    site.sees(refused).await;

    site.log_in("admin").await;
    let ann = site.server.user("ann").await;
    for (page, button) in [("change", "Save"), ("delete", "Yes, I’m sure")] {
        site.open(&page_of(ann.id, page)).await;
        site.forget_token().await;
        if page == "change" {
            site.fill("First name", "Mallory").await;
        }
        site.press(button).await;
        site.sees(refused).await;
    }
    site.open("/admin/auth/user/").await;
    site.forget_token().await;
    site.tick("Select ann").await;
    site.choose("Action", "Deactivate selected users").await;
    site.press("Go").await;
    site.sees(refused).await;
    assert_eq!(site.profile(&ann).await["first_name"], "");
    site.server.login("ann", PASSWORD).await.assert_status(200);
}

#[tokio::test]
async fn a_token_of_another_session_is_refused() {
    let Some(site) = as_admin().await else { return };
    let ann = site.server.user("ann").staff().await;
    let other = site.another_browser().await;
    other.log_in("ann").await;
    let token = other.element("[name=csrfmiddlewaretoken]").await;
    let token = token.value().await.unwrap().unwrap();
    site.open(&page_of(ann.id, "change")).await;
    let swap = "document.querySelectorAll('[name=csrfmiddlewaretoken]').forEach(e => e.value = ";
    site.run(&format!("{swap}{})", json!(token))).await;
    site.press("Save").await;
    let refused = "The form was not sent from this site, or is too old.";
    site.sees(refused).await;
}

#[tokio::test]
async fn a_script_in_a_name_is_shown_and_not_run() {
    let Some(site) = as_admin().await else { return };
    let ann = site.server.user("ann").await;
    site.open("/admin/auth/group/add/").await;
    site.fill("Name", SCRIPT).await;
    site.press("Save").await;
    let told = format!("The group “{SCRIPT}” was added successfully.");
    site.sees(&told).await;
    site.nothing_ran().await;

    site.open(&page_of(ann.id, "change")).await;
    site.fill("First name", SCRIPT).await;
    site.choose("Available groups (1)", SCRIPT).await;
    site.click("#id_groups .moves .to").await;
    site.press("Save and continue editing").await;
    site.sees("was changed successfully").await;
    let shown = site.field("First name").await.value().await.unwrap();
    assert_eq!(shown.as_deref(), Some(SCRIPT));
    site.option("Chosen groups (1)", SCRIPT).await;
    site.nothing_ran().await;

    let group = site.profile(&ann).await["groups"][0]["id"].clone();
    for path in [
        "/admin/".to_owned(),
        "/admin/auth/user/".to_owned(),
        "/admin/auth/group/".to_owned(),
        page_of(ann.id, "history"),
        format!("/admin/auth/group/{group}/change/"),
        format!("/admin/auth/group/{group}/delete/"),
        format!("/admin/auth/group/{group}/history/"),
    ] {
        site.open(&path).await;
        site.nothing_ran().await;
    }
    site.open("/admin/auth/user/").await;
    assert!(site.shows(SCRIPT).await);

    let search = percent_encoded(&format!("\"'>{SCRIPT}"));
    site.open(&format!("/admin/auth/user/?q={search}")).await;
    site.sees("No users match.").await;
    site.nothing_ran().await;
    site.press("Log out").await;
    site.enter(SCRIPT, "wrong").await;
    site.sees("Please enter the correct username").await;
    site.nothing_ran().await;
    site.open(&format!("/admin/login/?next={search}")).await;
    site.nothing_ran().await;
}

impl Site {
    /// Neither ran what was typed, nor would it without the pages' policy: it made no element.
    async fn nothing_ran(&self) {
        let script = "return [typeof ran, document.scripts.length, document.images.length]";
        assert_eq!(self.run(script).await, json!(["undefined", 1, 0]));
    }
}
