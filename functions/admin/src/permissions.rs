//! Permissions.

use shared::{
    accounts::{Refused, permissions},
    app::App,
    domain::{
        Codename, ContentType, FieldError, Permission, PermissionChange, PermissionId,
        PermissionName,
        log_entry::Model,
        permission::{Held, decides},
        quotas,
    },
    forms::FormError,
    input::{Absent, Presence},
    store::StoreError,
};

use crate::{
    model_admin::{FormKind, ModelAdmin, ObjectForm, WholeList},
    posted::Posted,
    staff::Staff,
    widgets::{Choice, Field, Fieldset, as_many_as},
};

impl ModelAdmin for Permission {
    const MODEL: Model = Model::Permission;
    type Offered = Vec<ContentType>;

    fn id(&self) -> u64 {
        self.id.0
    }

    fn repr(&self) -> String {
        self.title()
    }

    fn heading(&self) -> String {
        self.name.as_str().to_owned()
    }

    async fn find(app: &App, id: u64) -> Result<Option<Self>, StoreError> {
        app.store.permission(PermissionId(id)).await
    }

    async fn offered(app: &App, _: FormKind) -> Result<Vec<ContentType>, StoreError> {
        app.store.content_types().await
    }

    fn fieldsets(form: &ObjectForm<'_, Self>) -> Vec<Fieldset> {
        let (bound, permission, change) = (&form.bound, form.object, form.rights.change);
        let name = permission.map_or("", |permission| permission.name.as_str());
        let codename = permission.map_or("", |permission| permission.codename.as_str());
        let choices = form.offered.iter().map(|one| {
            let label = format!("{} | {}", one.app_label, one.model);
            let chosen = permission.is_some_and(|permission| permission.content_type == *one);
            Choice::new(one, label, chosen)
        });
        let offered = as_many_as(quotas::CONTENT_TYPES, choices);
        let relabel = change && form.rights.decide;
        let fields = vec![
            bound
                .text("name", "Name", name)
                .help("For people: Can publish articles")
                .open_if(change),
            bound
                .select("content_type", "Content type", offered)
                .open_if(relabel),
            bound
                .text("codename", "Codename", codename)
                .help("For programs: publish_article")
                .open_if(relabel),
        ];
        vec![Fieldset {
            fields: fields.into_iter().map(Field::required).collect(),
            ..Fieldset::default()
        }]
    }

    async fn add(
        app: &App,
        staff: &Staff,
        posted: &Posted,
        types: &Vec<ContentType>,
    ) -> Result<Self, Refused> {
        let (name, codename, content_type) = read(app, posted, types, None).await?;
        permissions::create(&app.store, staff.actor(), name, codename, content_type).await
    }

    async fn change(
        self,
        app: &App,
        staff: &Staff,
        posted: &Posted,
        types: &Vec<ContentType>,
    ) -> Result<Self, Refused> {
        let change = if may_relabel(&self, staff) {
            let (name, codename, content_type) = read(app, posted, types, Some(self.id)).await?;
            PermissionChange {
                name: Some(name),
                codename: Some(codename),
                content_type: Some(content_type),
            }
        } else {
            let mut fields = posted.fields(Absent::Missing);
            let Some(name) = fields.text("name", Presence::Required) else {
                return Err(Refused::Invalid(fields.into_errors()));
            };
            PermissionChange {
                name: Some(name),
                ..PermissionChange::default()
            }
        };
        permissions::change(&app.store, staff.actor(), self, &change).await
    }

    async fn delete(self, app: &App, staff: &Staff) -> Result<(), Refused> {
        permissions::delete(&app.store, staff.actor(), self).await
    }

    async fn is_decided_by(&self, _: &App, staff: &Staff) -> Result<bool, StoreError> {
        Ok(may_relabel(self, staff))
    }

    fn deletion_notes(&self) -> Vec<String> {
        vec!["Every user and group that holds it loses it.".to_owned()]
    }
}

impl WholeList for Permission {
    const COLUMNS: &[&str] = &["Name", "Content type", "Codename"];

    async fn all(app: &App) -> Result<Vec<Self>, StoreError> {
        app.store.permissions().await
    }

    fn searched(&self) -> Vec<String> {
        vec![
            self.name.as_str().to_owned(),
            self.content_type.to_string(),
            self.label(),
        ]
    }

    fn cells(&self) -> Vec<String> {
        vec![
            self.name.as_str().to_owned(),
            self.content_type.to_string(),
            self.codename.as_str().to_owned(),
        ]
    }
}

/// Only superusers delete the stock permissions or give them another label: see
/// [`shared::accounts::rights`].
fn may_relabel(permission: &Permission, staff: &Staff) -> bool {
    staff.held == Held::All || !decides(&permission.label())
}

/// The parts of a permission that is added, or of the permission `but`.
async fn read(
    app: &App,
    posted: &Posted,
    types: &[ContentType],
    but: Option<PermissionId>,
) -> Result<(PermissionName, Codename, ContentType), FormError> {
    let mut fields = posted.fields(Absent::Missing);
    let name = fields.text("name", Presence::Required);
    let chosen = posted.text("content_type");
    let content_type = types.iter().find(|one| one.to_string() == chosen).cloned();
    if content_type.is_none() {
        let unknown = "Select a valid choice. That choice is not one of the available choices.";
        fields.error(
            "content_type",
            match chosen {
                "" => FieldError::REQUIRED,
                _ => FieldError::said(unknown),
            },
        );
    }
    let codename = fields.text("codename", Presence::Required);
    match (name, codename, content_type) {
        (Some(name), Some(codename), Some(content_type)) => Ok((name, codename, content_type)),
        (_, codename, content_type) => {
            // The transaction that would tell of a taken codename is not tried, so it is looked up.
            if let (Some(codename), Some(content_type)) = (codename, content_type) {
                let taken = app.store.codename_taken(&content_type, &codename, but);
                fields.errors(taken.await?);
            }
            Err(fields.into_errors().into())
        }
    }
}
