//! Least privilege: each function's role allows what the function does, and nothing else.

use std::collections::BTreeSet;

use testkit::routes::{ACCOUNT, ADMIN, DOCS, FUNCTIONS, WELL_KNOWN, function_of, prefix_of};

use super::{
    needs::needs,
    template::{Statement, Template},
};

const MAILER: &str = "mailer";

/// Every function that requests and mails come to.
fn all() -> impl Iterator<Item = &'static str> {
    always().chain([ACCOUNT, MAILER])
}

/// Those of every deployment.
fn always() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.into_iter().chain([ADMIN, "authorizer"])
}

#[test]
fn the_functions_of_the_template_are_those_of_the_tests() {
    let here: BTreeSet<String> = always().map(str::to_owned).collect();
    assert_eq!(Template::read().functions(), here);
}

#[test]
fn the_document_is_served_without_access_to_the_table_and_the_keys() {
    let template = Template::read();
    let docs = template.function(DOCS);
    assert!(docs.get("Policies").is_none());
    let variables = docs["Environment"]["Variables"]
        .as_mapping()
        .expect("variables");
    let names: Vec<_> = variables.keys().filter_map(|name| name.as_str()).collect();
    let few = [
        "METRICS_NAMESPACE",
        "ORIGIN_SECRET",
        "ORIGIN_SECRET_FALLBACKS",
    ];
    assert_eq!(names, few);
    let paths = ["/api/schema", "/api/schema/{proxy+}"];
    let expected = paths.map(|path| (path.to_owned(), "ANY".to_owned()));
    assert_eq!(template.routes(DOCS), BTreeSet::from(expected));
}

/// What a flood is kept to, so that it closes nothing else.
const LIMITED: [&str; 4] = [
    "/api/auth/login",
    "/api/auth/jwt/create",
    "/admin/login",
    "/api/auth/users/register",
];

#[test]
fn logins_and_registrations_have_limits_of_their_own() {
    let limits = LIMITED.iter().flat_map(|path| {
        let parameter = match path.ends_with("register") {
            true => "RegistrationThrottlingRateLimit",
            false => "LoginThrottlingRateLimit",
        };
        let both = [format!("ANY {path}"), format!("ANY {path}/{{proxy+}}")];
        both.map(|route| (route, parameter.to_owned()))
    });
    assert_eq!(Template::read().limits(), limits.collect());
}

#[test]
fn each_function_has_the_routes_of_its_prefix() {
    let template = Template::read();
    for function in FUNCTIONS.into_iter().chain([ADMIN, ACCOUNT]) {
        let prefix = prefix_of(function);
        let own = |path: &&&str| function_of(&format!("{path}/")) == function;
        let limited = LIMITED.iter().filter(own).map(|path| (*path).to_owned());
        let paths = limited.chain([prefix]);
        let both = paths.flat_map(|path| [format!("{path}/{{proxy+}}"), path]);
        let well_known = format!("{WELL_KNOWN}/{{proxy+}}");
        let well_known = (function == "auth").then_some(well_known);
        let both = both.chain(well_known);
        let expected: BTreeSet<_> = both.map(|path| (path, "ANY".to_owned())).collect();
        assert_eq!(template.routes(function), expected, "{function}");
    }
}

#[tokio::test]
async fn each_role_allows_what_its_function_does_and_nothing_else() {
    let template = Template::read();
    for function in all() {
        let mut needed = needs(function).await.actions;
        // At its start, for the signing key.
        let secret = ["SigningKey", "secretsmanager:GetSecretValue"];
        needed.insert(secret.map(str::to_owned).into());
        if function == MAILER {
            // By Lambda, in the name of the function.
            let gives_up = ["UnsentMails", "sqs:SendMessage"];
            needed.insert(gives_up.map(str::to_owned).into());
        }
        let mut allowed = BTreeSet::new();
        for statement in template.statements(function) {
            let pair = |action| (statement.resource.clone(), action);
            allowed.extend(statement.actions.into_iter().map(pair));
        }
        assert_eq!(allowed, needed, "{function}");
    }
}

#[tokio::test]
async fn each_role_writes_the_keys_that_its_function_writes_and_no_others() {
    let template = Template::read();
    for function in all() {
        let mut written = needs(function).await.keys;
        written.retain(|(action, _)| writes(action));
        let mut statements = template.statements(function);
        statements.retain(|statement| statement.actions.iter().any(|action| writes(action)));
        let allows = |statement: &Statement, action: &str, key: &str| {
            let mut patterns = statement.keys().iter();
            statement.actions.contains(action) && patterns.any(|pattern| matches(pattern, key))
        };
        for (action, key) in &written {
            let allowed = statements.iter().any(|one| allows(one, action, key));
            assert!(allowed, "{function} may not call {action} on {key}");
        }
        for statement in &statements {
            for pattern in statement.keys() {
                let used = written.iter().any(|(action, key)| {
                    statement.actions.contains(action) && matches(pattern, key)
                });
                assert!(
                    used,
                    "{function} may write {pattern}, but writes {written:?}"
                );
            }
            if !["auth", "users", ADMIN, ACCOUNT].contains(&function) {
                let mut patterns = statement.keys().iter();
                assert!(!patterns.any(|pattern| matches(pattern, "USER#7")));
            }
        }
    }
}

#[test]
fn only_functions_that_verify_passwords_and_links_may_read_hashes() {
    let template = Template::read();
    for function in all() {
        let statements = reading(&template, function);
        assert!(!statements.is_empty());
        for statement in statements {
            let hash = |pattern: &String| matches(pattern, "CREDENTIAL#7");
            let may_not = statement.not_leading_keys.unwrap_or_default();
            let may = statement.leading_keys;
            let is_open = may.is_none_or(|patterns| patterns.iter().any(hash));
            let closed = may_not.iter().any(hash) || !is_open;
            let verifies = ["auth", "users", ADMIN, ACCOUNT, MAILER].contains(&function);
            assert_eq!(closed, !verifies, "{function}");
        }
    }
}

/// The statements by which a function reads the table.
fn reading(template: &Template, function: &str) -> Vec<Statement> {
    let mut statements = template.statements(function);
    // A check of a condition tells nothing of an item.
    let reads = |action: &String| {
        action.starts_with("dynamodb:")
            && !writes(action)
            && !action.ends_with("ConditionCheckItem")
    };
    statements.retain(|one| one.resource == "Table" && one.actions.iter().any(reads));
    statements
}

#[tokio::test]
async fn the_mailer_reads_accounts_and_mails_and_nothing_else() {
    let template = Template::read();
    let statements = reading(&template, MAILER);
    let [statement] = &statements[..] else {
        panic!("{statements:?}")
    };
    let mut read = needs(MAILER).await.keys;
    read.retain(|(action, _)| !writes(action));
    for (action, key) in &read {
        let mut patterns = statement.keys().iter();
        let allowed = patterns.any(|pattern| matches(pattern, key));
        assert!(allowed, "the mailer may not call {action} on {key}");
    }
    for pattern in statement.keys() {
        let is_used = read.iter().any(|(_, key)| matches(pattern, key));
        assert!(is_used, "the mailer may read {pattern}, but reads {read:?}");
    }
    let mut of_index = template.statements(MAILER);
    of_index.retain(|one| one.resource.contains("/index/"));
    assert_eq!(of_index.len(), 1);
    assert_eq!(*of_index[0].keys(), BTreeSet::from(["OUTBOX".to_owned()]));
}

#[test]
fn the_mailer_reads_the_tables_stream_and_sends_from_one_address_only() {
    let template = Template::read();
    let [stream] = &template.attached("ReadStream", MAILER)[..] else {
        panic!("more than one statement")
    };
    let actions = ["DescribeStream", "GetRecords", "GetShardIterator"];
    let actions = actions.map(|action| format!("dynamodb:{action}"));
    assert_eq!(texts(&stream["Action"]), actions);
    assert!(format!("{stream:?}").contains("Table.StreamArn"));
    let [send] = &template.attached("SendBySes", MAILER)[..] else {
        panic!("more than one statement")
    };
    assert_eq!(
        texts(&send["Action"]),
        ["ses:SendEmail", "ses:SendRawEmail"]
    );
    let condition = &send["Condition"]["StringEquals"]["ses:FromAddress"];
    assert!(format!("{condition:?}").contains("DefaultFromEmail"));
}

fn texts(list: &serde_yaml_ng::Value) -> Vec<&str> {
    let list = list.as_sequence().expect("a list").iter();
    list.map(|text| text.as_str().expect("a text")).collect()
}

#[test]
fn no_function_may_change_or_delete_an_entry_of_the_log() {
    let template = Template::read();
    for function in all() {
        for statement in template.statements(function) {
            let changes =
                |action: &String| action.ends_with("UpdateItem") || action.ends_with("DeleteItem");
            if statement.actions.iter().any(changes) {
                let mut patterns = statement.keys().iter();
                let log = "LOG#auth.user#7";
                assert!(!patterns.any(|pattern| matches(pattern, log)), "{function}");
            }
        }
    }
}

fn matches(pattern: &str, key: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => key.starts_with(prefix),
        None => key == pattern,
    }
}

fn writes(action: &str) -> bool {
    let writes = ["PutItem", "UpdateItem", "DeleteItem"];
    writes.iter().any(|name| action.ends_with(name))
}
