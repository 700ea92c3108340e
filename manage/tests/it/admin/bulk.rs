//! What is done with several users at once.

use super::site::{Site, messages};

const LIST: &str = "/admin/auth/user/";

#[tokio::test]
async fn an_action_is_done_after_a_page_that_names_what_will_happen() {
    let site = Site::start().await;
    let (ann, bob) = (site.user("ann").await, site.user("bob").await);
    let group = site.group("Editors", &[]).await;
    let (a, b, g) = (ann.id.to_string(), bob.id.to_string(), group.id.to_string());
    let mut browser = site.log_in("admin").await;
    for (action, question, told) in [
        (
            "deactivate",
            "deactivate 2 users?",
            "Successfully deactivated 2 users.",
        ),
        (
            "activate",
            "activate 2 users?",
            "Successfully activated 2 users.",
        ),
        (
            "add_to_group",
            "add 2 users to the group “Editors”?",
            "Successfully added 2 users to the group “Editors”.",
        ),
        (
            "remove_from_group",
            "remove 2 users from the group “Editors”?",
            "Successfully removed 2 users from the group “Editors”.",
        ),
        (
            "delete_selected",
            "delete 2 users?",
            "Successfully deleted 2 users.",
        ),
    ] {
        let (ann, bob) = (site.read(&ann).await, site.read(&bob).await);
        let ticked = [("_selected_action", a.as_str()), ("_selected_action", &b)];
        let fields = [&[("action", action), ("group", &g)], ticked.as_slice()].concat();
        let page = browser.post(LIST, &fields).await;
        assert!(
            page.says(&format!("Are you sure you want to {question}")),
            "{page:?}"
        );
        assert!(page.says(">ann</a>") && page.says(">bob</a>"), "{page:?}");
        assert_eq!(
            (site.read(&ann).await, site.read(&bob).await),
            (ann.clone(), bob.clone())
        );
        let sure = [fields.as_slice(), &[("post", "yes")]].concat();
        let answer = browser.post(LIST, &sure).await;
        assert_eq!(answer.location(), LIST);
        assert_eq!(messages(&browser.follow(&answer).await), [told]);
        if action != "delete_selected" {
            let (ann, bob) = (site.read(&ann).await, site.read(&bob).await);
            let member = action == "add_to_group";
            for user in [ann, bob] {
                assert_eq!(user.is_active, action != "deactivate", "{action}");
                assert_eq!(user.group_ids.contains(&group.id), member, "{action}");
            }
        }
    }
    assert_eq!(site.app.store.users(&[ann.id, bob.id]).await.unwrap(), []);
}

#[tokio::test]
async fn an_action_leads_back_to_the_page_of_the_list_it_came_from() {
    let site = Site::start().await;
    let ann = site.user("ann").await;
    let id = ann.id.to_string();
    let mut browser = site.log_in("admin").await;
    let list = "/admin/auth/user/?q=an&is_active__exact=1";
    let page = browser.get(list).await;
    let escaped = list.replace('&', "&#38;");
    assert!(page.says(&format!("action=\"{escaped}\"")), "{page:?}");
    let fields = [("action", "deactivate"), ("_selected_action", id.as_str())];
    let page = browser.post(list, &fields).await;
    assert!(page.says(&format!("action=\"{escaped}\"")), "{page:?}");
    let sure = [fields.as_slice(), &[("post", "yes")]].concat();
    assert_eq!(browser.post(list, &sure).await.location(), list);
}

#[tokio::test]
async fn of_more_refusals_than_a_cookie_holds_the_rest_is_counted() {
    let site = Site::start().await;
    site.staff("eve", &["auth.view_user", "auth.change_user"])
        .await;
    let mut fields = vec![("action".to_owned(), "deactivate".to_owned())];
    fields.push(("post".to_owned(), "yes".to_owned()));
    for number in 0..40 {
        let name = format!("holder{number:02}");
        let holder = site.staff(&name, &["auth.add_group"]).await;
        fields.push(("_selected_action".to_owned(), holder.id.to_string()));
    }
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let mut browser = site.log_in("eve").await;
    let answer = browser.post(LIST, &fields).await;
    let told = messages(&browser.follow(&answer).await);
    let (last, named) = told.split_last().unwrap();
    assert_eq!(*last, format!("… and {} more.", 40 - named.len()));
    let longest = answer
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|cookie| cookie.len())
        .max();
    assert!(longest < Some(4096), "{longest:?}");
    assert!(
        named.len() > 10 && named[0].starts_with("holder00: you may not"),
        "{told:?}"
    );
}

#[tokio::test]
async fn nothing_is_done_with_nobody_and_without_a_group_or_an_action() {
    let site = Site::start().await;
    let ann = site.user("ann").await;
    let id = ann.id.to_string();
    let mut browser = site.log_in("admin").await;
    for (fields, told) in [
        (vec![("action", "")], "No action selected."),
        (
            vec![("action", "fly"), ("_selected_action", id.as_str())],
            "No action selected.",
        ),
        (
            vec![("action", "deactivate"), ("post", "yes")],
            "Items must be selected in order to perform actions on them. No items have been \
             changed.",
        ),
        (
            vec![
                ("action", "add_to_group"),
                ("_selected_action", &id),
                ("post", "yes"),
            ],
            "Select a group to add the users to or to remove them from.",
        ),
    ] {
        let answer = browser.post(LIST, &fields).await;
        assert_eq!(messages(&browser.follow(&answer).await), [told]);
    }
    assert_eq!(site.read(&ann).await, ann);
}

#[tokio::test]
async fn who_may_not_be_changed_is_named_and_the_others_are_changed_all_the_same() {
    let site = Site::start().await;
    site.staff(
        "eve",
        &["auth.view_user", "auth.change_user", "auth.delete_user"],
    )
    .await;
    let ann = site.user("ann").await;
    let holder = site.staff("holder", &["auth.add_group"]).await;
    let ids = ["1".to_owned(), ann.id.to_string(), holder.id.to_string()];
    let ticked: Vec<(&str, &str)> = ids
        .iter()
        .map(|id| ("_selected_action", id.as_str()))
        .collect();
    let mut browser = site.log_in("eve").await;
    let fields = [
        &[("action", "deactivate"), ("post", "yes")],
        ticked.as_slice(),
    ]
    .concat();
    let answer = browser.post(LIST, &fields).await;
    let told = messages(&browser.follow(&answer).await);
    let no = "you may not, as it would take permissions that you do not hold yourself.";
    assert_eq!(
        told,
        [
            "Successfully deactivated 1 user.".to_owned(),
            format!("admin: {no}"),
            format!("holder: {no}")
        ]
    );
    assert!(!site.read(&ann).await.is_active && site.read(&holder).await.is_active);

    let mut browser = site.log_in("admin").await;
    let fields = [
        ("action", "delete_selected"),
        ("post", "yes"),
        ("_selected_action", "1"),
    ];
    let answer = browser.post(LIST, &fields).await;
    let told = messages(&browser.follow(&answer).await);
    assert_eq!(
        told,
        ["admin: the last active superuser cannot be removed."]
    );
}
