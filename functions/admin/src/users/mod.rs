//! Users.

pub mod actions;
pub mod add;
mod asked;
pub mod change;
pub mod delete;
mod input;
pub mod list;
pub mod password;

use shared::{
    app::App,
    domain::{
        Group, Permission, User, UserId,
        permission::{Held, sources},
    },
    error::ApiError,
};

use crate::{error::AdminError, staff::Staff};

/// The user whom a path names.
async fn found(app: &App, id: &str) -> Result<User, AdminError> {
    let id = id.parse().map_err(|_| ApiError::NotFound)?;
    let user = app.store.user(UserId(id)).await?;
    user.ok_or_else(|| ApiError::NotFound.into())
}

/// Whether somebody may decide over a user's account: `may_decide_over` of what is at hand.
fn decides_over(staff: &Staff, user: &User, groups: &[Group], permissions: &[Permission]) -> bool {
    if staff.user.is_superuser {
        return true;
    }
    if user.is_superuser {
        return false;
    }
    let his = groups
        .iter()
        .filter(|group| user.group_ids.contains(&group.id));
    let his: Vec<Group> = his.cloned().collect();
    let held = sources(user, &his, permissions).into_keys().collect();
    staff.user.id == user.id || staff.held.covers_all_of(&Held::Labels(held))
}
