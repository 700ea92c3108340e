//! Permissions, their markers, and content types.

use std::collections::BTreeSet;

use super::{
    Refusal, Store, StoreError, WriteError, catalogue,
    items::{Item, from_item, number, to_item},
    keys::{CONTENT_TYPES, Entity, Key, PERMISSIONS},
    layout::Layout,
    marker::{release, take, taken},
    versioned::{Versioned, changed},
    writes::Write,
};
use crate::{
    domain::{
        Codename, ContentType, Permission, PermissionId,
        log_entry::{Model, Object},
    },
    input::FieldErrors,
};

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

    /// The error of a codename of a content type that belongs to another permission than `but`.
    pub async fn codename_taken(
        &self,
        content_type: &ContentType,
        codename: &Codename,
        but: Option<PermissionId>,
    ) -> Result<FieldErrors, StoreError> {
        let marker = Entity::Codename(content_type, codename);
        let owner = self.owner_of(&marker).await?;
        Ok(taken(owner, but.map(|id| id.0), Refusal::CodenameTaken))
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
        let item = to_item(&Entity::ContentType(content_type).key(), content_type)?;
        self.table.write(vec![Write::put(item)]).await
    }
}

impl Versioned for Permission {
    fn key(&self) -> Key {
        Entity::Permission(self.id).key()
    }

    fn version_mut(&mut self) -> &mut u64 {
        &mut self.version
    }

    fn creation(&self, layout: Layout) -> Result<Vec<Write>, StoreError> {
        let mut writes = vec![
            Write::create(permission_item(self)?, Refusal::Exists),
            take_codename(self),
        ];
        writes.extend(catalogue::entries(layout, None, Some(self)));
        Ok(writes)
    }

    fn change(before: &Self, after: &Self, layout: Layout) -> Result<Vec<Write>, StoreError> {
        let (old, new) = (permission_item(before)?, permission_item(after)?);
        let mut writes = vec![Write::change(before.key(), &old, &new, before.version)];
        if before.order() != after.order() {
            writes.push(take_codename(after));
            writes.push(release_codename(before));
        }
        writes.extend(catalogue::entries(layout, Some(before), Some(after)));
        Ok(writes)
    }

    fn deletion(&self, layout: Layout) -> Vec<Write> {
        let permission = Write::delete_if(self.key(), "version", number(self.version));
        let mut writes = vec![permission, release_codename(self)];
        writes.extend(catalogue::entries(layout, Some(self), None));
        writes
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

fn take_codename(permission: &Permission) -> Write {
    take(
        &codename(permission),
        permission.id.0,
        Refusal::CodenameTaken,
    )
}

fn release_codename(permission: &Permission) -> Write {
    release(&codename(permission), permission.id.0)
}

fn codename(permission: &Permission) -> Entity<'_> {
    Entity::Codename(&permission.content_type, &permission.codename)
}
