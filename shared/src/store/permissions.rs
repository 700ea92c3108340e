//! Permissions, their markers, and content types.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{
    Actor, CHANGE_TRIES, ChangeError, Refusal, Store, StoreError, WriteError,
    keys::{Entity, PERMISSIONS, Sequence},
    table::{Item, from_item, number, to_item},
    writes::Write,
};
use crate::domain::{Codename, ContentType, Permission, PermissionId, PermissionName};

#[derive(Serialize, Deserialize)]
struct Marker {
    permission_id: PermissionId,
}

impl Store {
    /// All permissions, in Django's order.
    pub async fn permissions(&self) -> Result<Vec<Permission>, StoreError> {
        let mut permissions: Vec<Permission> = self.table.partition(PERMISSIONS).await?;
        permissions.sort_by(|a, b| a.order().cmp(&b.order()));
        Ok(permissions)
    }

    /// The permission with that id.
    pub async fn permission(&self, id: PermissionId) -> Result<Option<Permission>, StoreError> {
        self.table.get(Entity::Permission(id).key()).await
    }

    /// Those of the permissions that exist, in Django's order.
    pub async fn permissions_of(
        &self,
        ids: &BTreeSet<PermissionId>,
    ) -> Result<Vec<Permission>, StoreError> {
        let found = self
            .table
            .batch_get(ids.iter().map(|id| Entity::Permission(*id).key()))
            .await?;
        let mut permissions = found
            .into_values()
            .map(from_item)
            .collect::<Result<Vec<Permission>, _>>()?;
        permissions.sort_by(|a, b| a.order().cmp(&b.order()));
        Ok(permissions)
    }

    /// Whether a content type is declared.
    pub async fn content_type_exists(
        &self,
        content_type: &ContentType,
    ) -> Result<bool, StoreError> {
        let found: Option<ContentType> = self
            .table
            .get(Entity::ContentType(content_type).key())
            .await?;
        Ok(found.is_some())
    }

    /// Declares a content type; it may be declared already.
    pub async fn declare_content_type(&self, content_type: &ContentType) -> Result<(), WriteError> {
        let item = to_item(&Entity::ContentType(content_type).key(), content_type)
            .map_err(WriteError::Failed)?;
        self.table.write(vec![Write::put(item)]).await
    }

    /// Makes a permission.
    ///
    /// # Errors
    /// The codename exists for the content type.
    pub async fn create_permission(
        &self,
        name: PermissionName,
        codename: Codename,
        content_type: ContentType,
        _actor: Actor,
    ) -> Result<Permission, WriteError> {
        let id = self
            .table
            .next(Entity::Sequence(Sequence::Permission).key())
            .await
            .map_err(WriteError::Failed)?;
        let permission = Permission {
            id: PermissionId(id),
            name,
            codename,
            content_type,
            version: 1,
        };
        let writes = vec![
            Write::create(
                permission_item(&permission).map_err(WriteError::Failed)?,
                Refusal::Exists,
            ),
            codename_marker(&permission).map_err(WriteError::Failed)?,
        ];
        self.table.write(writes).await?;
        Ok(permission)
    }

    /// Changes a permission: `change` is applied to what the table holds, and again if somebody
    /// else changed it meanwhile. `known` spares the first read.
    ///
    /// # Errors
    /// The permission is gone; the codename exists for the content type.
    pub async fn update_permission<E>(
        &self,
        known: Permission,
        _actor: Actor,
        change: impl Fn(&Permission) -> Result<Permission, E>,
    ) -> Result<Permission, ChangeError<E>> {
        let mut before = known;
        for _ in 0..CHANGE_TRIES {
            let mut after = change(&before).map_err(ChangeError::Rule)?;
            if after == before {
                return Ok(before);
            }
            let key = Entity::Permission(before.id).key();
            let mut writes = vec![Write::change(
                key,
                &permission_item(&before)?,
                &permission_item(&after)?,
                before.version,
            )];
            if before.order() != after.order() {
                writes.push(codename_marker(&after)?);
                writes.push(forget_codename(&before));
            }
            match self.table.write(writes).await {
                Ok(()) => {
                    after.version = before.version + 1;
                    return Ok(after);
                }
                Err(WriteError::Refused(refusals)) if !refusals.contains(&Refusal::Stale) => {
                    return Err(ChangeError::Refused(refusals));
                }
                Err(WriteError::Refused(_)) => {
                    before = self.permission(before.id).await?.ok_or(ChangeError::Gone)?;
                }
                Err(WriteError::Failed(error)) => return Err(error.into()),
            }
        }
        Err(StoreError::new("update_permission", "changed by others without end").into())
    }

    /// Deletes a permission. Its holders keep the id, which every read ignores from then on.
    ///
    /// # Errors
    /// The permission is gone.
    pub async fn delete_permission(
        &self,
        known: Permission,
        _actor: Actor,
    ) -> Result<(), ChangeError<std::convert::Infallible>> {
        let mut permission = known;
        for _ in 0..CHANGE_TRIES {
            let key = Entity::Permission(permission.id).key();
            let writes = vec![
                Write::delete_if(key, "version", number(permission.version)),
                forget_codename(&permission),
            ];
            match self.table.write(writes).await {
                Ok(()) => return Ok(()),
                Err(WriteError::Refused(_)) => {
                    permission = self
                        .permission(permission.id)
                        .await?
                        .ok_or(ChangeError::Gone)?;
                }
                Err(WriteError::Failed(error)) => return Err(error.into()),
            }
        }
        Err(StoreError::new("delete_permission", "changed by others without end").into())
    }
}

fn permission_item(permission: &Permission) -> Result<Item, StoreError> {
    to_item(&Entity::Permission(permission.id).key(), permission)
}

fn codename_marker(permission: &Permission) -> Result<Write, StoreError> {
    let key = Entity::Codename(&permission.content_type, &permission.codename).key();
    Ok(Write::create(
        to_item(
            &key,
            &Marker {
                permission_id: permission.id,
            },
        )?,
        Refusal::CodenameTaken,
    ))
}

fn forget_codename(permission: &Permission) -> Write {
    let key = Entity::Codename(&permission.content_type, &permission.codename).key();
    Write::delete_if(key, "permission_id", number(permission.id))
}
