//! Where chromium and chromedriver are, and how they are started.

use std::{
    env,
    io::{Write, stderr},
    path::{Path, PathBuf},
    process::Stdio,
    sync::LazyLock,
};

use serde_json::json;
use thirtyfour::{Capabilities, WebDriver};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

/// The two programs that the tests need.
#[derive(Debug)]
pub struct Programs {
    chromium: PathBuf,
    chromedriver: PathBuf,
}

/// What is found on this machine, said once if it is not enough.
pub static PROGRAMS: LazyLock<Option<Programs>> = LazyLock::new(|| {
    let chromium = program("CHROME", &["chromium", "chromium-browser", "google-chrome"]);
    let chromedriver = program("CHROMEDRIVER", &["chromedriver"]);
    match (chromium, chromedriver) {
        (Ok(chromium), Ok(chromedriver)) => Some(Programs {
            chromium,
            chromedriver,
        }),
        (Err(missing), _) | (_, Err(missing)) => {
            // Not by a macro, whose output is not shown of tests that pass.
            let _ = writeln!(stderr(), "The browser tests are SKIPPED: {missing}.");
            None
        }
    }
});

fn program(variable: &str, names: &[&str]) -> Result<PathBuf, String> {
    if let Some(path) = env::var_os(variable).map(PathBuf::from) {
        let missing = format!("{variable} is {}, which is not there", path.display());
        return path.is_file().then_some(path).ok_or(missing);
    }
    let directories = env::var_os("PATH").unwrap_or_default();
    let directories: Vec<PathBuf> = env::split_paths(&directories).collect();
    let paths = names.iter().flat_map(|name| {
        directories
            .iter()
            .map(move |directory| directory.join(name))
    });
    let names = names.join(", ");
    paths
        .into_iter()
        .find(|path| path.is_file())
        .ok_or_else(|| format!("no {names} in PATH, and {variable} is not set"))
}

/// A chromedriver, which ends when it is dropped.
pub struct Chromedriver {
    url: String,
    _process: Child,
    // It must not lose the reader of its output.
    _output: Lines<BufReader<ChildStdout>>,
}

impl Chromedriver {
    /// One on a free port. It takes the same port of IPv4 and of IPv6, and ends where the second
    /// is taken.
    pub async fn start(programs: &Programs) -> Self {
        for _ in 0..10 {
            if let Some(started) = Self::try_start(programs).await {
                return started;
            }
        }
        panic!("chromedriver does not start");
    }

    async fn try_start(programs: &Programs) -> Option<Self> {
        let mut process = Command::new(&programs.chromedriver)
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("chromedriver");
        let mut output = BufReader::new(process.stdout.take().expect("its output")).lines();
        while let Some(line) = output.next_line().await.expect("text") {
            if let Some((_, port)) = line.split_once("started successfully on port ") {
                return Some(Self {
                    url: format!("http://127.0.0.1:{}", port.trim_end_matches('.')),
                    _process: process,
                    _output: output,
                });
            }
        }
        None
    }

    /// A browser that keeps its files in a directory of its own.
    pub async fn browser(&self, programs: &Programs, profile: &Path) -> WebDriver {
        let mut arguments = ARGUMENTS.map(str::to_owned).to_vec();
        arguments.push(format!("--user-data-dir={}", profile.display()));
        // Scrollbars take room, as on most desktops, so that what they move is seen.
        let options = json!({
            "binary": programs.chromium,
            "args": arguments,
            "excludeSwitches": ["hide-scrollbars"],
        });
        let mut wanted = Capabilities::new();
        wanted.set("browserName", "chrome").expect("a name");
        wanted.set("goog:chromeOptions", options).expect("options");
        // A connection for each command: a session that is dropped is ended from another thread,
        // while the one that has the connections waits for that.
        let client = reqwest::Client::builder()
            .no_proxy()
            .pool_max_idle_per_host(0)
            .build()
            .expect("a client");
        let started = WebDriver::builder(&self.url, wanted).client(client);
        started.await.expect("a browser")
    }
}

/// As root chromium has no sandbox, in a container little shared memory; and nothing may leave
/// this machine.
const ARGUMENTS: [&str; 14] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--no-default-browser-check",
    "--no-first-run",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--window-size=1280,900",
];
