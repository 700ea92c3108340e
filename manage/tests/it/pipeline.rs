//! The workflows of GitHub as an attacker reads them: who may do what with which credentials.

use std::{collections::BTreeSet, fs, path::Path};

use regex_lite::Regex;
use serde_yaml_ng::Value;

use super::lambda::template::Template;

const DIRECTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../.github/workflows");

/// The names and texts of all workflows.
fn texts() -> Vec<(String, String)> {
    let entries = fs::read_dir(DIRECTORY).expect("the workflows");
    let read = |path: &Path| fs::read_to_string(path).expect("a workflow");
    let paths = entries.map(|entry| entry.expect("a file").path());
    paths
        .map(|path| (path.display().to_string(), read(&path)))
        .collect()
}

fn workflow(name: &str) -> Value {
    let path = Path::new(DIRECTORY).join(name);
    let text = fs::read_to_string(path).expect("a workflow");
    serde_yaml_ng::from_str(&text).expect("YAML")
}

/// The jobs of a workflow that may ask for an identity, by which credentials are got.
fn with_identity(name: &str) -> BTreeSet<String> {
    let workflow = workflow(name);
    let jobs = workflow["jobs"].as_mapping().expect("jobs").iter();
    let having = jobs.filter(|(_, job)| job["permissions"]["id-token"] == "write");
    let name = |name: &Value| name.as_str().expect("a name").to_owned();
    having.map(|(job, _)| name(job)).collect()
}

#[test]
fn actions_are_given_by_commit_with_their_version_beside_it() {
    let pinned = Regex::new(r"^[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$").unwrap();
    for (name, text) in texts() {
        for line in text.lines() {
            let Some((_, action)) = line.split_once("uses: ") else {
                continue;
            };
            let is_ours = action.starts_with("./.github/workflows/");
            assert!(is_ours || pinned.is_match(action), "{name}: {action}");
        }
    }
}

#[test]
fn only_tags_are_released_and_prod_comes_after_staging() {
    let release = workflow("release.yml");
    let tags: Value = serde_yaml_ng::from_str("push: {tags: ['v*']}").expect("YAML");
    assert_eq!(release["on"], tags);
    let jobs = &release["jobs"];
    let needs = ["attest", "staging", "prod"].map(|job| jobs[job]["needs"].as_str());
    assert_eq!(needs, [Some("build"), Some("attest"), Some("staging")]);
    let condition = "github.event_name == 'push' && startsWith(github.ref, 'refs/tags/v')";
    assert_eq!(workflow("deploy.yml")["jobs"]["deploy"]["if"], condition);
}

#[test]
fn what_compiles_has_no_credentials_and_what_has_credentials_compiles_nothing() {
    for name in ["ci.yml", "fuzz.yml"] {
        assert_eq!(with_identity(name), BTreeSet::new());
    }
    let expected = ["attest", "prod", "staging"].map(str::to_owned);
    assert_eq!(with_identity("release.yml"), BTreeSet::from(expected));
    for name in ["ci.yml", "fuzz.yml", "release.yml", "deploy.yml"] {
        let workflow = workflow(name);
        let no_more = workflow["permissions"].as_mapping();
        let all = no_more.expect("permissions").iter();
        let all: Vec<_> = all
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let is_little = all.is_empty() || all == [(Some("contents"), Some("read"))];
        assert!(is_little, "{name}: {all:?}");
    }
    let deploy = workflow("deploy.yml");
    let steps = deploy["jobs"]["deploy"]["steps"]
        .as_sequence()
        .expect("steps");
    let text = |step: &Value| serde_yaml_ng::to_string(step).expect("YAML");
    for step in steps {
        let step = text(step);
        for tool in ["cargo", "rustup", "checkout", "curl", "npm"] {
            assert!(!step.contains(tool), "{tool}: {step}");
        }
    }
    // What is downloaded is downloaded before there are credentials.
    let credentials = steps
        .iter()
        .position(|step| text(step).contains("configure-aws-credentials"));
    let after = credentials.expect("credentials") + 1;
    let downloads = |step: &&Value| text(step).contains("pip") || text(step).contains("download");
    assert_eq!(steps[after..].iter().find(downloads), None);
}

#[test]
fn the_boundary_of_the_roles_has_what_the_functions_need_and_nothing_else() {
    let text = fs::read_to_string(format!("{DIRECTORY}/../aws/boundary.json"));
    let boundary: Value = serde_yaml_ng::from_str(&text.expect("a policy")).expect("JSON");
    let statements = boundary["Statement"].as_sequence().expect("statements");
    let actions = |action: &Value| match action.as_sequence() {
        Some(actions) => actions.clone(),
        None => vec![action.clone()],
    };
    let allowed = statements
        .iter()
        .flat_map(|statement| actions(&statement["Action"]));
    let allowed = allowed.map(|action| action.as_str().expect("a name").to_owned());
    let is_of_logs = |action: &String| action.starts_with("logs:") || action.starts_with("xray:");
    let allowed: BTreeSet<String> = allowed.filter(|action| !is_of_logs(action)).collect();
    let template = Template::read();
    let functions = template.functions().into_iter();
    let needed = functions.flat_map(|function| template.statements(&function));
    let mut needed: BTreeSet<_> = needed.flat_map(|statement| statement.actions).collect();
    // A part of transactions, which some version may need.
    needed.insert("dynamodb:ConditionCheckItem".to_owned());
    // The mailer, the rotation, the hook of deployments, and a customer's key: where the stack has
    // them.
    let optional = [
        "dynamodb:DescribeStream",
        "dynamodb:GetRecords",
        "dynamodb:GetShardIterator",
        "ses:SendEmail",
        "ses:SendRawEmail",
        "sqs:SendMessage",
        "secretsmanager:DescribeSecret",
        "secretsmanager:PutSecretValue",
        "secretsmanager:UpdateSecretVersionStage",
        "lambda:InvokeFunction",
        "codedeploy:PutLifecycleEventHookExecutionStatus",
        "kms:Decrypt",
        "kms:DescribeKey",
        "kms:Encrypt",
        "kms:GenerateDataKey*",
        "kms:ReEncrypt*",
    ];
    needed.extend(optional.map(str::to_owned));
    assert_eq!(allowed, needed);
}

#[test]
fn tools_from_pypi_are_given_by_version_and_hashes() {
    let workflows: String = texts().into_iter().map(|(_, text)| text).collect();
    let installs = workflows.matches("/bin/pip\" install").count();
    assert_eq!(workflows.matches("pip").count(), installs);
    assert_eq!(
        workflows
            .matches("--require-hashes --only-binary :all:")
            .count(),
        installs
    );
    for tool in ["sam", "cargo-lambda"] {
        let path = format!("{DIRECTORY}/../requirements/{tool}.txt");
        let text = fs::read_to_string(path).expect("the requirements");
        let entries = text.replace("\\\n", " ");
        assert!(entries.lines().count() > 0);
        for entry in entries.lines() {
            let is_pinned = entry.contains("==") && entry.contains("--hash=sha256:");
            assert!(is_pinned, "{tool}: {entry}");
        }
    }
}
