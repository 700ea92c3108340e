//! More groups than one transaction takes: the profile goes first, the members' index follows.

use serde_json::{Value, json};
use shared::domain::{GroupId, User};

use super::{
    proxy::{Fault, round_trips},
    world::{Answer, World},
};

/// More than fit into one transaction, and than two batches of what does not.
const MANY: u64 = 150;

/// Ann, and as many groups.
async fn stage() -> (World, User) {
    let world = World::start().await;
    let ann = world.user("ann").await;
    for number in 1..=MANY {
        world.group(&format!("Group {number}")).await;
    }
    (world, ann)
}

async fn assign(world: &World, ids: impl IntoIterator<Item = u64>) -> Answer {
    let ids: Vec<u64> = ids.into_iter().collect();
    world
        .as_admin("POST", "users/2/assign_groups/", &json!({"group_ids": ids}))
        .await
}

/// Ann's profile with these groups.
fn profile(groups: impl IntoIterator<Item = u64>) -> Value {
    let groups: Vec<Value> = groups
        .into_iter()
        .map(|id| json!({"id": id, "name": format!("Group {id}")}))
        .collect();
    json!({
        "id": 2, "username": "ann", "email": "ann@example.com", "first_name": "", "last_name": "",
        "groups": groups,
    })
}

async fn memberships(world: &World) -> usize {
    world.keys("USER#2 / GROUP#").await.len()
}

#[tokio::test]
async fn a_user_joins_150_groups_and_leaves_them_again() {
    let (world, _) = stage().await;
    assert_eq!(
        assign(&world, 1..=MANY).await.seen(),
        (200, profile(1..=MANY))
    );
    assert_eq!(memberships(&world).await, 150);
    world.assert_sound().await;
    assert_eq!(assign(&world, [7]).await.seen(), (200, profile([7])));
    assert_eq!(memberships(&world).await, 1);
    world.assert_sound().await;
    assert_eq!(assign(&world, []).await.seen(), (200, profile([])));
    assert_eq!(memberships(&world).await, 0);
    world.assert_sound().await;
}

#[tokio::test]
async fn a_user_in_150_groups_is_deleted_whole() {
    let (world, ann) = stage().await;
    world.join(&ann, (1..=MANY).map(GroupId)).await;
    let answer = world.as_admin("DELETE", "users/2/", &Value::Null).await;
    assert_eq!(answer.seen(), (204, Value::Null));
    assert_eq!(world.keys("USER#2").await, Vec::<String>::new());
    world.assert_sound().await;
}

#[tokio::test]
async fn as_many_memberships_as_fit_change_in_one_transaction() {
    let (world, _) = stage().await;
    world.proxy.take_calls();
    assert_eq!(assign(&world, 1..=90).await.seen(), (200, profile(1..=90)));
    let operations = [
        ["GetItem"],
        ["GetItem"],
        ["BatchGetItem"],
        ["TransactWriteItems"],
    ];
    assert_eq!(round_trips(&world.proxy.take_calls()), operations);
    world.assert_sound().await;
}

#[tokio::test]
async fn many_memberships_are_written_in_spite_of_conflicts_and_lost_answers() {
    for fault in [
        Fault::Cancelled("TransactionConflict"),
        Fault::LostAnswer,
        Fault::LostRequest,
    ] {
        let (world, _) = stage().await;
        world
            .proxy
            .inject_once(fault, |operation, _| operation == "TransactWriteItems");
        assert_eq!(
            assign(&world, 1..=MANY).await.seen(),
            (200, profile(1..=MANY))
        );
        assert_eq!(memberships(&world).await, 150);
        world.assert_sound().await;
    }
}
