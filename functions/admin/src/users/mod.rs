//! Users.

pub mod bulk;
mod fieldsets;
pub mod list;
pub mod mail;
pub mod password;
mod query;
pub mod sessions;

use std::collections::BTreeSet;

use shared::{
    accounts::{Refused, new_users, rights, users},
    app::App,
    domain::{
        FieldError, Group, Permission, SetChange, User, UserChange, UserId, log_entry::Model,
        permission::Held,
    },
    forms::{FormError, NewAccount, invited, profile_change},
    input::{Absent, FieldErrors, Presence},
    store::StoreError,
};

use mail::Mails;
use sessions::SessionPanel;

use crate::{
    model_admin::{AfterAddition, FormKind, ModelAdmin, ObjectForm, Panel, Rights},
    page::Link,
    posted::Posted,
    staff::{Action, Staff},
    text::{counted, parsed},
    urls,
    widgets::Fieldset,
};

/// What the form of a user offers.
#[derive(Default)]
pub struct Offered {
    groups: Vec<Group>,
    permissions: Vec<Permission>,
    /// The mails that can be sent.
    mails: Mails,
    /// Whether the user has no password that anybody can have.
    lacks_password: bool,
}

impl ModelAdmin for User {
    const MODEL: Model = Model::User;
    const AFTER_ADDITION: AfterAddition = AfterAddition::Object;
    type Offered = Offered;

    fn id(&self) -> u64 {
        self.id.0
    }

    fn repr(&self) -> String {
        self.username.as_str().to_owned()
    }

    async fn find(app: &App, id: u64) -> Result<Option<Self>, StoreError> {
        app.store.user(UserId(id)).await
    }

    async fn offered(app: &App, form: FormKind) -> Result<Offered, StoreError> {
        let mails = Mails::of(app);
        let FormKind::Change(id) = form else {
            return Ok(Offered {
                mails,
                ..Offered::default()
            });
        };
        let (groups, permissions, lacks_password) = tokio::try_join!(
            app.store.groups(),
            app.store.permissions(),
            mail::lacks_password(app, UserId(id))
        )?;
        Ok(Offered {
            groups,
            permissions,
            mails,
            lacks_password,
        })
    }

    fn fieldsets(form: &ObjectForm<'_, Self>) -> Vec<Fieldset> {
        match form.object {
            None => fieldsets::of_addition(&form.bound, form.offered.mails.links),
            Some(user) => fieldsets::of_change(form, user),
        }
    }

    async fn add(
        app: &App,
        staff: &Staff,
        posted: &Posted,
        offered: &Offered,
    ) -> Result<Self, Refused> {
        let fields = posted.fields(Absent::Missing);
        if offered.mails.links && posted.text("invite") == "true" {
            let user = invited(&app.store, fields).await?;
            return new_users::invite(&app.store, staff.actor(), user).await;
        }
        let NewAccount { user, password } = NewAccount::in_admin(&app.store, fields).await?;
        new_users::create(&app.store, &app.hasher, staff.actor(), user, &password).await
    }

    async fn change(
        self,
        app: &App,
        staff: &Staff,
        posted: &Posted,
        offered: &Offered,
    ) -> Result<Self, Refused> {
        let change = read(app, staff, posted, &self, offered).await?;
        users::change(&app.store, staff.actor(), self, &change).await
    }

    async fn delete(self, app: &App, staff: &Staff) -> Result<(), Refused> {
        users::delete(&app.store, staff.actor(), self).await
    }

    fn deletion_notes(&self) -> Vec<String> {
        let mut notes = vec!["The user’s tokens and sessions end at once.".to_owned()];
        if !self.group_ids.is_empty() {
            let groups = counted(self.group_ids.len(), "group");
            notes.push(format!("The user leaves {groups}."));
        }
        notes
    }

    fn is_open_to(&self, staff: &Staff) -> bool {
        rights::may_touch(&staff.user, self)
    }

    async fn is_decided_by(&self, app: &App, staff: &Staff) -> Result<bool, StoreError> {
        if staff.held == Held::All {
            return Ok(true);
        }
        let held = app.store.held(self).await?;
        Ok(rights::decides_over(&staff.user, &staff.held, self, &held))
    }

    fn tools(&self, rights: Rights, offered: &Offered) -> Vec<Link> {
        if !(rights.change && rights.decide) {
            return Vec::new();
        }
        let password = urls::object(Model::User, self.id.0, "password");
        let password = Link::new("Set password", password);
        let mails = mail::offers(self, offered.mails, offered.lacks_password);
        let mails = mails.into_iter();
        let mails = mails.map(|mail| Link::new(mail.label(), mail.url(self)));
        std::iter::once(password).chain(mails).collect()
    }

    async fn panel(app: &App, staff: &Staff, id: u64) -> Result<Option<Panel>, StoreError> {
        if !staff.can(Action::Change, Model::User) {
            return Ok(None);
        }
        let panel = SessionPanel::read(app, UserId(id)).await?;
        Ok(Some(Panel::Sessions(panel)))
    }

    fn opened(&self, panel: Panel, rights: Rights) -> Option<Panel> {
        match panel {
            Panel::Sessions(sessions) if rights.change && rights.decide => {
                Some(Panel::Sessions(sessions.of(self)))
            }
            _ => None,
        }
    }
}

/// What the form of a user changes. Fields that the user may not change are shown but not sent, and
/// stay as they are.
async fn read(
    app: &App,
    staff: &Staff,
    posted: &Posted,
    target: &User,
    offered: &Offered,
) -> Result<UserChange, FormError> {
    let fields = posted.fields(Absent::Unchanged);
    let profile = profile_change(&app.store, fields, &staff.user, target, Presence::Optional);
    let mut errors = FieldErrors::default();
    let mut change = match profile.await {
        Ok(change) => change,
        Err(FormError::Invalid(found)) => {
            errors = found;
            UserChange::default()
        }
        Err(error) => return Err(error),
    };
    change.groups = chosen(
        posted,
        "groups",
        offered.groups.iter().map(|it| it.id),
        &mut errors,
    );
    let all = offered.permissions.iter().map(|it| it.id);
    change.permissions = chosen(posted, "user_permissions", all, &mut errors);
    change.last_login = date(posted, "last_login", Presence::Optional, &mut errors);
    change.date_joined = date(posted, "date_joined", Presence::Required, &mut errors).flatten();
    errors.into_result()?;
    Ok(change)
}

fn chosen<I: Copy + Ord + std::fmt::Display>(
    posted: &Posted,
    field: &'static str,
    all: impl IntoIterator<Item = I>,
    errors: &mut FieldErrors,
) -> Option<SetChange<I>> {
    let chosen = posted.choices(field, all).unwrap_or_else(|error| {
        errors.add(field, [error]);
        BTreeSet::new()
    });
    Some(SetChange::Replace(chosen))
}

/// A date, if it was sent: in seconds since 1970, or none if it was emptied.
fn date(
    posted: &Posted,
    field: &'static str,
    presence: Presence,
    errors: &mut FieldErrors,
) -> Option<Option<i64>> {
    let text = posted.text(field).trim();
    let date = parsed(text);
    match (date, text, presence) {
        (None, "", Presence::Required) if posted.has(field) => {
            errors.add(field, [FieldError::REQUIRED]);
        }
        (None, "", _) | (Some(_), ..) => {}
        (None, ..) => errors.add(field, [FieldError::said("Enter a valid date/time.")]),
    }
    posted.has(field).then_some(date)
}
