//! The front page: what one may manage, and what happened lately.

use askama::Template;
use axum::{extract::State, response::Response};
use shared::{
    app::App,
    domain::{Group, Permission, log_entry::Model},
    store::StoreError,
};

use crate::{
    error::AdminError,
    history::{Entry, shown_entry},
    model_admin::WholeList,
    page::{Page, shown},
    staff::{Action, Staff},
    text::counted,
    urls,
};

/// How many recent actions are shown.
const RECENT: usize = 10;

#[derive(Template)]
#[template(path = "index.html")]
struct IndexPage {
    page: Page,
    counts: Counts,
    /// None for users who may not look at anything.
    recent: Option<Vec<Entry>>,
}

/// How many objects there are. Users are not counted: that would read them all.
struct Counts {
    groups: String,
    permissions: String,
}

impl Counts {
    fn of(&self, model: &Model) -> &str {
        match model {
            Model::User => "",
            Model::Group => &self.groups,
            Model::Permission => &self.permissions,
        }
    }
}

pub async fn index(staff: Staff, State(app): State<App>) -> Result<Response, AdminError> {
    let (groups, permissions, recent) = tokio::try_join!(
        count::<Group>(&app, &staff),
        count::<Permission>(&app, &staff),
        recent(&app, &staff)
    )?;
    let page = IndexPage {
        page: Page::of(&staff, None, "Site administration", Vec::new()),
        counts: Counts {
            groups,
            permissions,
        },
        recent,
    };
    Ok(shown(&staff, &page))
}

/// How many objects there are, for users who may look at them.
async fn count<M: WholeList>(app: &App, staff: &Staff) -> Result<String, StoreError> {
    if !staff.can(Action::View, M::MODEL) {
        return Ok(String::new());
    }
    Ok(counted(M::all(app).await?.len(), M::MODEL.name()))
}

/// What happened to the models that the user may look at.
async fn recent(app: &App, staff: &Staff) -> Result<Option<Vec<Entry>>, StoreError> {
    let visible = |model: Model| staff.can(Action::View, model);
    if !urls::MODELS.into_iter().any(visible) {
        return Ok(None);
    }
    // More than are shown, since some may be of models that they may not look at.
    let mut changes = app.store.recent_changes(3 * RECENT).await?;
    changes.retain(|entry| visible(entry.content_type));
    changes.truncate(RECENT);
    let shown = changes.into_iter().map(|entry| shown_entry(staff, entry));
    Ok(Some(shown.collect()))
}
