//! The front page: what one may manage, and what happened of late.

use askama::Template;
use axum::{extract::State, response::Response};
use shared::{app::App, store::StoreError};

use crate::{
    error::AdminError,
    history::{Entry, shown_entry},
    page::{Page, Section, shown},
    staff::Staff,
    text::counted,
};

/// How many recent actions are shown.
const RECENT: usize = 10;

#[derive(Template)]
#[template(path = "index.html")]
struct IndexPage {
    page: Page,
    has_models: bool,
    models: Vec<Model>,
    has_recent: bool,
    recent: Vec<Entry>,
}

struct Model {
    label: &'static str,
    url: String,
    count: String,
    add_url: String,
}

pub async fn index(staff: Staff, State(app): State<App>) -> Result<Response, AdminError> {
    let count = |section| count(&app, &staff, section);
    let (groups, permissions, recent) = tokio::try_join!(
        count(Section::Groups),
        count(Section::Permissions),
        recent(&app, &staff)
    )?;
    let page = Page::of(&staff, None, "Site administration", Vec::new());
    let models: Vec<Model> = page
        .nav
        .iter()
        .map(|item| Model {
            label: item.label,
            url: item.url.clone(),
            count: match item.label {
                "Groups" => groups.clone(),
                "Permissions" => permissions.clone(),
                _ => String::new(),
            },
            add_url: item.add_url.clone(),
        })
        .collect();
    let page = IndexPage {
        page,
        has_models: !models.is_empty(),
        models,
        has_recent: recent.is_some(),
        recent: recent.unwrap_or_default(),
    };
    Ok(shown(&staff, &page))
}

/// How many there are, for whoever may see them. Users are not counted: that would read them all.
async fn count(app: &App, staff: &Staff, section: Section) -> Result<String, StoreError> {
    if !staff.can_view(section.model()) {
        return Ok(String::new());
    }
    let count = match section {
        Section::Groups => app.store.groups().await?.len(),
        Section::Permissions => app.store.permissions().await?.len(),
        Section::Users => return Ok(String::new()),
    };
    Ok(counted(count, section.model()))
}

/// What happened to what he may see; nothing for whoever may see nothing.
async fn recent(app: &App, staff: &Staff) -> Result<Option<Vec<Entry>>, StoreError> {
    if !Section::ALL
        .iter()
        .any(|section| staff.can_view(section.model()))
    {
        return Ok(None);
    }
    // More than are shown, since some may be of what he may not see.
    let mut changes = app.store.recent_changes(3 * RECENT).await?;
    changes.retain(|entry| staff.can_view(entry.content_type.name()));
    changes.truncate(RECENT);
    let shown = changes.into_iter().map(|entry| shown_entry(staff, entry));
    Ok(Some(shown.collect()))
}
