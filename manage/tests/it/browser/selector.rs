//! The list of two panes from which groups and permissions are chosen.

use shared::domain::User;
use thirtyfour::Key;

use super::site::{Site, as_admin, page_of};

struct World {
    site: Site,
    ann: User,
}

/// Ann's page, with the groups `editors`, `readers` and `writers` to choose from.
async fn world() -> Option<World> {
    let site = as_admin().await?;
    let ann = site.server.user("ann").await;
    for name in ["editors", "readers", "writers"] {
        site.server.group(name, &[]).await;
    }
    site.open(&page_of(ann.id, "change")).await;
    Some(World { site, ann })
}

impl World {
    async fn press(&self, direction: &str, number: usize) {
        let buttons = format!("#id_groups .moves .{direction}:nth-of-type({number})");
        self.site.click(&buttons).await;
    }

    async fn save(&self) -> Vec<String> {
        self.site.press("Save and continue editing").await;
        self.saved().await
    }

    async fn saved(&self) -> Vec<String> {
        let told = "The user “ann” was changed successfully.";
        self.site.sees(told).await;
        self.site.groups_of(&self.ann).await
    }
}

#[tokio::test]
async fn groups_are_chosen_and_removed_with_the_mouse() {
    let Some(world) = world().await else { return };
    let site = &world.site;
    site.choose("Available groups (3)", "editors").await;
    site.choose("Available groups (3)", "writers").await;
    world.press("to", 1).await;
    site.option("Chosen groups (2)", "editors").await;
    assert_eq!(world.save().await, ["editors", "writers"]);

    let readers = site.option("Available groups (1)", "readers").await;
    site.double_click(&readers).await;
    site.field("Chosen groups (3)").await;
    let editors = site.option("Chosen groups (3)", "editors").await;
    site.double_click(&editors).await;
    site.field("Available groups (1)").await;
    assert_eq!(world.save().await, ["readers", "writers"]);

    world.press("fro", 4).await;
    site.field("Chosen groups (0)").await;
    world.press("to", 3).await;
    site.field("Chosen groups (3)").await;
    assert_eq!(world.save().await, ["editors", "readers", "writers"]);
    world.press("fro", 4).await;
    assert_eq!(world.save().await, [""; 0]);
}

#[tokio::test]
async fn groups_are_chosen_and_removed_with_the_keyboard() {
    let Some(world) = world().await else { return };
    let site = &world.site;
    site.tab_to("#id_groups input[type=search]").await;
    site.keys("ERS").await;
    site.field("Available groups (2 of 3)").await;
    // Enter in the filter does not send the form.
    site.keys(Key::Enter).await;
    site.tab_to("#id_groups_from").await;
    site.keys(Key::Home + Key::Enter).await;
    site.option("Chosen groups (1)", "readers").await;
    // The next one is selected already.
    site.keys(Key::Enter).await;
    site.field("Chosen groups (2)").await;
    site.tab_to("#id_groups_to").await;
    site.keys(Key::End + Key::Enter).await;
    site.field("Chosen groups (1)").await;
    site.tab_to("button[name=_continue]").await;
    site.keys(Key::Enter).await;
    assert_eq!(world.saved().await, ["readers"]);
}

#[tokio::test]
async fn groups_are_chosen_and_removed_without_scripts() {
    let Some(world) = world().await else { return };
    let site = &world.site;
    site.without_scripts().await;
    site.reload().await;
    assert!(!site.has(".panes").await);
    site.tick("editors").await;
    site.tick("writers").await;
    assert_eq!(world.save().await, ["editors", "writers"]);
    assert!(site.field("editors").await.is_selected().await.unwrap());
    site.tick("editors").await;
    assert_eq!(world.save().await, ["writers"]);

    // So do the actions on several users.
    site.open("/admin/auth/user/").await;
    site.tick("Select ann").await;
    site.choose("Action", "Add selected users to group").await;
    site.choose("Group to add or remove", "readers").await;
    site.press("Go").await;
    site.press("Yes, I’m sure").await;
    let told = "Successfully added 1 user to the group “readers”.";
    site.sees(told).await;
    assert_eq!(site.groups_of(&world.ann).await, ["readers", "writers"]);
}

#[tokio::test]
async fn what_was_chosen_is_still_there_after_another_field_was_refused() {
    let Some(world) = world().await else { return };
    let site = &world.site;
    site.choose("Available groups (3)", "readers").await;
    world.press("to", 1).await;
    site.fill("Username", "").await;
    site.press("Save and continue editing").await;
    site.sees("Please correct the error").await;
    site.option("Chosen groups (1)", "readers").await;
    site.fill("Username", "ann").await;
    assert_eq!(world.save().await, ["readers"]);
}
