//! The form of a group.

use super::{FormError, related::resolve};
use crate::{
    domain::{Group, GroupChange, GroupName, Permission, PermissionId, SetChange},
    input::{Fields, Presence},
    store::Store,
};

/// A group's name; the API's creation takes nothing else.
pub fn group_name(fields: &mut Fields) -> Option<GroupName> {
    fields.text("name", Presence::Required)
}

/// What a PUT or PATCH changes.
///
/// # Errors
/// The field errors, with that of a taken name, or the table's failure.
pub async fn group_change(
    store: &Store,
    mut fields: Fields,
    group: &Group,
) -> Result<GroupChange, FormError> {
    let name = group_name(&mut fields);
    let mut permissions = None;
    if let Some(keys) = fields.pk_list("permissions", Presence::Optional) {
        match resolve::<Permission>(store, &keys).await? {
            Ok(all) => {
                let ids = all.into_keys().map(PermissionId).collect();
                permissions = Some(SetChange::Replace(ids));
            }
            Err(error) => fields.error("permissions", error),
        }
    }
    if fields.has_errors() {
        // The transaction that would tell of a taken name is not tried, so it is looked up.
        if let Some(name) = &name {
            fields.errors(store.group_name_taken(name, Some(group.id)).await?);
        }
        return Err(fields.into_errors().in_order(&["name"]).into());
    }
    Ok(GroupChange { name, permissions })
}
