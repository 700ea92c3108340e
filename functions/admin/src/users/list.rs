//! The table of users: searched, filtered, page by page in both directions.

use std::collections::BTreeSet;

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use shared::{
    app::App,
    domain::{Flag, Group, GroupId, User},
    http::paging::searchable,
    store::browse::{Browsed, Filter, MOST_READ, Place},
};

use crate::{
    error::AdminError,
    form::Choice,
    object::list_title,
    page::{Page, Section, shown},
    session::Staff,
    text::{counted, date},
};

/// Users on a page, so that it stays under 50 kB with long names too.
const SIZE: usize = 50;

#[derive(Template)]
#[template(path = "user_list.html")]
struct UserList {
    page: Page,
    search: String,
    is_staff: bool,
    is_superuser: bool,
    is_inactive: bool,
    groups: Vec<Choice>,
    filtered: bool,
    clear_url: String,
    add_url: String,
    has_rows: bool,
    rows: Vec<Row>,
    has_actions: bool,
    actions: Vec<Choice>,
    action_groups: Vec<Choice>,
    count: String,
    notice: String,
    previous_url: String,
    next_url: String,
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

/// What the list is asked for, by Django's names of the parameters.
struct Asked {
    search: String,
    filter: Filter,
    from: Option<Place>,
}

impl Asked {
    fn of(query: Vec<(String, String)>) -> Self {
        let (mut search, mut group, mut from) = (String::new(), None, None);
        let mut flags = BTreeSet::new();
        for (name, value) in query {
            match (name.as_str(), value.as_str()) {
                ("q", _) => search = value,
                ("is_staff__exact", "1") => drop(flags.insert(Flag::Staff)),
                ("is_superuser__exact", "1") => drop(flags.insert(Flag::Superuser)),
                ("is_active__exact", "0") => drop(flags.insert(Flag::Inactive)),
                ("groups__id__exact", _) => group = value.parse().ok().map(GroupId),
                ("p", _) => from = Place::parse(&value),
                _ => {}
            }
        }
        Self {
            filter: Filter {
                search: searchable(&search),
                flags,
                group,
            },
            search: search.trim().to_owned(),
            from,
        }
    }

    /// The address of the list from a place on.
    fn url(&self, place: Option<&Place>) -> String {
        let Some(place) = place else {
            return String::new();
        };
        let mut query = form_urlencoded::Serializer::new(String::new());
        if !self.search.is_empty() {
            query.append_pair("q", &self.search);
        }
        for flag in &self.filter.flags {
            match flag {
                Flag::Staff => query.append_pair("is_staff__exact", "1"),
                Flag::Superuser => query.append_pair("is_superuser__exact", "1"),
                Flag::Inactive => query.append_pair("is_active__exact", "0"),
            };
        }
        if let Some(group) = self.filter.group {
            query.append_pair("groups__id__exact", &group.to_string());
        }
        query.append_pair("p", &place.to_text());
        format!("{}?{}", Section::Users.url(), query.finish())
    }
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
    let Filter { flags, group, .. } = &asked.filter;
    let has = |flag| flags.contains(&flag);
    let mut choices = vec![Choice::new("", "Any group", group.is_none())];
    choices.extend(Choice::groups(groups, |one| *group == Some(one.id)));
    let actions = actions(staff);
    let may_change = staff.can("auth.change_user");
    let title = list_title(staff, Section::Users);
    UserList {
        page: Page::in_section(staff, Section::Users, title, []),
        search: asked.search.clone(),
        is_staff: has(Flag::Staff),
        is_superuser: has(Flag::Superuser),
        is_inactive: has(Flag::Inactive),
        groups: choices,
        filtered: !flags.is_empty() || group.is_some() || !asked.search.is_empty(),
        clear_url: Section::Users.url(),
        add_url: Section::Users.add_url(staff),
        has_rows: !browsed.users.is_empty(),
        rows: browsed.users.iter().map(row).collect(),
        has_actions: !actions.is_empty(),
        actions,
        action_groups: if may_change {
            Choice::groups(groups, |_| false)
        } else {
            Vec::new()
        },
        count: format!("{} on this page", counted(browsed.users.len(), "user")),
        notice: if browsed.is_cut {
            format!(
                "There may be more: this page looked at {MOST_READ} users. The next one goes on \
                 from there."
            )
        } else {
            String::new()
        },
        previous_url: asked.url(browsed.previous.as_ref()),
        next_url: asked.url(browsed.next.as_ref()),
    }
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
