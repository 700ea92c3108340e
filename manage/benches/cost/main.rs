//! What a request costs a function itself, from API Gateway's event to the answer's JSON: CPU time and
//! allocations, beside a bare GetItem of the AWS SDK, and a login beside the hash alone.
//!
//! `cargo bench -p manage --bench cost`

#![allow(clippy::panic, reason = "a benchmark that cannot go on ends so")]

mod kinds;
mod report;
mod site;

use std::{
    env, io,
    process::{Command, ExitCode, Stdio},
};

use clap::Parser;
use rustix::time::{ClockId, clock_gettime};

use crate::{kinds::Kind, report::Figure, site::Site};

/// How much is measured.
#[derive(Parser)]
struct Options {
    /// How often all kinds have their turn; the least is told. 100 with `cargo bench`, else 2.
    #[arg(long)]
    rounds: Option<usize>,
    /// Requests of a kind in a turn; of those that hash a tenth.
    #[arg(long, default_value_t = 50)]
    requests: usize,
    /// Kinds to measure, by their names; all if there are none.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Cargo's own.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    match Site::of_parent() {
        Some(site) => {
            measure(&options, &site);
            ExitCode::SUCCESS
        }
        None => measure_apart(),
    }
}

/// Measures in a process of its own, which nothing else runs in: the table stays in this one.
fn measure_apart() -> ExitCode {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (_server, site) = runtime.block_on(Site::start());
    let mut measuring = Command::new(env::current_exe().expect("this program"));
    measuring
        .args(env::args_os().skip(1))
        .envs([site.variable()]);
    // A function writes its log to standard output, which costs a system call as on Lambda.
    measuring.stdout(Stdio::null()).stderr(io::stdout());
    let ended = measuring.status().expect("this program starts");
    match ended.success() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

fn measure(options: &Options, site: &Site) {
    let rounds = options
        .rounds
        .unwrap_or(if options.bench { 100 } else { 2 });
    // As a function has it.
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().expect("a runtime");
    // What the SDK starts by itself runs there.
    let _inside = runtime.enter();
    let mut kinds = kinds::all(site);
    if !options.only.is_empty() {
        kinds.retain(|kind| options.only.iter().any(|name| name == kind.name));
    }
    let work = |kind: &Kind| runtime.block_on((kind.work)());
    let mut figures: Vec<Figure> = kinds.iter().map(|kind| Figure::of(kind.name)).collect();
    for kind in &kinds {
        // Opens connections, fills what is kept.
        (0..3).for_each(|_| work(kind));
    }
    for _ in 0..rounds {
        // In turns, so that whatever else the machine does meets all of them.
        for (kind, figure) in kinds.iter().zip(&mut figures) {
            let requests = if kind.hashes {
                options.requests.div_ceil(10)
            } else {
                options.requests
            };
            let before = cpu();
            (0..requests).for_each(|_| work(kind));
            figure.add((cpu() - before) / requests as f64);
        }
    }
    // The fewest: some belongs to connections.
    for (kind, figure) in kinds.iter().zip(&mut figures) {
        let counted = (0..5).map(|_| allocation_counter::measure(|| work(kind)).count_total);
        figure.allocations = counted.min().unwrap_or_default();
    }
    report::print(&figures);
}

/// The CPU time of this process, in microseconds.
fn cpu() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e6 + time.tv_nsec as f64 / 1e3
}
