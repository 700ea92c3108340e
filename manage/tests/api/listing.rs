//! The list of users: order, pages, search.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;
use shared::{
    domain::{EmailAddress, GroupId, PersonName, UserId},
    hashing::PasswordHash,
    store::{
        Actor,
        keys::{self, Entity},
        users::NewUser,
    },
};

use crate::{
    client::{Answer, Api},
    support::{add_user, parsed},
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
    // The same cursor, backward: only the admin pages have links back.
    let backward = "cursor=PHVhbm4jMDAwMDAwMDAwNQ";
    for query in [
        backward,
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
async fn the_first_page_is_that_of_an_empty_cursor_of_page_1_and_of_offset_0() {
    let api = people().await;
    let first = ["admin", "Ann"];
    // As DRF reads them: an offset that is no number is 0.
    for query in [
        "cursor=",
        "page=",
        "page=1",
        "page=%2B01",
        "page=2&page=1",
        "offset=",
        "offset=0",
        "offset=-2",
        "offset=x",
        "cursor=&page=1&offset=0",
    ] {
        let path = format!("/api/auth/users/?page_size=2&{query}");
        let answer = api.get(&path, &api.admin).await;
        assert_eq!(
            (answer.status.as_u16(), names(&answer)),
            (200, first.map(Into::into).into()),
            "{query}"
        );
        assert!(next(&answer).is_some(), "{query}");
    }
}

#[tokio::test]
async fn no_list_has_a_second_page_by_number_or_offset() {
    let api = Api::start().await;
    let group = json!({"name": "Staff"});
    let group = api
        .json("POST", "/api/auth/groups/", &api.admin, group)
        .await;
    let invalid = json!({"detail": "Invalid page."});
    let members = format!("/api/auth/groups/{}/users/", group.id());
    for (path, last) in [
        ("/api/auth/users/", 404),
        (&members, 404),
        // Lists that are whole: their only page is the last.
        ("/api/auth/groups/", 200),
        ("/api/auth/permissions/", 200),
    ] {
        for query in [
            "page=2",
            "page=0",
            "page=-1",
            "page=x",
            "page=1.0",
            "page=1&page=2",
            "offset=1",
            "page=1&offset=100",
        ] {
            let path = format!("{path}?{query}");
            let answer = api.get(&path, &api.admin).await;
            assert_eq!(answer.parts(), (404, &invalid), "{path}");
        }
        let whole = api.get(path, &api.admin).await;
        for query in ["page=1", "offset=0"] {
            let answer = api.get(&format!("{path}?{query}"), &api.admin).await;
            assert_eq!(answer.parts(), (200, &whole.body), "{path} {query}");
        }
        let answer = api.get(&format!("{path}?page=last"), &api.admin).await;
        let expected = if last == 200 { &whole.body } else { &invalid };
        assert_eq!(answer.parts(), (last, expected), "{path}");
    }
    // Whoever may not see a list is told that first.
    let anonymous = json!({"detail": "Authentication credentials were not provided."});
    let answer = api.get("/api/auth/groups/?page=2", "").await;
    assert_eq!(answer.parts(), (401, &anonymous));
}

#[tokio::test]
async fn rows_that_no_profile_confirms_leave_pages_full() {
    let api = people().await;
    let group = json!({"name": "Staff"});
    let group = api
        .json("POST", "/api/auth/groups/", &api.admin, group)
        .await;
    let members = ["bob", "Yan", "zoe"];
    let (table, name) = api.app().store.table().parts();
    for id in 1..=8 {
        let key = Entity::Membership(UserId(id), GroupId(group.id())).key();
        let index = keys::member(GroupId(group.id()), UserId(id));
        let texts = [
            (keys::PK, key.pk),
            (keys::SK, key.sk),
            (keys::GSI1PK, index.pk),
            (keys::GSI1SK, index.sk),
        ];
        let item = texts.map(|(name, text)| (name.to_owned(), AttributeValue::S(text)));
        let put = table
            .put_item()
            .table_name(name)
            .set_item(Some(item.into()));
        put.send().await.unwrap();
    }
    for member in members {
        let found = api
            .get(&format!("/api/auth/users/?search={member}"), &api.admin)
            .await;
        let path = format!("/api/auth/users/{}/assign_groups/", found.body[0]["id"]);
        let ids = json!({"group_ids": [group.id()]});
        assert_eq!(api.json("POST", &path, &api.admin, ids).await.status, 200);
    }
    let path = format!("/api/auth/groups/{}/users/?page_size=2", group.id());
    assert_eq!(pages(&api, &path).await, [vec!["bob", "zoe"], vec!["Yan"]]);
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
    assert_eq!(api.delete(&gone, &api.admin).await.status, 204);
    let groups = json!([{"id": ids[0], "name": "writers"}, {"id": ids[2], "name": "authors"}]);
    let list = api.get("/api/auth/users/?search=admin", &api.admin).await;
    assert_eq!(list.body[0]["groups"], groups);
    api.assert_consistent().await;
}

/// Users who never log in: so no password is hashed, and a thousand of them are soon made.
async fn crowd(size: usize) -> Api {
    let api = Api::start().await;
    let store = &api.app().store;
    let password = PasswordHash::new("!".to_owned());
    for number in 0..size {
        let user = NewUser {
            username: parsed(&format!("user-{number:04}")),
            email: EmailAddress::default(),
            first_name: PersonName::default(),
            last_name: PersonName::default(),
            is_active: true,
            is_staff: false,
            is_superuser: false,
            date_joined: 0,
        };
        let id = store.next_user_id().await.unwrap();
        let made = store.create_user(id, user, &password, Actor::Command).await;
        made.unwrap();
    }
    api
}

#[tokio::test]
async fn a_page_has_a_hundred_users_unless_told_and_never_over_a_thousand() {
    // With `admin` and `inactive` one more than the largest page.
    let api = crowd(999).await;
    let sizes = |pages: &[Vec<String>]| pages.iter().map(Vec::len).collect::<Vec<_>>();
    let whole = pages(&api, "/api/auth/users/?page_size=1000").await;
    assert_eq!(sizes(&whole), [1000, 1]);
    let mut expected = vec!["admin".to_owned(), "inactive".to_owned()];
    expected.extend((0..999).map(|number| format!("user-{number:04}")));
    assert_eq!(whole.concat(), expected);
    for size in ["1001", "99999999999999999999999"] {
        let answer = api
            .get(&format!("/api/auth/users/?page_size={size}"), &api.admin)
            .await;
        assert_eq!(names(&answer).len(), 1000, "{size}");
    }
    let hundreds = pages(&api, "/api/auth/users/").await;
    assert_eq!(sizes(&hundreds), [[100; 10].as_slice(), &[1]].concat());
    assert_eq!(hundreds.concat(), expected);
    for size in ["0", "-5", "many"] {
        let answer = api
            .get(&format!("/api/auth/users/?page_size={size}"), &api.admin)
            .await;
        assert_eq!(names(&answer), expected[..100], "{size}");
    }
}

#[tokio::test]
async fn a_link_is_relative_and_keeps_the_search_and_the_size() {
    let api = people().await;
    let answer = api
        .get("/api/auth/users?search=%20AN&page_size=2&x=y", &api.admin)
        .await;
    let cursor = "dWFubiMwMDAwMDAwMDA1";
    let link = format!("</api/auth/users/?cursor={cursor}&page_size=2&search=an>; rel=\"next\"");
    assert_eq!(answer.header("link"), Some(link.as_str()));
    // A page of the whole list names no search.
    let answer = api.get("/api/auth/users/?page_size=3", &api.admin).await;
    let link = format!("</api/auth/users/?cursor={cursor}&page_size=3>; rel=\"next\"");
    assert_eq!(answer.header("link"), Some(link.as_str()));
    let answer = api.get("/api/auth/users/?page_size=8", &api.admin).await;
    assert_eq!(answer.header("link"), None);
}

#[tokio::test]
async fn users_who_come_and_go_between_pages_move_nobody_else() {
    let api = people().await;
    let first = api.get("/api/auth/users/?page_size=3", &api.admin).await;
    assert_eq!(names(&first), ["admin", "Ann", "ann"]);
    // The user whom the cursor names goes, and one comes before him.
    let gone = format!("/api/auth/users/{}/", first.body[2]["id"]);
    assert_eq!(api.delete(&gone, &api.admin).await.status, 204);
    add_user(api.app(), "aaron", "", "a-Long-phrase-1", |_| {}).await;
    let rest = pages(&api, &next(&first).unwrap()).await;
    assert_eq!(
        rest.concat(),
        ["ann-marie", "bob", "inactive", "Yan", "zoe"]
    );
}

#[tokio::test]
async fn a_search_has_no_regard_to_case_in_any_alphabet() {
    let api = Api::start().await;
    for name in ["ΝΙΚΟΣΑΣ", "νίκος", "Éва", "straße"] {
        add_user(api.app(), name, "", "a-Long-phrase-1", |_| {}).await;
    }
    for (search, found) in [
        // A sigma is written otherwise at the end of a word, which a prefix seldom ends at.
        ("ΝΙΚΟΣ", "ΝΙΚΟΣΑΣ"),
        ("νικος", "ΝΙΚΟΣΑΣ"),
        ("νικοσ", "ΝΙΚΟΣΑΣ"),
        ("ΝΊΚΟΣ", "νίκος"),
        ("ΝΊΚΟ", "νίκος"),
        ("é", "Éва"),
        ("e\u{301}В", "Éва"),
        ("STRAß", "straße"),
    ] {
        let query: String = form_encoded(search);
        let answer = api
            .get(&format!("/api/auth/users/?search={query}"), &api.admin)
            .await;
        assert_eq!(names(&answer), [found], "{search}");
    }
}

fn form_encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test]
async fn only_admins_see_the_list() {
    let api = Api::start().await;
    let ann = api.account("ann").await;
    let anonymous = json!({"detail": "Authentication credentials were not provided."});
    let forbidden = json!({"detail": "You do not have permission to perform this action."});
    // Whoever may not see it is not told that a cursor is bad either.
    for path in ["/api/auth/users/", "/api/auth/users/?cursor=x"] {
        assert_eq!(api.get(path, "").await.parts(), (401, &anonymous));
        assert_eq!(api.get(path, &ann.token).await.parts(), (403, &forbidden));
    }
}
