//! What the form of a user changes: his profile as in the API, his groups and his permissions.

use std::collections::BTreeSet;

use shared::{
    app::App,
    domain::{Group, GroupId, Permission, PermissionId, User},
    error::{ApiError, FieldErrors},
    forms::ProfileInput,
    http::authority::{may_add, may_change, may_decide_over, may_join},
};

use crate::{posted::Posted, staff::Staff, text::parsed};

/// A form that is read.
pub struct UserInput<'a> {
    profile: ProfileInput,
    groups: Vec<&'a Group>,
    permissions: Vec<&'a Permission>,
    /// Absent if it was not sent; none if it was emptied.
    last_login: Option<Option<i64>>,
    date_joined: Option<i64>,
}

impl<'a> UserInput<'a> {
    /// Reads and checks a form; the groups and the permissions are all there are.
    pub async fn read(
        app: &App,
        staff: &Staff,
        posted: &Posted,
        target: &User,
        groups: &'a [Group],
        permissions: &'a [Permission],
    ) -> Result<Self, ApiError> {
        // What is shown and may not be changed is not sent, and stays as it is.
        let fields = posted.fields(true)?;
        let profile = ProfileInput::read_in_admin(app, fields, &staff.user, target).await;
        let groups = posted.chosen("groups", groups, |group| group.id.0);
        let permissions = posted.chosen("user_permissions", permissions, |permission| {
            permission.id.0
        });
        let dates = dates(posted);
        let mut errors = FieldErrors::default();
        let mut note = |found: &FieldErrors| {
            for (field, texts) in found.iter() {
                errors.add(field, texts.iter().cloned());
            }
        };
        let profile = match profile {
            Err(ApiError::Invalid(found)) => {
                note(&found);
                None
            }
            profile => Some(profile?),
        };
        let groups = groups.map_err(|found| note(&found)).ok();
        let permissions = permissions.map_err(|found| note(&found)).ok();
        let dates = dates.map_err(|found| note(&found)).ok();
        match (profile, groups, permissions, dates) {
            (Some(profile), Some(groups), Some(permissions), Some((last_login, date_joined))) => {
                Ok(Self {
                    profile,
                    groups,
                    permissions,
                    last_login,
                    date_joined,
                })
            }
            _ => Err(errors.into()),
        }
    }

    /// Whether somebody may change a user so.
    ///
    /// # Errors
    /// He may not: nobody hands out what he does not hold, nor decides over whoever holds more.
    pub async fn judge(&self, app: &App, caller: &User, user: &User) -> Result<(), ApiError> {
        may_change(caller, user)?;
        let after = self.apply(user);
        let dates = (after.last_login, after.date_joined) != (user.last_login, user.date_joined);
        if dates || self.profile.changes_account(user) {
            may_decide_over(&app.store, caller, user).await?;
        }
        may_join(&app.store, caller, user, self.groups.iter().copied()).await?;
        let permissions = self.permissions.iter().copied();
        may_add(&app.store, caller, &user.permission_ids, permissions).await
    }

    /// The user with the changes.
    pub fn apply(&self, user: &User) -> User {
        let mut user = self.profile.apply(user);
        user.group_ids = self
            .groups
            .iter()
            .map(|group| group.id)
            .collect::<BTreeSet<GroupId>>();
        let ids = self.permissions.iter().map(|permission| permission.id);
        user.permission_ids = ids.collect::<BTreeSet<PermissionId>>();
        user.last_login = self.last_login.unwrap_or(user.last_login);
        user.date_joined = self.date_joined.unwrap_or(user.date_joined);
        user
    }
}

/// The two dates, as far as they were sent.
fn dates(posted: &Posted) -> Result<(Option<Option<i64>>, Option<i64>), FieldErrors> {
    let mut errors = FieldErrors::default();
    let mut date = |field| {
        let text = posted.text(field).trim();
        let date = parsed(text);
        if date.is_none() && !text.is_empty() {
            errors.add(field, ["Enter a valid date/time.".to_owned()]);
        }
        posted.has(field).then_some(date)
    };
    let (last_login, date_joined) = (date("last_login"), date("date_joined"));
    if date_joined == Some(None) && posted.text("date_joined").trim().is_empty() {
        errors.add("date_joined", ["This field is required.".to_owned()]);
    }
    if errors.is_empty() {
        Ok((last_login, date_joined.flatten()))
    } else {
        Err(errors)
    }
}
