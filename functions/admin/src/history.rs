//! The changes of one object, and how changes are shown.

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use shared::{
    app::App,
    domain::log_entry::{ActionFlag, LogEntry, Object},
    http::ApiError,
};

use crate::{
    error::AdminError,
    model_admin::ModelAdmin,
    page::{Link, Page, shown},
    staff::{Action, Segment, Staff},
    text, urls,
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
    pub url: Option<String>,
    pub message: String,
}

#[derive(Template)]
#[template(path = "history.html")]
struct HistoryPage {
    page: Page,
    entries: Vec<Entry>,
    next_url: Option<String>,
}

/// A change as somebody sees it.
pub fn shown_entry(staff: &Staff, entry: LogEntry) -> Entry {
    let seconds = entry.action_time / 1000;
    let model = entry.content_type;
    // What is no object, such as an address, is logged with the id 0.
    let exists = entry.action_flag != ActionFlag::Deletion && entry.object_id != 0;
    Entry {
        time: text::date(seconds),
        iso: text::iso(seconds),
        action: match entry.action_flag {
            ActionFlag::Addition => "add",
            ActionFlag::Change => "change",
            ActionFlag::Deletion => "delete",
        },
        kind: model.name(),
        url: (exists && staff.can(Action::View, model))
            .then(|| urls::object(model, entry.object_id, "change")),
        // An addition and a deletion say so themselves.
        message: match entry.action_flag {
            ActionFlag::Change => entry.message(),
            _ => String::new(),
        },
        actor: entry.username,
        object: entry.object_repr,
    }
}

/// The history of a deleted object is shown too: it tells who deleted it.
pub async fn history<M: ModelAdmin>(
    staff: Staff,
    State(app): State<App>,
    Segment(id): Segment,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Response, AdminError> {
    let model = M::MODEL;
    staff.must(Action::View, model)?;
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
    let name = name.unwrap_or_else(|| format!("{model} {id}"));
    let crumbs = [
        Link::new(name.as_str(), urls::object(model, id, "change")),
        Link::new("History", ""),
    ];
    let next_url = history.next.map(|place| {
        let place: String = form_urlencoded::byte_serialize(place.as_bytes()).collect();
        format!("{}?before={place}", urls::object(model, id, "history"))
    });
    let entries = history.entries.into_iter();
    let page = HistoryPage {
        page: Page::of_model(&staff, model, format!("Change history: {name}"), crumbs),
        entries: entries.map(|entry| shown_entry(&staff, entry)).collect(),
        next_url,
    };
    Ok(shown(&staff, &page))
}

/// Whether a text may be an entry's place, which is part of a key.
fn is_place(text: &str) -> bool {
    text.len() == 24
        && text
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b'#')
}
