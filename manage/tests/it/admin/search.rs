//! The search of the list of users: Django's words, in names and addresses, on tables of any size.

use serde_json::json;
use shared::{
    domain::{Flag, User},
    store::pager::{Filter, MOST_READ, Search},
};
use testkit::{
    Observed, parsed, percent_encoded,
    proxy::{Call, round_trips},
};

use super::listing::{all, crowd, link, rows};

/// A user with all that a search looks in.
async fn person(site: &Observed, name: &str, email: &str, first: &str, last: &str) -> User {
    let user = site.user(name).email(email).with(|user| {
        user.first_name = parsed(first);
        user.last_name = parsed(last);
    });
    user.await
}

async fn people() -> Observed {
    let site = Observed::start().await;
    for (name, email, first, last) in [
        ("zed", "hannah@example.com", "Ann", "Smith"),
        ("annie", "", "Annie", "O'Neil"),
        ("ann", "a@example.org", "Ann Marie", "Jones"),
        ("joann", "joann@example.com", "Jo", "Smithson"),
        ("bob", "anna@example.com", "Bob", "Müller"),
        ("ｃａｒｌ", "carl@example.net", "ﬁona", "ΟΔΟΣ"),
    ] {
        person(&site, name, email, first, last).await;
    }
    site
}

#[tokio::test]
async fn each_word_is_contained_in_the_username_the_address_or_a_name() {
    let site = people().await;
    let mut browser = site.browser_of("admin").await;
    for (search, found) in [
        // Usernames that begin with it, the exact one first, then addresses, names and all others.
        ("ann", &["ann", "annie", "bob", "zed", "joann"][..]),
        ("ANN smith", &["zed", "joann"]),
        ("smith ann", &["zed", "joann"]),
        ("nn  mit example.com", &["joann", "zed"]),
        ("\"ann marie\"", &["ann"]),
        ("'marie ann'", &[]),
        ("\"ann smith\"", &[]),
        ("o'neil", &["annie"]),
        ("MÜLL", &["bob"]),
        ("example.org", &["ann"]),
        ("fiona", &["carl"]),
        ("οδος", &["carl"]),
        ("ｃarl", &["carl"]),
        ("nobody", &[]),
        ("ann nobody", &[]),
        (
            "\"\"",
            &["admin", "ann", "annie", "bob", "carl", "joann", "zed"],
        ),
    ] {
        let path = format!("/admin/auth/user/?q={}", percent_encoded(search));
        let page = browser.get(&path).await;
        assert_eq!(rows(&page), found, "{search}");
        assert_eq!(page.says("No users match."), found.is_empty(), "{search}");
        assert!(!page.says("so far"), "{search}");
    }
}

#[tokio::test]
async fn every_search_with_every_filter_gives_each_user_once_in_order_and_both_ways() {
    let site = people().await;
    let names = (0..30).map(|number| format!("ann{number}x{}", number % 4));
    let made = crowd(&site, names).await;
    let group = site.group("Editors", &[]).await;
    for user in made.iter().step_by(3) {
        site.join(user, [group.id]).await;
    }
    let everybody = all(&site, &Filter::default(), 100).await;
    let searches = [
        "ann",
        "ann1 x1",
        "x1 mail",
        "mail1",
        "example ann",
        "smith",
        "zzz",
    ];
    for search in searches {
        let words: Vec<&str> = search.split(' ').collect();
        let longest = words.iter().rev().max_by_key(|word| word.len()).unwrap();
        let has = |user: &User| {
            let (first, last) = (user.first_name.as_str(), user.last_name.as_str());
            let texts = [user.username.as_str(), user.email.as_str(), first, last];
            let texts = texts.map(str::to_lowercase);
            words
                .iter()
                .all(|word| texts.iter().any(|text| text.contains(word)))
        };
        let place = |user: &User| {
            let [first, last] = [&user.first_name, &user.last_name]
                .map(|name| format!("{}#{:010}", name.as_str().to_lowercase(), user.id.0));
            match user.username.lower().starts_with(longest) {
                true => (0, String::new()),
                false if user.email.lower().starts_with(longest) => (1, user.email.lower()),
                false if first.starts_with(longest) => (2, first),
                false if last.starts_with(longest) => (3, last),
                false => (4, String::new()),
            }
        };
        for (flags, lacking) in [
            (vec![], vec![]),
            (vec![Flag::Staff], vec![]),
            (vec![Flag::Staff, Flag::Inactive], vec![]),
            (vec![], vec![Flag::Inactive]),
        ] {
            for group in [None, Some(group.id)] {
                let filter = Filter {
                    search: Search::words(search),
                    flags: flags.iter().copied().collect(),
                    lacking: lacking.iter().copied().collect(),
                    group,
                };
                let fits = |user: &&User| {
                    has(user)
                        && flags.iter().all(|flag| user.has(*flag))
                        && !lacking.iter().any(|flag| user.has(*flag))
                        && group.is_none_or(|group| user.group_ids.contains(&group))
                };
                let mut expected: Vec<User> = everybody.iter().filter(fits).cloned().collect();
                if group.is_some() {
                    expected.sort_by_key(|user| user.id);
                } else if flags.is_empty() {
                    expected.sort_by_key(place);
                }
                for size in [1, 4, 100] {
                    let found = all(&site, &filter, size).await;
                    assert_eq!(found, expected, "{filter:?} by {size}");
                }
            }
        }
    }
}

/// The round trips of the last calls, the profiles that they read, and the rows that they queried.
fn read(site: &Observed) -> (usize, usize, usize) {
    let calls = site.proxy.take_calls();
    let (mut keys, mut queried) = (0, 0);
    let units: f64 = calls.iter().map(Call::units).sum();
    // A profile is one unit; beside them are the session, the groups and keys of the index.
    assert!(units < 1100.0, "{units} units");
    for call in &calls {
        let asked = &call.request["RequestItems"]["users"]["Keys"];
        let profiles = asked.as_array().into_iter().flatten();
        keys += profiles.filter(|key| key["SK"]["S"] == "PROFILE").count();
        if call.request["IndexName"].is_string() {
            queried += call.response["Items"].as_array().map_or(0, Vec::len);
        }
    }
    (round_trips(&calls).len(), keys, queried)
}

#[tokio::test]
async fn a_large_table_is_read_a_part_at_a_time_and_what_begins_so_is_found_at_once() {
    let site = Observed::start().await;
    let names = (0..2100).map(|number| format!("user{number:04}"));
    site.put_users(names, |_| ()).await;
    person(&site, "yves", "", "Needleman", "").await;
    person(&site, "zacharias", "zz@example.com", "Ann", "McNeedle").await;
    person(&site, "zoe", "zoe@example.com", "", "Needle").await;
    person(&site, "needles", "nn@example.com", "", "").await;
    let mut browser = site.browser_of("admin").await;
    site.proxy.take_calls();
    let first = browser.get("/admin/auth/user/?q=needle").await;
    assert_eq!(rows(&first), ["needles", "yves", "zoe"]);
    let (trips, keys, queried) = read(&site);
    // The session, the four indexes and who they name, then the walk beside the groups.
    assert_eq!(trips, 5);
    assert!(
        keys <= MOST_READ + 5 && queried <= MOST_READ + 5,
        "{keys}, {queried}"
    );
    let counted =
        |page: &testkit::Answer| page.find("Searched ([0-9]+) accounts").map(str::to_owned);
    assert_eq!(counted(&first).as_deref(), Some("1000"));
    let onward = |page: &testkit::Answer| {
        let url = page.find("<a href=\"([^\"]+)\">Continue the search");
        url.map(|url| url.replace("&#38;", "&").replace("&amp;", "&"))
    };
    let second = browser.get(&onward(&first).unwrap()).await;
    assert_eq!(rows(&second), [""; 0]);
    second.assert_says("No users match so far.");
    assert_eq!(counted(&second).as_deref(), Some("2000"));
    let (_, keys, _) = read(&site);
    assert!(keys <= MOST_READ + 2, "{keys}");
    let third = browser.get(&onward(&second).unwrap()).await;
    assert_eq!(rows(&third), ["zacharias"]);
    assert!(!third.says("so far") && link(&third, "next").is_none());
    // Back again, through what was read before.
    let back = browser.get(&link(&third, "prev").unwrap()).await;
    let back = browser.get(&link(&back, "prev").unwrap()).await;
    let back = match link(&back, "prev") {
        Some(url) if rows(&back).is_empty() => browser.get(&url).await,
        _ => back,
    };
    assert_eq!(rows(&back), ["needles", "yves", "zoe"]);
    // A page that is full of what begins so walks through nothing.
    site.proxy.take_calls();
    let full = browser.get("/admin/auth/user/?q=USER1").await;
    assert_eq!(rows(&full).len(), 50);
    let (_, keys, queried) = read(&site);
    assert!(keys <= 55 && queried <= 102, "{keys}, {queried}");
    let exact = browser.get("/admin/auth/user/?q=user2099").await;
    assert_eq!(rows(&exact), ["user2099"]);
}

#[tokio::test]
async fn a_search_follows_the_names_that_people_take_and_lose() {
    let site = Observed::start().await;
    let zoe = person(&site, "zoe", "zoe@example.com", "Zoë", "Needle").await;
    let mut browser = site.browser_of("admin").await;
    let path = format!("users/{}/", zoe.id);
    for (change, found) in [
        (json!({}), &["needle", "zo\u{eb}"][..]),
        (json!({"last_name": "O'Neil"}), &["o'neil", "zo\u{eb}"]),
        (json!({"first_name": "", "last_name": "Zoo"}), &["zoo"]),
        (json!({"last_name": ""}), &[]),
    ] {
        site.patch(&site.admin, &path, change)
            .await
            .assert_status(200);
        for search in ["needle", "o'neil", "zo\u{eb}", "zoo"] {
            let path = format!("/admin/auth/user/?q={}", percent_encoded(search));
            let expected: &[&str] = match found.contains(&search) {
                true => &["zoe"],
                false => &[],
            };
            assert_eq!(rows(&browser.get(&path).await), expected, "{search}");
        }
        site.assert_sound().await;
    }
    assert_eq!(
        site.keys("USER#")
            .await
            .iter()
            .filter(|key| key.ends_with("STNAME"))
            .count(),
        0
    );
}
