//! The list of users: order, pages, search.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;
use shared::{
    domain::UserId,
    store::keys::{self, Entity},
};
use testkit::{Answer, NOBODY, Server, detail, forbidden, percent_encoded, unauthenticated};

fn names(answer: &Answer) -> Vec<String> {
    let names = answer.list().iter().map(|user| user["username"].as_str());
    names.map(|name| name.unwrap().to_owned()).collect()
}

/// The path of the next page.
pub fn next(answer: &Answer) -> Option<String> {
    let link = answer.header("link")?;
    let path = link
        .strip_prefix('<')
        .and_then(|rest| rest.strip_suffix(">; rel=\"next\""));
    let path = path.unwrap_or_else(|| panic!("a strange link: {link}"));
    Some(path.to_owned())
}

/// A page as the superuser sees it.
async fn page(server: &Server, query: &str) -> Answer {
    server.get(&server.admin, &format!("users/?{query}")).await
}

/// All pages of the list.
async fn pages(server: &Server, query: &str) -> Vec<Vec<String>> {
    pages_from(server, format!("users/?{query}")).await
}

/// All pages from one on.
async fn pages_from(server: &Server, path: String) -> Vec<Vec<String>> {
    let (mut pages, mut path) = (Vec::new(), Some(path));
    while let Some(here) = path {
        let answer = server.get(&server.admin, &here).await;
        answer.assert_status(200);
        pages.push(names(&answer));
        path = next(&answer);
        assert!(pages.len() < 100, "pages without end");
    }
    pages
}

async fn people() -> Server {
    let server = Server::start().await;
    for (name, email) in [
        ("inactive", "inactive@example.com"),
        ("bob", "robert@example.com"),
        ("Ann", "ann@example.com"),
        ("ann", "ANNE@example.com"),
        ("ann-marie", "marie@example.com"),
        ("zoe", "anna@example.com"),
        ("Yan", "bobby@example.com"),
    ] {
        let is_active = name != "inactive";
        let user = server.user(name).email(email);
        user.with(|user| user.is_active = is_active).await;
    }
    server
}

const ALL: [&str; 8] = [
    "admin",
    "Ann",
    "ann",
    "ann-marie",
    "bob",
    "inactive",
    "Yan",
    "zoe",
];

#[tokio::test]
async fn users_come_in_order_of_lower_cased_username_then_id() {
    let server = people().await;
    assert_eq!(pages(&server, "").await, [ALL]);
}

#[tokio::test]
async fn pages_show_every_user_once_and_none_is_empty() {
    let server = people().await;
    let threes = [&ALL[..3], &ALL[3..6], &ALL[6..]];
    assert_eq!(pages(&server, "page_size=3").await, threes);
    // Eight users: the last of two pages of four is full, and no third follows.
    assert_eq!(pages(&server, "page_size=4").await.len(), 2);
    assert_eq!(pages(&server, "page_size=8").await.len(), 1);
}

#[tokio::test]
async fn a_bad_page_size_is_the_default() {
    let server = people().await;
    for size in ["0", "-1", "x", "", "1.5", "99999999999999999999999"] {
        let answer = page(&server, &format!("page_size={size}")).await;
        assert_eq!((names(&answer).len(), next(&answer)), (8, None), "{size}");
    }
}

#[tokio::test]
async fn a_search_finds_usernames_first_and_then_those_found_only_by_email() {
    let server = people().await;
    let long = "a".repeat(3000);
    for (search, found) in [
        ("AN", &["Ann", "ann", "ann-marie", "zoe"][..]),
        ("bob", &["bob", "Yan"]),
        ("robert%40", &["bob"]),
        ("%EF%BC%A1nn", &["Ann", "ann", "ann-marie", "zoe"]),
        ("nobody", &[]),
        (&long, &[]),
    ] {
        let seen = pages(&server, &format!("search={search}")).await;
        assert_eq!(seen, [found], "{search:.80}");
    }
}

#[tokio::test]
async fn a_searchs_pages_go_on_from_usernames_to_emails() {
    let server = people().await;
    for size in 1..=5 {
        let pages = pages(&server, &format!("search=an&page_size={size}")).await;
        let found = ["Ann", "ann", "ann-marie", "zoe"];
        assert_eq!(pages.concat(), found, "pages of {size}");
        assert!(pages.iter().all(|page| page.len() <= size));
    }
}

#[tokio::test]
async fn a_cursor_that_this_list_never_gave_is_not_found() {
    let server = people().await;
    let link = next(&page(&server, "page_size=2").await).unwrap();
    let (_, rest) = link.split_once("cursor=").unwrap();
    let (cursor, _) = rest.split_once('&').unwrap_or((rest, ""));
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
        let answer = page(&server, query).await;
        assert_eq!(answer.parts(), (404, &detail("Invalid cursor")), "{query}");
    }
}

#[tokio::test]
async fn the_first_page_is_that_of_an_empty_cursor_of_page_1_and_of_offset_0() {
    let server = people().await;
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
        let answer = page(&server, &format!("page_size=2&{query}")).await;
        answer.assert_status(200);
        assert_eq!(names(&answer), ALL[..2], "{query}");
        assert!(next(&answer).is_some(), "{query}");
    }
}

#[tokio::test]
async fn no_list_has_a_second_page_by_number_or_offset() {
    let server = Server::start().await;
    let group = server.group("Staff", &[]).await;
    let invalid = detail("Invalid page.");
    let members = format!("groups/{}/users/", group.id);
    for (path, last) in [
        ("users/", 404),
        (&members, 404),
        // Lists that are whole: their only page is the last.
        ("groups/", 200),
        ("permissions/", 200),
    ] {
        let get = async |query: &str| {
            let path = format!("{path}?{query}");
            server.get(&server.admin, &path).await
        };
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
            let answer = get(query).await;
            assert_eq!(answer.parts(), (404, &invalid), "{path} {query}");
        }
        let whole = get("").await.body;
        for query in ["page=1", "offset=0"] {
            let answer = get(query).await;
            assert_eq!(answer.parts(), (200, &whole), "{path} {query}");
        }
        let expected = if last == 200 { &whole } else { &invalid };
        get("page=last").await.assert(last, expected);
    }
    // A user who may not see a list learns that first.
    let answer = server.get(NOBODY, "groups/?page=2").await;
    answer.assert(401, unauthenticated());
}

#[tokio::test]
async fn rows_that_no_profile_confirms_leave_pages_full() {
    let server = people().await;
    let group = server.group("Staff", &[]).await.id;
    let (client, table) = server.table.table().parts();
    for id in (1..=8).map(UserId) {
        let key = Entity::Membership(id, group).key();
        let index = keys::member(group, id);
        let mut put = client.put_item().table_name(table);
        for (name, text) in [
            (keys::PK, key.pk),
            (keys::SK, key.sk),
            (keys::GSI1PK, index.pk),
            (keys::GSI1SK, index.sk),
        ] {
            put = put.item(name, AttributeValue::S(text));
        }
        put.send().await.unwrap();
    }
    for member in ["bob", "Yan", "zoe"] {
        let found = page(&server, &format!("search={member}")).await;
        let path = format!("users/{}/assign_groups/", found.body[0]["id"]);
        let ids = json!({ "group_ids": [group] });
        let answer = server.post(&server.admin, &path, ids).await;
        answer.assert_status(200);
    }
    let path = format!("groups/{group}/users/?page_size=2");
    let seen = pages_from(&server, path).await;
    assert_eq!(seen, [vec!["bob", "zoe"], vec!["Yan"]]);
}

#[tokio::test]
async fn groups_are_shown_in_order_of_id_and_without_deleted_ones() {
    let server = people().await;
    let mut ids = Vec::new();
    for name in ["writers", "editors", "authors"] {
        ids.push(server.group(name, &[]).await.id);
    }
    let body = json!({"group_ids": [ids[2], ids[0], ids[1]]});
    let answer = server.post(&server.admin, "users/1/assign_groups/", body);
    answer.await.assert_status(200);
    let gone = format!("groups/{}/", ids[1]);
    let answer = server.delete(&server.admin, &gone).await;
    answer.assert_status(204);
    let groups = json!([{"id": ids[0], "name": "writers"}, {"id": ids[2], "name": "authors"}]);
    let list = page(&server, "search=admin").await;
    assert_eq!(list.body[0]["groups"], groups);
    server.assert_sound().await;
}

#[tokio::test]
async fn a_page_has_a_hundred_users_unless_told_and_never_over_a_thousand() {
    // With `admin` one more than the largest page.
    let server = Server::start().await;
    let mut expected = vec!["admin".to_owned()];
    for number in 0..1000 {
        expected.push(format!("user-{number:04}"));
        server.user(&expected[number + 1]).email("").await;
    }
    let sizes = |pages: &[Vec<String>]| pages.iter().map(Vec::len).collect::<Vec<_>>();
    let whole = pages(&server, "page_size=1000").await;
    assert_eq!(sizes(&whole), [1000, 1]);
    assert_eq!(whole.concat(), expected);
    for size in ["1001", "99999999999999999999999"] {
        let answer = page(&server, &format!("page_size={size}")).await;
        assert_eq!(names(&answer).len(), 1000, "{size}");
    }
    let hundreds = pages(&server, "").await;
    assert_eq!(sizes(&hundreds), [[100; 10].as_slice(), &[1]].concat());
    assert_eq!(hundreds.concat(), expected);
    for size in ["0", "-5", "many"] {
        let answer = page(&server, &format!("page_size={size}")).await;
        assert_eq!(names(&answer), expected[..100], "{size}");
    }
}

#[tokio::test]
async fn a_link_is_relative_and_keeps_the_search_and_the_size() {
    let server = people().await;
    let cursor = "dWFubiMwMDAwMDAwMDA1";
    let answer = server
        .get(&server.admin, "users?search=%20AN&page_size=2&x=y")
        .await;
    let link = format!("</api/auth/users/?cursor={cursor}&page_size=2&search=an>; rel=\"next\"");
    assert_eq!(answer.header("link"), Some(link.as_str()));
    // A page of the whole list names no search.
    let answer = page(&server, "page_size=3").await;
    let link = format!("</api/auth/users/?cursor={cursor}&page_size=3>; rel=\"next\"");
    assert_eq!(answer.header("link"), Some(link.as_str()));
    let answer = page(&server, "page_size=8").await;
    assert_eq!(answer.header("link"), None);
}

#[tokio::test]
async fn users_who_come_and_go_between_pages_move_nobody_else() {
    let server = people().await;
    let first = page(&server, "page_size=3").await;
    assert_eq!(names(&first), ALL[..3]);
    // The user that the cursor names goes, and another comes before them.
    let gone = format!("users/{}/", first.body[2]["id"]);
    let answer = server.delete(&server.admin, &gone).await;
    answer.assert_status(204);
    server.user("aaron").email("").await;
    let next = next(&first).unwrap();
    let (_, query) = next.split_once('?').unwrap();
    assert_eq!(pages(&server, query).await.concat(), ALL[3..]);
}

#[tokio::test]
async fn a_search_has_no_regard_to_case_in_any_alphabet() {
    let server = Server::start().await;
    for name in ["ΝΙΚΟΣΑΣ", "νίκος", "Éва", "straße"] {
        server.user(name).email("").await;
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
        let query = format!("search={}", percent_encoded(search));
        assert_eq!(names(&page(&server, &query).await), [found], "{search}");
    }
}

#[tokio::test]
async fn only_admins_see_the_list() {
    let server = Server::start().await;
    let ann = server.user("ann").await;
    // A user who may not see the list does not learn that a cursor is bad either.
    for path in ["users/", "users/?cursor=x"] {
        server
            .get(NOBODY, path)
            .await
            .assert(401, unauthenticated());
        server.get(&ann, path).await.assert(403, forbidden());
    }
}
