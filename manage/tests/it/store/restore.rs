//! `manage afterrestore`: nothing that a backup has forgotten comes back to life in somebody else.

use manage::afterrestore::{end_all_sessions, raise_sequences};
use serde_json::json;
use shared::domain::Actor;
use testkit::{NOBODY, PASSWORD};

use super::world::World;

#[tokio::test]
async fn a_lost_users_tokens_do_not_open_the_account_of_the_next_who_registers() {
    let world = World::start().await;
    let ann = world.account("ann").await;
    let backup = world.items().await;
    let lost = world.account("lost").await;
    world.restore(&backup).await;
    raise_sequences(&world.table, None).await.unwrap();
    let ended = end_all_sessions(&world.table, Actor::Setup).await.unwrap();
    assert_eq!(ended, 2);

    let victim = world.register("victim").await;
    assert!(victim.id() > lost.id, "{victim:?}");
    let refresh = json!({"refresh": lost.refresh});
    let refused = world.post(NOBODY, "token/refresh/", refresh).await;
    refused.assert_status(401);
    // What the backup holds works on, but for the sessions.
    world.get(&ann, "users/me/").await.assert_status(401);
    world.login("ann", PASSWORD).await.assert_status(200);
    world.assert_sound().await;
}

#[tokio::test]
async fn a_known_last_id_is_burnt_and_no_more() {
    let world = World::start().await;
    raise_sequences(&world.table, Some(41)).await.unwrap();
    assert_eq!(world.register("ann").await.id(), 42);
    raise_sequences(&world.table, Some(7)).await.unwrap();
    assert_eq!(world.register("bob").await.id(), 43);
}
