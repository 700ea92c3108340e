//! The requests that are measured at every size.

use std::time::Duration;

use serde_json::json;
use testkit::registration;

use crate::{
    fill::{is_active, username},
    service::{Asked, Service, Who},
    table::{Cost, Figure, Figures},
};

/// How many requests of each kind are counted rather than timed.
const COUNTED: usize = 5;

/// Measures every kind of request.
pub async fn measure(service: &Service, requests: u64, figures: &mut Figures) {
    let ids = spread(service, requests);
    let (users, root, cookie) = (service.users, &service.root, &service.root_cookie);
    let login = of_kind(service, &ids, |id, _| Asked::login(id)).await;
    figures.add("login", users, login);
    let mut tokens = Vec::new();
    for id in &ids {
        tokens.push(service.log_in(*id).await);
    }
    for (name, asked) in own() {
        let figure = of_kind(service, &ids, |id, number| {
            let (access, refresh) = &tokens[number];
            asked(id, access, refresh)
        });
        figures.add(name, users, figure.await);
    }
    for (name, path) in LISTS {
        let who = if path.starts_with("/admin/") {
            cookie
        } else {
            root
        };
        let figure = of_kind(service, &ids, |id, _| {
            Asked::get(path.replace("{id}", &id.to_string()), who)
        });
        figures.add(name, users, figure.await);
    }
    let register = of_kind(service, &ids, |_, number| {
        let name = format!("new{number}");
        let body = registration(&name, &format!("{name}@example.org"));
        Asked::post("/api/auth/users/register/", body, Who::Nobody, 201)
    });
    figures.add("register", users, register.await);
}

type Own = fn(u64, &Who, &str) -> Asked;

/// What users ask for themselves.
fn own() -> [(&'static str, Own); 3] {
    [
        ("refresh", |_, _, refresh| {
            let body = json!({"refresh": refresh});
            Asked::post("/api/auth/token/refresh/", body, Who::Nobody, 200)
        }),
        ("profile", |id, access, _| {
            Asked::get(format!("/api/auth/users/{id}/"), access)
        }),
        ("profile, changed", |id, access, _| Asked {
            method: "PATCH",
            body: json!({"username": username(id), "last_name": format!("Example-{id}")}),
            ..Asked::get(format!("/api/auth/users/{id}/"), access)
        }),
    ]
}

/// What staff ask for, by the superuser.
const LISTS: [(&str, &str); 18] = [
    ("list of users", "/api/auth/users/"),
    ("search by name", "/api/auth/users/?search=user{id}"),
    ("search by address", "/api/auth/users/?search=mail{id}@"),
    ("search of nobody", "/api/auth/users/?search=nobody"),
    ("members of half", "/api/auth/groups/1/users/"),
    ("members of a fifth", "/api/auth/groups/3/users/"),
    ("groups", "/api/auth/groups/"),
    ("permissions", "/api/auth/permissions/"),
    ("admin: users", "/admin/auth/user/"),
    ("admin: staff", "/admin/auth/user/?is_staff__exact=1"),
    ("admin: not staff", "/admin/auth/user/?is_staff__exact=0"),
    (
        "admin: superusers",
        "/admin/auth/user/?is_superuser__exact=1",
    ),
    ("admin: inactive", "/admin/auth/user/?is_active__exact=0"),
    ("admin: members", "/admin/auth/user/?groups__id__exact=1"),
    (
        "admin: staff members",
        "/admin/auth/user/?groups__id__exact=1&is_staff__exact=1",
    ),
    ("admin: search by name", "/admin/auth/user/?q=user{id}"),
    (
        "admin: search by first name",
        "/admin/auth/user/?q=zo%C3%AB",
    ),
    ("admin: search inside a name", "/admin/auth/user/?q=ser{id}"),
];

/// Ids of active users all over the table, one for each request. Small tables have some twice.
fn spread(service: &Service, requests: u64) -> Vec<u64> {
    let all = requests + COUNTED as u64;
    let id = |number: u64| 2 + number * (service.users - 2) / all;
    let active = |id: u64| if is_active(id) { id } else { id - 1 };
    (0..all).map(id).map(active).collect()
}

/// The figures of a kind of request, one for each id: the first ones are counted, the others timed.
async fn of_kind(service: &Service, ids: &[u64], asked: impl Fn(u64, usize) -> Asked) -> Figure {
    let (mut costs, mut times) = (Vec::new(), Vec::new());
    for (number, id) in ids.iter().enumerate() {
        let asked = asked(*id, number);
        if number < COUNTED {
            costs.push(service.observe(asked).await.cost);
        } else {
            times.push(service.ask(asked).await.0);
        }
    }
    // What is asked at once may come one after the other on a busy machine.
    let round_trips = costs.iter().map(|cost| cost.round_trips).min();
    costs.sort_by(|one, other| one.read_units.total_cmp(&other.read_units));
    Figure {
        milliseconds: median(times),
        cost: Cost {
            round_trips: round_trips.unwrap_or(0),
            ..costs[costs.len() / 2]
        },
    }
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1000.0
}
