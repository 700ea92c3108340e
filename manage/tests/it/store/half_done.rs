//! Requests of several steps that are cut between two of them: what is there then is right in itself,
//! and the same request, sent again, does the rest.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::{Value, json};
use shared::domain::User;
use testkit::{
    Answer, NOBODY, PASSWORD,
    proxy::{Fault, is_change},
    user_path,
};

use super::{faults::assert_unavailable, race::hold, world::World};

/// From the call `after` on, of those that `which` picks, none is carried out.
fn cut(world: &World, after: usize, which: impl Fn(&str, &Value) -> bool + Send + Sync + 'static) {
    cut_by(
        world,
        Fault::Refused(500, "InternalServerError"),
        after,
        which,
    );
}

pub fn cut_by(
    world: &World,
    fault: Fault,
    after: usize,
    which: impl Fn(&str, &Value) -> bool + Send + Sync + 'static,
) {
    let calls = AtomicUsize::new(0);
    world.proxy.inject(move |operation, request| {
        let is_cut = which(operation, request) && calls.fetch_add(1, Ordering::SeqCst) >= after;
        is_cut.then(|| fault.clone())
    });
}

fn is_transaction(operation: &str, _: &Value) -> bool {
    operation == "TransactWriteItems"
}

/// The access and the refresh token of a login.
pub async fn tokens(world: &World, name: &str) -> (String, String) {
    let answer = world.login(name, PASSWORD).await;
    (answer.field("access"), answer.field("refresh"))
}

/// Sends a request again and again, each time cut one change later, until it is not a 503 any more.
/// After each cut the table is sound.
pub async fn cut_ever_later<F: Future<Output = Answer>>(
    world: &World,
    send: impl Fn() -> F,
) -> (usize, Answer) {
    for after in 0..20 {
        cut(world, after, is_change);
        let answer = send().await;
        world.proxy.heal();
        world.assert_sound().await;
        if answer.status != 503 {
            return (after, answer);
        }
    }
    panic!("it never comes to an end");
}

#[tokio::test]
async fn a_logout_that_was_cut_is_sent_again_and_ends_the_access_tokens() {
    let world = World::start().await;
    world.user("ann").await;
    let (access, refresh) = tokens(&world, "ann").await;
    let body = json!({ "refresh": refresh });
    let logout = || world.post(NOBODY, "logout/", body.clone());
    let (cuts, answer) = cut_ever_later(&world, logout).await;
    assert_eq!((cuts, answer.status), (1, 200));
    world.get(&access, "users/me/").await.assert_status(401);
    logout().await.assert_status(401);
}

#[tokio::test]
async fn a_logout_whose_every_answer_is_lost_has_ended_the_access_tokens() {
    let world = World::start().await;
    world.user("ann").await;
    let (access, refresh) = tokens(&world, "ann").await;
    let lost = |operation: &str, request: &Value| {
        is_change(operation, request).then_some(Fault::LostAnswer)
    };
    world.proxy.inject(lost);
    let body = json!({ "refresh": refresh });
    let answer = world.post(NOBODY, "logout/", body.clone()).await;
    assert_unavailable(&answer, "logout");
    world.proxy.heal();
    world.post(NOBODY, "logout/", body).await.assert_status(401);
    world.get(&access, "users/me/").await.assert_status(401);
}

#[tokio::test]
async fn a_session_whose_deletion_has_a_lost_answer_has_ended() {
    let world = World::start().await;
    world.user("ann").await;
    tokens(&world, "ann").await;
    world.pass(1);
    let (access, _) = tokens(&world, "ann").await;
    let list = world.get(&access, "sessions/").await;
    let oldest = list.list()[1]["id"].as_str().unwrap().to_owned();
    world.proxy.inject_once(Fault::LostAnswer, is_change);
    let path = format!("sessions/{oldest}/");
    let answer = world.delete(&access, &path).await;
    answer.assert(204, Value::Null);
    assert_eq!(world.keys("SESSION#2").await.len(), 1);
    world.delete(&access, &path).await.assert_status(404);
}

#[tokio::test]
async fn a_session_that_other_writes_get_in_the_way_of_is_not_said_to_be_gone() {
    let world = World::start().await;
    world.user("ann").await;
    let (access, _) = tokens(&world, "ann").await;
    tokens(&world, "ann").await;
    let list = world.get(&access, "sessions/").await;
    let newest = list.list()[0]["id"].as_str().unwrap().to_owned();
    world.proxy.inject(|operation, request| {
        is_change(operation, request).then_some(Fault::Cancelled("TransactionConflict"))
    });
    let answer = world.delete(&access, &format!("sessions/{newest}/")).await;
    assert_unavailable(&answer, "the end of a session");
}

#[tokio::test]
async fn a_login_whose_session_meets_a_fault_begins_another_one() {
    let world = World::start().await;
    world.user("ann").await;
    for fault in [
        Fault::LostAnswer,
        Fault::LostRequest,
        Fault::Refused(500, "InternalServerError"),
        Fault::Refused(400, "ThrottlingException"),
        Fault::Cancelled("TransactionConflict"),
    ] {
        world.proxy.take_calls();
        world
            .proxy
            .inject_once(fault.clone(), |operation, _| operation == "PutItem");
        let (access, _) = tokens(&world, "ann").await;
        world.get(&access, "users/me/").await.assert_status(200);
        let calls = world.proxy.take_calls();
        let puts = calls.iter().filter(|call| call.operation == "PutItem");
        let sids: BTreeSet<String> = puts
            .map(|call| call.request["Item"]["SK"]["S"].to_string())
            .collect();
        // One that comes late begins no session that somebody has ended.
        assert_eq!(sids.len(), 2, "{fault:?}");
    }
}

#[tokio::test]
async fn what_a_request_does_beside_what_it_is_for_does_not_fail_it() {
    let world = World(testkit::Observed::with(&[("UPDATE_LAST_LOGIN", "true")]).await);
    world.user("ann").await;
    let is_note = |operation: &str, request: &Value| {
        let key = request["Key"]["PK"]["S"].as_str().unwrap_or_default();
        operation == "UpdateItem" && (key.starts_with("USER#") || key.starts_with("SESSION#"))
    };
    cut(&world, 0, is_note);
    let (access, refresh) = tokens(&world, "ann").await;
    world.get(&access, "users/me/").await.assert_status(200);
    world.pass(4000);
    let body = json!({ "refresh": refresh });
    let answer = world.post(NOBODY, "token/refresh/", body).await;
    answer.assert_status(200);
}

#[tokio::test]
async fn a_deletion_ends_the_sessions_of_its_user_in_the_same_step() {
    let world = World::start().await;
    let ann = world.user("ann").await;
    let (access, _) = tokens(&world, "ann").await;
    tokens(&world, "ann").await;
    let gone = Arc::new(AtomicUsize::new(0));
    world.proxy.inject(move |operation, _| {
        let after = gone.load(Ordering::SeqCst) > 0;
        gone.fetch_add(
            usize::from(operation == "TransactWriteItems"),
            Ordering::SeqCst,
        );
        after.then_some(Fault::Refused(500, "InternalServerError"))
    });
    let answer = world.delete(&world.admin, &user_path(ann.id)).await;
    answer.assert(204, Value::Null);
    world.proxy.heal();
    assert_eq!(world.keys("SESSION#2").await, [""; 0]);
    world.assert_sound().await;
    world.get(&access, "users/me/").await.assert_status(401);
}

#[tokio::test]
async fn a_user_with_more_sessions_than_a_transaction_holds_is_deleted_with_all_of_them() {
    let world = World::start().await;
    let ann = world.user("ann").await;
    let (_, _) = tokens(&world, "ann").await;
    let sessions = world.table.sessions_of(ann.id).await.unwrap();
    for number in 0..150_u32 {
        let mut session = sessions[0].clone();
        session.sid = format!("{number:032x}");
        world.table.begin_session(|| session.clone()).await.unwrap();
    }
    let path = user_path(ann.id);
    cut(&world, 1, is_transaction);
    world
        .delete(&world.admin, &path)
        .await
        .assert(204, Value::Null);
    assert_eq!(world.keys("SESSION#2").await, [""; 0]);
    world.assert_sound().await;
}

/// Ann, with more sessions than a transaction holds, whose refresh tokens were replaced.
async fn with_many_sessions(world: &World) -> (User, Vec<String>) {
    let ann = world.user("ann").await;
    tokens(world, "ann").await;
    let session = world.table.sessions_of(ann.id).await.unwrap().remove(0);
    let mut sids = Vec::new();
    for number in 0..150_u32 {
        let mut session = session.clone();
        session.sid = format!("{number:032x}");
        session.previous = Some(format!("previous{number}"));
        sids.push(session.sid.clone());
        world.table.begin_session(|| session.clone()).await.unwrap();
    }
    (ann, sids)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deletion_that_fails_brings_no_session_back_that_ended_meanwhile() {
    let world = World::start().await;
    let (ann, sids) = with_many_sessions(&world).await;
    let sid = sids[0].clone();
    let held = hold(&world, 0, move |operation, request| {
        is_change(operation, request) && request.to_string().contains(&sid)
    });
    let path = user_path(ann.id);
    let meanwhile = async {
        held.came().await;
        assert!(world.table.end_session(ann.id, &sids[0]).await.unwrap());
        cut(&world, 0, is_transaction);
        held.go().await;
    };
    let (answer, ()) = tokio::join!(world.delete(&world.admin, &path), meanwhile);
    assert_unavailable(&answer, "a deletion");
    world.proxy.heal();
    let left = world.table.sessions_of(ann.id).await.unwrap();
    assert_eq!(left.iter().find(|session| session.sid == sids[0]), None);
    world.read(ann.id).await;
}

#[tokio::test]
async fn a_deletion_that_was_cut_ends_no_session_twice() {
    let world = World::start().await;
    let (ann, _) = with_many_sessions(&world).await;
    let path = user_path(ann.id);
    cut(&world, 0, is_transaction);
    let answer = world.delete(&world.admin, &path).await;
    assert_unavailable(&answer, "a deletion");
    world.proxy.heal();
    let traces = async || {
        let sessions = world.table.sessions_of(ann.id).await.unwrap();
        sessions.iter().filter(|session| session.is_trace()).count()
    };
    let done = traces().await;
    assert!(done > 50, "{done}");
    world.proxy.take_calls();
    let answer = world.delete(&world.admin, &path).await;
    answer.assert(204, Value::Null);
    let calls = world.proxy.take_calls();
    assert!(calls.iter().all(|call| call.operation != "PutItem"));
    assert_eq!(traces().await, 150);
    world.assert_sound().await;
}

#[tokio::test]
async fn a_token_of_django_that_begins_a_session_is_used_up_only_with_it() {
    let settings = [("ROTATE_REFRESH_TOKENS", "true")];
    let world = World(testkit::Observed::with(&settings).await);
    let ann = world.user("ann").await;
    world.pass(10);
    let token = world.issue(shared::jwt::TokenType::Refresh, &ann);
    let body = json!({ "refresh": token });
    let refresh = || world.post(NOBODY, "token/refresh/", body.clone());
    let (cuts, answer) = cut_ever_later(&world, refresh).await;
    assert_eq!((cuts, answer.status), (1, 200));
    let access = answer.field("access");
    world.get(&access, "users/me/").await.assert_status(200);
    refresh().await.assert_status(401);
}
