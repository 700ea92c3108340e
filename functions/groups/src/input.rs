//! The form of a group.

use std::collections::BTreeSet;

use shared::{
    app::App,
    domain::{Group, GroupName, Permission, PermissionId},
    error::ApiError,
    http::JsonOrForm,
    input::{PkList, Presence},
    store::{Refusal, StoreError},
};

/// What a PUT or PATCH changes.
pub struct GroupInput {
    name: Option<GroupName>,
    permission_ids: Option<BTreeSet<PermissionId>>,
}

impl GroupInput {
    /// The name of a group to be made; a creation takes nothing else.
    pub fn read_name(body: JsonOrForm) -> Result<GroupName, ApiError> {
        let mut fields = body.fields()?;
        match fields.text("name", Presence::Required) {
            Some(name) => Ok(name),
            None => Err(fields.into_errors().into()),
        }
    }

    /// Reads and checks a body.
    pub async fn read(app: &App, body: JsonOrForm, group: &Group) -> Result<Self, ApiError> {
        let mut fields = body.fields()?;
        let name: Option<GroupName> = fields.text("name", Presence::Required);
        let permission_ids = match fields.pk_list("permissions", Presence::Optional) {
            None => None,
            Some(list) => match resolve(app, &list).await? {
                Ok(ids) => Some(ids),
                Err(text) => {
                    fields.error("permissions", text);
                    None
                }
            },
        };
        if !fields.has_errors() {
            return Ok(Self {
                name,
                permission_ids,
            });
        }
        // The transaction that would tell of a taken name is not tried, so it is looked up.
        let mut errors = fields.into_errors();
        if let Some(name) = &name
            && app.store.group_name_taken(name, Some(group.id)).await?
        {
            errors.add_refusal(Refusal::GroupNameTaken);
        }
        Err(errors.in_order(&["name"]).into())
    }

    /// The group with the changes.
    pub fn apply(&self, group: &Group) -> Group {
        let Self {
            name,
            permission_ids,
        } = self;
        let mut group = group.clone();
        group.name = name.clone().unwrap_or(group.name);
        group.permission_ids = permission_ids.clone().unwrap_or(group.permission_ids);
        group
    }
}

/// The permissions that a list of keys names, or DRF's text for the first key that names none.
pub async fn resolve(
    app: &App,
    list: &PkList,
) -> Result<Result<BTreeSet<PermissionId>, String>, StoreError> {
    let found = list.resolve::<Permission>(&app.store).await?;
    Ok(found.map(|permissions| permissions.into_keys().map(PermissionId).collect()))
}
