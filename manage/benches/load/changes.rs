//! The changes that concern most users at once.

use std::time::Instant;

use manage::logout::{Everybody, end_all_sessions};
use serde_json::{Value, json};
use shared::domain::Actor;

use crate::{
    fill::is_active,
    service::{Asked, Service, Who},
    table::Figures,
};

/// How many users' sessions are ended of a large table.
const ENDED: u64 = 5000;

/// Renames a permission that everybody holds, deletes a group that half of all are in, and ends
/// sessions. Asserts what users are shown right after it.
pub async fn measure(service: &Service, figures: &mut Figures) {
    // Half of all users are in the first group: those with even ids.
    let member = (service.users / 2..).find(|id| id % 2 == 0 && is_active(*id));
    let member = member.expect("a member");
    let (who, _) = service.log_in(member).await;
    let permission = held(service, member, &who, "auth.view_permission").await;
    let path = format!("/api/auth/permissions/{permission}/");
    let rename = Asked {
        method: "PATCH",
        body: json!({"codename": "see_permission"}),
        ..Asked::get(path, &service.root)
    };
    let figure = service.observe(rename).await;
    figures.add("permission of all, renamed", service.users, figure);
    held(service, member, &who, "auth.see_permission").await;

    let deletion = Asked {
        method: "DELETE",
        status: 204,
        ..Asked::get("/api/auth/groups/1/", &service.root)
    };
    let figure = service.observe(deletion).await;
    figures.add("group of half, deleted", service.users, figure);
    let profile = Asked::get(format!("/api/auth/users/{member}/"), &who);
    let (_, profile) = service.ask(profile).await;
    let groups = profile["groups"].as_array().expect("groups");
    assert!(groups.iter().all(|group| group["id"] != 1), "{profile}");

    let from_id = service.users.saturating_sub(ENDED);
    let rest = Everybody {
        from_id: Some(from_id),
        write_rate: None,
    };
    let started = Instant::now();
    let ended = end_all_sessions(&service.store, Actor::Setup, rest).await;
    let (ended, seconds) = (ended.expect("ends"), started.elapsed().as_secs_f64());
    println!(
        "{} users: the sessions of {ended} users ended in {seconds:.1} s, the reading of all ids with it",
        service.users
    );
}

/// The id of a permission that a user must hold.
async fn held(service: &Service, user: u64, who: &Who, label: &str) -> Value {
    let asked = Asked::get(format!("/api/auth/users/{user}/permissions/"), who);
    let (_, answer) = service.ask(asked).await;
    let text = answer.to_string();
    assert!(text.contains(&format!("\"{label}\"")), "{text}");
    let permissions = Asked::get("/api/auth/permissions/", &service.root);
    let (_, permissions) = service.ask(permissions).await;
    let codename = label.trim_start_matches("auth.");
    let all = permissions.as_array().expect("permissions");
    let found = all.iter().find(|one| one["codename"] == codename);
    found.expect("the permission")["id"].clone()
}
