//! More groups than one transaction takes: the first has all that may be refused, and each leaves a
//! whole user.

use serde_json::{Value, json};
use shared::domain::{GroupId, User};
use testkit::{
    Answer,
    proxy::{Fault, is_change, round_trips},
    user_path,
};

use super::{
    faults::{assert_contended, assert_unavailable},
    half_done::{cut_by, cut_ever_later, tokens},
    race::{at_once, by, hold},
    world::World,
};

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

/// Asks for Ann to be in the first `count` groups and no others.
async fn ask(world: &World, count: u64) -> Answer {
    let ids: Vec<u64> = (1..=count).collect();
    let body = json!({ "group_ids": ids });
    world
        .post(&world.admin, "users/2/assign_groups/", body)
        .await
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

#[tokio::test]
async fn a_change_of_many_memberships_that_was_cut_is_sent_again_and_does_the_rest() {
    let (world, ann) = stage().await;
    for (count, steps) in [(MANY, 3), (0, 3)] {
        let before = world.read(ann.id).await.group_ids.len();
        let (cuts, answer) = cut_ever_later(&world, || ask(&world, count)).await;
        // The first cut leaves nothing to be done but what was asked for.
        assert!(cuts >= 1 && cuts <= steps, "{cuts}");
        assert_eq!(answer.status, 200, "{before}");
        let groups = world.read(ann.id).await.group_ids;
        assert_eq!(groups, (1..=count).map(GroupId).collect());
        assert_eq!(world.keys("USER#2 / GROUP#").await.len() as u64, count);
    }
}

/// Other writes are in the way from the change `after` on: a 409 says that nothing is done, a 503 that
/// a part may be.
async fn met_others<F: Future<Output = Answer>>(
    world: &World,
    code: &'static str,
    after: usize,
    send: impl Fn() -> F,
) {
    let before = world.state().await;
    cut_by(world, Fault::Cancelled(code), after, is_change);
    let answer = send().await;
    world.proxy.heal();
    if after == 0 {
        assert_contended(&answer, "a change");
    } else {
        assert_unavailable(&answer, "a change that has begun");
    }
    assert_eq!(world.state().await == before, after == 0);
    world.assert_sound().await;
}

#[tokio::test]
async fn a_change_of_many_memberships_that_has_begun_is_not_said_to_be_refused() {
    let (world, ann) = stage().await;
    for count in [MANY, 0] {
        for after in 0..2 {
            met_others(&world, "TransactionConflict", after, || ask(&world, count)).await;
        }
        ask(&world, count).await.assert_status(200);
    }
    ask(&world, MANY).await.assert_status(200);
    let path = user_path(ann.id);
    for after in 0..2 {
        met_others(&world, "TransactionConflict", after, || {
            world.delete(&world.admin, &path)
        })
        .await;
    }
    let answer = world.delete(&world.admin, &path).await;
    answer.assert(204, Value::Null);
}

#[tokio::test]
async fn a_change_of_many_memberships_whose_every_later_step_comes_too_late_is_not_said_to_be_refused()
 {
    let (world, _) = stage().await;
    for after in 0..2 {
        met_others(&world, "ConditionalCheckFailed", after, || {
            ask(&world, MANY)
        })
        .await;
    }
    ask(&world, MANY).await.assert_status(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_is_not_allowed_any_more_after_it_has_begun_is_not_said_to_be_refused() {
    let (world, ann) = stage().await;
    let boss = world.staff("boss", &["auth.change_user"]).await;
    let second = hold(&world, 1, is_change);
    let all: Vec<u64> = (1..=MANY).collect();
    let change = by(
        &boss,
        "POST",
        "users/2/assign_groups/",
        json!({ "group_ids": all }),
    );
    let meanwhile = async {
        second.came().await;
        world.change(&ann, |user| user.is_superuser = true).await;
        second.go().await;
    };
    let (answers, ()) = tokio::join!(at_once(&world, [change.clone()]), meanwhile);
    assert_unavailable(&answers[0], "a change that has begun");
    assert_ne!(world.read(ann.id).await.group_ids.len(), 0);
    world.assert_sound().await;
    let answers = at_once(&world, [change]).await;
    answers[0].assert(403, testkit::forbidden());
}

#[tokio::test]
async fn users_in_many_groups_can_be_made_and_deleted_in_steps() {
    let world = World::start().await;
    for number in 1..=MANY {
        world.group(&format!("Group {number}"), &[]).await;
    }
    let joins = |user: &mut User| user.group_ids = (1..=MANY).map(GroupId).collect();
    let ann = world.user("ann").superuser().with(joins).await;
    assert_eq!(world.keys("USER#2 / GROUP#").await.len() as u64, MANY);
    world.assert_sound().await;
    tokens(&world, "ann").await;
    let path = user_path(ann.id);
    let delete = || world.delete(&world.admin, &path);
    let (cuts, answer) = cut_ever_later(&world, delete).await;
    assert!(cuts >= 1, "{cuts}");
    answer.assert(204, Value::Null);
    assert_eq!(world.keys("USER#2").await, [""; 0]);
    assert_eq!(world.keys("SESSION#2").await, [""; 0]);
}

#[tokio::test]
async fn the_last_superuser_stays_in_many_groups_when_their_deletion_is_refused() {
    let world = World::start().await;
    for number in 1..=MANY {
        world.group(&format!("Group {number}"), &[]).await;
    }
    let admin = world.join(&world.admin, (1..=MANY).map(GroupId)).await;
    let before = world.state().await;
    let answer = world.delete(&admin, &user_path(admin.id)).await;
    let text = "The last active superuser cannot be removed.";
    answer.assert(400, testkit::detail(text));
    assert!(world.state().await == before, "something changed");
}
