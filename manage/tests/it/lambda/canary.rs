//! The hook before traffic: an account goes through the new versions, and whatever differs stops the
//! deployment. AWS is on loopback: its Invoke calls the functions themselves.

use std::sync::{Arc, Mutex};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use canary::{Event, Hook, Settings};
use serde_json::{Value, json};
use shared::{
    app::App,
    aws::{self, LocalEndpoint},
};
use testkit::{PASSWORD, Server, events::invoke, samples};
use tokio::{net::TcpListener, runtime::Handle, task::spawn_blocking};

use super::authorizer::authorize;

/// What is wrong with the new versions.
#[derive(Clone)]
enum Wrong {
    Nothing,
    /// The n-th call of a path, from 0, is answered so instead.
    Answer(&'static str, usize, u16, Value),
    /// A path's function ends in an error.
    Crash(&'static str),
    /// The authorizer answers so.
    Authorizer(Value),
    /// The secret holds this text.
    Secret(&'static str),
}

#[derive(Clone)]
struct Aws {
    app: App,
    wrong: Wrong,
    /// The paths that were asked for.
    asked: Arc<Mutex<Vec<String>>>,
    /// What CodeDeploy was told.
    told: Arc<Mutex<Vec<Value>>>,
}

async fn lambda(State(aws): State<Aws>, Path(name): Path<String>, body: String) -> Response {
    let (function, version) = name.split_once(':').expect("a version");
    assert_eq!(version, "7");
    let event: Value = serde_json::from_str(&body).unwrap();
    if function == "authorizer" {
        return match aws.wrong {
            Wrong::Authorizer(answer) => Json(answer).into_response(),
            _ => Json(authorize(&aws.app, &event).await).into_response(),
        };
    }
    let path = event["rawPath"].as_str().unwrap().to_owned();
    let earlier = {
        let mut asked = aws.asked.lock().unwrap();
        let earlier = asked.iter().filter(|one| **one == path).count();
        asked.push(path.clone());
        earlier
    };
    match aws.wrong {
        Wrong::Crash(crashing) if crashing == path => {
            return ([("x-amz-function-error", "Unhandled")], "{}").into_response();
        }
        Wrong::Answer(wrong, time, status, body) if wrong == path && time == earlier => {
            let answer = json!({"statusCode": status, "body": body.to_string()});
            return Json(answer).into_response();
        }
        _ => {}
    }
    let function = function.to_owned();
    // On a thread of its own, since the future of an answer stays on one.
    let runtime = Handle::current();
    let called = move || runtime.block_on(invoke(&function, &aws.app, &event));
    let answer = spawn_blocking(called).await.unwrap();
    Json(json!({"statusCode": answer.status, "body": answer.text})).into_response()
}

async fn others(State(aws): State<Aws>, headers: HeaderMap, body: String) -> Response {
    let request: Value = serde_json::from_str(&body).unwrap();
    match headers["x-amz-target"].to_str().unwrap() {
        "secretsmanager.GetSecretValue" => {
            assert_eq!(request["SecretId"], "the-secret");
            let account = json!({"username": "canary", "password": PASSWORD}).to_string();
            let text = match aws.wrong {
                Wrong::Secret(text) => text.to_owned(),
                _ => account,
            };
            Json(json!({ "SecretString": text })).into_response()
        }
        "CodeDeploy_20141006.PutLifecycleEventHookExecutionStatus" => {
            aws.told.lock().unwrap().push(request);
            Json(json!({})).into_response()
        }
        other => (StatusCode::BAD_REQUEST, other.to_owned()).into_response(),
    }
}

/// What the hook tells CodeDeploy, and the paths that it asked for.
async fn verdict(app: &App, wrong: Wrong, more: &[(&str, &str)]) -> (String, Vec<String>) {
    let aws = Aws {
        app: app.clone(),
        wrong,
        asked: Arc::default(),
        told: Arc::default(),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new()
        .route("/2015-03-31/functions/{name}/invocations", post(lambda))
        .route("/", post(others))
        .with_state(aws.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let settings = Settings::from_lookup(|name| {
        let more = more.iter().find(|(one, _)| *one == name);
        let version = name.strip_suffix("_VERSION");
        let text = match (more, version, name) {
            (Some((_, value)), ..) => (*value).to_owned(),
            (_, Some(function), _) => format!("{}:7", function.to_lowercase()),
            (_, _, "CANARY_SECRET_ARN") => "the-secret".to_owned(),
            _ => return None,
        };
        Some(text)
    });
    let local = LocalEndpoint {
        url: endpoint.clone(),
        access_key: "local".to_owned(),
    };
    let hook = Hook::new(settings.unwrap(), &aws::local(&local));
    let event: Event = serde_json::from_value(samples::read("before-traffic")).unwrap();
    hook.run(&event).await.expect("CodeDeploy is told");
    let told = aws.told.lock().unwrap().clone();
    let [told] = told.as_slice() else {
        panic!("told {told:?}")
    };
    assert_eq!(told["deploymentId"], "d-SAMPLE123");
    assert_eq!(told["lifecycleEventHookExecutionId"], "sample-execution");
    let asked = aws.asked.lock().unwrap().clone();
    (told["status"].as_str().unwrap().to_owned(), asked)
}

/// A service with the account.
async fn service() -> Server {
    let server = Server::start().await;
    server.user("canary").await;
    server
}

#[tokio::test]
async fn versions_that_answer_as_they_should_get_traffic_and_the_session_ends() {
    let server = service().await;
    let (status, asked) = verdict(&server.app, Wrong::Nothing, &[]).await;
    assert_eq!(status, "Succeeded", "{asked:?}");
    let expected = [
        "/api/auth/login/",
        "/api/auth/users/me/",
        "/api/auth/groups/",
        "/api/auth/permissions/",
        "/admin/login/",
        "/api/auth/token/refresh/",
        "/api/auth/users/me/",
        "/api/auth/logout/",
        "/api/auth/users/me/",
        "/api/auth/token/refresh/",
    ];
    assert_eq!(asked, expected);
}

#[tokio::test]
async fn with_rotation_too() {
    let server = service().await;
    let clock = server.app.clock.clone();
    let settings = [("ROTATE_REFRESH_TOKENS", "true")];
    let app = testkit::app(&server.engine.endpoint(), &settings, clock);
    assert_eq!(verdict(&app, Wrong::Nothing, &[]).await.0, "Succeeded");
}

#[tokio::test]
async fn functions_that_ask_for_an_origin_secret_get_it() {
    const SECRET: &str = "what-only-the-proxy-knows-0123456789";
    let server = service().await;
    let clock = server.app.clock.clone();
    let settings = [("ORIGIN_SECRET", SECRET)];
    let app = testkit::app(&server.engine.endpoint(), &settings, clock);
    let (status, asked) = verdict(&app, Wrong::Nothing, &settings).await;
    assert_eq!(status, "Succeeded", "{asked:?}");
    for more in [&[][..], &[("ORIGIN_SECRET", "another")]] {
        assert_eq!(verdict(&app, Wrong::Nothing, more).await.0, "Failed");
    }
}

#[tokio::test]
async fn whatever_differs_stops_the_deployment_and_the_session_ends_all_the_same() {
    const PROFILE: &str = "/api/auth/users/me/";
    const REFRESH: &str = "/api/auth/token/refresh/";
    let server = service().await;
    let empty = || json!({});
    let answers = [
        ("/api/auth/login/", 0, 401, empty()),
        ("/api/auth/login/", 0, 200, json!({"access": "x"})),
        (PROFILE, 0, 503, empty()),
        (PROFILE, 0, 200, json!({"id": 1, "username": "another"})),
        (PROFILE, 1, 200, json!({"id": 1, "username": "another"})),
        // The session goes on after the logout.
        (PROFILE, 2, 200, json!({"id": 1, "username": "canary"})),
        (REFRESH, 0, 401, empty()),
        (REFRESH, 0, 200, empty()),
        (REFRESH, 1, 200, json!({"access": "x"})),
        ("/api/auth/logout/", 0, 500, empty()),
        ("/api/auth/groups/", 0, 200, json!([])),
        ("/api/auth/groups/", 0, 403, json!({"detail": "No."})),
        ("/api/auth/permissions/", 0, 401, empty()),
        ("/admin/login/", 0, 502, empty()),
    ];
    let answers = answers.map(|(path, time, status, body)| Wrong::Answer(path, time, status, body));
    let others = [
        Wrong::Crash("/api/auth/login/"),
        Wrong::Crash("/admin/login/"),
        Wrong::Authorizer(json!({"isAuthorized": false})),
        Wrong::Authorizer(json!({"isAuthorized": true, "context": {"username": "another"}})),
        Wrong::Secret("canary"),
        Wrong::Secret(r#"{"username": "canary", "password": "another"}"#),
    ];
    for wrong in answers.into_iter().chain(others) {
        let (status, asked) = verdict(&server.app, wrong, &[]).await;
        assert_eq!(status, "Failed", "{asked:?}");
        let logged_in = asked.iter().any(|path| path == "/api/auth/users/me/");
        let logged_out = asked.iter().any(|path| path == "/api/auth/logout/");
        assert_eq!(logged_in, logged_out, "{asked:?}");
    }
}

#[tokio::test]
async fn permissions_that_the_authorizer_asks_for_may_be_lacked() {
    let server = service().await;
    let refused = || Wrong::Authorizer(json!({"isAuthorized": false}));
    let asks = [("REQUIRED_PERMISSIONS", "blog.publish_post")];
    let (status, _) = verdict(&server.app, refused(), &asks).await;
    assert_eq!(status, "Succeeded");
    let odd = Wrong::Authorizer(json!({}));
    assert_eq!(verdict(&server.app, odd, &asks).await.0, "Failed");
}

#[test]
fn a_missing_setting_is_named() {
    let error = Settings::from_lookup(|_| None).expect_err("none is set");
    assert_eq!(error.to_string(), "CANARY_SECRET_ARN is not set");
}
