//! What is done with several users at once.

use shared::domain::quotas::GROUPS_OF_USER;
use testkit::{
    Observed,
    proxy::{Fault, is_change},
};

use super::site::{done, messages};

const LIST: &str = "/admin/auth/user/";

#[tokio::test]
async fn an_action_is_done_after_a_page_that_names_what_will_happen() {
    let site = Observed::start().await;
    let (ann, bob) = (site.user("ann").await, site.user("bob").await);
    let group = site.group("Editors", &[]).await;
    let (a, b, g) = (ann.id.to_string(), bob.id.to_string(), group.id.to_string());
    let mut browser = site.browser_of("admin").await;
    for (action, verb, past, of_group) in [
        ("deactivate", "deactivate", "deactivated", ""),
        ("activate", "activate", "activated", ""),
        ("add_to_group", "add", "added", " to the group “Editors”"),
        (
            "remove_from_group",
            "remove",
            "removed",
            " from the group “Editors”",
        ),
        ("delete_selected", "delete", "deleted", ""),
    ] {
        let question = format!("{verb} 2 users{of_group}?");
        let told = format!("Successfully {past} 2 users{of_group}.");
        let before = (site.read(ann.id).await, site.read(bob.id).await);
        let ticked = [("_selected_action", a.as_str()), ("_selected_action", &b)];
        let fields = [&[("action", action), ("group", &g)], ticked.as_slice()].concat();
        let page = browser.post(LIST, &fields).await;
        page.assert_says(&format!("Are you sure you want to {question}"));
        page.assert_says(">ann</a>").assert_says(">bob</a>");
        let now = (site.read(ann.id).await, site.read(bob.id).await);
        assert_eq!(now, before);
        let sure = [fields.as_slice(), &[("post", "yes")]].concat();
        assert_eq!(done(&mut browser, LIST, &sure, LIST).await, [told]);
        if action != "delete_selected" {
            let (ann, bob) = (site.read(ann.id).await, site.read(bob.id).await);
            let member = action == "add_to_group";
            for user in [ann, bob] {
                assert_eq!(user.is_active, action != "deactivate", "{action}");
                assert_eq!(user.group_ids.contains(&group.id), member, "{action}");
            }
        }
    }
    assert_eq!(site.table.users(&[ann.id, bob.id]).await.unwrap(), []);
}

#[tokio::test]
async fn who_others_change_at_the_moment_is_named_and_the_rest_is_done() {
    let site = Observed::start().await;
    let (ann, bob) = (site.user("ann").await, site.user("bob").await);
    let (a, b) = (ann.id.to_string(), bob.id.to_string());
    let mut browser = site.browser_of("admin").await;
    site.proxy.inject(|operation, request| {
        let is_of_bob = is_change(operation, request) && request.to_string().contains("USER#3");
        is_of_bob.then_some(Fault::Cancelled("TransactionConflict"))
    });
    let fields = [
        ("action", "deactivate"),
        ("post", "yes"),
        ("_selected_action", b.as_str()),
        ("_selected_action", &a),
    ];
    let told = [
        "Successfully deactivated 1 user.",
        "bob: others change the same at this moment. Please try again.",
    ];
    assert_eq!(done(&mut browser, LIST, &fields, LIST).await, told);
    assert!(!site.read(ann.id).await.is_active);
    assert!(site.read(bob.id).await.is_active);
}

#[tokio::test]
async fn deleted_groups_do_not_count_against_the_quota_of_who_joins_another() {
    let site = Observed::start().await;
    let mut groups = Vec::new();
    for number in 0..=GROUPS_OF_USER {
        groups.push(site.group(&format!("Group {number}"), &[]).await);
    }
    let (last, first) = groups.split_last().expect("groups");
    let ann = site.user("ann").joins(first).await;
    let (a, g) = (ann.id.to_string(), last.id.to_string());
    let mut browser = site.browser_of("admin").await;
    let fields = [
        ("action", "add_to_group"),
        ("group", g.as_str()),
        ("post", "yes"),
        ("_selected_action", a.as_str()),
    ];
    let told = done(&mut browser, LIST, &fields, LIST).await;
    assert!(told[0].starts_with("ann: "), "{told:?}");
    let path = format!("groups/{}/", first[0].id);
    site.delete(&site.admin, &path).await.assert_status(204);
    let told = done(&mut browser, LIST, &fields, LIST).await;
    let group = format!(
        "Successfully added 1 user to the group “{}”.",
        last.name.as_str()
    );
    assert_eq!(told, [group]);
    assert_eq!(site.read(ann.id).await.group_ids.len(), GROUPS_OF_USER);
    site.assert_sound().await;
}

#[tokio::test]
async fn an_action_leads_back_to_the_page_of_the_list_it_came_from() {
    let site = Observed::start().await;
    let ann = site.user("ann").await;
    let id = ann.id.to_string();
    let mut browser = site.browser_of("admin").await;
    let list = "/admin/auth/user/?q=an&is_active__exact=1";
    let page = browser.get(list).await;
    let escaped = list.replace('&', "&#38;");
    page.assert_says(&format!("action=\"{escaped}\""));
    let fields = [("action", "deactivate"), ("_selected_action", id.as_str())];
    let page = browser.post(list, &fields).await;
    page.assert_says(&format!("action=\"{escaped}\""));
    let sure = [fields.as_slice(), &[("post", "yes")]].concat();
    assert_eq!(browser.post(list, &sure).await.location(), list);
}

#[tokio::test]
async fn of_more_refusals_than_a_cookie_holds_the_rest_is_counted() {
    let site = Observed::start().await;
    let may = ["auth.view_user", "auth.change_user"];
    site.staff("eve", &may).await;
    let mut ids = Vec::new();
    for number in 0..40 {
        let name = format!("holder{number:02}");
        let holder = site.staff(&name, &["auth.add_group"]).await;
        ids.push(holder.id.to_string());
    }
    let ticked = ids.iter().map(|id| ("_selected_action", id.as_str()));
    let mut fields = vec![("action", "deactivate"), ("post", "yes")];
    fields.extend(ticked);
    let mut browser = site.browser_of("eve").await;
    let answer = browser.post(LIST, &fields).await;
    let told = messages(&browser.follow(&answer).await);
    let (last, named) = told.split_last().unwrap();
    assert_eq!(*last, format!("… and {} more.", 40 - named.len()));
    let cookies = answer.headers.get_all("set-cookie").iter();
    let longest = cookies.map(|cookie| cookie.len()).max();
    assert!(longest < Some(4096), "{longest:?}");
    assert!(
        named.len() > 10 && named[0].starts_with("holder00: you may not"),
        "{told:?}"
    );
}

#[tokio::test]
async fn nothing_is_done_with_nobody_and_without_a_group_or_an_action() {
    let site = Observed::start().await;
    let ann = site.user("ann").await;
    let id = ann.id.to_string();
    let mut browser = site.browser_of("admin").await;
    let (sure, ann_only) = (("post", "yes"), ("_selected_action", id.as_str()));
    let nobody = "Items must be selected in order to perform actions on them. No items have been \
                  changed.";
    let no_group = "Select a group to add the users to or to remove them from.";
    for (fields, told) in [
        (&[("action", "")][..], "No action selected."),
        (&[("action", "fly"), ann_only], "No action selected."),
        (&[("action", "deactivate"), sure], nobody),
        (&[("action", "add_to_group"), ann_only, sure], no_group),
    ] {
        assert_eq!(done(&mut browser, LIST, fields, LIST).await, [told]);
    }
    assert_eq!(site.read(ann.id).await, ann);
}

#[tokio::test]
async fn who_may_not_be_changed_is_named_and_the_others_are_changed_all_the_same() {
    let site = Observed::start().await;
    let may = ["auth.view_user", "auth.change_user", "auth.delete_user"];
    site.staff("eve", &may).await;
    let ann = site.user("ann").await;
    let holder = site.staff("holder", &["auth.add_group"]).await;
    let ids = ["1".to_owned(), ann.id.to_string(), holder.id.to_string()];
    let mut fields = vec![("action", "deactivate"), ("post", "yes")];
    fields.extend(ids.iter().map(|id| ("_selected_action", id.as_str())));
    let mut browser = site.browser_of("eve").await;
    let told = done(&mut browser, LIST, &fields, LIST).await;
    let no = "you may not, as it would take permissions that you do not hold yourself.";
    assert_eq!(
        told,
        [
            "Successfully deactivated 1 user.".to_owned(),
            format!("admin: {no}"),
            format!("holder: {no}")
        ]
    );
    assert!(!site.read(ann.id).await.is_active && site.read(holder.id).await.is_active);

    let mut browser = site.browser_of("admin").await;
    let fields = [
        ("action", "delete_selected"),
        ("post", "yes"),
        ("_selected_action", "1"),
    ];
    let told = done(&mut browser, LIST, &fields, LIST).await;
    assert_eq!(
        told,
        ["admin: the last active superuser cannot be removed."]
    );
}
