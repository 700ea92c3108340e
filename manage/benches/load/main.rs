//! How the service grows: the same requests to tables of different sizes, filled by `loaddata`, with the
//! time, the round trips and the capacity units of each, and the largest changes there are.
//!
//! `cargo bench -p manage --bench load -- --users 1000,100000,1000000`

#![allow(clippy::panic, reason = "a benchmark that cannot go on ends so")]

mod changes;
mod fill;
mod requests;
mod service;
mod table;

use clap::Parser;

use crate::{fill::fill, service::Service, table::Figures};

/// What is measured, and on what.
#[derive(Parser)]
struct Options {
    /// Sizes of the table, in users.
    #[arg(long, value_delimiter = ',', default_value = "1000,100000")]
    users: Vec<u64>,
    /// Requests of each kind, half a dozen of which are counted and the others timed.
    #[arg(long, default_value_t = 100)]
    requests: u64,
    /// Cargo's own.
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() {
    let options = Options::parse();
    let (mut sizes, mut figures) = (options.users, Figures::default());
    sizes.sort_unstable();
    sizes.dedup();
    for users in sizes {
        let site = fill(users).await;
        let service = Service::on(&site.engine.endpoint(), users).await;
        requests::measure(&service, options.requests, &mut figures).await;
        changes::measure(&service, &mut figures).await;
        site.engine.stop().await;
    }
    figures.print();
}
