//! What a cold start of each function costs, beside a Lambda function that does nothing:
//! `cargo bench -p manage`. Reads /proc, so it runs on Linux only.

mod binaries;
mod cpus;
mod function;
mod report;
mod requests;
mod runtime_api;
mod table;
mod tls;

use std::time::Duration;

use binaries::Binary;
use function::{Environment, Function};
use report::{Hashing, Row, median};
use requests::Requests;
use shared::aws::LocalEndpoint;
use table::Table;

/// Cold starts of each function, of which the median is told.
const STARTS: usize = 50;
const WARM_REQUESTS: usize = 500;
const HASHES: usize = 200;

fn main() {
    let binaries = binaries::build();
    cpus::leave_the_functions();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let table = runtime.block_on(Table::start());
    let proxy = tls::Proxy::start(table.address());

    let plain = Environment::new(table.endpoint(), None);
    let behind_tls = LocalEndpoint {
        url: proxy.endpoint(),
        ..table.endpoint()
    };
    let tls = Environment::new(behind_tls, Some(proxy.ca_bundle()));
    let over_http = measure(&binaries, &plain, &table);
    report::print("DynamoDB over plain HTTP", &over_http);
    let over_tls = measure(&binaries, &tls, &table);
    report::print("DynamoDB over TLS", &over_tls);
    let hashing = measure_hashing(&binaries, &tls, &table);
    report::print_hashing(&hashing);
    report::print_goals(&over_http, &over_tls, &hashing);
}

fn measure(binaries: &[Binary], environment: &Environment, table: &Table) -> Vec<Row> {
    let mut colds: Vec<Vec<Cold>> = binaries.iter().map(|_| Vec::new()).collect();
    // In turns, so that whatever else the machine does meets all of them.
    for _ in 0..STARTS {
        for (binary, colds) in binaries.iter().zip(&mut colds) {
            let request = Requests::new(table).warm(binary.name);
            colds.push(start_once(binary, environment, &request));
        }
    }
    let rows = binaries.iter().zip(colds).map(|(binary, colds)| {
        let (warm, peak_memory) = stay_warm(binary, environment, table);
        let of = |figure: fn(&Cold) -> Duration| median(colds.iter().map(figure).collect());
        Row {
            name: binary.name,
            init_cpu: of(|cold| cold.init_cpu),
            first_request_cpu: of(|cold| cold.first_request_cpu),
            first_answer: of(|cold| cold.first_answer),
            warm,
            peak_memory,
            size: binary.size,
        }
    });
    rows.collect()
}

struct Cold {
    init_cpu: Duration,
    first_request_cpu: Duration,
    first_answer: Duration,
}

/// Starts a function twice: for the time, with its first event waiting for it; and for the CPU,
/// which is read in a pause before the event.
fn start_once(binary: &Binary, environment: &Environment, request: &requests::Request) -> Cold {
    let mut timed = Function::prepare(binary, environment);
    timed.offer(request);
    let started = timed.spawn();
    let answer = timed.answer(request);
    let first_answer = answer.arrived.duration_since(started);
    drop(timed);

    let mut counted = Function::prepare(binary, environment);
    counted.spawn();
    counted.wait_until_ready();
    let init_cpu = counted.cpu();
    counted.offer(request);
    counted.answer(request);
    counted.wait_until_ready();
    Cold {
        init_cpu,
        first_request_cpu: counted.cpu().saturating_sub(init_cpu),
        first_answer,
    }
}

/// How long warm requests take, and the peak of resident memory after them.
fn stay_warm(binary: &Binary, environment: &Environment, table: &Table) -> (Vec<Duration>, u64) {
    let mut function = Function::prepare(binary, environment);
    function.spawn();
    let request = Requests::new(table).warm(binary.name);
    let mut times = (0..=WARM_REQUESTS).map(|_| function.call(&request));
    // The first is not a warm one.
    times.next();
    let times = times.collect();
    (times, function.peak_memory())
}

fn measure_hashing(binaries: &[Binary], environment: &Environment, table: &Table) -> Vec<Hashing> {
    let requests = Requests::new(table);
    let measured = ["auth", "users"].map(|name| {
        let binary = binaries.iter().find(|binary| binary.name == name);
        let mut function = Function::prepare(binary.expect("a function"), environment);
        function.spawn();
        let calls = (0..HASHES).map(|n| function.call(&requests.hashing(name, n)));
        Hashing {
            name,
            times: calls.collect(),
            peak_memory: function.peak_memory(),
        }
    });
    measured.into()
}
