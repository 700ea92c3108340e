//! More groups than one transaction takes: the profile goes first, the members' index follows.

use serde_json::{Value, json};
use shared::domain::{GroupId, User};
use testkit::proxy::{Fault, round_trips};

use super::world::World;

/// More than fit into one transaction, and than two batches of what does not.
const MANY: u64 = 150;

/// Ann, and as many groups.
async fn stage() -> (World, User) {
    let world = World::start().await;
    let ann = world.user("ann").await;
    for number in 1..=MANY {
        world.group(&format!("Group {number}"), &[]).await;
    }
    (world, ann)
}

/// Puts Ann into these groups and no others.
async fn assign(world: &World, ids: impl IntoIterator<Item = u64>) {
    let ids: Vec<u64> = ids.into_iter().collect();
    let body = json!({ "group_ids": ids });
    let answer = world.post(&world.admin, "users/2/assign_groups/", body);
    let group = |id: &u64| json!({"id": id, "name": format!("Group {id}")});
    let profile = json!({
        "id": 2, "username": "ann", "email": "ann@example.com", "first_name": "", "last_name": "",
        "groups": ids.iter().map(group).collect::<Vec<_>>(),
    });
    answer.await.assert(200, profile);
}

async fn assert_memberships(world: &World, count: usize) {
    assert_eq!(world.keys("USER#2 / GROUP#").await.len(), count);
    world.assert_sound().await;
}

#[tokio::test]
async fn a_user_joins_150_groups_and_leaves_them_again() {
    let (world, _) = stage().await;
    assign(&world, 1..=MANY).await;
    assert_memberships(&world, 150).await;
    assign(&world, [7]).await;
    assert_memberships(&world, 1).await;
    assign(&world, []).await;
    assert_memberships(&world, 0).await;
}

#[tokio::test]
async fn a_user_in_150_groups_is_deleted_whole() {
    let (world, ann) = stage().await;
    world.join(&ann, (1..=MANY).map(GroupId)).await;
    let answer = world.delete(&world.admin, "users/2/").await;
    answer.assert(204, Value::Null);
    assert_eq!(world.keys("USER#2").await, [""; 0]);
    world.assert_sound().await;
}

#[tokio::test]
async fn as_many_memberships_as_fit_change_in_one_transaction() {
    let (world, _) = stage().await;
    world.proxy.take_calls();
    assign(&world, 1..=90).await;
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
        let transaction = |operation: &str, _: &Value| operation == "TransactWriteItems";
        world.proxy.inject_once(fault, transaction);
        assign(&world, 1..=MANY).await;
        assert_memberships(&world, 150).await;
    }
}
