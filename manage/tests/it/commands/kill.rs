//! `runserver` killed at work: what was acknowledged is there, and nothing is half done.

use std::{
    collections::BTreeMap,
    io,
    sync::mpsc::{Sender, channel},
    thread,
};

use rustix::process::Signal;
use serde_json::{Value, json};

use super::{
    api::{Answer, Api, registration},
    process::{DEADLINE, Runserver, directory, manage_in, run},
};

const PASSWORD: &str = "a-Long-phrase-1";
const ROUNDS: usize = 4;
const WRITERS: usize = 3;
/// Writes between a start and the next kill, so that no round is without work.
const WRITES: usize = 30;

/// What a writer knows about a user; `None` is one who is deleted.
type Name = Option<String>;

/// What happened to a user, by his id. Registrations without an answer have none.
enum Event {
    /// The write was acknowledged.
    Done(u64, Name),
    /// The server died before it told whether the write was done.
    Perhaps(u64, Name),
}

#[test]
fn a_kill_under_writers_loses_nothing_acknowledged_and_leaves_nothing_half_written() {
    let data = directory();
    let mut server = Runserver::start(data.path());
    let token = server.admin_token();
    // The names that each user may have.
    let mut users: BTreeMap<u64, Vec<Name>> = BTreeMap::new();

    for round in 0..ROUNDS {
        let (tell, told) = channel();
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (api, token, tell) = (server.api, token.clone(), tell.clone());
                thread::spawn(move || write(api, &token, &format!("r{round}w{writer}"), &tell))
            })
            .collect();
        drop(tell);
        let mut note = |event| match event {
            Event::Done(id, name) => drop(users.insert(id, vec![name])),
            Event::Perhaps(id, name) => users.entry(id).or_default().push(name),
        };
        for _ in 0..WRITES {
            note(told.recv_timeout(DEADLINE).expect("writers at work"));
        }
        server.process.signal(Signal::KILL);
        let ended = server.process.end();
        assert_eq!(ended.status, None, "{ended:?}");
        for writer in writers {
            writer.join().expect("a writer");
        }
        told.iter().for_each(&mut note);

        server = Runserver::start(data.path());
        run(&mut manage_in(data.path(), &["check"])).succeeded();
        for (id, allowed) in &users {
            let name = name_of(&server.api.ask(
                "GET",
                &format!("users/{id}/"),
                &token,
                Value::Null,
            ));
            assert!(
                allowed.contains(&name),
                "round {round}, user {id}: {name:?}, not in {allowed:?}"
            );
        }
    }
    assert!(users.len() > ROUNDS, "{users:?}");
    let there = users
        .values()
        .filter_map(|names| names[0].clone())
        .next_back();
    server.api.log_in(&there.expect("a user"), PASSWORD);
    server.stop().succeeded();
    run(&mut manage_in(data.path(), &["check"])).succeeded();
}

/// Registers users, renames all of them and deletes every second one, until the server is gone.
fn write(api: Api, token: &str, prefix: &str, tell: &Sender<Event>) {
    let bearer = format!("Bearer {token}");
    let headers = [("Authorization", bearer.as_str())];
    for number in 0.. {
        let name = format!("{prefix}n{number}");
        let registration = registration(&name, PASSWORD);
        let Ok(answer) = api.send("POST", "users/register/", &[], Some(&registration)) else {
            return;
        };
        assert_eq!(answer.status, 201, "{answer:?}");
        let id = answer.body["id"].as_u64().expect("an id");
        let _ = tell.send(Event::Done(id, Some(name.clone())));

        let path = format!("users/{id}/");
        let renamed = format!("{name}-renamed");
        let body = json!({"username": renamed});
        let answer = api.send("PATCH", &path, &headers, Some(&body));
        if !report(answer, 200, id, Some(renamed), tell) {
            return;
        }
        if number % 2 == 1 {
            let answer = api.send("DELETE", &path, &headers, None);
            if !report(answer, 204, id, None, tell) {
                return;
            }
        }
    }
}

/// Tells what a write did; false if the server is gone.
fn report(
    answer: io::Result<Answer>,
    status: u16,
    id: u64,
    name: Name,
    tell: &Sender<Event>,
) -> bool {
    let event = match &answer {
        Ok(answer) => {
            assert_eq!(answer.status, status, "{answer:?}");
            Event::Done(id, name)
        }
        Err(_) => Event::Perhaps(id, name),
    };
    let _ = tell.send(event);
    answer.is_ok()
}

fn name_of(profile: &Answer) -> Name {
    match profile.status {
        200 => profile.body["username"].as_str().map(str::to_owned),
        404 => None,
        _ => panic!("{profile:?}"),
    }
}
