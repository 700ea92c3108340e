//! Pages that fit into an answer.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use shared::{
    domain::{Actor, GroupId, PermissionId, User, quotas},
    store::sessions::{Kind, Session},
};
use testkit::{Answer, Server, not_found, percent_encoded, user_path};

use super::{super::listing::next, put_groups, put_permissions};

/// What Lambda answers at most, in bytes: 6 MB, the body being a text in JSON.
const LAMBDA: usize = 6 * 1024 * 1024;

/// The bytes of an answer as a function gives it.
fn size(answer: &Answer) -> usize {
    assert_eq!(answer.status, 200);
    serde_json::to_string(&answer.text).unwrap().len()
}

#[tokio::test]
async fn the_largest_lists_fit_into_an_answer_of_lambda() {
    let server = Server::start().await;
    // What takes the most bytes, seven in JSON within JSON.
    let widest = |count: usize, id: u64| format!("{}{id:04}", "\u{1}".repeat(count - 4));
    put_groups(&server, quotas::GROUPS as u64, |id| widest(150, id)).await;
    let (codename, name) = ("\u{1}".repeat(96), "\u{1}".repeat(255));
    put_permissions(&server, quotas::PERMISSIONS as u64, &codename, &name).await;
    let labels = server.table.taken_by_permissions().await.unwrap();
    assert_eq!(labels.permissions, quotas::PERMISSIONS);
    assert!(labels.label_bytes <= quotas::LABEL_BYTES, "{labels:?}");
    let permissions: BTreeSet<PermissionId> = (1..=2000).map(PermissionId).collect();
    for id in 1..=20 {
        let store = &server.table;
        let group = store.group(GroupId(id)).await.unwrap().unwrap();
        let mut after = group.clone();
        after.permission_ids.clone_from(&permissions);
        let change = store.replace(&group, after, Vec::new(), Actor::Setup);
        change.await.unwrap();
    }
    let names = (0..80).map(|number| format!("user{number:02}"));
    let in_all = |user: &mut User| user.group_ids = (1..=200).map(GroupId).collect();
    let users = server.put_users(names, in_all).await;
    let last = &users[79];
    let mut browser = server.browser_of("admin").await;
    let admin = &server.admin;
    let mut largest = Vec::new();
    for path in [
        "groups/".to_owned(),
        "permissions/".to_owned(),
        "groups/1/".to_owned(),
        user_path(last.id),
        format!("{}permissions/?explain=true", user_path(last.id)),
        format!("{}permissions/?explain=true", user_path(admin.id)),
    ] {
        largest.push((size(&server.get(admin, &path).await), path));
    }
    for path in [
        "/admin/".to_owned(),
        "/admin/auth/user/".to_owned(),
        format!("/admin/auth/user/{}/change/", last.id),
        "/admin/auth/group/".to_owned(),
        "/admin/auth/group/add/".to_owned(),
        "/admin/auth/group/1/change/".to_owned(),
        "/admin/auth/permission/".to_owned(),
        "/admin/auth/permission/add/".to_owned(),
    ] {
        largest.push((size(&browser.get(&path).await), path));
    }
    for (size, path) in &largest {
        println!("{size:>9} {path}");
        assert!(*size < LAMBDA, "{path}: {size} bytes");
    }
    // A page of users ends where the answer would become too large, and goes on from there.
    let (mut names, mut path, mut pages) = (Vec::new(), "users/?page_size=1000".to_owned(), 0);
    loop {
        let page = server.get(admin, &path).await;
        let size = size(&page);
        println!("{size:>9} {path}");
        assert!(size < LAMBDA, "{path}: {size} bytes");
        let users = page.list().iter().map(|user| user["username"].clone());
        names.extend(users);
        pages += 1;
        match next(&page) {
            Some(next) => path = next,
            None => break,
        }
    }
    assert!(pages > 1 && names.len() == 81, "{pages} pages of {names:?}");
    names.dedup();
    assert_eq!(names.len(), 81);
    // Each permission of very many has a part of its sources.
    let path = format!("{}permissions/?explain=true", user_path(last.id));
    let explained = server.get(admin, &path).await;
    let sources = explained.body["explain"].as_object().unwrap();
    assert_eq!(sources.len(), 2000);
    assert!(
        sources
            .values()
            .all(|some| some.as_array().unwrap().len() == 1)
    );
}

#[tokio::test]
async fn sessions_come_in_pages_of_a_thousand() {
    let server = Server::start().await;
    let ann = server.user("ann").await;
    let now = server.app.clock.now();
    for number in 0..1005_i64 {
        let session = Session {
            user_id: ann.id,
            sid: format!("{number:032x}"),
            kind: Kind::Api,
            epoch: ann.epoch,
            valid_after: ann.tokens_valid_after,
            staff_epoch: 0,
            created: now - number % 7,
            last_used: now,
            expires: now + 1000,
            ttl: now + 1000,
            address: None,
            user_agent: None,
            current: None,
            previous: None,
            rotated_at: None,
        };
        server
            .table
            .begin_session(|| session.clone())
            .await
            .unwrap();
    }
    let path = format!("{}sessions/", user_path(ann.id));
    let first = server.get(&server.admin, &path).await;
    let second = server.get(&server.admin, &next(&first).unwrap()).await;
    assert_eq!((first.list().len(), second.list().len()), (1000, 5));
    assert_eq!(next(&second), None);
    let all: BTreeSet<String> = [&first, &second]
        .iter()
        .flat_map(|page| page.list())
        .map(|session| session["id"].to_string())
        .collect();
    assert_eq!(all.len(), 1005);
    // Within a page the newest come first.
    let created = |session: &Value| session["created"].as_str().unwrap().to_owned();
    let times: Vec<String> = first.list().iter().map(created).collect();
    assert!(times.is_sorted_by(|a, b| a >= b));
    for cursor in ["x", "0 ", &"0".repeat(65)] {
        let path = format!("{path}?cursor={}", percent_encoded(cursor));
        let answer = server.get(&server.admin, &path).await;
        answer.assert(404, json!({"detail": "Invalid cursor"}));
    }
    let mut browser = server.browser_of("admin").await;
    let page = browser
        .get(&format!("/admin/auth/user/{}/change/", ann.id))
        .await;
    page.assert_says("And more: the last used of the first 1000 are shown.");
    let answer = server.delete(&server.admin, &path).await;
    answer.assert(204, Value::Null);
    let left = server.get(&server.admin, &path).await;
    left.assert(200, json!([]));
    let nobody = server.get(&server.admin, "users/999/sessions/").await;
    nobody.assert(404, not_found());
}
