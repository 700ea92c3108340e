//! `runserver` beside the Django service that it replaces, in one run: requests for a second of CPU of
//! the server, and the memory that `runserver` takes for logins. Django runs under gunicorn with two
//! workers, on SQLite, with the same parameters of Argon2id. Reads /proc, so it runs on Linux only.
//!
//! `DJANGO_PYTHON=… cargo bench -p manage --bench beside`

#![allow(clippy::panic, reason = "a benchmark that cannot go on ends so")]

mod load;
mod server;

use clap::Parser;

use crate::{
    load::{Asked, send},
    server::Server,
};

/// How much is measured.
#[derive(Parser)]
struct Options {
    /// Requests of each kind; a tenth of those that hash. 6000 with `cargo bench`, else 60.
    #[arg(long)]
    requests: Option<u32>,
    /// Logins before the memory is looked at. 200 with `cargo bench`, else 10.
    #[arg(long)]
    logins: Option<u32>,
    /// Cargo's own.
    #[arg(long, hide = true)]
    bench: bool,
}

/// Turns of each server.
const TURNS: u32 = 6;
/// Connections that send at the same time.
const CONNECTIONS: u32 = 8;

#[tokio::main]
async fn main() {
    let options = Options::parse();
    let (requests, logins) = if options.bench { (6000, 200) } else { (60, 10) };
    let logins = options.logins.unwrap_or(logins);
    for connections in [1, CONNECTIONS] {
        let ours = Server::ours().await;
        send(&ours, &Asked::login(), logins, connections).await;
        println!(
            "runserver: {:.1} MiB at most, after {logins} logins, {connections} at a time",
            ours.peak_memory()
        );
    }
    match Server::django().await {
        Some(django) => compare(&django, options.requests.unwrap_or(requests)).await,
        None => println!(
            "skipped: no Python with Django, DRF, SimpleJWT, argon2-cffi and gunicorn (DJANGO_PYTHON)"
        ),
    }
}

/// Prints what both servers do in a second of CPU.
async fn compare(django: &Server, requests: u32) {
    let ours = Server::ours().await;
    println!("\n| request | in a second of CPU | Django | ratio |\n|---|---|---|---|");
    for (name, requests, asked) in [
        ("profile", requests, Asked::profile as fn(&Server) -> Asked),
        ("groups", requests, Asked::groups),
        ("refresh", requests, Asked::refresh),
        ("login", requests / 10, |_| Asked::login()),
    ] {
        let both = [&ours, django].map(|server| (server, asked(server)));
        let mut seconds = [0.0; 2];
        // In turns, so that whatever else the machine does meets both.
        for _ in 0..TURNS {
            for ((server, asked), seconds) in both.iter().zip(&mut seconds) {
                let before = server.cpu();
                send(server, asked, requests / TURNS, CONNECTIONS).await;
                *seconds += server.cpu() - before;
            }
        }
        let all = f64::from(requests / TURNS * TURNS);
        let [ours, djangos] = seconds.map(|seconds| all / seconds);
        println!(
            "| {name} | {ours:.0} | {djangos:.0} | {:.1} |",
            ours / djangos
        );
    }
}
