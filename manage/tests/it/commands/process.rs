//! The binary under test, and a `runserver` of it.

use std::{ops::Deref, path::Path, process::Command};

use rustix::process::Signal;
use shared::aws::LocalEndpoint;
use tempfile::TempDir;
use testkit::{
    Client, PASSWORD,
    process::{Ended, Process, run},
};

/// The binary with the arguments of a line. Nothing of the tests' own environment reaches it.
pub fn manage(line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_manage"));
    command.args(line.split_whitespace()).env_clear();
    command
}

/// A directory for an embedded database, empty at first and gone at the end of the test.
pub struct Data(TempDir);

impl Data {
    pub fn new() -> Self {
        let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"));
        Self(directory.expect("a directory"))
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// The binary on this database.
    pub fn command(&self, line: &str) -> Command {
        let mut command = manage(line);
        command.arg("--data").arg(self.path());
        command
    }

    /// The binary on this database, which asks nothing and gets the usual password.
    pub fn unasked(&self, line: &str) -> Command {
        let mut command = self.command(line);
        command.arg("--noinput");
        for variable in ["DJANGO_USER_PASSWORD", "DJANGO_SUPERUSER_PASSWORD"] {
            command.env(variable, PASSWORD);
        }
        command
    }

    /// Runs [`Self::unasked`] to its success; what it printed.
    pub fn make(&self, line: &str) -> String {
        run(&mut self.unasked(line)).succeeded()
    }

    /// Asserts that the database contradicts itself nowhere.
    pub fn assert_sound(&self) {
        let printed = run(&mut self.command("check")).succeeded();
        assert_eq!(printed, "The table is consistent.\n");
    }

    /// A `runserver` on this database.
    pub fn serve(&self) -> Runserver {
        Runserver::from(&mut self.command("runserver"))
    }
}

/// A `runserver` in memory, on a free port.
pub const IN_MEMORY: &str = "runserver --memory --bind 127.0.0.1:0";

/// The end of what `runserver` prints before the first request.
pub const INTRODUCED: &str = "Stop with Ctrl-C.\n";

/// A `runserver` that is ready.
pub struct Runserver {
    pub process: Process,
    /// Its DynamoDB endpoint.
    pub dynamodb: LocalEndpoint,
    /// The admin's password, if it printed one.
    pub password: Option<String>,
    client: Client,
}

impl Deref for Runserver {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Runserver {
    /// On an empty table in memory.
    pub fn in_memory() -> Self {
        Self::from(&mut manage("runserver --memory"))
    }

    /// On an empty table in memory, for the pages of these origins.
    pub fn for_origins(origins: &str) -> Self {
        let mut command = manage("runserver --memory");
        Self::from(command.env("CORS_ALLOWED_ORIGINS", origins))
    }

    /// By a command that has everything but the port.
    pub fn from(command: &mut Command) -> Self {
        Self::of(Process::start(command.args(["--bind", "127.0.0.1:0"])))
    }

    /// By a process that is just starting.
    pub fn of(process: Process) -> Self {
        let stdout = &process.stdout;
        stdout.wait("the introduction", |text| {
            text.contains(INTRODUCED).then_some(())
        });
        let api = stdout.line("Serving the API at ");
        let base = api.strip_suffix("/api/auth/").expect("the API's address");
        let dynamodb = stdout.line("DynamoDB endpoint ");
        let access_key = stdout.line("DynamoDB access key ");
        let first_word = |text: &str| text.split(' ').next().unwrap_or_default().to_owned();
        let printed = stdout.so_far();
        let mut lines = printed.lines();
        let password = lines.find_map(|line| {
            let rest = line.strip_prefix("Superuser ")?.trim();
            let rest = rest.strip_prefix("admin, with the password ")?;
            rest.split(' ').next().map(str::to_owned)
        });
        Self {
            client: Client::at(base),
            dynamodb: LocalEndpoint {
                url: first_word(&dynamodb),
                access_key: first_word(&access_key),
            },
            password,
            process,
        }
    }

    /// An access token of `admin`, whose password it printed.
    pub async fn admin_token(&self) -> String {
        let password = self.password.as_deref();
        self.log_in("admin", password.expect("the admin's password"))
            .await
    }

    pub fn stop(self) -> Ended {
        self.process.signal(Signal::TERM);
        self.process.end()
    }
}
