//! The binaries that are measured, built as they are deployed.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

/// The first is what the others are compared with.
pub const NAMES: [&str; 7] = [
    "bare",
    "auth",
    "users",
    "groups",
    "permissions",
    "admin",
    "authorizer",
];

pub struct Binary {
    pub name: &'static str,
    pub path: PathBuf,
    /// In bytes.
    pub size: u64,
}

/// Builds them with the release profile. In one call, since the features of dependencies are
/// those that all packages of a call ask for.
pub fn build() -> Vec<Binary> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["build", "--release", "--message-format", "json"])
        .args(NAMES.map(|name| format!("--package={name}")))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stderr(Stdio::inherit());
    // Some build scripts run again when what cargo told this process of its package changes.
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(&name);
        }
    }
    let output = cargo.output().expect("cargo runs");
    assert!(output.status.success(), "the functions do not build");
    let messages = String::from_utf8(output.stdout).expect("cargo writes UTF-8");
    let messages: Vec<Value> = messages
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    NAMES.map(|name| binary(name, &messages)).into()
}

fn binary(name: &'static str, messages: &[Value]) -> Binary {
    let built = messages
        .iter()
        .filter(|message| message["target"]["name"] == name)
        .find_map(|message| message["executable"].as_str())
        .expect("cargo names the executable");
    // Written in one go, as Lambda unpacks it: what a linker wrote piece by piece lies in small
    // pieces in the page cache, which makes every start a few tenths of a millisecond longer.
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let size = fs::copy(built, &path).expect("the executable is there");
    Binary { name, path, size }
}
