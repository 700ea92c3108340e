//! `status` and `rollback` of a stack. The other side speaks as CloudFormation, Lambda and CloudWatch
//! Logs do, by the examples of their API references, and keeps aliases as Lambda does.

use std::{
    collections::BTreeMap,
    process::Command,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Bytes, to_bytes},
    extract::{Request, State},
    http::{Method, StatusCode},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use testkit::process::run;

use super::process::manage;

/// What the API of AWS holds.
#[derive(Clone)]
struct Aws(Arc<Mutex<Held>>);

struct Held {
    stack_status: &'static str,
    /// The version behind the alias, by function.
    aliases: BTreeMap<&'static str, u64>,
    /// The versions of each function, which come in pages of two.
    versions: BTreeMap<&'static str, Vec<u64>>,
    /// A version that a function's alias is shifting to.
    shifting: Option<(&'static str, &'static str)>,
    /// The questions to the logs.
    queries: Vec<Value>,
}

impl Aws {
    /// A stack of two functions at version 42, and a third resource.
    fn new() -> Self {
        let names = ["users-Auth-1X", "users-Users-2Y"];
        Self(Arc::new(Mutex::new(Held {
            stack_status: "UPDATE_COMPLETE",
            aliases: names.map(|name| (name, 42)).into(),
            versions: names.map(|name| (name, vec![39, 41, 42, 43])).into(),
            shifting: None,
            queries: Vec::new(),
        })))
    }

    fn with(self, change: impl FnOnce(&mut Held)) -> Self {
        change(&mut self.0.lock().unwrap());
        self
    }

    fn aliases(&self) -> Vec<u64> {
        self.0.lock().unwrap().aliases.values().copied().collect()
    }

    /// The binary with a command line, on this AWS.
    async fn command(&self, line: &str) -> Command {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = Router::new().fallback(answer).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, service).await });
        let mut command = manage(line);
        if !line.contains("--stack") {
            command.args(["--stack", "users"]);
        }
        command
            .env("AWS_ENDPOINT_URL", format!("http://{address}"))
            .env("AWS_REGION", "eu-west-1")
            .env("AWS_ACCESS_KEY_ID", "sample")
            .env("AWS_SECRET_ACCESS_KEY", "sample");
        command
    }

    async fn succeed(&self, line: &str) -> String {
        run(&mut self.command(line).await).succeeded()
    }

    async fn fail(&self, line: &str) -> String {
        run(&mut self.command(line).await).failed()
    }
}

async fn answer(State(Aws(held)): State<Aws>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 100_000).await.unwrap();
    let mut held = held.lock().unwrap();
    if let Some(path) = parts.uri.path().strip_prefix("/2015-03-31/functions/") {
        let (name, rest) = path.split_once('/').unwrap();
        let query = parts.uri.query().unwrap_or_default();
        return lambda(&mut held, (parts.method, name, rest, query), &body);
    }
    match parts
        .headers
        .get("x-amz-target")
        .map(|target| target.to_str().unwrap())
    {
        Some("Logs_20140328.StartQuery") => {
            let query: Value = serde_json::from_slice(&body).unwrap();
            let group = query["logGroupName"].as_str().unwrap().to_owned();
            held.queries.push(query);
            if group == "/users/users-Users-2Y" {
                let error = [("x-amzn-errortype", "ResourceNotFoundException")];
                let body = json!({"message": "Log group does not exist"}).to_string();
                return (StatusCode::BAD_REQUEST, error, body).into_response();
            }
            axum::Json(json!({"queryId": "12ab3456-12ab-123a-789e-1234567890ab"})).into_response()
        }
        Some("Logs_20140328.GetQueryResults") => axum::Json(results()).into_response(),
        _ => cloudformation(&held, &String::from_utf8_lossy(&body)),
    }
}

fn lambda(
    held: &mut Held,
    (method, name, rest, query): (Method, &str, &str, &str),
    body: &Bytes,
) -> Response {
    let Some(alias) = held.aliases.get(name).copied() else {
        let error = [("x-amzn-errortype", "ResourceNotFoundException")];
        let body = json!({"Type": "User", "Message": "Cannot find alias arn"}).to_string();
        return (StatusCode::NOT_FOUND, error, body).into_response();
    };
    let shown = |version: u64, shifting: Option<&str>| {
        let weights = shifting.map(|to| json!({"AdditionalVersionWeights": {to: 0.1}}));
        json!({
            "Name": "live",
            "FunctionVersion": version.to_string(),
            "RoutingConfig": weights,
            "RevisionId": format!("revision-{version}"),
        })
    };
    axum::Json(match (method, rest) {
        (Method::GET, "aliases/live") => {
            let shifting = held.shifting.filter(|(of, _)| *of == name);
            shown(alias, shifting.map(|(_, to)| to))
        }
        (Method::PUT, "aliases/live") => {
            let body: Value = serde_json::from_slice(body).unwrap();
            assert_eq!(body["RevisionId"], format!("revision-{alias}"));
            let version = body["FunctionVersion"].as_str().unwrap().parse().unwrap();
            *held.aliases.get_mut(name).unwrap() = version;
            shown(version, None)
        }
        (Method::GET, "versions") => {
            let version = |version: String| json!({ "Version": version });
            let all = held.versions[name].iter().map(ToString::to_string);
            let all: Vec<Value> = ["$LATEST".to_owned()]
                .into_iter()
                .chain(all)
                .map(version)
                .collect();
            let (first, rest) = all.split_at(2);
            if query.contains("Marker=") {
                json!({ "Versions": rest })
            } else {
                json!({"Versions": first, "NextMarker": "more"})
            }
        }
        (Method::GET, "configuration") if query == "Qualifier=live" => json!({
            "Version": alias.to_string(),
            "LastModified": "2026-11-25T09:00:00.000+0000",
            "CodeSha256": "aaaa",
            "MemorySize": 1024,
            "Timeout": 15,
            "Environment": {"Variables": {
                "LOGIN_FAILURE_LIMIT": "30", "TABLE_NAME": "users", "SIGNING_KEY": "a-secret",
                "ORIGIN_SECRET": "a-secret", "PARAMETERS": "{\"OriginSecret\": \"a-secret\"}",
            }},
            "LoggingConfig": {"LogGroup": format!("/users/{name}")},
        }),
        (Method::GET, "configuration") => json!({
            "Version": "$LATEST",
            "CodeSha256": "aaaa",
            "MemorySize": 2048,
            "Timeout": 15,
            "Environment": {"Variables": {
                "LOGIN_FAILURE_LIMIT": "31", "TABLE_NAME": "users", "SIGNING_KEY": "another",
                "AUDIENCE": "shop", "ORIGIN_SECRET": "another", "PARAMETERS": "{}",
            }},
        }),
        other => panic!("{other:?}"),
    })
    .into_response()
}

fn results() -> Value {
    let row = |pairs: &[(&str, &str)]| {
        let fields = pairs
            .iter()
            .map(|(field, value)| json!({"field": field, "value": value}));
        Value::from(fields.collect::<Vec<_>>())
    };
    json!({
        "status": "Complete",
        "results": [row(&[
            ("starts", "12"),
            ("failures", "3"),
            ("crashes", "1"),
            ("timeouts", "0"),
            ("slow", "7.0"),
        ])],
    })
}

fn cloudformation(held: &Held, body: &str) -> Response {
    let resource = |(logical, physical, kind): (&str, &str, &str)| {
        format!(
            "<member><LogicalResourceId>{logical}</LogicalResourceId>\
             <PhysicalResourceId>{physical}</PhysicalResourceId><ResourceType>{kind}</ResourceType>\
             <LastUpdatedTimestamp>2026-11-25T09:00:00Z</LastUpdatedTimestamp>\
             <ResourceStatus>CREATE_COMPLETE</ResourceStatus></member>"
        )
    };
    if body.contains("StackName=nope") {
        let error = "<Error><Type>Sender</Type><Code>ValidationError</Code>\
             <Message>Stack with id nope does not exist</Message></Error>";
        let text = format!("<ErrorResponse>{error}</ErrorResponse>");
        let kind = [("content-type", "text/xml")];
        return (StatusCode::BAD_REQUEST, kind, text).into_response();
    }
    let (action, result) = if body.contains("Action=DescribeStacks") {
        let status = held.stack_status;
        let stack = format!(
            "<Stacks><member><StackName>users</StackName><StackStatus>{status}</StackStatus>\
             <CreationTime>2026-11-01T09:00:00Z</CreationTime></member></Stacks>"
        );
        ("DescribeStacks", stack)
    } else if body.contains("Action=ListStackResources") {
        let resources = [
            ("UsersFunction", "users-Users-2Y", "AWS::Lambda::Function"),
            ("AuthFunction", "users-Auth-1X", "AWS::Lambda::Function"),
            // Without the alias.
            ("HookFunction", "users-Hook-3Z", "AWS::Lambda::Function"),
            ("Table", "users-Table-4A", "AWS::DynamoDB::Table"),
        ];
        let members: String = resources.into_iter().map(resource).collect();
        let list = format!("<StackResourceSummaries>{members}</StackResourceSummaries>");
        ("ListStackResources", list)
    } else {
        panic!("{body}");
    };
    let text = format!(
        "<{action}Response xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\">\
         <{action}Result>{result}</{action}Result></{action}Response>"
    );
    ([("content-type", "text/xml")], text).into_response()
}

#[tokio::test(flavor = "multi_thread")]
async fn status_tells_what_runs_what_differs_from_what_is_configured_and_where_no_log_is() {
    let aws = Aws::new().with(|held| held.shifting = Some(("users-Users-2Y", "43")));
    let text = aws.succeed("status").await;
    let differences = "  AUDIENCE: runs with nothing, configured \"shop\"\n\
         \u{20} LOGIN_FAILURE_LIMIT: runs with \"30\", configured \"31\"\n\
         \u{20} ORIGIN_SECRET: runs with (not shown), configured (not shown)\n\
         \u{20} SIGNING_KEY: runs with (not shown), configured (not shown)\n\
         \u{20} memory (MiB): runs with 1024, configured 2048\n";
    let expected = format!(
        "The stack is UPDATE_COMPLETE.\n\
         AuthFunction: version 42, published 2026-11-25T09:00:00.000+0000\n\
         {differences}\
         \u{20} last hour: 12 cold start(s), 4 error(s), 7 slow DynamoDB call(s)\n\
         UsersFunction: version 42, published 2026-11-25T09:00:00.000+0000, \
         10 % of requests go to version 43\n\
         {differences}\
         \u{20} last hour: no log group\n"
    );
    assert_eq!(text, expected);
    let queries = aws.0.lock().unwrap().queries.clone();
    let mut groups: Vec<&str> = Vec::new();
    for query in &queries {
        groups.push(query["logGroupName"].as_str().unwrap());
        let time = |name: &str| query[name].as_i64().unwrap();
        assert_eq!(time("endTime") - time("startTime"), 3600);
    }
    groups.sort_unstable();
    assert_eq!(groups, ["/users/users-Auth-1X", "/users/users-Users-2Y"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rollback_points_every_alias_to_the_version_before() {
    let aws = Aws::new();
    let steps = "AuthFunction: version 42 -> 41\nUsersFunction: version 42 -> 41\n";
    let planned = aws.succeed("rollback --dry-run").await;
    assert_eq!(planned, format!("{steps}2 function(s) to roll back.\n"));
    assert_eq!(aws.aliases(), [42, 42]);
    let told = aws.succeed("rollback").await;
    let end = "2 function(s) rolled back. The next deployment moves them on again.\n";
    assert_eq!(told, format!("{steps}{end}"));
    assert_eq!(aws.aliases(), [41, 41]);
    // The numbers have gaps where versions were deleted.
    aws.succeed("rollback").await;
    assert_eq!(aws.aliases(), [39, 39]);
    let error = aws.fail("rollback").await;
    assert_eq!(error, "AuthFunction has no version before 39");
}

#[tokio::test(flavor = "multi_thread")]
async fn rollback_takes_a_version_that_every_function_has_or_changes_nothing() {
    let aws = Aws::new();
    aws.succeed("rollback --to 43").await;
    assert_eq!(aws.aliases(), [43, 43]);
    let told = aws.succeed("rollback --to 43").await;
    assert!(
        told.starts_with("AuthFunction: stays at version 43\n"),
        "{told}"
    );
    let aws = aws.with(|held| held.versions.get_mut("users-Users-2Y").unwrap().truncate(1));
    let error = aws.fail("rollback --to 41").await;
    assert_eq!(error, "UsersFunction has no version 41");
    assert_eq!(aws.aliases(), [43, 43]);
    let error = aws.fail("rollback --stack nope").await;
    assert_eq!(error, "there is no stack nope");
}

#[tokio::test(flavor = "multi_thread")]
async fn rollback_refuses_while_a_deployment_runs() {
    let advice = "stop it or wait for its end";
    let aws = Aws::new().with(|held| held.stack_status = "UPDATE_IN_PROGRESS");
    let error = aws.fail("rollback").await;
    let expected = format!("a deployment runs (the stack is UPDATE_IN_PROGRESS); {advice}");
    assert_eq!(error, expected);
    let aws = Aws::new().with(|held| held.shifting = Some(("users-Users-2Y", "43")));
    let error = aws.fail("rollback").await;
    let expected = format!("a deployment runs (UsersFunction is moving to version 43); {advice}");
    assert_eq!(error, expected);
    assert_eq!(aws.aliases(), [42, 42]);
}
