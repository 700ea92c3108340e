//! Permissions.

use super::{
    Refused,
    changes::{self, Judged, judge},
    rights,
};
use crate::{
    domain::{
        Actor, Codename, ContentType, Permission, PermissionChange, PermissionId, PermissionName,
        quotas,
    },
    input::FieldErrors,
    store::{Store, StoreError, keys::Sequence},
};

impl Judged for Permission {
    async fn is_allowed(
        store: &Store,
        actor: Actor<'_>,
        before: Option<&Self>,
        after: Option<&Self>,
    ) -> Result<bool, StoreError> {
        rights::permission(store, actor, before, after).await
    }

    /// A permission holds nothing.
    fn crowded(_: Option<&Self>, _: &Self) -> FieldErrors {
        FieldErrors::default()
    }

    async fn taken(&self, store: &Store) -> Result<FieldErrors, StoreError> {
        store
            .codename_taken(&self.content_type, &self.codename, Some(self.id))
            .await
    }
}

/// Makes a permission.
///
/// # Errors
/// The codename exists for the content type, there are too many permissions, the actor may not use the
/// label, or the table's failure.
pub async fn create(
    store: &Store,
    actor: Actor<'_>,
    name: PermissionName,
    codename: Codename,
    content_type: ContentType,
) -> Result<Permission, Refused> {
    let mut permission = Permission {
        // No permission has this id, so that every other owner of the codename counts.
        id: PermissionId(0),
        name,
        codename,
        content_type,
        version: 1,
    };
    judge(store, actor, None, Some(&permission)).await?;
    permission.id = PermissionId(store.next_id(Sequence::Permission).await?);
    // Ids are never used twice: so many were never made.
    if permission.id.0 > quotas::ALWAYS_FIT as u64 {
        must_fit(store, None, &permission).await?;
    }
    Ok(store.insert(permission, Vec::new(), actor).await?)
}

/// Refuses a permission, new or instead of another, with which there are too many, or too long labels.
/// Several that are made at the same time may all fit.
async fn must_fit(
    store: &Store,
    before: Option<&Permission>,
    after: &Permission,
) -> Result<(), Refused> {
    let taken = store.taken_by_permissions().await?;
    let mut errors = FieldErrors::default();
    errors.extend_one("codename", taken.refuses(taken.with(before, after)));
    errors.into_result().map_err(Refused::Invalid)
}

/// Changes a permission.
///
/// # Errors
/// The permission is deleted, the codename exists for the content type, the labels are too long in all,
/// the actor may not use the label, or the table's failure.
pub async fn change(
    store: &Store,
    actor: Actor<'_>,
    permission: Permission,
    change: &PermissionChange,
) -> Result<Permission, Refused> {
    let after = change.apply(&permission);
    if after.label().len() > permission.label().len() {
        must_fit(store, Some(&permission), &after).await?;
    }
    changes::change(store, actor, permission, |permission| {
        change.apply(permission)
    })
    .await
}

/// Deletes a permission. Its holders keep the id, which every read ignores from then on.
///
/// # Errors
/// The permission is deleted already, the actor may not do it, or the table's failure.
pub async fn delete(
    store: &Store,
    actor: Actor<'_>,
    permission: Permission,
) -> Result<(), Refused> {
    changes::delete(store, actor, permission).await
}
