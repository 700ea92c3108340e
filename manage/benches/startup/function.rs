//! A function's process: started as Lambda does, and observed from outside.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use shared::aws::LocalEndpoint;
use testkit::{SIGNING_KEY, TABLE};

use crate::{
    binaries::Binary,
    cpus,
    requests::Request,
    runtime_api::{Answer, RuntimeApi, Told},
};

/// Longer than anything here takes, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where a function finds DynamoDB.
pub struct Environment {
    endpoint: LocalEndpoint,
    ca_bundle: Option<PathBuf>,
}

impl Environment {
    pub fn new(endpoint: LocalEndpoint, ca_bundle: Option<&Path>) -> Self {
        Self {
            endpoint,
            ca_bundle: ca_bundle.map(Path::to_owned),
        }
    }

    fn command(&self, binary: &Binary, runtime_api: SocketAddr) -> Command {
        let mut command = Command::new(&binary.path);
        command
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", runtime_api.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", binary.name)
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1024")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/bench")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "2026/01/01/[1]bench")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", &self.endpoint.access_key)
            .env("AWS_SECRET_ACCESS_KEY", "bench")
            .env("AWS_ENDPOINT_URL_DYNAMODB", &self.endpoint.url)
            .env("TABLE_NAME", TABLE)
            .env("SIGNING_KEY", SIGNING_KEY)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        if let Some(path) = &self.ca_bundle {
            command.env("AWS_CA_BUNDLE", path);
        }
        command
    }
}

/// A function with a Runtime API of its own. It ends when this is dropped.
pub struct Function {
    api: RuntimeApi,
    command: Command,
    process: Option<Child>,
}

impl Function {
    /// Everything that comes before its start.
    pub fn prepare(binary: &Binary, environment: &Environment) -> Self {
        let api = RuntimeApi::start();
        let command = environment.command(binary, api.address);
        Self {
            api,
            command,
            process: None,
        }
    }

    /// Starts it; the time just before.
    pub fn spawn(&mut self) -> Instant {
        cpus::join_the_functions();
        let now = Instant::now();
        self.process = Some(self.command.spawn().expect("the function starts"));
        cpus::leave_the_functions();
        now
    }

    /// Has a request ready for it.
    pub fn offer(&self, request: &Request) {
        let sent = self.api.events.send(request.event.to_string());
        sent.expect("the API runs");
    }

    /// Waits until it asks for an event.
    pub fn wait_until_ready(&self) {
        while !matches!(self.told(), Told::Ready) {}
    }

    /// Waits for an answer, which must be the one expected.
    pub fn answer(&self, request: &Request) -> Answer {
        let answer = loop {
            if let Told::Answer(answer) = self.told() {
                break answer;
            }
        };
        let body: Value = serde_json::from_slice(&answer.body).expect("a JSON answer");
        // An authorizer answers without a status.
        let is_well = body["isAuthorized"] == true || body["statusCode"] == request.status;
        assert!(is_well, "{body}");
        answer
    }

    /// Makes a request and waits for its answer: how long that took.
    pub fn call(&self, request: &Request) -> Duration {
        self.offer(request);
        self.answer(request).took
    }

    fn told(&self) -> Told {
        let told = self.api.told.recv_timeout(PATIENCE);
        let told = told.expect("the function goes on");
        assert!(!matches!(told, Told::Failure), "the function failed");
        told
    }

    /// CPU time so far. Waits until the function has nothing to do, for what the kernel tells of
    /// a thread that runs is old.
    pub fn cpu(&self) -> Duration {
        let started = Instant::now();
        loop {
            let threads: Vec<PathBuf> = fs::read_dir(self.proc("task"))
                .expect("a running function")
                .map(|thread| thread.expect("a thread").path())
                .collect();
            if threads.iter().all(|thread| sleeps(thread)) {
                return threads.iter().map(|thread| cpu_of(thread)).sum();
            }
            assert!(started.elapsed() < PATIENCE, "the function never sleeps");
            thread::sleep(Duration::from_micros(200));
        }
    }

    /// The peak of resident memory so far, in bytes.
    pub fn peak_memory(&self) -> u64 {
        let status = fs::read_to_string(self.proc("status")).expect("a running function");
        let kib = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .and_then(|value| value.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        kib.expect("VmHWM in kB") * 1024
    }

    fn proc(&self, file: &str) -> PathBuf {
        let process = self.process.as_ref().expect("a started function");
        PathBuf::from(format!("/proc/{}/{file}", process.id()))
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn sleeps(thread: &Path) -> bool {
    let stat = fs::read_to_string(thread.join("stat")).expect("a thread");
    // The state follows the name, which stands in parentheses.
    let state = stat.rsplit(')').next().expect("a name");
    state.trim_start().starts_with('S')
}

/// Its first number is the time on a CPU in nanoseconds.
fn cpu_of(thread: &Path) -> Duration {
    let schedstat = fs::read_to_string(thread.join("schedstat")).expect("a thread");
    let nanoseconds = schedstat
        .split(' ')
        .next()
        .and_then(|text| text.parse().ok());
    Duration::from_nanos(nanoseconds.expect("nanoseconds"))
}
