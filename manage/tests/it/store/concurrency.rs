//! Changes at the same time: no rule is broken and nothing that was acknowledged is lost.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::{Value, json};
use shared::{
    domain::{GroupId, User, UserId},
    jwt::TokenType,
};

use super::{
    race::{at_once, hold_writes},
    world::{Answer, World},
};

/// How often a race is run.
const ROUNDS: usize = 15;

/// The user as the table holds him.
async fn stored(world: &World, id: UserId) -> Option<User> {
    world.table.user(id).await.expect("a read")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_deleted_while_he_is_renamed_leaves_nothing_behind() {
    let world = Arc::new(World::start().await);
    for round in 0..ROUNDS {
        let ann = world.user("ann").await;
        let admin = || Some(world.admin.clone());
        let path = format!("users/{}/", ann.id);
        let renaming = (
            admin(),
            "PATCH",
            path.clone(),
            json!({"username": "anna", "email": "anna@example.com"}),
        );
        let deletion = (admin(), "DELETE", path, Value::Null);
        if round % 2 == 0 {
            hold_writes(&world, 2);
        }
        let answers = at_once(&world, [renaming, deletion]).await;
        let renamed = json!({
            "id": ann.id.0, "username": "anna", "email": "anna@example.com",
            "first_name": "", "last_name": "", "groups": [],
        });
        let gone = json!({"detail": "Not found."});
        let seen = answers[0].seen();
        assert!(seen == (200, renamed) || seen == (404, gone), "{seen:?}");
        assert_eq!(answers[1].seen(), (204, Value::Null));
        assert_eq!(world.keys("USERNAME#").await, ["USERNAME#admin / USERNAME"]);
        assert_eq!(
            world.keys("EMAIL#").await,
            ["EMAIL#admin@example.com / EMAIL"]
        );
        assert_eq!(
            world.keys("USER#").await,
            [
                "USER#1 / CREDENTIAL",
                "USER#1 / FLAG#STAFF",
                "USER#1 / FLAG#SUPERUSER",
                "USER#1 / PROFILE"
            ]
        );
        world.assert_sound().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_superusers_who_demote_each_other_one_remains() {
    let world = Arc::new(World::start().await);
    let other = world.superuser("root").await;
    let demote = |caller: &User, target: &User| {
        (
            Some(caller.clone()),
            "PATCH",
            format!("users/{}/", target.id),
            json!({"is_superuser": false}),
        )
    };
    for round in 0..ROUNDS {
        if round % 2 == 0 {
            hold_writes(&world, 2);
        }
        let answers = at_once(
            &world,
            [demote(&world.admin, &other), demote(&other, &world.admin)],
        )
        .await;
        let last = (
            400,
            json!({"detail": "The last active superuser cannot be removed."}),
        );
        // Who was demoted before his own request began may not change a superuser.
        let demoted = (
            403,
            json!({"detail": "You do not have permission to perform this action."}),
        );
        let done = answers.iter().filter(|answer| answer.status == 200).count();
        let refused = answers
            .iter()
            .filter(|answer| [&last, &demoted].contains(&&answer.seen()))
            .count();
        assert_eq!((done, refused), (1, 1), "{answers:?}");
        world.assert_sound().await;
        let (winner, loser) = if answers[0].status == 200 {
            (&world.admin, &other)
        } else {
            (&other, &world.admin)
        };
        assert!(
            stored(&world, winner.id)
                .await
                .is_some_and(|user| user.is_active_superuser())
        );
        assert!(
            stored(&world, loser.id)
                .await
                .is_some_and(|user| !user.is_superuser)
        );
        world.proxy.heal();
        let promotion = json!({"is_superuser": true});
        let promoted = world
            .call(
                Some(winner),
                "PATCH",
                &format!("users/{}/", loser.id),
                &promotion,
            )
            .await;
        assert_eq!(promoted.status, 200, "{promoted:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_superusers_who_delete_each_other_one_remains() {
    let world = Arc::new(World::start().await);
    let other = world.superuser("root").await;
    let delete = |caller: &User, target: &User| {
        (
            Some(caller.clone()),
            "DELETE",
            format!("users/{}/", target.id),
            Value::Null,
        )
    };
    hold_writes(&world, 2);
    let answers = at_once(
        &world,
        [delete(&world.admin, &other), delete(&other, &world.admin)],
    )
    .await;
    let mut seen: Vec<_> = answers.iter().map(Answer::seen).collect();
    seen.sort_by_key(|(status, _)| *status);
    let last = json!({"detail": "The last active superuser cannot be removed."});
    assert_eq!(seen, [(204, Value::Null), (400, last)]);
    assert_eq!(world.keys("USERNAME#").await.len(), 1);
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn permissions_assigned_to_one_group_at_once_are_all_there() {
    let world = Arc::new(World::start().await);
    world.group("Staff").await;
    hold_writes(&world, 12);
    let requests = (1..=12).map(|permission| {
        let path = if permission % 2 == 0 {
            "groups/1/assign_permissions/".to_owned()
        } else {
            format!("permissions/{permission}/assign_to_group/")
        };
        let body = json!({"permission_ids": [permission], "group_id": 1});
        (Some(world.admin.clone()), "POST", path, body)
    });
    for answer in at_once(&world, requests).await {
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let group = world
        .table
        .group(GroupId(1))
        .await
        .expect("a read")
        .expect("the group");
    let held: BTreeSet<u64> = group.permission_ids.iter().map(|id| id.0).collect();
    assert_eq!(held, (1..=12).collect());
    assert_eq!(group.version, 13);
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_of_different_fields_of_one_user_at_once_all_come_through() {
    let world = Arc::new(World::start().await);
    world.group("Staff").await;
    let ann = world.user("ann").await;
    let changes = [
        json!({"username": "anna"}),
        json!({"email": "anna@example.com"}),
        json!({"first_name": "Ann"}),
        json!({"last_name": "Smith"}),
        json!({"is_staff": true}),
        json!({"is_superuser": true}),
    ];
    hold_writes(&world, changes.len() + 1);
    let caller = || Some(world.admin.clone());
    let patches = changes
        .into_iter()
        .map(|change| (caller(), "PATCH", "users/2/".to_owned(), change));
    let assignment = (
        caller(),
        "POST",
        "users/2/assign_groups/".to_owned(),
        json!({"group_ids": [1]}),
    );
    for answer in at_once(&world, patches.chain([assignment])).await {
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let answer = world.as_admin("GET", "users/2/", &Value::Null).await;
    let profile = json!({
        "id": 2, "username": "anna", "email": "anna@example.com", "first_name": "Ann", "last_name": "Smith",
        "groups": [{"id": 1, "name": "Staff"}],
    });
    assert_eq!(answer.seen(), (200, profile));
    let stored = stored(&world, ann.id).await.expect("Ann");
    assert_eq!(
        (stored.is_staff, stored.is_superuser, stored.version),
        (true, true, 8)
    );
    assert_eq!(world.keys("USERNAME#").await.len(), 2);
    assert_eq!(world.keys("EMAIL#").await.len(), 2);
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_take_one_name_at_once_exactly_one_has_it() {
    let world = Arc::new(World::start().await);
    for number in 0..8 {
        world.user(&format!("user{number}")).await;
    }
    hold_writes(&world, 8);
    let requests = (2..10).map(|id| {
        (
            Some(world.admin.clone()),
            "PATCH",
            format!("users/{id}/"),
            json!({"username": "ann"}),
        )
    });
    let answers = at_once(&world, requests).await;
    let taken = (
        400,
        json!({"username": ["A user with that username already exists."]}),
    );
    assert_eq!(
        answers.iter().filter(|answer| answer.status == 200).count(),
        1,
        "{answers:?}"
    );
    assert_eq!(
        answers
            .iter()
            .filter(|answer| answer.seen() == taken)
            .count(),
        7,
        "{answers:?}"
    );
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_blacklist_one_token_at_once_one_is_told_that_it_was_done() {
    let world = Arc::new(World::start().await);
    let refresh = world.token(TokenType::Refresh, &world.admin);
    hold_writes(&world, 2);
    let request = || {
        (
            None,
            "POST",
            "token/blacklist/".to_owned(),
            json!({"refresh": refresh}),
        )
    };
    let mut seen: Vec<_> = at_once(&world, [request(), request()])
        .await
        .iter()
        .map(Answer::seen)
        .collect();
    seen.sort_by_key(|(status, _)| *status);
    let done = json!({"detail": "Token is blacklisted", "code": "token_not_valid"});
    assert_eq!(seen, [(200, json!({})), (401, done)]);
}
