//! The changes of one object, and how changes are shown.

use std::collections::HashMap;

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    response::Response,
};
use shared::{
    app::App,
    domain::{
        UserId,
        log::{ActionFlag, LogEntry, Model, Object},
    },
    error::ApiError,
    store::StoreError,
};

use crate::{
    error::AdminError,
    page::{Link, Page, Section, shown},
    session::Staff,
    text,
};

/// Entries on a page.
const SIZE: usize = 100;

/// A change as the pages show it.
pub struct Entry {
    pub time: String,
    pub iso: String,
    pub actor: String,
    pub action: &'static str,
    pub kind: &'static str,
    pub object: String,
    pub url: String,
    pub message: String,
}

#[derive(Template)]
#[template(path = "history.html")]
struct HistoryPage {
    page: Page,
    has_entries: bool,
    entries: Vec<Entry>,
    empty: &'static str,
    next_url: String,
}

/// Entries with the names of those who made them, who are read at once: one round trip.
pub async fn entries(
    app: &App,
    staff: &Staff,
    logged: Vec<LogEntry>,
) -> Result<Vec<Entry>, StoreError> {
    let mut ids: Vec<UserId> = logged.iter().map(|entry| entry.user_id).collect();
    ids.sort_unstable();
    ids.dedup();
    ids.retain(|id| *id != staff.user.id);
    let mut actors = app.store.users(&ids).await?;
    actors.push(staff.user.clone());
    let names: HashMap<UserId, &str> = actors
        .iter()
        .map(|user| (user.id, user.username.as_str()))
        .collect();
    let shown = logged.into_iter().map(|entry| {
        let name = names.get(&entry.user_id).copied().map(str::to_owned);
        shown_entry(staff, entry, name)
    });
    Ok(shown.collect())
}

fn shown_entry(staff: &Staff, entry: LogEntry, actor: Option<String>) -> Entry {
    let seconds = entry.action_time / 1000;
    let section = section_of(entry.content_type);
    let is_there = entry.action_flag != ActionFlag::Deletion;
    Entry {
        time: text::date(seconds),
        iso: text::iso(seconds),
        actor: actor.unwrap_or_else(|| format!("user {} (deleted)", entry.user_id)),
        action: match entry.action_flag {
            ActionFlag::Addition => "add",
            ActionFlag::Change => "change",
            ActionFlag::Deletion => "delete",
        },
        kind: entry.content_type.name(),
        url: if is_there && staff.can_view(section.model()) {
            section.object_url(entry.object_id, "change")
        } else {
            String::new()
        },
        // What was added or deleted says so itself.
        message: match entry.action_flag {
            ActionFlag::Change => entry.message(),
            _ => String::new(),
        },
        object: entry.object_repr,
    }
}

fn section_of(model: Model) -> Section {
    match model {
        Model::User => Section::Users,
        Model::Group => Section::Groups,
        Model::Permission => Section::Permissions,
    }
}

/// The query of a history.
pub type Pairs = Query<Vec<(String, String)>>;

pub async fn of_user(
    staff: Staff,
    State(app): State<App>,
    Path(id): Path<String>,
    Query(query): Pairs,
) -> Result<Response, AdminError> {
    of(&app, &staff, Model::User, &id, query).await
}

pub async fn of_group(
    staff: Staff,
    State(app): State<App>,
    Path(id): Path<String>,
    Query(query): Pairs,
) -> Result<Response, AdminError> {
    of(&app, &staff, Model::Group, &id, query).await
}

pub async fn of_permission(
    staff: Staff,
    State(app): State<App>,
    Path(id): Path<String>,
    Query(query): Pairs,
) -> Result<Response, AdminError> {
    of(&app, &staff, Model::Permission, &id, query).await
}

/// The history of what is gone is shown too: it tells who deleted it.
async fn of(
    app: &App,
    staff: &Staff,
    model: Model,
    id: &str,
    query: Vec<(String, String)>,
) -> Result<Response, AdminError> {
    staff.must_view(model.name())?;
    let id = id.parse().map_err(|_| ApiError::NotFound)?;
    let object = Object { model, id };
    let before = query.into_iter().find(|(name, _)| name == "before");
    let before = before.map(|(_, place)| place).filter(|place| is_place(place));
    let history = app.store.history(&object, before.as_deref(), SIZE).await?;
    let name = history.entries.first().map(|entry| entry.object_repr.clone());
    let entries = entries(app, staff, history.entries).await?;
    let (section, name) = (section_of(model), name.unwrap_or_else(|| format!("{model} {id}")));
    let crumbs = [
        Link::new(name.as_str(), section.object_url(id, "change")),
        Link::new("History", ""),
    ];
    let next = history.next.map(|place| {
        let place: String = form_urlencoded::byte_serialize(place.as_bytes()).collect();
        format!("{}?before={place}", section.object_url(id, "history"))
    });
    let page = HistoryPage {
        page: Page::in_section(staff, section, format!("Change history: {name}"), crumbs),
        has_entries: !entries.is_empty(),
        entries,
        empty: "This object doesn’t have a change history. It was not added or changed by anybody \
                who is logged in, or that is too long ago.",
        next_url: next.unwrap_or_default(),
    };
    Ok(shown(staff, &page))
}

/// Whether a text may be an entry's place, which is part of a key.
fn is_place(text: &str) -> bool {
    text.len() == 24 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'#')
}
