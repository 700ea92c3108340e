//! The list of users: order, pages, search.

use serde_json::{Value, json};

use crate::{
    client::{Answer, Api},
    support::add_user,
};

fn names(answer: &Answer) -> Vec<String> {
    let users = answer
        .body
        .as_array()
        .unwrap_or_else(|| panic!("no list: {answer:?}"));
    users
        .iter()
        .map(|user| user["username"].as_str().unwrap().to_owned())
        .collect()
}

fn next(answer: &Answer) -> Option<String> {
    let link = answer.header("link")?;
    let path = link
        .strip_prefix('<')
        .and_then(|rest| rest.strip_suffix(">; rel=\"next\""));
    Some(
        path.unwrap_or_else(|| panic!("a strange link: {link}"))
            .to_owned(),
    )
}

/// All pages from a path on.
async fn pages(api: &Api, path: &str) -> Vec<Vec<String>> {
    let (mut pages, mut path) = (Vec::new(), Some(path.to_owned()));
    while let Some(here) = path {
        let answer = api.get(&here, &api.admin).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        pages.push(names(&answer));
        path = next(&answer);
        assert!(pages.len() < 100, "pages without end");
    }
    pages
}

async fn people() -> Api {
    let api = Api::start().await;
    for (name, email) in [
        ("bob", "robert@example.com"),
        ("Ann", "ann@example.com"),
        ("ann", "ANNE@example.com"),
        ("ann-marie", "marie@example.com"),
        ("zoe", "anna@example.com"),
        ("Yan", "bobby@example.com"),
    ] {
        add_user(api.app(), name, email, "a-Long-phrase-1", |_| {}).await;
    }
    api
}

#[tokio::test]
async fn users_come_in_order_of_lower_cased_username_then_id() {
    let api = people().await;
    let all = [
        "admin",
        "Ann",
        "ann",
        "ann-marie",
        "bob",
        "inactive",
        "Yan",
        "zoe",
    ];
    assert_eq!(pages(&api, "/api/auth/users/").await, [all]);
}

#[tokio::test]
async fn pages_show_every_user_once_and_none_is_empty() {
    let api = people().await;
    assert_eq!(
        pages(&api, "/api/auth/users/?page_size=3").await,
        [
            vec!["admin", "Ann", "ann"],
            vec!["ann-marie", "bob", "inactive"],
            vec!["Yan", "zoe"]
        ]
    );
    // Eight users: the last of two pages of four is full, and no third follows.
    assert_eq!(pages(&api, "/api/auth/users?page_size=4").await.len(), 2);
    assert_eq!(pages(&api, "/api/auth/users/?page_size=8").await.len(), 1);
}

#[tokio::test]
async fn a_bad_page_size_is_the_default() {
    let api = people().await;
    for size in ["0", "-1", "x", "", "1.5", "99999999999999999999999"] {
        let answer = api
            .get(&format!("/api/auth/users/?page_size={size}"), &api.admin)
            .await;
        assert_eq!((names(&answer).len(), next(&answer)), (8, None), "{size}");
    }
}

#[tokio::test]
async fn a_search_finds_usernames_first_and_then_those_found_only_by_email() {
    let api = people().await;
    let found = |path: &'static str| {
        let api = &api;
        async move { pages(api, path).await.concat() }
    };
    assert_eq!(
        found("/api/auth/users/?search=AN").await,
        ["Ann", "ann", "ann-marie", "zoe"]
    );
    assert_eq!(found("/api/auth/users/?search=bob").await, ["bob", "Yan"]);
    assert_eq!(found("/api/auth/users/?search=robert%40").await, ["bob"]);
    assert_eq!(
        found("/api/auth/users/?search=%EF%BC%A1nn").await,
        ["Ann", "ann", "ann-marie", "zoe"]
    );
    assert_eq!(
        found("/api/auth/users/?search=nobody").await,
        Vec::<String>::new()
    );
    let long = format!("/api/auth/users/?search={}", "a".repeat(3000));
    assert_eq!(pages(&api, &long).await, [Vec::<String>::new()]);
}

#[tokio::test]
async fn a_searchs_pages_go_on_from_usernames_to_emails() {
    let api = people().await;
    for size in 1..=5 {
        let pages = pages(
            &api,
            &format!("/api/auth/users/?search=an&page_size={size}"),
        )
        .await;
        assert_eq!(
            pages.concat(),
            ["Ann", "ann", "ann-marie", "zoe"],
            "pages of {size}"
        );
        assert!(pages.iter().all(|page| page.len() <= size));
    }
}

#[tokio::test]
async fn a_cursor_that_this_list_never_gave_is_not_found() {
    let api = people().await;
    let invalid = json!({"detail": "Invalid cursor"});
    let page = api.get("/api/auth/users/?page_size=2", &api.admin).await;
    let link = next(&page).unwrap();
    let cursor = link
        .split("cursor=")
        .nth(1)
        .unwrap()
        .split('&')
        .next()
        .unwrap()
        .to_owned();
    let of_another_search = format!("search=zz&cursor={cursor}");
    let truncated = format!("cursor={}", &cursor[..cursor.len() - 6]);
    for query in [
        "cursor=",
        "cursor=x",
        "cursor=%00%ff",
        "cursor=dXh5eg",
        "cursor=ZQ",
        &of_another_search,
        &truncated,
    ] {
        let answer = api
            .get(&format!("/api/auth/users/?{query}"), &api.admin)
            .await;
        assert_eq!(answer.parts(), (404, &invalid), "{query}");
    }
}

#[tokio::test]
async fn groups_are_shown_in_order_of_id_and_without_deleted_ones() {
    let api = people().await;
    let mut ids = Vec::new();
    for name in ["writers", "editors", "authors"] {
        let answer = api
            .json(
                "POST",
                "/api/auth/groups/",
                &api.admin,
                json!({ "name": name }),
            )
            .await;
        ids.push(answer.id());
    }
    let path = "/api/auth/users/1/assign_groups/";
    let answer = api
        .json(
            "POST",
            path,
            &api.admin,
            json!({"group_ids": [ids[2], ids[0], ids[1]]}),
        )
        .await;
    assert_eq!(answer.status, 200);
    let gone = format!("/api/auth/groups/{}/", ids[1]);
    assert_eq!(
        api.json("DELETE", &gone, &api.admin, Value::Null)
            .await
            .status,
        204
    );
    let groups = json!([{"id": ids[0], "name": "writers"}, {"id": ids[2], "name": "authors"}]);
    let list = api.get("/api/auth/users/?search=admin", &api.admin).await;
    assert_eq!(list.body[0]["groups"], groups);
    api.assert_consistent().await;
}
