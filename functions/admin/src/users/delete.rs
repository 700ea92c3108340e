//! Deleting a user.

use axum::{
    extract::{Path, State},
    response::Response,
};
use shared::{app::App, domain::User, http::authority::may_decide_over};

use super::found;
use crate::{
    error::AdminError,
    messages::Message,
    page::{Confirmation, Hidden, Link, Page, Section, redirect_with, shown},
    posted::Posted,
    session::Staff,
    text::counted,
};

pub async fn ask(
    staff: Staff,
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, AdminError> {
    let user = target(&app, &staff, &id).await?;
    let (name, id) = (user.username.as_str(), user.id.0);
    let change = Section::Users.object_url(id, "change");
    let crumbs = [Link::new(name, change.as_str()), Link::new("Delete", "")];
    let mut notes = vec!["His tokens and sessions end at once.".to_owned()];
    if !user.group_ids.is_empty() {
        let groups = counted(user.group_ids.len(), "group");
        notes.push(format!("He leaves {groups}."));
    }
    Ok(shown(
        &staff,
        &Confirmation {
            page: Page::in_section(&staff, Section::Users, "Are you sure?", crumbs),
            lead: format!("Are you sure you want to delete the user “{name}”?"),
            has_items: false,
            items: Vec::new(),
            has_notes: true,
            notes,
            hidden: vec![Hidden {
                name: "post",
                value: "yes".to_owned(),
            }],
            action_url: Section::Users.object_url(id, "delete"),
            button: "Yes, I’m sure",
            danger: true,
            cancel_url: change,
        },
    ))
}

pub async fn delete(
    staff: Staff,
    State(app): State<App>,
    Path(id): Path<String>,
    _: Posted,
) -> Result<Response, AdminError> {
    let user = target(&app, &staff, &id).await?;
    let name = user.username.as_str().to_owned();
    let (store, who) = (&app.store, &staff.user);
    let judge = |user: User| async move { may_decide_over(store, who, &user).await };
    store.delete_user(user, staff.actor(), judge).await?;
    let told = [Message::success(format!(
        "The user “{name}” was deleted successfully."
    ))];
    let to = if staff.can_view("user") {
        Section::Users.url()
    } else {
        "/admin/".to_owned()
    };
    Ok(redirect_with(&app, &staff, &to, &told).await)
}

async fn target(app: &App, staff: &Staff, id: &str) -> Result<User, AdminError> {
    staff.must("auth.delete_user")?;
    let user = found(app, id).await?;
    may_decide_over(&app.store, &staff.user, &user).await?;
    Ok(user)
}
