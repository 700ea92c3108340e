//! Groups.

use std::collections::BTreeSet;

use shared::{
    accounts::{Refused, groups},
    app::App,
    domain::{
        Group, GroupChange, GroupId, GroupName, Permission, PermissionId, SetChange, User,
        log_entry::Model,
    },
    forms::{FormError, group_name},
    input::Absent,
    store::{StoreError, pager::Filter},
};

use crate::{
    model_admin::{FormKind, LinkPanel, ModelAdmin, ObjectForm, Panel, WholeList},
    page::Link,
    posted::Posted,
    staff::{Action, Staff},
    text::counted,
    urls,
    widgets::{Fieldset, offered_permissions},
};

/// How many members the page of a group names.
const MEMBERS: usize = 20;

impl ModelAdmin for Group {
    const MODEL: Model = Model::Group;
    type Offered = Vec<Permission>;

    fn id(&self) -> u64 {
        self.id.0
    }

    fn repr(&self) -> String {
        self.name.as_str().to_owned()
    }

    async fn find(app: &App, id: u64) -> Result<Option<Self>, StoreError> {
        app.store.group(GroupId(id)).await
    }

    async fn offered(app: &App, _: FormKind) -> Result<Vec<Permission>, StoreError> {
        app.store.permissions().await
    }

    fn fieldsets(form: &ObjectForm<'_, Self>) -> Vec<Fieldset> {
        let (bound, change) = (&form.bound, form.rights.change);
        let none = BTreeSet::new();
        let held = form.object.map_or(&none, |group| &group.permission_ids);
        let choices = offered_permissions(form.staff, form.offered, held);
        let name = form.object.map_or("", |group| group.name.as_str());
        vec![Fieldset {
            fields: vec![
                bound.text("name", "Name", name).required().open_if(change),
                bound
                    .selector("permissions", "Permissions", choices)
                    .open_if(change),
            ],
            ..Fieldset::default()
        }]
    }

    async fn add(
        app: &App,
        staff: &Staff,
        posted: &Posted,
        permissions: &Vec<Permission>,
    ) -> Result<Self, Refused> {
        let (name, ids) = read(app, posted, permissions, None).await?;
        groups::create(&app.store, staff.actor(), name, ids).await
    }

    async fn change(
        self,
        app: &App,
        staff: &Staff,
        posted: &Posted,
        permissions: &Vec<Permission>,
    ) -> Result<Self, Refused> {
        let (name, ids) = read(app, posted, permissions, Some(self.id)).await?;
        let change = GroupChange {
            name: Some(name),
            permissions: Some(SetChange::Replace(ids)),
        };
        groups::change(&app.store, staff.actor(), self, &change).await
    }

    async fn delete(self, app: &App, staff: &Staff) -> Result<(), Refused> {
        groups::delete(&app.store, staff.actor(), self).await
    }

    fn deletion_notes(&self) -> Vec<String> {
        let given = counted(self.permission_ids.len(), "permission");
        vec![format!(
            "Its members lose the {given} that only it gives them."
        )]
    }

    /// Its first members, for users who may see users.
    async fn panel(app: &App, staff: &Staff, id: u64) -> Result<Option<Panel>, StoreError> {
        if !staff.can(Action::View, Model::User) {
            return Ok(None);
        }
        let filter = Filter {
            group: Some(GroupId(id)),
            ..Filter::default()
        };
        let members = app.store.user_page(&filter, None, MEMBERS).await?.users;
        let link = |user: &User| {
            let url = urls::object(Model::User, user.id.0, "change");
            Link::new(user.username.as_str(), url)
        };
        let all = format!("{}?groups__id__exact={id}", urls::list(Model::User));
        Ok(Some(Panel::Links(LinkPanel {
            title: "Members",
            links: members.iter().map(link).collect(),
            empty: "This group has no members.",
            all: Link::new("All members, to add and remove", all),
        })))
    }
}

impl WholeList for Group {
    const COLUMNS: &[&str] = &["Name", "Permissions"];

    async fn all(app: &App) -> Result<Vec<Self>, StoreError> {
        let mut groups = app.store.groups().await?;
        groups.sort_by_cached_key(|group| group.name.as_str().to_lowercase());
        Ok(groups)
    }

    fn searched(&self) -> Vec<String> {
        vec![self.repr()]
    }

    fn cells(&self) -> Vec<String> {
        vec![self.repr(), self.permission_ids.len().to_string()]
    }
}

/// The name and the permissions of a group that is added, or of the group `but`.
async fn read(
    app: &App,
    posted: &Posted,
    permissions: &[Permission],
    but: Option<GroupId>,
) -> Result<(GroupName, BTreeSet<PermissionId>), FormError> {
    let mut fields = posted.fields(Absent::Missing);
    let name = group_name(&mut fields);
    let ids = posted.choices("permissions", permissions.iter().map(|one| one.id));
    match (name, ids) {
        (Some(name), Ok(ids)) => Ok((name, ids)),
        (name, ids) => {
            // The transaction that would tell of a taken name is not tried, so it is looked up.
            if let Some(name) = name {
                fields.errors(app.store.group_name_taken(&name, but).await?);
            }
            if let Err(error) = ids {
                fields.error("permissions", error);
            }
            Err(fields.into_errors().into())
        }
    }
}
