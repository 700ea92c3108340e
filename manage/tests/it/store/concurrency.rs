//! Changes at the same time: no rule is broken and nothing that was acknowledged is lost.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use shared::{
    accounts::users,
    domain::{Actor, GroupId, User, UserChange, UserId},
    jwt::TokenType,
};
use testkit::{
    Answer, Observed, detail, forbidden, not_found, parsed, proxy::is_change, user_path,
};

use super::{
    faults::assert_unavailable,
    race::{at_once, by, hold, hold_writes},
    world::World,
};

/// How often a race is run.
const ROUNDS: usize = 15;

fn last_superuser() -> Value {
    detail("The last active superuser cannot be removed.")
}

/// How many of the answers are this one.
fn count(answers: &[Answer], status: u16, body: &Value) -> usize {
    let these = answers.iter().map(Answer::parts);
    these.filter(|parts| *parts == (status, body)).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_deleted_during_a_rename_leaves_nothing_behind() {
    let world = World::start().await;
    for round in 0..ROUNDS {
        let ann = world.user("ann").await;
        let path = user_path(ann.id);
        let anna = json!({"username": "anna", "email": "anna@example.com"});
        let renaming = by(&world.admin, "PATCH", &path, anna);
        let deletion = by(&world.admin, "DELETE", path, Value::Null);
        if round % 2 == 0 {
            hold_writes(&world, 2);
        }
        let answers = at_once(&world, [renaming, deletion]).await;
        let renamed = json!({
            "id": ann.id.0, "username": "anna", "email": "anna@example.com",
            "first_name": "", "last_name": "", "groups": [],
        });
        let seen = answers[0].parts();
        let either = seen == (200, &renamed) || seen == (404, &not_found());
        assert!(either, "{seen:?}");
        answers[1].assert(204, Value::Null);
        let keys = [
            "EMAIL#admin@example.com / EMAIL",
            "USER#1 / FLAG#STAFF",
            "USER#1 / FLAG#SUPERUSER",
            "USER#1 / PROFILE",
            "USERNAME#admin / USERNAME",
        ];
        assert_eq!(world.keys("EMAIL#").await, keys[..1]);
        assert_eq!(world.keys("USER#").await, keys[1..4]);
        assert_eq!(world.keys("USERNAME#").await, keys[4..]);
        world.assert_sound().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_somebody_else_changes_meanwhile_waits_for_no_link_that_nobody_sends() {
    let settings = [
        ("EMAIL_FRONTEND_DOMAIN", "app.example.com"),
        ("PASSWORD_RESET_CONFIRM_URL", "reset/{uid}/{token}"),
        ("ACTIVATION_URL", "activate/{uid}/{token}"),
        ("SEND_ACTIVATION_EMAIL", "true"),
    ];
    let world = World(Observed::with(&settings).await);
    let ann = world.user("ann").await;
    let own = json!({"email": "ann@example.com", "last_name": "Lee"});
    let own = by(&ann, "PATCH", "users/me/", own);
    let held = hold(&world, 0, is_change);
    let meanwhile = async {
        held.came().await;
        let change = UserChange {
            email: Some(parsed("other@example.com")),
            ..UserChange::default()
        };
        let before = world.read(ann.id).await;
        let changed = users::change(&world.table, Actor::Setup, before, &change);
        changed.await.unwrap();
        held.go().await;
    };
    let (answers, ()) = tokio::join!(at_once(&world, [own.clone()]), meanwhile);
    assert_unavailable(&answers[0], "a change");
    assert_eq!(world.read(ann.id).await.pending_email, None);
    at_once(&world, [own]).await[0].assert_status(200);
    let waits = world.read(ann.id).await.pending_email;
    assert_eq!(waits.unwrap().as_str(), "ann@example.com");
    let owed = world.table.owed_mails(10).await.unwrap();
    let to: Vec<&str> = owed.iter().map(|mail| mail.to.as_str()).collect();
    assert_eq!(to, ["ann@example.com"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_superusers_who_demote_each_other_one_remains() {
    let world = World::start().await;
    let other = world.user("root").staff().superuser().await;
    let set = |caller: &User, target: &User, flag: bool| {
        let body = json!({ "is_superuser": flag });
        by(caller, "PATCH", user_path(target.id), body)
    };
    for round in 0..ROUNDS {
        if round % 2 == 0 {
            hold_writes(&world, 2);
        }
        let (one, two) = (&world.admin, &other);
        let answers = at_once(&world, [set(one, two, false), set(two, one, false)]).await;
        let done = answers.iter().filter(|answer| answer.status == 200).count();
        // A user demoted before their own request began may not change a superuser.
        let refused = count(&answers, 400, &last_superuser()) + count(&answers, 403, &forbidden());
        assert_eq!((done, refused), (1, 1), "{answers:?}");
        world.assert_sound().await;
        let (winner, loser) = match answers[0].status {
            200 => (one, two),
            _ => (two, one),
        };
        assert!(world.read(winner.id).await.is_active_superuser());
        assert!(!world.read(loser.id).await.is_superuser);
        world.proxy.heal();
        let promoted = at_once(&world, [set(winner, loser, true)]).await;
        promoted[0].assert_status(200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_superusers_who_delete_each_other_one_remains() {
    let world = World::start().await;
    let other = world.user("root").staff().superuser().await;
    let delete =
        |caller: &User, target: &User| by(caller, "DELETE", user_path(target.id), Value::Null);
    hold_writes(&world, 2);
    let (one, two) = (&world.admin, &other);
    let mut answers = at_once(&world, [delete(one, two), delete(two, one)]).await;
    answers.sort_by_key(|answer| answer.status);
    answers[0].assert(204, Value::Null);
    let gone = json!({"detail": "User not found", "code": "user_not_found"});
    answers[1].assert(401, gone);
    assert_eq!(world.keys("USERNAME#").await.len(), 1);
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn permissions_assigned_to_one_group_at_once_are_all_there() {
    let world = World::start().await;
    world.group("Staff", &[]).await;
    hold_writes(&world, 12);
    let requests = (1..=12).map(|permission| {
        let path = match permission % 2 {
            0 => "groups/1/assign_permissions/".to_owned(),
            _ => format!("permissions/{permission}/assign_to_group/"),
        };
        let body = json!({"permission_ids": [permission], "group_id": 1});
        by(&world.admin, "POST", path, body)
    });
    for answer in at_once(&world, requests).await {
        answer.assert_status(200);
    }
    let group = world.table.group(GroupId(1)).await.unwrap().unwrap();
    let held: BTreeSet<u64> = group.permission_ids.iter().map(|id| id.0).collect();
    assert_eq!((held, group.version), ((1..=12).collect(), 13));
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_of_different_fields_of_one_user_at_once_all_come_through() {
    let world = World::start().await;
    world.group("Staff", &[]).await;
    world.user("ann").await;
    let changes = [
        json!({"username": "anna"}),
        json!({"email": "anna@example.com"}),
        json!({"first_name": "Ann"}),
        json!({"last_name": "Smith"}),
        json!({"is_staff": true}),
        json!({"is_superuser": true}),
    ];
    hold_writes(&world, changes.len() + 1);
    let admin = &world.admin;
    let patches = changes.map(|change| by(admin, "PATCH", "users/2/", change));
    let group = json!({"group_ids": [1]});
    let assignment = by(admin, "POST", "users/2/assign_groups/", group);
    for answer in at_once(&world, patches.into_iter().chain([assignment])).await {
        answer.assert_status(200);
    }
    let profile = json!({
        "id": 2, "username": "anna", "email": "anna@example.com", "first_name": "Ann",
        "last_name": "Smith", "groups": [{"id": 1, "name": "Staff"}],
    });
    world.get(admin, "users/2/").await.assert(200, profile);
    let stored = world.read(UserId(2)).await;
    let seen = (stored.is_staff, stored.is_superuser, stored.version);
    assert_eq!(seen, (true, true, 8));
    assert_eq!(world.keys("USERNAME#").await.len(), 2);
    assert_eq!(world.keys("EMAIL#").await.len(), 2);
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_take_one_name_at_once_exactly_one_has_it() {
    let world = World::start().await;
    for number in 0..8 {
        world.user(&format!("user{number}")).await;
    }
    hold_writes(&world, 8);
    let ann = || json!({"username": "ann"});
    let requests = (2..10).map(|id| by(&world.admin, "PATCH", user_path(id), ann()));
    let answers = at_once(&world, requests).await;
    let taken = json!({"username": ["A user with that username already exists."]});
    let done = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!((done, count(&answers, 400, &taken)), (1, 7), "{answers:?}");
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_blacklist_one_token_at_once_one_is_told_that_it_was_done() {
    let world = World::start().await;
    let refresh = json!({"refresh": world.issue(TokenType::Refresh, &world.admin)});
    hold_writes(&world, 2);
    let request = || (None, "POST", "token/blacklist/".to_owned(), refresh.clone());
    let mut answers = at_once(&world, [request(), request()]).await;
    answers.sort_by_key(|answer| answer.status);
    answers[0].assert(200, json!({}));
    let done = json!({"detail": "Token is blacklisted", "code": "token_not_valid"});
    answers[1].assert(401, done);
}
