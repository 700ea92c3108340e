//! What a request takes of the function itself, counted in allocations beside those of a bare GetItem:
//! a count is the same on any machine. `cargo bench -p manage --bench cost` has the time.

use aws_sdk_dynamodb::Client;
use lambda_http::{Context, lambda_runtime::LambdaEvent};
use serde_json::{Value, json};
use shared::{
    app::App,
    aws,
    clock::Clock,
    domain::UserId,
    http::{Routes, service},
    lambda::handler,
    store::{items::attributes, keys::Entity},
};
use testkit::{Account, Server, TABLE, app, events::event, user_path};
use tokio::runtime::{Builder, Runtime};
use tower::Service;

/// The fewest allocations of this thread for some work, whose first time opens connections.
fn fewest(runtime: &Runtime, mut work: impl AsyncFnMut()) -> u64 {
    runtime.block_on(work());
    let counts = (0..5).map(|_| {
        let counted = allocation_counter::measure(|| runtime.block_on(work()));
        counted.count_total
    });
    counts.min().unwrap()
}

fn of_get_item(runtime: &Runtime, server: &Server, user: &Account) -> u64 {
    let client = Client::new(&aws::local(&server.engine.endpoint()));
    let key = Entity::User(UserId(user.id)).key();
    fewest(runtime, async || {
        let call = client.get_item().table_name(TABLE).consistent_read(true);
        let answer = call.set_key(Some(attributes(&key))).send().await;
        assert!(answer.unwrap().item.is_some());
    })
}

/// From the event's JSON to the answer's.
fn of_request(runtime: &Runtime, app: &App, routes: Routes, event: &Value) -> u64 {
    let event = event.to_string();
    let mut handler = handler(service(routes, app.clone()));
    fewest(runtime, async || {
        let event = LambdaEvent::new(serde_json::from_str(&event).unwrap(), Context::default());
        let answer = serde_json::to_string(&handler.call(event).await.unwrap()).unwrap();
        assert!(answer.starts_with(r#"{"statusCode":200,"#), "{answer}");
    })
}

#[test]
fn a_profile_and_a_refresh_allocate_little_more_than_the_sdk_does_for_an_item() {
    // The table has threads of its own, so that this one counts the function's alone.
    let beside = Runtime::new().unwrap();
    let server = beside.block_on(Server::start());
    let user = beside.block_on(server.account("ann"));
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let _inside = runtime.enter();
    let app = app(&server.engine.endpoint(), &[], Clock::System);

    let get_item = of_get_item(&runtime, &server, &user);
    let path = format!("/api/auth/{}", user_path(user.id));
    let profile = event("GET", &path, Some(&user.access), &Value::Null);
    let profile = of_request(&runtime, &app, users::routes(), &profile);
    let body = json!({ "refresh": user.refresh });
    let refresh = event("POST", "/api/auth/token/refresh/", None, &body);
    let refresh = of_request(&runtime, &app, auth::routes(), &refresh);
    println!("GetItem {get_item}, profile {profile}, refresh {refresh} allocations");
    let percent = |count: u64| count * 100 / get_item;
    assert!(percent(profile) <= 152, "profile: {} %", percent(profile));
    assert!(percent(refresh) <= 162, "refresh: {} %", percent(refresh));
}
