//! Permissions, their markers, and content types.

use std::{collections::BTreeSet, convert::Infallible};

use serde::{Deserialize, Serialize};

use super::{
    Actor, ChangeError, Refusal, Store, StoreError, WriteError,
    keys::{CONTENT_TYPES, Entity, Key, PERMISSIONS, Sequence},
    table::{Item, from_item, number, to_item},
    versioned::{Versioned, Writes, changed, nothing_forbids},
    writes::Write,
};
use crate::domain::{
    Codename, ContentType, Permission, PermissionId, PermissionName,
    log::{ActionFlag, Model, Object},
};

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

    /// Whether a codename of a content type belongs to another permission than `but`.
    pub async fn codename_taken(
        &self,
        content_type: &ContentType,
        codename: &Codename,
        but: Option<PermissionId>,
    ) -> Result<bool, StoreError> {
        let key = Entity::Codename(content_type, codename).key();
        let marker: Option<Marker> = self.table.get(key).await?;
        Ok(marker.is_some_and(|marker| Some(marker.permission_id) != but))
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

    /// The content types that are declared, in order.
    pub async fn content_types(&self) -> Result<Vec<ContentType>, StoreError> {
        self.table.partition(CONTENT_TYPES).await
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
        actor: Actor,
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
        self.insert_permission(permission, actor).await
    }

    /// Puts a new permission, whose id the caller gives.
    ///
    /// # Errors
    /// The id is taken, or the codename exists for the content type.
    pub async fn insert_permission(
        &self,
        permission: Permission,
        actor: Actor,
    ) -> Result<Permission, WriteError> {
        let mut writes = vec![
            Write::create(
                permission_item(&permission).map_err(WriteError::Failed)?,
                Refusal::Exists,
            ),
            codename_marker(&permission).map_err(WriteError::Failed)?,
        ];
        let logged = self.log(&actor, permission.logged(ActionFlag::Addition));
        writes.extend(logged.map_err(WriteError::Failed)?);
        self.table.write(writes).await?;
        Ok(permission)
    }

    /// Changes a permission; see the rules of optimistic locking.
    ///
    /// # Errors
    /// The permission is gone; the codename exists for the content type.
    pub async fn update_permission<E, J>(
        &self,
        known: Permission,
        actor: Actor,
        judge: impl Fn(Permission) -> J,
        change: impl Fn(&Permission) -> Result<Permission, E>,
    ) -> Result<Permission, ChangeError<E>>
    where
        J: Future<Output = Result<(), E>>,
    {
        self.update(known, actor, judge, change).await
    }

    /// Deletes a permission. Its holders keep the id, which every read ignores from then on.
    ///
    /// # Errors
    /// The permission is gone.
    pub async fn delete_permission(
        &self,
        known: Permission,
        actor: Actor,
    ) -> Result<(), ChangeError<Infallible>> {
        self.delete(known, actor, nothing_forbids).await
    }
}

impl Versioned for Permission {
    fn key(&self) -> Key {
        Entity::Permission(self.id).key()
    }

    fn version_mut(&mut self) -> &mut u64 {
        &mut self.version
    }

    fn change(before: &Self, after: &Self) -> Result<Writes, StoreError> {
        let (old, new) = (permission_item(before)?, permission_item(after)?);
        let mut whole = vec![Write::change(before.key(), &old, &new, before.version)];
        if before.order() != after.order() {
            whole.push(codename_marker(after)?);
            whole.push(forget_codename(before));
        }
        Ok(Writes {
            whole,
            ..Writes::default()
        })
    }

    fn deletion(&self) -> Writes {
        let permission = Write::delete_if(self.key(), "version", number(self.version));
        Writes {
            whole: vec![permission, forget_codename(self)],
            ..Writes::default()
        }
    }

    fn object(&self) -> Object {
        Object {
            model: Model::Permission,
            id: self.id.0,
        }
    }

    /// Django's `Permission.__str__`, with the model's name as the table has it.
    fn repr(&self) -> String {
        self.title()
    }

    fn changed_fields(before: &Self, after: &Self) -> Vec<&'static str> {
        let Self {
            id: _,
            name,
            codename,
            content_type,
            version: _,
        } = after;
        changed([
            ("Name", before.name != *name),
            ("Content type", before.content_type != *content_type),
            ("Codename", before.codename != *codename),
        ])
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
