//! The form of a group.

use std::collections::BTreeMap;

use crate::{
    app::App,
    domain::{Group, GroupId, GroupName, Permission, PermissionId},
    error::{ApiError, FieldErrors},
    input::{Fields, Presence},
    store::Refusal,
};

/// What a PUT or PATCH changes.
pub struct GroupInput {
    name: Option<GroupName>,
    permissions: Option<BTreeMap<u64, Permission>>,
}

impl GroupInput {
    /// The name of a group to be made; a creation takes nothing else.
    pub fn read_name(mut fields: Fields) -> Result<GroupName, ApiError> {
        match fields.text("name", Presence::Required) {
            Some(name) => Ok(name),
            None => Err(fields.into_errors().into()),
        }
    }

    /// Reads and checks a body.
    pub async fn read(app: &App, mut fields: Fields, group: &Group) -> Result<Self, ApiError> {
        let name: Option<GroupName> = fields.text("name", Presence::Required);
        let permissions = match fields.pk_list("permissions", Presence::Optional) {
            None => None,
            Some(list) => match list.resolve(&app.store).await? {
                Ok(permissions) => Some(permissions),
                Err(text) => {
                    fields.error("permissions", text);
                    None
                }
            },
        };
        if !fields.has_errors() {
            return Ok(Self { name, permissions });
        }
        // The transaction that would tell of a taken name is not tried, so it is looked up.
        let errors = add_taken(app, fields.into_errors(), name.as_ref(), group.id).await?;
        Err(errors.in_order(&["name"]).into())
    }

    /// The permissions that are to be the group's.
    pub fn permissions(&self) -> impl Iterator<Item = &Permission> {
        self.permissions.iter().flat_map(BTreeMap::values)
    }

    /// Whether its name is free for a group.
    ///
    /// # Errors
    /// The field error if it is not, or the table's failure.
    pub async fn taken(&self, app: &App, group: GroupId) -> Result<(), ApiError> {
        let errors = add_taken(app, FieldErrors::default(), self.name.as_ref(), group).await?;
        errors.into_result()
    }

    /// The group with the changes.
    pub fn apply(&self, group: &Group) -> Group {
        let Self { name, permissions } = self;
        let mut group = group.clone();
        group.name = name.clone().unwrap_or(group.name);
        if let Some(permissions) = permissions {
            group.permission_ids = permissions.keys().copied().map(PermissionId).collect();
        }
        group
    }
}

async fn add_taken(
    app: &App,
    mut errors: FieldErrors,
    name: Option<&GroupName>,
    group: GroupId,
) -> Result<FieldErrors, ApiError> {
    if let Some(name) = name
        && app.store.group_name_taken(name, Some(group)).await?
    {
        errors.add_refusal(Refusal::GroupNameTaken);
    }
    Ok(errors)
}
