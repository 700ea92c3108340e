//! No partition of the table or of its index is touched by a large part of all requests of a kind, but
//! for those in the documentation's table, which has the limits that follow.

use std::collections::{BTreeMap, BTreeSet};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, header},
};
use manage::all_routes;
use serde_json::{Value, json};
use shared::{domain::User, http::Peer, jwt::TokenType, store::items::Item};
use testkit::{NOBODY, Observed, PASSWORD, proxy::Call, registration, user_path};
use tower::ServiceExt;

use crate::mail::world::LINKS;

/// A partition that more than this part of all requests of a kind touch is hot.
const SHARE: f64 = 1.0 / 3.0;
/// What one partition can do in a second, in DynamoDB: write units and read units.
const WRITES: f64 = 1000.0;
const READS: f64 = 3000.0;

const USERS: u64 = 24;

/// What one request does to one partition: how often, and what that costs there.
type Touches = BTreeMap<String, f64>;

struct Mix {
    world: Observed,
    service: Router,
    /// Of each request its kind and what it touched.
    seen: Vec<(&'static str, Touches)>,
}

/// A member of the staff who has logged in.
struct Staff {
    token: String,
    cookies: String,
}

struct Tokens {
    access: String,
    refresh: String,
}

impl Mix {
    async fn start() -> Self {
        let mut settings = LINKS.to_vec();
        settings.push(("THROTTLE_RATE_REGISTER", "1000/hour"));
        let world = Observed::with(&settings).await;
        let service = all_routes(world.app.clone());
        Self {
            world,
            service,
            seen: Vec::new(),
        }
    }

    /// Sends a request of a user, who has an address of their own, and notes what it touches.
    async fn ask(
        &mut self,
        kind: &'static str,
        user: u64,
        (method, path, token, body): (&str, &str, &str, Value),
    ) -> Value {
        let writes = method != "GET" && !path.contains("refresh");
        let before = if writes {
            self.places().await
        } else {
            BTreeSet::new()
        };
        self.world.proxy.take_calls();
        let address = [10, 0, (user / 256) as u8, (user % 256) as u8];
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "localhost")
            .header(header::CONTENT_TYPE, "application/json")
            .extension(Peer(address.into()));
        let request = match token {
            NOBODY => request,
            cookies if cookies.contains('=') => request.header(header::COOKIE, cookies),
            token => request.header(header::AUTHORIZATION, format!("Bearer {token}")),
        };
        let body = match body {
            Value::Null => Body::empty(),
            body => Body::from(body.to_string()),
        };
        let answer = self.service.clone().oneshot(request.body(body).unwrap());
        let answer = answer.await.unwrap();
        let status = answer.status();
        let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        assert!(
            status.is_success(),
            "{kind}: {status} {}",
            body.escape_ascii()
        );
        let mut touches = Touches::new();
        for call in self.world.proxy.take_calls() {
            note(&call, &mut touches);
        }
        if writes {
            let after = self.places().await;
            for (partition, _) in before.symmetric_difference(&after) {
                *touches
                    .entry(format!("index {partition}, written"))
                    .or_default() += 1.0;
            }
        }
        self.seen.push((kind, touches));
        serde_json::from_slice(&body).unwrap_or_default()
    }

    /// All rows of the index.
    async fn places(&self) -> BTreeSet<(String, String)> {
        let text = |item: &Item, name: &str| item.get(name)?.as_s().ok().cloned();
        let row = |item: &Item| Some((text(item, "GSI1PK")?, text(item, "GSI1SK")?));
        let items = self.world.items().await;
        items.values().filter_map(row).collect()
    }

    async fn login(&mut self, user: u64, name: &str) -> Tokens {
        let body = json!({"username": name, "password": PASSWORD});
        let tokens = self
            .ask("login", user, ("POST", "/api/auth/login/", NOBODY, body))
            .await;
        let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
        Tokens {
            access: text("access"),
            refresh: text("refresh"),
        }
    }

    /// What a user does in a day.
    async fn day_of(&mut self, user: u64, staff: &Staff) {
        let name = format!("user{user}");
        let mut body = registration(&name, &format!("{name}@example.com"));
        body["first_name"] = format!("First{user}").into();
        body["last_name"] = format!("Last{user}").into();
        let request = ("POST", "/api/auth/users/register/", NOBODY, body);
        let id = self.ask("register", user, request).await["id"].clone();
        let path = format!("/api/auth/{}", user_path(&id));
        self.login(user, &name).await;
        let tokens = self.login(user, &name).await;
        let mine = |method, body| (method, path.as_str(), tokens.access.as_str(), body);
        self.ask("profile", user, mine("GET", Value::Null)).await;
        let groups = json!({"group_ids": [user % 12 + 1, (user + 5) % 12 + 1]});
        let join = format!("{path}assign_groups/");
        let request = ("POST", join.as_str(), staff.token.as_str(), groups);
        self.ask("assignment of groups", 1000, request).await;
        let change = json!({"first_name": "Ann"});
        self.ask("change of a profile", user, mine("PATCH", change))
            .await;
        for _ in 0..2 {
            let kind = "profile of a member of two groups";
            self.ask(kind, user, mine("GET", Value::Null)).await;
            let body = json!({"refresh": tokens.refresh});
            let request = ("POST", "/api/auth/token/refresh/", NOBODY, body);
            self.ask("refresh", user, request).await;
        }
        let permissions = format!("{path}permissions/");
        let request = (
            "GET",
            permissions.as_str(),
            tokens.access.as_str(),
            Value::Null,
        );
        self.ask("permissions of a user", user, request).await;
        let body = json!({"email": format!("{name}@example.com")});
        let request = ("POST", "/api/auth/users/reset_password/", NOBODY, body);
        self.ask("forgotten password", user, request).await;
        for (kind, path) in [
            ("list of users", "users/".to_owned()),
            ("search", format!("users/?search={name}")),
            ("list of groups", "groups/".to_owned()),
            (
                "members of a group",
                format!("groups/{}/users/", user % 12 + 1),
            ),
        ] {
            let path = format!("/api/auth/{path}");
            let request = ("GET", path.as_str(), staff.token.as_str(), Value::Null);
            self.ask(kind, 1000, request).await;
        }
        let request = (
            "GET",
            "/admin/auth/user/",
            staff.cookies.as_str(),
            Value::Null,
        );
        self.ask("admin list of users", 1000, request).await;
    }

    /// A line for each kind of request and hot partition: the units there of one request, and how many
    /// requests of this kind alone a partition takes in a second.
    fn hot(&self) -> Vec<String> {
        let kinds: BTreeSet<&str> = self.seen.iter().map(|(kind, _)| *kind).collect();
        let lines = kinds.into_iter().flat_map(|kind| {
            let hot = self.hot_of(kind).into_iter();
            hot.map(move |(key, units)| {
                let most = if key.ends_with("written") {
                    WRITES
                } else {
                    READS
                } / units;
                format!("| {kind} | `{key}` | {units:.1} | {most:.0} |")
            })
        });
        lines.collect()
    }

    fn hot_of(&self, kind: &str) -> BTreeMap<String, f64> {
        let these = || self.seen.iter().filter(|(it, _)| *it == kind);
        let all = these().count() as f64;
        let mut sums: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
        for (key, units) in these().flat_map(|(_, touches)| touches) {
            let (requests, sum) = sums.entry(key).or_default();
            *requests += 1.0;
            *sum += units;
        }
        let mut hot = BTreeMap::new();
        for (key, (requests, units)) in sums {
            if requests / all > SHARE {
                let most: &mut f64 = hot.entry(without_id(key)).or_default();
                *most = most.max(units / all);
            }
        }
        hot
    }
}

/// A partition's key with what may follow its `#` left out.
fn without_id(key: &str) -> String {
    match (key.split_once('#'), key.rsplit_once(", ")) {
        (Some((name, _)), Some((_, how))) => format!("{name}#, {how}"),
        _ => key.to_owned(),
    }
}

/// Adds what a call does to partitions of the table, and reads of the index.
fn note(call: &Call, touches: &mut Touches) {
    let request = &call.request;
    let mut add = |key: &Value, how: &str, units: f64| {
        let key = key["S"].as_str().expect("a key").to_owned();
        *touches.entry(format!("{key}, {how}")).or_default() += units;
    };
    match call.operation.as_str() {
        "GetItem" => add(&request["Key"]["PK"], "read", call.units()),
        "BatchGetItem" => {
            let keys = &request["RequestItems"]["users"]["Keys"];
            let keys = keys.as_array().expect("keys");
            for key in keys {
                add(&key["PK"], "read", 1.0);
            }
        }
        "Query" if request["IndexName"].is_string() => {
            let key = request["ExpressionAttributeValues"][":pk"]["S"].as_str();
            let key = json!({"S": format!("index {}", key.expect("a partition"))});
            add(&key, "read", call.units());
        }
        "Query" => add(
            &request["ExpressionAttributeValues"][":pk"],
            "read",
            call.units(),
        ),
        "PutItem" => add(&request["Item"]["PK"], "written", 1.0),
        "UpdateItem" | "DeleteItem" => add(&request["Key"]["PK"], "written", 1.0),
        "TransactWriteItems" => {
            let items = request["TransactItems"].as_array().expect("items");
            for item in items {
                let write = item.as_object().and_then(|one| one.values().next());
                let write = write.expect("a write");
                let place = if write["Item"].is_null() {
                    "Key"
                } else {
                    "Item"
                };
                // A write of a transaction costs two units.
                add(&write[place]["PK"], "written", 2.0);
            }
        }
        other => panic!("{other} is not expected"),
    }
}

#[tokio::test]
async fn no_partition_is_touched_by_more_than_its_share_of_requests_but_for_those_in_the_docs() {
    let mut mix = Mix::start().await;
    for number in 0..12 {
        mix.world
            .group(&format!("group {number}"), &["auth.view_group"])
            .await;
    }
    let mut staff = Vec::new();
    for number in 0..6 {
        let name = format!("staff{number}");
        let user = mix.world.user(&name).staff();
        let labels = ["auth.view_user", "auth.change_user", "auth.view_group"];
        let user: User = user.holds(&labels).await;
        let cookies = mix.world.browser_of(&name).await.cookies.into_iter();
        let cookies: Vec<String> = cookies
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        staff.push(Staff {
            token: mix.world.issue(TokenType::Access, &user),
            cookies: cookies.join("; "),
        });
    }
    for user in 0..USERS {
        let staff = &staff[user as usize % staff.len()];
        mix.day_of(user, staff).await;
    }
    let hot = mix.hot().join("\n");
    println!("{hot}");
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/performance.md");
    let page = std::fs::read_to_string(page).expect("the page");
    let head = "| request | partition | units there | a second at most |\n|---|---|---|---|\n";
    let (_, table) = page.split_once(head).expect("the table");
    let (table, _) = table.split_once("\n\n").expect("an end");
    assert_eq!(table, hot);
}
