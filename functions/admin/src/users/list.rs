//! The table of users: searched, filtered, page by page in both directions.

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use shared::{
    app::App,
    domain::{Group, User},
    store::browse::{Browsed, Filter, MOST_READ, Place},
};

use super::asked::{Asked, FLAGS, FlagParameter};
use crate::{
    error::AdminError,
    form::Choice,
    object::list_title,
    page::{Page, Section, shown},
    staff::Staff,
    text::{counted, date},
};

/// Users on a page, so that it stays under 50 kB with long names too.
const SIZE: usize = 50;

#[derive(Template)]
#[template(path = "user_list.html")]
struct UserList {
    page: Page,
    search: String,
    list_url: String,
    flags: Vec<FlagFilter>,
    groups: Vec<Choice>,
    filtered: bool,
    clear_url: String,
    add_url: String,
    has_rows: bool,
    rows: Vec<Row>,
    has_actions: bool,
    actions: Vec<Choice>,
    has_action_groups: bool,
    action_groups: Vec<Choice>,
    count: String,
    notice: String,
    previous_url: String,
    next_url: String,
}

/// A flag's filter, by Django's name of its parameter.
struct FlagFilter {
    name: &'static str,
    label: &'static str,
    choices: Vec<Choice>,
}

struct Row {
    id: u64,
    username: String,
    url: String,
    email: String,
    name: String,
    is_staff: bool,
    is_superuser: bool,
    is_active: bool,
    last_login: String,
    date_joined: String,
}

pub async fn list(
    staff: Staff,
    State(app): State<App>,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Response, AdminError> {
    staff.must_view("user")?;
    let asked = Asked::of(query);
    let (browsed, groups) = tokio::try_join!(
        app.store
            .browse_users(&asked.filter, asked.from.clone(), SIZE),
        app.store.groups()
    )?;
    Ok(shown(&staff, &page(&staff, &asked, &browsed, &groups)))
}

fn page(staff: &Staff, asked: &Asked, browsed: &Browsed, groups: &[Group]) -> UserList {
    let group = asked.filter.group;
    let mut choices = vec![Choice::new("", "Any group", group.is_none())];
    choices.extend(Choice::groups(groups, |one| group == Some(one.id)));
    let actions = actions(staff);
    let may_change = staff.can("auth.change_user");
    let title = list_title(staff, Section::Users);
    let url =
        |place: Option<&Place>| place.map_or_else(String::new, |place| asked.url(Some(place)));
    UserList {
        page: Page::in_section(staff, Section::Users, title, []),
        search: asked.search.clone(),
        list_url: asked.here(),
        flags: flags(&asked.filter),
        groups: choices,
        filtered: asked.is_filtered(),
        clear_url: Section::Users.url(),
        add_url: Section::Users.add_url(staff),
        has_rows: !browsed.users.is_empty(),
        rows: browsed.users.iter().map(row).collect(),
        has_actions: !actions.is_empty(),
        actions,
        has_action_groups: may_change,
        action_groups: if may_change {
            Choice::groups(groups, |_| false)
        } else {
            Vec::new()
        },
        count: format!("{} on this page", counted(browsed.users.len(), "user")),
        notice: notice(asked, browsed),
        previous_url: url(browsed.previous.as_ref()),
        next_url: url(browsed.next.as_ref()),
    }
}

/// The choices of each flag's filter.
fn flags(filter: &Filter) -> Vec<FlagFilter> {
    let shown = |FlagParameter {
                     name,
                     label,
                     flag,
                     having,
                 }| {
        let (yes, no) = if having == "1" {
            (&filter.flags, &filter.lacking)
        } else {
            (&filter.lacking, &filter.flags)
        };
        let (yes, no) = (yes.contains(&flag), no.contains(&flag));
        FlagFilter {
            name,
            label,
            choices: vec![
                Choice::new("", "All", !yes && !no),
                Choice::new("1", "Yes", yes),
                Choice::new("0", "No", no),
            ],
        }
    };
    FLAGS.into_iter().map(shown).collect()
}

/// What must be said of the filter.
fn notice(asked: &Asked, browsed: &Browsed) -> String {
    let mut texts = Vec::new();
    if let Some(name) = &asked.unknown {
        texts.push(format!(
            "The filter “{name}” is not known here and was left out."
        ));
    }
    if browsed.is_cut {
        texts.push(format!(
            "There may be more: this page looked at {MOST_READ} users. The next one goes on from \
             there."
        ));
    }
    texts.join(" ")
}

/// What may be done with the users that are ticked.
fn actions(staff: &Staff) -> Vec<Choice> {
    super::actions::Action::ALL
        .into_iter()
        .filter(|action| staff.can(action.permission()))
        .map(|action| Choice::new(action.name(), action.label(), false))
        .collect()
}

fn row(user: &User) -> Row {
    Row {
        id: user.id.0,
        username: user.username.as_str().to_owned(),
        url: Section::Users.object_url(user.id.0, "change"),
        email: user.email.as_str().to_owned(),
        name: user.full_name(),
        is_staff: user.is_staff,
        is_superuser: user.is_superuser,
        is_active: user.is_active,
        last_login: user.last_login.map_or_else(|| "-".to_owned(), date),
        date_joined: date(user.date_joined),
    }
}
