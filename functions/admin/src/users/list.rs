//! The table of users: searched, filtered, page by page in both directions.

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use shared::{
    app::App,
    domain::{GroupLabel, User, log_entry::Model, quotas},
    store::pager::{self, Place},
};

use super::{
    bulk::BulkAction,
    query::{FLAGS, FlagParameter, UserQuery},
};
use crate::{
    error::AdminError,
    model_pages::list_title,
    page::{Page, shown},
    staff::{Action, Staff},
    text::{counted, date},
    urls,
    widgets::{Choice, offered_groups},
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
    /// Shows all users, if the filter leaves any out.
    clear_url: Option<String>,
    add_url: Option<String>,
    rows: Vec<Row>,
    actions: Vec<Choice>,
    action_groups: Vec<Choice>,
    takes_groups: bool,
    count: String,
    notices: Vec<String>,
    /// How many users were looked at, and where the search goes on, if it has not seen all.
    searched: Option<(usize, String)>,
    previous_url: Option<String>,
    next_url: Option<String>,
}

/// A flag's filter, by Django's name of its parameter.
struct FlagFilter {
    name: &'static str,
    label: &'static str,
    choices: [Choice; 3],
}

struct Row {
    id: u64,
    username: String,
    url: String,
    email: String,
    name: String,
    /// Staff, active, superuser.
    flags: [bool; 3],
    last_login: String,
    date_joined: String,
}

pub async fn list(
    staff: Staff,
    State(app): State<App>,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Response, AdminError> {
    staff.must(Action::View, Model::User)?;
    let query = UserQuery::read(query);
    let users = app
        .store
        .user_page(&query.filter, query.from.as_ref(), SIZE);
    let (found, groups) = tokio::try_join!(users, app.store.group_labels())?;
    Ok(shown(&staff, &page(&staff, &query, &found, &groups)))
}

fn page(staff: &Staff, query: &UserQuery, found: &pager::Page, groups: &[GroupLabel]) -> UserList {
    let group = query.filter.group;
    let any = Choice::new("", "Any group", group.is_none());
    let labels = || groups.iter().map(|one| (one.id, &one.name));
    let choices = offered_groups(labels(), |one| group == Some(one));
    let url = |place: Option<&Place>| place.map(|place| query.url(Some(place)));
    let (previous_url, next_url) = (url(found.previous.as_ref()), url(found.next.as_ref()));
    let onward = match query.from.as_ref().is_none_or(Place::is_forward) {
        true => next_url.clone(),
        false => previous_url.clone(),
    };
    UserList {
        page: Page::of_model(staff, Model::User, list_title(staff, Model::User), []),
        search: query.search.clone(),
        list_url: query.here(),
        flags: FLAGS.map(|flag| flag_filter(flag, query)).into(),
        groups: std::iter::once(any).chain(choices).collect(),
        clear_url: query.is_filtered().then(|| urls::list(Model::User)),
        add_url: staff.add_url(Model::User),
        rows: found.users.iter().map(row).collect(),
        actions: actions(staff),
        action_groups: offered_groups(labels(), |_| false),
        takes_groups: staff.can(Action::Change, Model::User),
        count: format!("{} on this page", counted(found.users.len(), "user")),
        notices: notices(query, groups.len()),
        searched: found.searched.zip(onward),
        previous_url,
        next_url,
    }
}

fn flag_filter(parameter: FlagParameter, query: &UserQuery) -> FlagFilter {
    let wanted = parameter.value_in(&query.filter);
    let choice = |value, label: &str| Choice::new(value, label, value == wanted);
    FlagFilter {
        name: parameter.name,
        label: parameter.label,
        choices: [choice("", "All"), choice("1", "Yes"), choice("0", "No")],
    }
}

/// What must be said of the filter.
fn notices(query: &UserQuery, groups: usize) -> Vec<String> {
    let unknown = query
        .unknown
        .as_ref()
        .map(|name| format!("The filter “{name}” is not known here and was left out."));
    let hidden = (groups > quotas::GROUPS).then(|| {
        format!(
            "Of the {groups} groups the first {} can be chosen here.",
            quotas::GROUPS
        )
    });
    unknown.into_iter().chain(hidden).collect()
}

/// What may be done with the users that are ticked.
fn actions(staff: &Staff) -> Vec<Choice> {
    let open = BulkAction::ALL
        .into_iter()
        .filter(|action| staff.can(action.needs(), Model::User));
    open.map(|action| Choice::new(action.name(), action.label(), false))
        .collect()
}

fn row(user: &User) -> Row {
    Row {
        id: user.id.0,
        username: user.username.as_str().to_owned(),
        url: urls::object(Model::User, user.id.0, "change"),
        email: user.email.as_str().to_owned(),
        name: user.full_name(),
        flags: [user.is_staff, user.is_active, user.is_superuser],
        last_login: user.last_login.map_or_else(|| "-".to_owned(), date),
        date_joined: date(user.date_joined),
    }
}
