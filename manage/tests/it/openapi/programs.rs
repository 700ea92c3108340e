//! The document in the hands of programs that are not ours. They run where they are installed, as
//! `.ci/run` installs them, and the tests say so where they are not.

use std::{
    env, fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use shared::jwt::TokenType;
use testkit::{Server, accounts::NewAccount, process::run, samples, serve};
use tokio::task::spawn_blocking;

const HERE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/openapi");
const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.yaml");

/// Checks of schemathesis that are left out. The service takes more than it promises, as DRF does: a
/// number for a text, a blank for no flag, any page size. And it refuses what no schema can tell: a
/// taken name, a weak password, the end of the last superuser.
const LEFT_OUT: &str = "negative_data_rejection,positive_data_acceptance";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn schemathesis_finds_no_answer_that_the_document_does_not_allow() {
    let program = env::var("SCHEMATHESIS").unwrap_or_else(|_| "schemathesis".to_owned());
    let tried = Command::new(&program).arg("--version").output();
    if !tried.is_ok_and(|tried| tried.status.success()) {
        eprintln!("skipped: no schemathesis (SCHEMATHESIS)");
        return;
    }
    // With the accounts of the document's examples.
    let (_engine, app) = samples::service().await;
    let mut superusers = Vec::new();
    for number in 0..200 {
        let name = format!("superuser-{number}");
        let new = NewAccount::new(&app.store, app.clock.now(), &name);
        let superuser = new.staff().superuser().await;
        superusers.push(superuser.id.to_string());
    }
    let key = samples::read("env")["Parameters"]["SIGNING_KEY"].clone();
    let key = key.as_str().unwrap().to_owned();
    let client = serve(app).await;
    let base = client.base().to_owned();
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path().to_owned();
    let ended = spawn_blocking(move || {
        run(Command::new(program)
            .args(["run", DOCUMENT, "--url", &base, "--checks", "all"])
            .args(["--exclude-checks", LEFT_OUT, "--continue-on-failure"])
            .args([
                "--max-examples",
                "5",
                "--seed",
                "7",
                "--suppress-health-check",
                "all",
            ])
            .env("SCHEMATHESIS_HOOKS", "hooks")
            .env("PYTHONPATH", HERE)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("SIGNING_KEY", key)
            .env("SUPERUSERS", superusers.join(","))
            .current_dir(at))
    });
    let ended = ended.await.unwrap();
    println!("{}", ended.stdout);
    assert_eq!(ended.status, Some(0), "{}\n{}", ended.stdout, ended.stderr);
}

/// Where npm has installed what `client/package.json` names.
fn modules() -> Option<PathBuf> {
    let modules = PathBuf::from(env::var_os("OPENAPI_CLIENT")?).join("node_modules");
    let node = Command::new("node").arg("--version").output();
    (node.is_ok() && modules.is_dir()).then_some(modules)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_typed_client_is_made_of_the_document_and_works() {
    let Some(modules) = modules() else {
        eprintln!("skipped: no Node with what client/package.json names (OPENAPI_CLIENT)");
        return;
    };
    let server = Server::start().await;
    let base = server.base().to_owned();
    let token = server.issue(TokenType::Access, &server.admin);
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path().to_owned();
    for name in ["client.ts", "package.json", "tsconfig.json"] {
        fs::copy(Path::new(HERE).join("client").join(name), at.join(name)).unwrap();
    }
    symlink(&modules, at.join("node_modules")).unwrap();
    let worked = spawn_blocking(move || {
        let program = |name: &str| Command::new(modules.join(".bin").join(name));
        let steps = [
            (
                program("openapi-typescript"),
                vec![DOCUMENT, "--output", "schema.d.ts"],
            ),
            (program("tsc"), vec!["--project", "."]),
            (Command::new("node"), vec!["out/client.js", &base, &token]),
        ];
        for (mut command, arguments) in steps {
            let ended = run(command.args(arguments).current_dir(&at));
            assert_eq!(ended.status, Some(0), "{}\n{}", ended.stdout, ended.stderr);
        }
    });
    worked.await.unwrap();
}
