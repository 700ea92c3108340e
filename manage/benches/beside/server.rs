//! The two servers, with the same accounts: an admin and a user who is in 3 of 20 groups.

use std::{env, fs, process::Command};

use reqwest::Client;
use rustix::param::clock_ticks_per_second;
use serde_json::json;
use tempfile::TempDir;
use testkit::{
    PASSWORD,
    process::{Process, run},
    registration,
};

use crate::load::Asked;

const SHOP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/beside");
const WORKERS: usize = 2;
/// In seconds: longer than anything here takes.
const LIFETIME: &str = "86400";

/// A running server.
pub struct Server {
    pub base: String,
    /// The admin's access token.
    pub admin: String,
    /// Tokens of the user.
    pub access: String,
    pub refresh: String,
    process: Process,
    /// Its database, which goes with it.
    _data: TempDir,
}

impl Server {
    /// A new `runserver`.
    pub async fn ours() -> Self {
        let data = data();
        let mut command = Command::new(env!("CARGO_BIN_EXE_manage"));
        command
            .args(["runserver", "--bind", "127.0.0.1:0", "--data"])
            .arg(data.path());
        command.env_clear().env("ACCESS_TOKEN_LIFETIME", LIFETIME);
        let process = Process::start(&mut command);
        let api = process.stdout.line("Serving the API at ");
        let base = api
            .strip_suffix("/api/auth/")
            .expect("its address")
            .to_owned();
        let printed = process
            .stdout
            .line("Superuser            admin, with the password ");
        let password = printed.split(' ').next().expect("a password");
        let client = Client::new();
        let answer = Asked::login_of("admin", password)
            .send(&client, &base)
            .await;
        let admin = answer["access"].as_str().expect("a token");
        for number in 0..20 {
            let body = json!({"name": format!("group {number}")});
            Asked::post("groups/", admin, body)
                .send(&client, &base)
                .await;
        }
        let body = registration("ann", "ann@example.com");
        Asked::post("users/register/", "", body)
            .send(&client, &base)
            .await;
        let body = json!({"group_ids": [1, 2, 3]});
        Asked::post("users/2/assign_groups/", admin, body)
            .send(&client, &base)
            .await;
        Self::of(process, base, admin.to_owned(), data).await
    }

    /// Django under gunicorn, where Python has both.
    pub async fn django() -> Option<Self> {
        let python = env::var("DJANGO_PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let data = data();
        let command = |arguments: &[&str]| {
            let mut command = Command::new(&python);
            command.args(arguments).current_dir(SHOP);
            command.env("DATABASE", data.path().join("db.sqlite3"));
            command.env("PASSWORD", PASSWORD).env("LIFETIME", LIFETIME);
            // Nothing of Python's stays beside the sources.
            command.env("PYTHONDONTWRITEBYTECODE", "1");
            command
        };
        let needs = "import django, rest_framework_simplejwt, argon2, gunicorn";
        let tried = command(&["-c", needs]).output();
        if !tried.is_ok_and(|tried| tried.status.success()) {
            return None;
        }
        run(&mut command(&["shop.py"])).succeeded();
        let workers = WORKERS.to_string();
        let process = Process::start(&mut command(&[
            "-m",
            "gunicorn",
            "--workers",
            &workers,
            "--bind",
            "127.0.0.1:0",
            "--no-control-socket",
            "shop:application",
        ]));
        let base = process.stderr.wait("gunicorn", |text| {
            let (_, rest) = text.split_once("Listening at: ")?;
            let booted = text.matches("Booting worker").count() == WORKERS;
            rest.split_whitespace()
                .next()
                .filter(|_| booted)
                .map(str::to_owned)
        });
        let answer = Asked::login_of("admin", PASSWORD)
            .send(&Client::new(), &base)
            .await;
        let admin = answer["access"].as_str().expect("a token").to_owned();
        Some(Self::of(process, base, admin, data).await)
    }

    async fn of(process: Process, base: String, admin: String, data: TempDir) -> Self {
        let tokens = Asked::login().send(&Client::new(), &base).await;
        let token = |name: &str| tokens[name].as_str().expect("a token").to_owned();
        Self {
            access: token("access"),
            refresh: token("refresh"),
            base,
            admin,
            process,
            _data: data,
        }
    }

    /// CPU time so far, in seconds, of the process and those that it has started.
    pub fn cpu(&self) -> f64 {
        let own = self.process.id();
        let children = fs::read_to_string(format!("/proc/{own}/task/{own}/children"));
        let children = children.expect("a running server");
        let children = children
            .split_whitespace()
            .map(|id| id.parse().expect("an id"));
        let ticks: u64 = children.chain([own]).map(ticks).sum();
        ticks as f64 / clock_ticks_per_second() as f64
    }

    /// The peak of resident memory so far, in MiB.
    pub fn peak_memory(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()));
        let status = status.expect("a running server");
        let kib = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = kib.and_then(|value| value.trim().strip_suffix(" kB")?.parse::<f64>().ok());
        kib.expect("VmHWM in kB") / 1024.0
    }
}

fn data() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory")
}

/// What a process has used of the CPUs, itself and for the kernel.
fn ticks(process: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).expect("a running server");
    // They stand in places 14 and 15; the name in place 2 is in parentheses.
    let (_, rest) = stat.rsplit_once(')').expect("a name");
    let places = rest.split_whitespace().skip(11).take(2);
    places
        .map(|ticks| ticks.parse::<u64>().expect("ticks"))
        .sum()
}
