//! What the pages of users, groups and permissions have in common: a list, what follows a form that
//! is saved, and the way to a deletion.

use axum::response::Response;
use shared::{app::App, web::messages::Message};

use crate::{
    page::{Confirmation, Hidden, Link, ListPage, ListRow, Page, Section, redirect_with, shown},
    posted::Posted,
    staff::Staff,
    text::counted,
};

/// The search that a list is asked for, as it was typed.
pub fn search_of(query: Vec<(String, String)>) -> String {
    let search = query.into_iter().find(|(name, _)| name == "q");
    search.map_or_else(String::new, |(_, text)| text.trim().to_owned())
}

/// `Select user to change`, or `… to view` for whoever may not.
pub fn list_title(staff: &Staff, section: Section) -> String {
    let model = section.model();
    let may_change = staff.can(&format!("auth.change_{model}"));
    let what = if may_change { "change" } else { "view" };
    format!("Select {model} to {what}")
}

/// A whole list, of what a search left of it.
pub fn list(
    staff: &Staff,
    section: Section,
    search: String,
    columns: Vec<&'static str>,
    rows: Vec<ListRow>,
) -> Response {
    let model = section.model();
    let title = list_title(staff, section);
    let page = ListPage {
        page: Page::in_section(staff, section, title, []),
        search_label: format!("Search {model}s"),
        add_url: section.add_url(staff),
        add_label: format!("Add {model}"),
        has_rows: !rows.is_empty(),
        columns,
        count: counted(rows.len(), model),
        rows,
        empty: if search.is_empty() {
            format!("There are no {model}s.")
        } else {
            format!("No {model}s match.")
        },
        search,
    };
    shown(staff, &page)
}

/// Where the button leads that a form was saved with, and what is told there.
pub async fn saved(
    app: &App,
    staff: &Staff,
    posted: &Posted,
    (section, id): (Section, u64),
    name: &str,
    done: &str,
) -> Response {
    let model = section.model();
    let (to, rest) = if posted.has("_continue") && staff.can_view(model) {
        let to = section.object_url(id, "change");
        (to, " You may edit it again below.".to_owned())
    } else if posted.has("_addanother") && !section.add_url(staff).is_empty() {
        let rest = format!(" You may add another {model} below.");
        (section.add_url(staff), rest)
    } else {
        (home_of(staff, section), String::new())
    };
    let told = format!("The {model} “{name}” was {done} successfully.{rest}");
    redirect_with(app, staff, &to, &[Message::success(told)]).await
}

/// The page that asks whether a deletion is meant.
pub fn ask_to_delete(
    staff: &Staff,
    section: Section,
    id: u64,
    name: &str,
    notes: Vec<String>,
) -> Response {
    let change = section.object_url(id, "change");
    let crumbs = [Link::new(name, change.as_str()), Link::new("Delete", "")];
    let model = section.model();
    let page = Confirmation {
        page: Page::in_section(staff, section, "Are you sure?", crumbs),
        lead: format!("Are you sure you want to delete the {model} “{name}”?"),
        has_items: false,
        items: Vec::new(),
        has_notes: true,
        notes,
        hidden: vec![Hidden {
            name: "post",
            value: "yes".to_owned(),
        }],
        action_url: section.object_url(id, "delete"),
        button: "Yes, I’m sure",
        danger: true,
        cancel_url: change,
    };
    shown(staff, &page)
}

/// What follows a deletion.
pub async fn deleted(app: &App, staff: &Staff, section: Section, name: &str) -> Response {
    let model = section.model();
    let told = format!("The {model} “{name}” was deleted successfully.");
    let to = home_of(staff, section);
    redirect_with(app, staff, &to, &[Message::success(told)]).await
}

/// The list of a section, or the front page for whoever may not see it.
fn home_of(staff: &Staff, section: Section) -> String {
    if staff.can_view(section.model()) {
        section.url()
    } else {
        "/admin/".to_owned()
    }
}
