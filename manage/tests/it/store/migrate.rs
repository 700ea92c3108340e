//! A table of an older layout: it works as it is, and `manage migrate` brings it up to date.

use manage::migrate::{Left, carry_out, left, move_page, prepare};
use serde_json::json;
use shared::store::{
    Store,
    items::{attributes, text},
    keys::Entity,
    layout::{Done, Layout, Schema},
    pager::{Filter, Search},
};
use testkit::{NOBODY, PASSWORD, parsed, registration};

use super::world::World;

impl World {
    /// Makes the table what the first layout was: hashes beside profiles, no catalogue, no `SCHEMA`.
    async fn age(&self) {
        let (client, table) = self.raw();
        for (key, mut item) in self.items().await {
            let is_new = ["CREDENTIAL#", "CATALOGUE#", "SCHEMA"];
            let is_new = is_new.iter().any(|prefix| key.starts_with(prefix));
            if !is_new && !key.ends_with("STNAME") {
                continue;
            }
            let old = ["PK", "SK"].map(|name| (name.to_owned(), item[name].clone()));
            let delete = client.delete_item().table_name(table);
            let delete = delete.set_key(Some(old.into())).send().await;
            delete.expect("a deletion");
            if let Some((user, _)) = key.split_once(" / ").filter(|_| key.starts_with("CRED")) {
                let user = user.replace("CREDENTIAL#", "USER#");
                item.insert("PK".to_owned(), text(&user));
                let put = client.put_item().table_name(table);
                put.set_item(Some(item)).send().await.expect("a put");
            }
        }
    }

    async fn old() -> Self {
        let world = Self::start().await;
        let group = world.group("Staff", &["auth.view_group"]).await;
        world.user("ann").joins([&group]).await;
        world.age().await;
        // Another start, which knows nothing yet.
        world
    }

    async fn migrate(&self) {
        carry_out(&self.table, 0, None).await.expect("a migration");
    }

    async fn schema(&self) -> Schema {
        self.table.schema().await.expect("the schema")
    }
}

/// Logs in and asks for what only a label opens.
async fn assert_works(world: &World, client: &testkit::Client) {
    let access = client.log_in("ann", PASSWORD).await;
    client.get(&access, "groups/").await.assert_status(200);
    client.get(&access, "users/").await.assert_status(403);
    world.assert_sound().await;
}

#[tokio::test]
async fn a_table_of_the_first_layout_works_as_it_is() {
    let world = World::old().await;
    let client = world.beside(&[], world.app.clock.clone()).await;
    assert_works(&world, &client).await;
    client.register("bob").await.assert_status(201);
    client.login("bob", PASSWORD).await.assert_status(200);
    let new = json!({"name": "Can go", "codename": "go", "content_type": "auth.user"});
    let made = client.post(&world.admin, "permissions/", new).await;
    made.assert_status(201);
    assert_eq!(world.keys("CREDENTIAL#").await, [""; 0]);
    assert_eq!(world.keys("CATALOGUE#").await, [""; 0]);
    world.assert_sound().await;
}

#[tokio::test]
async fn a_migration_moves_every_hash_and_fills_the_catalogue() {
    let world = World::old().await;
    let schema = world.schema().await;
    assert_eq!(schema, Schema::FIRST);
    let all = Left {
        hashes: 2,
        users: 2,
    };
    assert_eq!(left(&world.table, &schema).await.unwrap(), all);
    world.migrate().await;
    let kept = ["CREDENTIAL#1 / CREDENTIAL", "CREDENTIAL#2 / CREDENTIAL"];
    assert_eq!(world.keys("CREDENTIAL#").await, kept);
    assert_eq!(world.keys("CATALOGUE#").await.len(), 8);
    let left = world.keys("USER#").await;
    assert!(
        !left.iter().any(|key| key.ends_with("CREDENTIAL")),
        "{left:?}"
    );
    let client = world.beside(&[], world.app.clock.clone()).await;
    assert_works(&world, &client).await;
    assert_eq!(world.schema().await, Schema::CURRENT);
}

#[tokio::test]
async fn a_run_goes_on_where_the_one_before_stopped() {
    let world = World::start().await;
    for name in ["ann", "bob", "cat", "dan"] {
        world.user(name).await;
    }
    world.age().await;
    let all = world.items().await.len() as u64;
    prepare(&world.table, 0).await.unwrap();
    // The catalogue and the layout are items too.
    let all = all + 9;
    let mut first = Done::default();
    while first.moved == 0 {
        assert!(move_page(&world.table, &mut first, 3).await.unwrap());
    }
    let kept = world.schema().await;
    assert_eq!(kept.done.as_ref(), Some(&first));
    assert_eq!(
        (kept.layout, kept.writes),
        (Layout::FIRST, Some(Layout::CURRENT))
    );
    assert_eq!(
        left(&world.table, &kept).await.unwrap().hashes as u64,
        5 - first.moved
    );
    let done = carry_out(&world.table, 0, None).await.unwrap();
    assert_eq!(done.moved, 5);
    // Nothing was read twice: those who were moved before stand in their new place, or not yet.
    assert!(
        (all..=all + 5).contains(&done.read),
        "{done:?}, {all} items"
    );
    assert_eq!(world.schema().await, Schema::CURRENT);
    assert_eq!(world.keys("CREDENTIAL#").await.len(), 5);
    world.assert_sound().await;
}

#[tokio::test]
async fn what_is_written_while_a_migration_runs_follows_the_new_layout() {
    let world = World::old().await;
    world.table.begin_migration().await.unwrap();
    let client = world.beside(&[], world.app.clock.clone()).await;
    assert_works(&world, &client).await;
    client.register("bob").await.assert_status(201);
    let kept = world.keys("CREDENTIAL#").await;
    assert_eq!(kept, ["CREDENTIAL#3 / CREDENTIAL"]);
    let user = world.read(shared::domain::UserId(2)).await;
    world.set_password(&user, "another-Long-phrase").await;
    client.log_in("ann", "another-Long-phrase").await;
    client.login("ann", PASSWORD).await.assert_status(401);
    world.migrate().await;
    client.log_in("ann", "another-Long-phrase").await;
    client.login("ann", PASSWORD).await.assert_status(401);
    world.assert_sound().await;
}

#[tokio::test]
async fn a_deactivation_while_a_migration_runs_keeps_its_end_of_sessions() {
    let world = World::old().await;
    let ann = world.read(shared::domain::UserId(2)).await;
    world.table.begin_migration().await.unwrap();
    world.change(&ann, |user| user.is_active = false).await;
    world.migrate().await;
    world.assert_sound().await;
    let ann = world.read(ann.id).await;
    world.change(&ann, |user| user.is_active = true).await;
    world.login("ann", PASSWORD).await.assert_status(200);
}

#[tokio::test]
async fn what_an_older_version_wrote_since_is_found_and_moved_by_another_migration() {
    let world = World::start().await;
    let ann = world.user("ann").await;
    let (client, table) = world.raw();
    let apart = Entity::Credential(ann.id).key();
    let mut item = world.items().await["CREDENTIAL#2 / CREDENTIAL"].clone();
    let delete = client.delete_item().table_name(table);
    let delete = delete.set_key(Some(attributes(&apart))).send().await;
    delete.unwrap();
    item.insert("PK".to_owned(), text("USER#2"));
    let put = client.put_item().table_name(table).set_item(Some(item));
    put.send().await.unwrap();
    let line =
        "user 2 has a password hash where an older version wrote it: run manage migrate --again";
    assert_eq!(world.broken().await, [line]);
    let done = carry_out(&world.table, 0, None).await.unwrap();
    assert_eq!(done.moved, 1);
    world.login("ann", PASSWORD).await.assert_status(200);
    world.assert_sound().await;
}

#[tokio::test]
async fn names_are_found_without_their_indexes_and_by_them_after_a_migration() {
    let world = World::start().await;
    let zoe = |user: &mut shared::domain::User| user.first_name = parsed("Zoë");
    world.user("ann").with(zoe).await;
    world.age().await;
    let found = async || {
        let (client, table) = world.raw();
        let filter = Filter {
            search: Search::words("zo\u{eb}"),
            ..Filter::default()
        };
        let store = Store::new(client.clone(), table);
        let page = store.user_page(&filter, None, 9).await.expect("a page");
        let names = page
            .users
            .into_iter()
            .map(|user| user.username.as_str().to_owned());
        names.collect::<Vec<_>>()
    };
    let rows = async || {
        let keys = world.keys("USER#").await.into_iter();
        keys.filter(|key| key.ends_with("STNAME"))
            .collect::<Vec<_>>()
    };
    let register = async |name: &str| {
        let client = world.beside(&[], world.app.clock.clone()).await;
        let mut body = registration(name, &format!("{name}@example.com"));
        body["first_name"] = "Zoë".into();
        let made = client.post(NOBODY, "users/register/", body).await;
        made.assert_status(201);
    };
    register("bob").await;
    assert_eq!(rows().await, [""; 0]);
    assert_eq!(found().await, ["ann", "bob"]);
    world.table.begin_migration().await.unwrap();
    register("cat").await;
    assert_eq!(rows().await, ["USER#4 / FIRSTNAME"]);
    assert_eq!(found().await, ["ann", "bob", "cat"]);
    world.migrate().await;
    assert_eq!(
        rows().await,
        [2, 3, 4].map(|id| format!("USER#{id} / FIRSTNAME"))
    );
    assert_eq!(found().await, ["ann", "bob", "cat"]);
    assert_eq!(carry_out(&world.table, 0, None).await.unwrap().named, 0);
    world.assert_sound().await;
}

#[tokio::test]
async fn a_newer_layout_is_refused() {
    let world = World::start().await;
    let (client, table) = world.raw();
    let update = client.update_item().table_name(table);
    let update = update
        .set_key(Some(attributes(&Entity::Schema.key())))
        .update_expression("SET layout = :newer")
        .expression_attribute_values(":newer", shared::store::items::number(99));
    update.send().await.unwrap();
    let refused = world.table.refuse_newer_layout().await.unwrap_err();
    let text = "the table has layout 99, and this version knows none above 3: use a newer version";
    assert_eq!(refused.to_string(), text);
}
