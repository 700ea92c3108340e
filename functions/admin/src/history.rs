//! The changes of one object, and how changes are shown.

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use shared::{
    app::App,
    domain::log::{ActionFlag, LogEntry, Model, Object},
    error::ApiError,
};

use crate::{
    error::AdminError,
    page::{Link, Page, Section, shown},
    staff::{Segment, Staff},
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

/// A change as somebody sees it.
pub fn shown_entry(staff: &Staff, entry: LogEntry) -> Entry {
    let seconds = entry.action_time / 1000;
    let section = section_of(entry.content_type);
    let is_there = entry.action_flag != ActionFlag::Deletion;
    Entry {
        time: text::date(seconds),
        iso: text::iso(seconds),
        actor: entry.username.clone(),
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
    Segment(id): Segment,
    Query(query): Pairs,
) -> Result<Response, AdminError> {
    of(&app, &staff, Model::User, &id, query).await
}

pub async fn of_group(
    staff: Staff,
    State(app): State<App>,
    Segment(id): Segment,
    Query(query): Pairs,
) -> Result<Response, AdminError> {
    of(&app, &staff, Model::Group, &id, query).await
}

pub async fn of_permission(
    staff: Staff,
    State(app): State<App>,
    Segment(id): Segment,
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
    let before = before
        .map(|(_, place)| place)
        .filter(|place| is_place(place));
    let history = app.store.history(&object, before.as_deref(), SIZE).await?;
    let name = history
        .entries
        .first()
        .map(|entry| entry.object_repr.clone());
    let entries = history.entries.into_iter();
    let entries: Vec<Entry> = entries.map(|entry| shown_entry(staff, entry)).collect();
    let (section, name) = (
        section_of(model),
        name.unwrap_or_else(|| format!("{model} {id}")),
    );
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
    text.len() == 24
        && text
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b'#')
}
