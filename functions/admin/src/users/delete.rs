//! Deleting a user.

use axum::{extract::State, response::Response};
use shared::{app::App, domain::User, http::authority::may_decide_over};

use super::found;
use crate::{
    error::AdminError,
    object,
    page::Section,
    posted::Posted,
    staff::{Segment, Staff},
    text::counted,
};

pub async fn ask(
    staff: Staff,
    State(app): State<App>,
    Segment(id): Segment,
) -> Result<Response, AdminError> {
    let user = target(&app, &staff, &id).await?;
    let mut notes = vec!["The user’s tokens and sessions end at once.".to_owned()];
    if !user.group_ids.is_empty() {
        let groups = counted(user.group_ids.len(), "group");
        notes.push(format!("The user leaves {groups}."));
    }
    let (id, name) = (user.id.0, user.username.as_str());
    Ok(object::ask_to_delete(
        &staff,
        Section::Users,
        id,
        name,
        notes,
    ))
}

pub async fn delete(
    staff: Staff,
    State(app): State<App>,
    Segment(id): Segment,
    _: Posted,
) -> Result<Response, AdminError> {
    let user = target(&app, &staff, &id).await?;
    let name = user.username.as_str().to_owned();
    let (store, who) = (&app.store, &staff.user);
    let judge = |user: User| async move { may_decide_over(store, who, &user).await };
    store.delete_user(user, staff.actor(), judge).await?;
    Ok(object::deleted(&app, &staff, Section::Users, &name).await)
}

async fn target(app: &App, staff: &Staff, id: &str) -> Result<User, AdminError> {
    staff.must("auth.delete_user")?;
    let user = found(app, id).await?;
    may_decide_over(&app.store, &staff.user, &user).await?;
    Ok(user)
}
