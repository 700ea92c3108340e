//! `manage check --repair` mends what the rest of the table tells, and nothing else.

use manage::check::repair;
use shared::store::items::Item;
use testkit::PASSWORD;

use super::world::World;

#[tokio::test]
async fn each_item_that_can_be_derived_is_made_again() {
    let world = World::start().await;
    let group = world.group("Crew", &["auth.view_group"]).await;
    world.user("ann").staff().superuser().joins([&group]).await;
    let whole = world.items().await;
    let (client, table) = world.raw();
    let derived = |key: &&String| {
        let prefixes = [
            "USERNAME#",
            "EMAIL#",
            "GROUPNAME#",
            "CODENAME#",
            "CATALOGUE#",
        ];
        let others = ["CONTENTTYPE", "SUPERUSER", "SEQUENCE"];
        let is_row = key.contains("/ FLAG#") || key.contains("/ GROUP#");
        let mut all = prefixes.iter().chain(&others);
        is_row || all.any(|prefix| key.starts_with(prefix))
    };
    let keys = |items: &std::collections::BTreeMap<String, Item>| {
        items.keys().cloned().collect::<Vec<String>>()
    };
    for key in whole.keys().filter(derived) {
        let item = &whole[key];
        let key_of = ["PK", "SK"].map(|name| (name.to_owned(), item[name].clone()));
        let delete = client.delete_item().table_name(table);
        delete
            .set_key(Some(key_of.into()))
            .send()
            .await
            .expect("a deletion");
        let told = repair(&world.table).await.expect("a repair");
        assert!(!told.is_empty(), "{key}");
        assert!(
            told.iter().all(|line| line.starts_with("mended: ")),
            "{told:?}"
        );
        world.assert_sound().await;
        assert_eq!(keys(&world.items().await), keys(&whole), "{key}");
    }
    world.login("ann", PASSWORD).await.assert_status(200);
}

#[tokio::test]
async fn what_belongs_to_nobody_is_removed_and_what_is_lost_for_good_is_left() {
    let world = World::start().await;
    let ann = world.user("ann").await;
    let (client, table) = world.raw();
    let key = |entity: shared::store::keys::Entity<'_>| {
        Some(shared::store::items::attributes(&entity.key()))
    };
    let profile = key(shared::store::keys::Entity::User(ann.id));
    let delete = client.delete_item().table_name(table);
    delete.set_key(profile).send().await.unwrap();
    let told = repair(&world.table).await.expect("a repair");
    assert_eq!(told.len(), 3, "{told:?}");
    world.assert_sound().await;

    let zoe = world.user("zoe").await;
    let hash = key(shared::store::keys::Entity::Credential(zoe.id));
    let delete = client.delete_item().table_name(table);
    delete.set_key(hash).send().await.unwrap();
    assert_eq!(repair(&world.table).await.expect("a repair"), [""; 0]);
    let lost = format!("user {} has no credential", zoe.id);
    assert_eq!(world.broken().await, [lost]);
}
