//! `runserver` killed at work: what was acknowledged is kept, and nothing is half done.

use std::collections::BTreeMap;

use rustix::process::Signal;
use serde_json::{Value, json};
use testkit::{Answer, Client, NOBODY, PASSWORD, process::DEADLINE, registration, user_path};
use tokio::{
    sync::mpsc::{UnboundedSender, unbounded_channel},
    task::JoinSet,
    time::timeout,
};

use super::process::Data;

const ROUNDS: usize = 4;
const WRITERS: usize = 3;
/// Writes between a start and the next kill, so that no round is without work.
const WRITES: usize = 30;

/// What a writer knows about a user; `None` is one who is deleted.
type Name = Option<String>;

/// What happened to a user, by their id. Registrations without an answer have none.
enum Event {
    /// The write was acknowledged.
    Done(u64, Name),
    /// The server died before it answered whether the write was done.
    Perhaps(u64, Name),
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_under_writers_loses_nothing_acknowledged_and_leaves_nothing_half_written() {
    let data = Data::new();
    let mut server = data.serve();
    let token = server.admin_token().await;
    // The names that each user may have.
    let mut users: BTreeMap<u64, Vec<Name>> = BTreeMap::new();

    for round in 0..ROUNDS {
        let (tell, mut told) = unbounded_channel();
        let mut writers = JoinSet::new();
        for writer in 0..WRITERS {
            let prefix = format!("r{round}w{writer}");
            writers.spawn(write(
                (*server).clone(),
                token.clone(),
                prefix,
                tell.clone(),
            ));
        }
        drop(tell);
        let mut note = |event| match event {
            Event::Done(id, name) => drop(users.insert(id, vec![name])),
            Event::Perhaps(id, name) => users.entry(id).or_default().push(name),
        };
        for _ in 0..WRITES {
            let event = timeout(DEADLINE, told.recv()).await.expect("in time");
            note(event.expect("writers at work"));
        }
        server.process.signal(Signal::KILL);
        let ended = server.process.end();
        assert_eq!(ended.status, None, "{ended:?}");
        writers.join_all().await;
        while let Some(event) = told.recv().await {
            note(event);
        }

        server = data.serve();
        data.assert_sound();
        for (id, allowed) in &users {
            let name = name_of(&server.get(&token, &user_path(id)).await);
            let fits = allowed.contains(&name);
            assert!(
                fits,
                "round {round}, user {id}: {name:?}, not in {allowed:?}"
            );
        }
    }
    assert!(users.len() > ROUNDS, "{users:?}");
    let mut names = users.values().filter_map(|names| names[0].as_deref());
    server
        .log_in(names.next_back().expect("a user"), PASSWORD)
        .await;
    server.stop().succeeded();
    data.assert_sound();
}

/// Registers users, renames all of them and deletes every second one, until the server is gone.
async fn write(client: Client, token: String, prefix: String, tell: UnboundedSender<Event>) {
    for number in 0.. {
        let name = format!("{prefix}n{number}");
        let body = registration(&name, &format!("{name}@example.com"));
        let made = client.try_ask(NOBODY, "POST", "users/register/", body);
        let Ok(answer) = made.await else { return };
        let id = answer.assert_status(201).id();
        let _ = tell.send(Event::Done(id, Some(name.clone())));

        let path = user_path(id);
        let renamed = format!("{name}-renamed");
        let body = json!({"username": renamed});
        let answer = client.try_ask(&token, "PATCH", &path, body).await;
        if !report(answer, 200, id, Some(renamed), &tell) {
            return;
        }
        if number % 2 == 1 {
            let answer = client.try_ask(&token, "DELETE", &path, Value::Null);
            if !report(answer.await, 204, id, None, &tell) {
                return;
            }
        }
    }
}

/// Tells what a write did; false if the server is gone.
fn report(
    answer: Result<Answer, String>,
    status: u16,
    id: u64,
    name: Name,
    tell: &UnboundedSender<Event>,
) -> bool {
    let event = match &answer {
        Ok(answer) => {
            answer.assert_status(status);
            Event::Done(id, name)
        }
        Err(_) => Event::Perhaps(id, name),
    };
    let _ = tell.send(event);
    answer.is_ok()
}

fn name_of(profile: &Answer) -> Name {
    match profile.status {
        200 => Some(profile.field("username")),
        404 => None,
        _ => panic!("{profile:?}"),
    }
}
