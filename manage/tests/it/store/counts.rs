//! What a request costs: the sequential round trips of every endpoint, and its capacity units.

use std::sync::Arc;

use serde_json::{Value, json};
use shared::jwt::TokenType;
use testkit::{
    Caller, NOBODY, PASSWORD,
    proxy::{Call, Fault, round_trips},
    registration,
};
use tokio::sync::Barrier;

use super::world::World;

impl World {
    /// The status of a request and the calls that it makes.
    async fn calls(
        &self,
        who: impl Caller,
        method: &str,
        path: &str,
        body: Value,
    ) -> (u16, Vec<Call>) {
        self.proxy.take_calls();
        let answer = self.ask(who, method, path, body).await;
        (answer.status, self.proxy.take_calls())
    }

    /// Asserts the status of a GET and its round trips.
    async fn assert_read(&self, who: impl Caller, path: &str, status: u16, trips: &[&[&str]]) {
        let (answered, calls) = self.calls(who, "GET", path, Value::Null).await;
        assert_eq!((answered, round_trips(&calls)), (status, owned(trips)));
    }

    /// Asserts the status of a POST without a token and its round trips; returns the calls.
    async fn assert_sent(
        &self,
        path: &str,
        body: Value,
        status: u16,
        trips: &[&[&str]],
    ) -> Vec<Call> {
        let (answered, calls) = self.calls(NOBODY, "POST", path, body).await;
        assert_eq!((answered, round_trips(&calls)), (status, owned(trips)));
        calls
    }
}

fn owned<'a>(trips: &[&[&'a str]]) -> Vec<Vec<&'a str>> {
    trips.iter().map(|trip| trip.to_vec()).collect()
}

#[tokio::test]
async fn an_own_profile_is_one_read() {
    let world = World::start().await;
    let ann = world.user("ann").await;
    world
        .assert_read(&ann, "users/2/", 200, &[&["GetItem"]])
        .await;
}

#[tokio::test]
async fn an_own_profile_of_a_member_is_one_read_more() {
    let world = World::start().await;
    let groups = [
        world.group("Staff", &[]).await,
        world.group("Sales", &[]).await,
    ];
    let ann = world.user("ann").joins(&groups).await;
    let trips: [&[&str]; 2] = [&["GetItem"], &["BatchGetItem"]];
    world.assert_read(&ann, "users/2/", 200, &trips).await;
}

#[tokio::test]
async fn a_page_of_users_is_four_round_trips_whatever_its_size() {
    let world = World::start().await;
    let group = world.group("Staff", &[]).await;
    for number in 0..250 {
        world.user(&format!("user{number}")).await;
    }
    world.user("ann").joins([&group]).await;
    // Three batches hold 252 profiles; each waits until all have been sent, or for ever.
    let (profiles, together) = (3, Arc::new(Barrier::new(3)));
    world.proxy.inject(move |operation, request| {
        let keys = &request["RequestItems"]["users"]["Keys"];
        (operation == "BatchGetItem" && keys[0]["SK"]["S"] == "PROFILE")
            .then(|| Fault::Meet(Arc::clone(&together)))
    });
    let path = "users/?page_size=1000";
    let trips: [&[&str]; 4] = [
        &["GetItem"],
        &["Query"],
        &vec!["BatchGetItem"; profiles],
        &["BatchGetItem"],
    ];
    world.assert_read(&world.admin, path, 200, &trips).await;
}

#[tokio::test]
async fn a_login_counts_its_attempt_with_the_first_of_two_reads_and_writes_its_session() {
    let world = World::start().await;
    world.user("ann").await;
    let body = json!({"username": "ann", "password": PASSWORD});
    let trips: [&[&str]; 3] = [
        &["BatchGetItem", "UpdateItem"],
        &["BatchGetItem"],
        &["PutItem"],
    ];
    world.assert_sent("login/", body, 200, &trips).await;
}

const ID_AND_TRANSACTION: [&[&str]; 2] = [&["UpdateItem"], &["TransactWriteItems"]];

#[tokio::test]
async fn a_registration_is_one_transaction_after_its_id() {
    let world = World::start().await;
    let body = registration("ann", "ann@example.com");
    let sent = world.assert_sent("users/register/", body, 201, &ID_AND_TRANSACTION);
    assert_eq!(sent.await[0].request["Key"]["PK"]["S"], "SEQUENCE");
}

#[tokio::test]
async fn one_transaction_tells_both_names_that_a_registration_cannot_have() {
    let world = World::start().await;
    world.user("ann").await;
    let body = registration("ann", "ANN@example.com");
    let answer = world.post(NOBODY, "users/register/", body).await;
    let errors = json!({
        "username": ["A user with that username already exists."],
        "email": ["This field must be unique."],
    });
    answer.assert(400, errors);
    let calls = world.proxy.take_calls();
    assert_eq!(round_trips(&calls), owned(&ID_AND_TRANSACTION));
}

#[tokio::test]
async fn an_invalid_registration_looks_up_its_names_once_and_takes_no_id() {
    let world = World::start().await;
    let mut body = registration("ann", "ann@example.com");
    body["password2"] = "another".into();
    let trips: [&[&str]; 1] = [&["BatchGetItem"]];
    world
        .assert_sent("users/register/", body, 400, &trips)
        .await;
}

#[tokio::test]
async fn a_refresh_is_one_read() {
    let world = World::start().await;
    let body = json!({"refresh": world.issue(TokenType::Refresh, &world.admin)});
    let trips: [&[&str]; 1] = [&["BatchGetItem"]];
    world.assert_sent("token/refresh/", body, 200, &trips).await;
}

#[tokio::test]
async fn assigning_groups_is_three_reads_and_a_transaction() {
    let world = World::start().await;
    world.user("ann").await;
    world.group("Staff", &[]).await;
    let body = json!({"group_ids": [1]});
    let answer = world.post(&world.admin, "users/2/assign_groups/", body);
    let profile = json!({
        "id": 2, "username": "ann", "email": "ann@example.com", "first_name": "", "last_name": "",
        "groups": [{"id": 1, "name": "Staff"}],
    });
    answer.await.assert(200, profile);
    let operations = [
        ["GetItem"],
        ["GetItem"],
        ["BatchGetItem"],
        ["TransactWriteItems"],
    ];
    assert_eq!(round_trips(&world.proxy.take_calls()), operations);
}

#[tokio::test]
async fn who_holds_nothing_is_refused_without_another_read() {
    let world = World::start().await;
    let ann = world.user("ann").await;
    world
        .assert_read(&ann, "groups/", 403, &[&["GetItem"]])
        .await;
}

#[tokio::test]
async fn what_a_user_holds_is_looked_up_in_one_call_whatever_its_number() {
    let world = World::start().await;
    let labels = world.labels().await;
    let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
    let group = world.group("Staff", &labels).await;
    let ann = world.user("ann").holds(&["auth.view_group"]);
    let ann = ann.joins([&group]).await;
    let trips: [&[&str]; 3] = [&["GetItem"], &["BatchGetItem"], &["Query"]];
    world.assert_read(&ann, "groups/", 200, &trips).await;
}

#[tokio::test]
async fn all_of_a_users_permissions_are_one_round_trip_after_the_user() {
    let world = World::start().await;
    let group = world.group("Staff", &[]).await;
    let ann = world.user("ann").holds(&["auth.view_group"]);
    let ann = ann.joins([&group]).await;
    let trips: [&[&str]; 2] = [&["GetItem"], &["BatchGetItem"]];
    world
        .assert_read(&ann, "users/2/permissions/", 200, &trips)
        .await;
}

/// Every endpoint with a request that succeeds, after one another, and its round trips.
fn every_endpoint(world: &World) -> Vec<(&'static str, &'static str, Value, u16, usize)> {
    let refresh = world.issue(TokenType::Refresh, &world.admin);
    let refresh = || json!({"refresh": refresh});
    let login = json!({"username": "zoe", "password": PASSWORD});
    let verify = json!({"token": world.issue(TokenType::Access, &world.admin)});
    let mut register = registration("bob", "bob@example.com");
    register["first_name"] = "Bob".into();
    register["last_name"] = "Brown".into();
    let ids = || json!({"permission_ids": [1, 2]});
    let group = || json!({"group_id": 1});
    let permission = json!({"name": "Can go", "codename": "go", "content_type": "auth.user"});
    let names = |name: &str| json!({"username": name, "email": format!("{name}@example.com")});
    let staff = json!({"name": "Staff", "permissions": [1]});
    let (get, put, patch) = ("GET", "PUT", "PATCH");
    let (post, delete, none) = ("POST", "DELETE", Value::Null);
    vec![
        (post, "users/register/", register, 201, 2),
        (post, "login/", login, 200, 3),
        (post, "token/refresh/", refresh(), 200, 1),
        (post, "token/verify/", verify, 200, 0),
        (post, "token/blacklist/", refresh(), 200, 1),
        (get, "users/", none.clone(), 200, 4),
        (get, "users/?search=an", none.clone(), 200, 4),
        (get, "users/2/", none.clone(), 200, 3),
        (patch, "users/2/", json!({"first_name": "Ann"}), 200, 4),
        (patch, "users/2/", names("anna"), 200, 4),
        (put, "users/2/", names("ann"), 200, 4),
        (
            post,
            "users/2/assign_groups/",
            json!({"group_ids": [1]}),
            200,
            4,
        ),
        (get, "users/me/", none.clone(), 200, 1),
        (get, "users/2/permissions/", none.clone(), 200, 3),
        (
            put,
            "users/2/permissions/",
            json!({"permission_ids": [1]}),
            200,
            5,
        ),
        (get, "groups/1/users/", none.clone(), 200, 5),
        (delete, "users/2/", none.clone(), 204, 5),
        (get, "groups/", none.clone(), 200, 2),
        (post, "groups/", json!({"name": "Board"}), 201, 3),
        (get, "groups/1/", none.clone(), 200, 2),
        (patch, "groups/1/", json!({"name": "Crew"}), 200, 3),
        (put, "groups/1/", staff, 200, 5),
        (post, "groups/1/assign_permissions/", ids(), 200, 5),
        (post, "groups/1/remove_permissions/", ids(), 200, 5),
        (delete, "groups/2/", none.clone(), 204, 3),
        (get, "permissions/", none.clone(), 200, 2),
        (post, "permissions/", permission, 201, 4),
        (get, "permissions/13/", none.clone(), 200, 2),
        (
            patch,
            "permissions/13/",
            json!({"name": "Can leave"}),
            200,
            3,
        ),
        (
            patch,
            "permissions/13/",
            json!({"codename": "leave"}),
            200,
            4,
        ),
        (post, "permissions/13/assign_to_group/", group(), 200, 4),
        (post, "permissions/13/remove_from_group/", group(), 200, 5),
        (delete, "permissions/13/", none, 204, 3),
    ]
}

#[tokio::test]
async fn no_endpoint_makes_more_round_trips_than_it_must() {
    let world = World::start().await;
    let groups = [
        world.group("Staff", &[]).await,
        world.group("Sales", &[]).await,
    ];
    world.user("ann").joins(&groups).await;
    world.user("zoe").await;
    let mut surprises = Vec::new();
    println!("| request | round trips | read units | write units |\n|---|---|---|---|");
    for (method, path, body, status, expected) in every_endpoint(&world) {
        let open = body.get("password").is_some() || path.starts_with("token/");
        let caller = (!open).then_some(&world.admin);
        let (answered, calls) = world.calls(caller, method, path, body).await;
        assert_eq!(answered, status, "{method} {path}");
        let trips = round_trips(&calls);
        let units = |writes| {
            let these = calls.iter().filter(|call| call.is_write() == writes);
            these.map(Call::units).fold(0.0, |sum, units| sum + units)
        };
        let operations = trips.concat().join(", ");
        let (count, read, written) = (trips.len(), units(false), units(true));
        println!("| {method} {path} | {count}: {operations} | {read} | {written} |");
        if trips.len() != expected {
            surprises.push(format!("{method} {path}: {trips:?}, not {expected}"));
        }
    }
    assert_eq!(surprises, Vec::<String>::new());
}
