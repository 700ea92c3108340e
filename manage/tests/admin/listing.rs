//! The table of users: searched, filtered, and page by page in both directions.

use std::collections::BTreeSet;

use shared::hashing::PasswordHash;
use shared::{
    domain::{Actor, Flag, GroupId, NewUser, User, UserId},
    store::{keys::Sequence, pager::Filter},
};

use crate::{pages::Page, site::Site, support::parsed};

/// Many users, without the cost of a hash each.
async fn crowd(site: &Site, names: impl IntoIterator<Item = String>) -> Vec<User> {
    let store = &site.app.store;
    let mut made = Vec::new();
    for (number, name) in names.into_iter().enumerate() {
        let new = NewUser {
            username: parsed(&name),
            email: parsed(&format!("mail{number}@example.com")),
            first_name: parsed(""),
            last_name: parsed(""),
            is_active: number % 3 != 0,
            is_staff: number % 5 == 0,
            is_superuser: number % 25 == 0,
            date_joined: 0,
        };
        let id = UserId(store.next_id(Sequence::User).await.unwrap());
        let unusable = PasswordHash::new("!".to_owned());
        made.push(
            store
                .insert_user(new.into_user(id), &unusable, Actor::Command)
                .await
                .unwrap(),
        );
    }
    made
}

/// The usernames on a page.
fn rows(page: &Page) -> Vec<String> {
    let rows = page.text.split("<th scope=\"row\">").skip(1);
    let links = rows.filter_map(|row| row.split_once("</a>")?.0.rsplit_once('>'));
    links.map(|(_, name)| name.to_owned()).collect()
}

fn link(page: &Page, rel: &str) -> Option<String> {
    let url = page.find(&format!("rel=\"{rel}\" href=\"([^\"]+)\""));
    url.map(|url| url.replace("&amp;", "&").replace("&#38;", "&"))
}

#[tokio::test]
async fn pages_go_forward_and_back_again() {
    let site = Site::start().await;
    crowd(&site, (0..120).map(|number| format!("user{number:03}"))).await;
    let mut browser = site.log_in("admin").await;
    let first = browser.get("/admin/auth/user/").await;
    assert_eq!(
        (rows(&first)[0].as_str(), rows(&first)[1].as_str()),
        ("admin", "user000")
    );
    assert!(first.says("50 users on this page") && link(&first, "prev").is_none());
    let second = browser.get(&link(&first, "next").unwrap()).await;
    assert_eq!(
        (rows(&second)[0].as_str(), rows(&second).len()),
        ("user049", 50)
    );
    let third = browser.get(&link(&second, "next").unwrap()).await;
    assert_eq!(
        (rows(&third)[0].as_str(), rows(&third).len()),
        ("user099", 21)
    );
    assert!(link(&third, "next").is_none());
    let back = browser.get(&link(&third, "prev").unwrap()).await;
    assert_eq!(rows(&back), rows(&second));
    let back = browser.get(&link(&back, "prev").unwrap()).await;
    assert_eq!(rows(&back), rows(&first));
    assert!(link(&back, "prev").is_none());
    assert_eq!(
        rows(&browser.get(&link(&back, "next").unwrap()).await),
        rows(&second)
    );
    // A place that no list gave is the beginning.
    for place in ["x", "PjB1c2Vy", ""] {
        let page = browser.get(&format!("/admin/auth/user/?p={place}")).await;
        assert_eq!(rows(&page), rows(&first), "{place}");
    }
}

/// All that a filter gives, page by page forward, and the same backward.
async fn all(site: &Site, filter: &Filter, size: usize) -> Vec<User> {
    let store = &site.app.store;
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
    let site = Site::start().await;
    let names = (0..60).map(|number| format!("User{}x{number}", number % 7));
    let made = crowd(&site, names).await;
    let group = site.group("Editors", &[]).await;
    let mut users = vec![
        site.app
            .store
            .user(shared::domain::UserId(1))
            .await
            .unwrap()
            .unwrap(),
    ];
    for (number, user) in made.into_iter().enumerate() {
        users.push(if number % 4 == 0 {
            site.join(&user, &group).await
        } else {
            user
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
                    search: search.to_owned(),
                    flags: flags.iter().copied().collect::<BTreeSet<Flag>>(),
                    lacking: lacking.iter().copied().collect::<BTreeSet<Flag>>(),
                    group,
                };
                let by_name =
                    |user: &&User| user.username.as_str().to_lowercase().starts_with(search);
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
                    expected.sort_by_key(|user| {
                        let found = by_name(&user);
                        let key = if found {
                            String::new()
                        } else {
                            user.email.lower().to_owned()
                        };
                        (!found, key)
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
    let site = Site::start().await;
    let group = site.group("Everybody", &[]).await;
    let users = crowd(&site, (0..1005).map(|number| format!("user{number:04}"))).await;
    for user in &users {
        site.join(user, &group).await;
    }
    let last = site
        .change(&users[1003], |user| user.is_superuser = true)
        .await;
    for user in users
        .iter()
        .filter(|user| user.is_superuser && user.id != last.id)
    {
        site.change(user, |user| user.is_superuser = false).await;
    }
    let mut browser = site.log_in("admin").await;
    let url = format!(
        "/admin/auth/user/?groups__id__exact={}&is_superuser__exact=1",
        group.id
    );
    let page = browser.get(&url).await;
    let text =
        "There may be more: this page looked at 1000 users. The next one goes on from there.";
    assert!(page.says(text) && rows(&page).is_empty(), "{page:?}");
    let page = browser.get(&link(&page, "next").unwrap()).await;
    assert_eq!(rows(&page), [last.username.as_str()]);
    assert!(!page.says(text) && link(&page, "next").is_none());
}

#[tokio::test]
async fn the_form_shows_what_was_asked_and_takes_djangos_parameters() {
    let site = Site::start().await;
    let group = site.group("Editors", &[]).await;
    let ann = site
        .user_with("ann", |user| {
            (user.is_staff, user.is_active) = (true, false)
        })
        .await;
    site.join(&ann, &group).await;
    site.user("anna").await;
    let mut browser = site.log_in("admin").await;
    let url = "/admin/auth/user/?q=+ANN+&is_staff__exact=1&is_active__exact=0&groups__id__exact=1";
    let page = browser.get(url).await;
    assert_eq!(rows(&page), ["ann"]);
    for shown in [
        "value=\"ANN\"",
        "<option value=\"1\" selected>Editors</option>",
        "Clear all filters",
    ] {
        assert!(page.says(shown), "{shown}: {page:?}");
    }
    let page = browser.get("/admin/auth/user/?q=nobody").await;
    assert!(page.says("No users match."), "{page:?}");
    assert_eq!(
        rows(&browser.get("/admin/auth/user/?q=ann").await),
        ["ann", "anna"]
    );
    for (query, chosen, found) in [
        (
            "is_staff__exact=1",
            "is_staff__exact 1",
            vec!["admin", "ann"],
        ),
        ("is_staff__exact=0", "is_staff__exact 0", vec!["anna"]),
        (
            "is_active__exact=1",
            "is_active__exact 1",
            vec!["admin", "anna"],
        ),
        (
            "is_superuser__exact=0&is_active__exact=0",
            "is_superuser__exact 0",
            vec!["ann"],
        ),
    ] {
        let page = browser.get(&format!("/admin/auth/user/?{query}")).await;
        assert_eq!(rows(&page), found, "{query}");
        let (name, value) = chosen.split_once(' ').unwrap();
        let select = page.text.split_once(&format!("name=\"{name}\"")).unwrap().1;
        let option = format!("<option value=\"{value}\" selected>");
        assert!(
            select.split_once("</select>").unwrap().0.contains(&option),
            "{query}"
        );
    }
    for unknown in [
        "username__startswith=v",
        "groups__id__exact=abc",
        "is_staff__exact=x",
    ] {
        let page = browser.get(&format!("/admin/auth/user/?{unknown}")).await;
        let name = unknown.split('=').next().unwrap();
        let text = format!("The filter “{name}” is not known here and was left out.");
        assert!(page.says(&text) && rows(&page).len() == 3, "{page:?}");
    }
}

#[tokio::test]
async fn a_place_of_another_search_is_the_beginning() {
    let site = Site::start().await;
    crowd(&site, (0..60).map(|number| format!("user{number:03}"))).await;
    let mut browser = site.log_in("admin").await;
    let next = link(&browser.get("/admin/auth/user/?q=user").await, "next").unwrap();
    let other = next.replace("q=user", "q=admin");
    let page = browser.get(&other).await;
    assert_eq!((page.status, rows(&page)), (200, vec!["admin".to_owned()]));
}

#[tokio::test]
async fn groups_and_permissions_are_searched_in_any_part_of_their_names() {
    let site = Site::start().await;
    for name in ["Editors", "Chief editors", "Writers"] {
        site.group(name, &[]).await;
    }
    let mut browser = site.log_in("admin").await;
    let page = browser.get("/admin/auth/group/?q=EDIT").await;
    assert_eq!(rows(&page), ["Chief editors", "Editors"]);
    assert!(page.says("2 groups"));
    assert_eq!(rows(&browser.get("/admin/auth/group/").await).len(), 3);
    let page = browser.get("/admin/auth/permission/?q=delete").await;
    assert_eq!(
        rows(&page),
        [
            "Can delete group",
            "Can delete permission",
            "Can delete user"
        ]
    );
    assert!(
        browser
            .get("/admin/auth/permission/?q=fly")
            .await
            .says("No permissions match.")
    );
}
