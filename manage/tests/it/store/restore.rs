//! `manage afterrestore`: nothing that a backup has forgotten comes back to life in somebody else.

use manage::{
    afterrestore::raise_sequences,
    logout::{Everybody, end_all_sessions},
};
use serde_json::{Value, json};
use shared::domain::Actor;
use testkit::{NOBODY, PASSWORD, proxy::Fault};

use super::world::World;

#[tokio::test]
async fn a_lost_users_tokens_do_not_open_the_account_of_the_next_who_registers() {
    let world = World::start().await;
    let ann = world.account("ann").await;
    let backup = world.items().await;
    let lost = world.account("lost").await;
    world.restore(&backup).await;
    raise_sequences(&world.table, None).await.unwrap();
    let ended = end_all_sessions(&world.table, Actor::Setup, Everybody::default()).await;
    assert_eq!(ended.unwrap(), 2);

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

#[tokio::test]
async fn ending_everybodys_sessions_goes_on_where_it_was_stopped() {
    let world = World::start().await;
    for name in ["ann", "bob", "cid"] {
        world.user(name).await;
    }
    let failing = |operation: &str, request: &Value| {
        let mut puts = request["TransactItems"].as_array().into_iter().flatten();
        operation == "TransactWriteItems"
            && puts.any(|one| one["Update"]["Key"]["PK"]["S"] == "USER#3")
    };
    let refused = Fault::Refused(400, "AccessDeniedException");
    world
        .proxy
        .inject(move |operation, request| failing(operation, request).then(|| refused.clone()));
    let first = end_all_sessions(&world.app.store, Actor::Setup, Everybody::default()).await;
    let told = first.expect_err("a refusal").to_string();
    assert!(
        told.ends_with("2 of 4 are done: go on with --from-id 3"),
        "{told}"
    );
    world.proxy.heal();
    let rest = Everybody {
        from_id: Some(3),
        ..Everybody::default()
    };
    let ended = end_all_sessions(&world.app.store, Actor::Setup, rest).await;
    assert_eq!(ended.unwrap(), 2);
    world.assert_sound().await;
}
