//! The table of users: searched, filtered, and page by page in both directions.

use std::collections::BTreeSet;

use shared::{
    domain::{Flag, GroupId, User},
    store::pager::{Filter, Search},
};
use testkit::{Answer, Observed};

/// Many users.
pub async fn crowd(site: &Observed, names: impl IntoIterator<Item = String>) -> Vec<User> {
    let mut made = Vec::new();
    for (number, name) in names.into_iter().enumerate() {
        let user = site.user(&name).email(&format!("mail{number}@example.com"));
        let user = user.with(|user| {
            user.is_active = number % 3 != 0;
            user.is_staff = number % 5 == 0;
            user.is_superuser = number % 25 == 0;
        });
        made.push(user.await);
    }
    made
}

/// The usernames on a page.
pub fn rows(page: &Answer) -> Vec<String> {
    let rows = page.text.split("<th scope=\"row\">").skip(1);
    let links = rows.filter_map(|row| row.split_once("</a>")?.0.rsplit_once('>'));
    links.map(|(_, name)| name.to_owned()).collect()
}

pub fn link(page: &Answer, rel: &str) -> Option<String> {
    let url = page.find(&format!("rel=\"{rel}\" href=\"([^\"]+)\""));
    url.map(|url| url.replace("&amp;", "&").replace("&#38;", "&"))
}

#[tokio::test]
async fn pages_go_forward_and_back_again() {
    let site = Observed::start().await;
    crowd(&site, (0..120).map(|number| format!("user{number:03}"))).await;
    let mut browser = site.browser_of("admin").await;
    let first = browser.get("/admin/auth/user/").await;
    assert_eq!(rows(&first)[..2], ["admin", "user000"]);
    first.assert_says("50 users on this page");
    assert!(link(&first, "prev").is_none());
    let mut follow = async |page: &Answer, rel| browser.get(&link(page, rel).unwrap()).await;
    let second = follow(&first, "next").await;
    assert_eq!(
        (rows(&second)[0].as_str(), rows(&second).len()),
        ("user049", 50)
    );
    let third = follow(&second, "next").await;
    assert_eq!(
        (rows(&third)[0].as_str(), rows(&third).len()),
        ("user099", 21)
    );
    assert!(link(&third, "next").is_none());
    let back = follow(&third, "prev").await;
    assert_eq!(rows(&back), rows(&second));
    let back = follow(&back, "prev").await;
    assert_eq!(rows(&back), rows(&first));
    assert!(link(&back, "prev").is_none());
    assert_eq!(rows(&follow(&back, "next").await), rows(&second));
    // A place that no list gave is the beginning.
    for place in ["x", "PjB1c2Vy", ""] {
        let page = browser.get(&format!("/admin/auth/user/?p={place}")).await;
        assert_eq!(rows(&page), rows(&first), "{place}");
    }
}

/// All that a filter gives, page by page forward, and the same backward.
pub async fn all(site: &Observed, filter: &Filter, size: usize) -> Vec<User> {
    let store = &site.table;
    let mut page = store.user_page(filter, None, size).await.unwrap();
    let mut found = page.users.clone();
    while let Some(next) = page.next {
        page = store.user_page(filter, Some(&next), size).await.unwrap();
        assert!(page.users.len() <= size);
        found.extend(page.users.clone());
    }
    let mut backward: Vec<Vec<User>> = Vec::new();
    loop {
        backward.push(page.users);
        let Some(previous) = page.previous else { break };
        page = store
            .user_page(filter, Some(&previous), size)
            .await
            .unwrap();
    }
    let backward: Vec<User> = backward.into_iter().rev().flatten().collect();
    assert_eq!(backward, found, "{filter:?}");
    found
}

#[tokio::test]
async fn every_filter_gives_what_it_names_in_order_and_both_ways() {
    let site = Observed::start().await;
    let names = (0..60).map(|number| format!("User{}x{number}", number % 7));
    let made = crowd(&site, names).await;
    let group = site.group("Editors", &[]).await;
    let mut users = vec![site.admin.clone()];
    for (number, user) in made.into_iter().enumerate() {
        users.push(match number % 4 {
            0 => site.join(&user, [group.id]).await,
            _ => user,
        });
    }
    // In order of lower-cased username; of id in a group.
    users.sort_by_key(|user| (user.username.as_str().to_lowercase(), user.id));
    let (staff, superuser, inactive) = (Flag::Staff, Flag::Superuser, Flag::Inactive);
    let flags = [
        (vec![], vec![]),
        (vec![staff], vec![]),
        (vec![superuser], vec![]),
        (vec![inactive], vec![]),
        (vec![staff, inactive], vec![]),
        (vec![staff, superuser, inactive], vec![]),
        (vec![], vec![staff]),
        (vec![inactive], vec![staff, superuser]),
    ];
    for (flags, lacking) in flags {
        for group in [None, Some(group.id), Some(GroupId(99))] {
            for search in ["", "user3", "mail1", "admin", "nobody"] {
                let filter = Filter {
                    search: Search::beginning(search),
                    flags: flags.iter().copied().collect::<BTreeSet<Flag>>(),
                    lacking: lacking.iter().copied().collect::<BTreeSet<Flag>>(),
                    group,
                };
                let name = |user: &User| user.username.as_str().to_lowercase();
                let by_name = |user: &&User| name(user).starts_with(search);
                let by_mail = |user: &&User| user.email.lower().starts_with(search);
                let fits = |user: &&User| {
                    flags.iter().all(|flag| user.has(*flag))
                        && !lacking.iter().any(|flag| user.has(*flag))
                        && group.is_none_or(|group| user.group_ids.contains(&group))
                };
                let mut expected: Vec<User> = users
                    .iter()
                    .filter(fits)
                    .filter(|user| by_name(user) || by_mail(user))
                    .cloned()
                    .collect();
                if group.is_some() {
                    expected.sort_by_key(|user| user.id);
                } else if flags.is_empty() && !search.is_empty() {
                    // Those found by their address come after those found by their name.
                    expected.sort_by_key(|user| match by_name(&user) {
                        true => None,
                        false => Some(user.email.lower().to_owned()),
                    });
                }
                for size in [7, 100] {
                    assert_eq!(all(&site, &filter, size).await, expected, "{filter:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_second_filter_says_when_it_has_not_seen_all() {
    let site = Observed::start().await;
    let group = site.group("Everybody", &[]).await;
    let users = crowd(&site, (0..1005).map(|number| format!("user{number:04}"))).await;
    for user in &users {
        site.join(user, [group.id]).await;
    }
    let promote = |user: &mut User| user.is_superuser = true;
    let last = site.change(&users[1003], promote).await;
    let others = users
        .iter()
        .filter(|user| user.is_superuser && user.id != last.id);
    for user in others {
        site.change(user, |user| user.is_superuser = false).await;
    }
    let mut browser = site.browser_of("admin").await;
    let query = format!("groups__id__exact={}&is_superuser__exact=1", group.id);
    let page = browser.get(&format!("/admin/auth/user/?{query}")).await;
    let text = "Searched 1000 accounts so far.";
    assert!(page.says(text) && rows(&page).is_empty(), "{page:?}");
    let page = browser.get(&link(&page, "next").unwrap()).await;
    assert_eq!(rows(&page), [last.username.as_str()]);
    assert!(!page.says(text) && link(&page, "next").is_none());
}

#[tokio::test]
async fn the_form_shows_what_was_asked_and_takes_djangos_parameters() {
    let site = Observed::start().await;
    let group = site.group("Editors", &[]).await;
    site.user("ann").staff().inactive().joins([&group]).await;
    site.user("anna").await;
    let mut browser = site.browser_of("admin").await;
    let url = "/admin/auth/user/?q=+ANN+&is_staff__exact=1&is_active__exact=0&groups__id__exact=1";
    let page = browser.get(url).await;
    assert_eq!(rows(&page), ["ann"]);
    for shown in [
        "value=\"ANN\"",
        "<option value=\"1\" selected>Editors</option>",
        "Clear all filters",
    ] {
        page.assert_says(shown);
    }
    let page = browser.get("/admin/auth/user/?q=nobody").await;
    page.assert_says("No users match.");
    let page = browser.get("/admin/auth/user/?q=ann").await;
    assert_eq!(rows(&page), ["ann", "anna"]);
    for (query, found) in [
        ("is_staff__exact=1", &["admin", "ann"][..]),
        ("is_staff__exact=0", &["anna"]),
        ("is_active__exact=1", &["admin", "anna"]),
        ("is_superuser__exact=0&is_active__exact=0", &["ann"]),
    ] {
        let page = browser.get(&format!("/admin/auth/user/?{query}")).await;
        assert_eq!(rows(&page), found, "{query}");
        let first = query.split('&').next().unwrap();
        let (name, value) = first.split_once('=').unwrap();
        let select = page.text.split_once(&format!("name=\"{name}\"")).unwrap().1;
        let option = format!("<option value=\"{value}\" selected>");
        let select = select.split_once("</select>").unwrap().0;
        assert!(select.contains(&option), "{query}");
    }
    for (name, value) in [
        ("username__startswith", "v"),
        ("groups__id__exact", "abc"),
        ("is_staff__exact", "x"),
    ] {
        let path = format!("/admin/auth/user/?{name}={value}");
        let page = browser.get(&path).await;
        let text = format!("The filter “{name}” is not known here and was left out.");
        assert!(page.says(&text) && rows(&page).len() == 3, "{page:?}");
    }
}

#[tokio::test]
async fn a_place_of_another_search_is_the_beginning() {
    let site = Observed::start().await;
    crowd(&site, (0..60).map(|number| format!("user{number:03}"))).await;
    let mut browser = site.browser_of("admin").await;
    let next = link(&browser.get("/admin/auth/user/?q=user").await, "next").unwrap();
    let other = next.replace("q=user", "q=admin");
    let page = browser.get(&other).await;
    assert_eq!((page.status, rows(&page)), (200, vec!["admin".to_owned()]));
}

#[tokio::test]
async fn groups_and_permissions_come_in_pages_of_a_hundred() {
    let site = Observed::start().await;
    for number in 0..205 {
        site.group(&format!("Group {number:03}"), &[]).await;
    }
    let mut browser = site.browser_of("admin").await;
    let first = browser.get("/admin/auth/group/?q=group").await;
    first.assert_says("100 of 205 groups");
    assert!(link(&first, "prev").is_none());
    let second = browser.get(&link(&first, "next").unwrap()).await;
    let third = browser.get(&link(&second, "next").unwrap()).await;
    let all = [rows(&first), rows(&second), rows(&third)].concat();
    let expected: Vec<String> = (0..205).map(|it| format!("Group {it:03}")).collect();
    assert_eq!(all, expected);
    third.assert_says("5 of 205 groups");
    assert!(link(&third, "next").is_none());
    let back = browser.get(&link(&third, "prev").unwrap()).await;
    assert_eq!(rows(&back), rows(&second));
    // A number that no page has is the first or the last.
    for (number, page) in [("0", &first), ("x", &first), ("-1", &first), ("99", &third)] {
        let shown = browser.get(&format!("/admin/auth/group/?p={number}")).await;
        assert_eq!(rows(&shown), rows(page), "{number}");
    }
}

#[tokio::test]
async fn groups_and_permissions_are_searched_by_words_in_any_part_of_their_names() {
    let site = Observed::start().await;
    for name in ["Editors", "Chief editors", "Writers"] {
        site.group(name, &[]).await;
    }
    let mut browser = site.browser_of("admin").await;
    let page = browser.get("/admin/auth/group/?q=EDIT").await;
    assert_eq!(rows(&page), ["Chief editors", "Editors"]);
    assert!(page.says("2 groups"));
    assert_eq!(rows(&browser.get("/admin/auth/group/").await).len(), 3);
    let page = browser.get("/admin/auth/group/?q=ors+chi").await;
    assert_eq!(rows(&page), ["Chief editors"]);
    let page = browser.get("/admin/auth/group/?q=%22ors+chi%22").await;
    page.assert_says("No groups match.");
    let page = browser.get("/admin/auth/permission/?q=delete").await;
    let deletions = ["group", "permission", "user"];
    assert_eq!(
        rows(&page),
        deletions.map(|model| format!("Can delete {model}"))
    );
    let page = browser
        .get("/admin/auth/permission/?q=can+auth.user+auth.delete")
        .await;
    assert_eq!(rows(&page), ["Can delete user"]);
    let page = browser.get("/admin/auth/permission/?q=fly").await;
    page.assert_says("No permissions match.");
}
