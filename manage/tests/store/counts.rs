//! What a request costs: the sequential round trips of every endpoint, and its capacity units.

use std::sync::Arc;

use serde_json::{Value, json};
use shared::{domain::User, jwt::TokenType};
use tokio::sync::Barrier;

use crate::{
    proxy::{Call, Fault, round_trips},
    support::{ADMIN_PASSWORD, add_user},
    world::{World, registration},
};

/// Sends a request; its status and the calls that it made.
async fn calls(
    world: &World,
    caller: Option<&User>,
    request: (&str, &str, Value),
) -> (u16, Vec<Call>) {
    world.proxy.take_calls();
    let (method, path, body) = request;
    let answer = world.call(caller, method, path, &body).await;
    (answer.status, world.proxy.take_calls())
}

#[tokio::test]
async fn an_own_profile_is_one_read() {
    let world = World::start().await;
    let ann = world.user("ann").await;
    let (status, calls) = calls(&world, Some(&ann), ("GET", "users/2/", Value::Null)).await;
    assert_eq!((status, round_trips(&calls)), (200, vec![vec!["GetItem"]]));
}

#[tokio::test]
async fn an_own_profile_of_a_member_is_one_read_more() {
    let world = World::start().await;
    let ann = world.user("ann").await;
    let ann = world
        .join(
            &ann,
            [world.group("Staff").await.id, world.group("Sales").await.id],
        )
        .await;
    let (status, calls) = calls(&world, Some(&ann), ("GET", "users/2/", Value::Null)).await;
    assert_eq!(
        (status, round_trips(&calls)),
        (200, vec![vec!["GetItem"], vec!["BatchGetItem"]])
    );
}

#[tokio::test]
async fn a_page_of_users_is_four_round_trips_whatever_its_size() {
    let world = World::start().await;
    let group = world.group("Staff").await;
    for number in 0..250 {
        world.user(&format!("user{number}")).await;
    }
    let ann = world.user("ann").await;
    world.join(&ann, [group.id]).await;
    // Three batches hold 252 profiles; each waits until all have been sent, or for ever.
    let (profiles, together) = (3, Arc::new(Barrier::new(3)));
    world.proxy.inject(move |operation, request| {
        let keys = &request["RequestItems"]["users"]["Keys"];
        (operation == "BatchGetItem" && keys[0]["SK"]["S"] == "PROFILE")
            .then(|| Fault::Meet(Arc::clone(&together)))
    });
    let (status, calls) = calls(
        &world,
        Some(&world.admin),
        ("GET", "users/?page_size=1000", Value::Null),
    )
    .await;
    assert_eq!(status, 200);
    let trips = round_trips(&calls);
    let operations: Vec<&str> = trips.iter().map(|trip| trip[0]).collect();
    assert_eq!(
        operations,
        ["GetItem", "Query", "BatchGetItem", "BatchGetItem"]
    );
    assert_eq!(trips[2], vec!["BatchGetItem"; profiles]);
}

#[tokio::test]
async fn a_login_reads_twice_and_writes_nothing() {
    let world = World::start().await;
    add_user(&world.app, "ann", "ann@example.com", ADMIN_PASSWORD, |_| {}).await;
    let body = json!({"username": "ann", "password": ADMIN_PASSWORD});
    let (status, calls) = calls(&world, None, ("POST", "login/", body)).await;
    assert_eq!(
        (status, round_trips(&calls)),
        (200, vec![vec!["BatchGetItem"], vec!["BatchGetItem"]])
    );
}

#[tokio::test]
async fn a_registration_is_one_transaction_after_its_id() {
    let world = World::start().await;
    let body = registration("ann", "ann@example.com");
    let (status, calls) = calls(&world, None, ("POST", "users/register/", body)).await;
    assert_eq!(
        (status, round_trips(&calls)),
        (201, vec![vec!["UpdateItem"], vec!["TransactWriteItems"]])
    );
    assert_eq!(calls[0].request["Key"]["PK"]["S"], "SEQUENCE");
}

#[tokio::test]
async fn one_transaction_tells_both_names_that_a_registration_cannot_have() {
    let world = World::start().await;
    world.user("ann").await;
    world.proxy.take_calls();
    let answer = world
        .call(
            None,
            "POST",
            "users/register/",
            &registration("ann", "ANN@example.com"),
        )
        .await;
    let body = json!({
        "username": ["A user with that username already exists."],
        "email": ["This field must be unique."],
    });
    assert_eq!(answer.seen(), (400, body));
    let calls = world.proxy.take_calls();
    assert_eq!(
        round_trips(&calls),
        vec![vec!["UpdateItem"], vec!["TransactWriteItems"]]
    );
}

#[tokio::test]
async fn an_invalid_registration_looks_up_its_names_once_and_takes_no_id() {
    let world = World::start().await;
    let mut body = registration("ann", "ann@example.com");
    body["password2"] = "another".into();
    let (status, calls) = calls(&world, None, ("POST", "users/register/", body)).await;
    assert_eq!(
        (status, round_trips(&calls)),
        (400, vec![vec!["BatchGetItem"]])
    );
}

#[tokio::test]
async fn a_refresh_is_one_read() {
    let world = World::start().await;
    let body = json!({"refresh": world.token(TokenType::Refresh, &world.admin)});
    let (status, calls) = calls(&world, None, ("POST", "token/refresh/", body)).await;
    assert_eq!(
        (status, round_trips(&calls)),
        (200, vec![vec!["BatchGetItem"]])
    );
}

#[tokio::test]
async fn assigning_groups_is_three_reads_and_a_transaction() {
    let world = World::start().await;
    world.user("ann").await;
    world.group("Staff").await;
    world.proxy.take_calls();
    let answer = world
        .as_admin("POST", "users/2/assign_groups/", &json!({"group_ids": [1]}))
        .await;
    let profile = json!({
        "id": 2, "username": "ann", "email": "ann@example.com", "first_name": "", "last_name": "",
        "groups": [{"id": 1, "name": "Staff"}],
    });
    assert_eq!(answer.seen(), (200, profile));
    let calls = world.proxy.take_calls();
    let operations = [
        ["GetItem"],
        ["GetItem"],
        ["BatchGetItem"],
        ["TransactWriteItems"],
    ];
    assert_eq!(round_trips(&calls), operations);
}

#[tokio::test]
async fn who_holds_nothing_is_refused_without_another_read() {
    let world = World::start().await;
    let ann = world.user("ann").await;
    let (status, calls) = calls(&world, Some(&ann), ("GET", "groups/", Value::Null)).await;
    assert_eq!((status, round_trips(&calls)), (403, vec![vec!["GetItem"]]));
}

#[tokio::test]
async fn what_a_label_opens_is_looked_up_in_one_round_trip() {
    let world = World::start().await;
    let ann = world.user("ann").await;
    let view = world.permission("auth.view_group").await;
    let ann = world.grant(&ann, view).await;
    let ann = world.join(&ann, [world.group("Staff").await.id]).await;
    // Each waits until the other has been sent, or for ever.
    let together = Arc::new(Barrier::new(2));
    world.proxy.inject(move |operation, request| {
        let is_label =
            request["ExpressionAttributeValues"][":pk"]["S"] == "CODENAME#auth.view_group";
        (operation == "BatchGetItem" || is_label).then(|| Fault::Meet(Arc::clone(&together)))
    });
    let (status, calls) = calls(&world, Some(&ann), ("GET", "groups/", Value::Null)).await;
    let trips = round_trips(&calls);
    assert_eq!((status, trips.len()), (200, 3), "{trips:?}");
    let mut looked_up = trips[1].clone();
    looked_up.sort_unstable();
    assert_eq!(looked_up, ["BatchGetItem", "Query"]);
}

#[tokio::test]
async fn all_of_a_users_permissions_are_two_round_trips() {
    let world = World::start().await;
    let ann = world.user("ann").await;
    let view = world.permission("auth.view_group").await;
    let ann = world.grant(&ann, view).await;
    let ann = world.join(&ann, [world.group("Staff").await.id]).await;
    let (status, calls) = calls(
        &world,
        Some(&ann),
        ("GET", "users/2/permissions/", Value::Null),
    )
    .await;
    let expected = [vec!["GetItem"], vec!["BatchGetItem"], vec!["BatchGetItem"]];
    assert_eq!((status, round_trips(&calls)), (200, expected.into()));
}

/// Every endpoint with a request that succeeds, after one another, and its round trips.
fn every_endpoint(world: &World) -> Vec<(&'static str, &'static str, Value, u16, usize)> {
    let refresh = world.token(TokenType::Refresh, &world.admin);
    let refresh = || json!({"refresh": refresh});
    let login = json!({"username": "zoe", "password": ADMIN_PASSWORD});
    let verify = json!({"token": world.token(TokenType::Access, &world.admin)});
    let ids = || json!({"permission_ids": [1, 2]});
    let group = || json!({"group_id": 1});
    let permission = json!({"name": "Can go", "codename": "go", "content_type": "auth.user"});
    vec![
        (
            "POST",
            "users/register/",
            registration("bob", "bob@example.com"),
            201,
            2,
        ),
        ("POST", "login/", login, 200, 2),
        ("POST", "token/refresh/", refresh(), 200, 1),
        ("POST", "token/verify/", verify, 200, 0),
        ("POST", "token/blacklist/", refresh(), 200, 1),
        ("GET", "users/", Value::Null, 200, 4),
        ("GET", "users/?search=an", Value::Null, 200, 4),
        ("GET", "users/2/", Value::Null, 200, 3),
        ("PATCH", "users/2/", json!({"first_name": "Ann"}), 200, 4),
        (
            "PATCH",
            "users/2/",
            json!({"username": "anna", "email": "anna@example.com"}),
            200,
            4,
        ),
        (
            "PUT",
            "users/2/",
            json!({"username": "ann", "email": "ann@example.com"}),
            200,
            4,
        ),
        (
            "POST",
            "users/2/assign_groups/",
            json!({"group_ids": [1]}),
            200,
            4,
        ),
        ("GET", "users/me/", Value::Null, 200, 1),
        ("GET", "users/2/permissions/", Value::Null, 200, 3),
        (
            "PUT",
            "users/2/permissions/",
            json!({"permission_ids": [1]}),
            200,
            6,
        ),
        ("GET", "groups/1/users/", Value::Null, 200, 5),
        ("DELETE", "users/2/", Value::Null, 204, 3),
        ("GET", "groups/", Value::Null, 200, 2),
        ("POST", "groups/", json!({"name": "Board"}), 201, 3),
        ("GET", "groups/1/", Value::Null, 200, 2),
        ("PATCH", "groups/1/", json!({"name": "Crew"}), 200, 3),
        (
            "PUT",
            "groups/1/",
            json!({"name": "Staff", "permissions": [1]}),
            200,
            5,
        ),
        ("POST", "groups/1/assign_permissions/", ids(), 200, 5),
        ("POST", "groups/1/remove_permissions/", ids(), 200, 5),
        ("DELETE", "groups/2/", Value::Null, 204, 3),
        ("GET", "permissions/", Value::Null, 200, 2),
        ("POST", "permissions/", permission, 201, 4),
        ("GET", "permissions/13/", Value::Null, 200, 2),
        (
            "PATCH",
            "permissions/13/",
            json!({"name": "Can leave"}),
            200,
            3,
        ),
        (
            "PATCH",
            "permissions/13/",
            json!({"codename": "leave"}),
            200,
            3,
        ),
        ("POST", "permissions/13/assign_to_group/", group(), 200, 4),
        ("POST", "permissions/13/remove_from_group/", group(), 200, 5),
        ("DELETE", "permissions/13/", Value::Null, 204, 3),
    ]
}

#[tokio::test]
async fn no_endpoint_makes_more_round_trips_than_it_must() {
    let world = World::start().await;
    let ann = world.user("ann").await;
    let groups = [world.group("Staff").await.id, world.group("Sales").await.id];
    world.join(&ann, groups).await;
    add_user(&world.app, "zoe", "zoe@example.com", ADMIN_PASSWORD, |_| {}).await;
    let mut surprises = Vec::new();
    println!("| request | round trips | read units | write units |\n|---|---|---|---|");
    for (method, path, body, status, expected) in every_endpoint(&world) {
        let open = body.get("password").is_some() || path.starts_with("token/");
        let caller = (!open).then_some(&world.admin);
        let (answered, calls) = calls(&world, caller, (method, path, body)).await;
        assert_eq!(answered, status, "{method} {path}");
        let trips = round_trips(&calls);
        let units = |writes| {
            calls
                .iter()
                .filter(|call| call.is_write() == writes)
                .map(Call::units)
                .fold(0.0, |sum, units| sum + units)
        };
        let operations = trips.concat().join(", ");
        println!(
            "| {method} {path} | {}: {operations} | {} | {} |",
            trips.len(),
            units(false),
            units(true)
        );
        if trips.len() != expected {
            surprises.push(format!("{method} {path}: {trips:?}, not {expected}"));
        }
    }
    assert_eq!(surprises, Vec::<String>::new());
}
