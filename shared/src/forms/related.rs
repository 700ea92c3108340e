//! What the primary keys of a form name.

use std::collections::{BTreeMap, BTreeSet};

use super::FormError;
use crate::{
    domain::{FieldError, Group, GroupId, Permission, PermissionId},
    input::{Fields, Presence, related::Pk},
    store::{Store, StoreError},
};

/// A model that primary keys refer to.
pub trait Lookup: Sized {
    /// The primary key.
    fn id(&self) -> u64;

    /// Those of the ids that exist, by strongly consistent reads.
    fn find(
        store: &Store,
        ids: BTreeSet<u64>,
    ) -> impl Future<Output = Result<Vec<Self>, StoreError>> + Send;
}

impl Lookup for Group {
    fn id(&self) -> u64 {
        self.id.0
    }

    async fn find(store: &Store, ids: BTreeSet<u64>) -> Result<Vec<Self>, StoreError> {
        store
            .groups_of(&ids.into_iter().map(GroupId).collect())
            .await
    }
}

impl Lookup for Permission {
    fn id(&self) -> u64 {
        self.id.0
    }

    async fn find(store: &Store, ids: BTreeSet<u64>) -> Result<Vec<Self>, StoreError> {
        store
            .permissions_of(&ids.into_iter().map(PermissionId).collect())
            .await
    }
}

/// How many keys are looked up at once: a DynamoDB batch.
const CHUNK: usize = 100;

/// The objects that keys name, by id, if all of them exist.
///
/// Looks at a batch at a time, so that a long list of unknown ids costs one read.
///
/// # Errors
/// What is wrong with the first bad key, or the failure of a read.
pub(super) async fn resolve<T: Lookup>(
    store: &Store,
    keys: &[Pk],
) -> Result<Result<BTreeMap<u64, T>, FieldError>, StoreError> {
    let mut all = BTreeMap::new();
    for chunk in keys.chunks(CHUNK) {
        let ids = chunk.iter().filter_map(|key| match key {
            Pk::Id(id, _) if !all.contains_key(id) => Some(*id),
            _ => None,
        });
        let wanted: BTreeSet<u64> = ids.collect();
        if !wanted.is_empty() {
            let found = T::find(store, wanted).await?;
            all.extend(found.into_iter().map(|found| (found.id(), found)));
        }
        for key in chunk {
            match key {
                Pk::Id(id, _) if all.contains_key(id) => {}
                Pk::Id(_, shown) | Pk::Nobody(shown) => {
                    return Ok(Err(FieldError::NoSuchObject(shown.clone())));
                }
                Pk::NotANumber(kind) => {
                    let text = format!("Incorrect type. Expected pk value, received {kind}.");
                    return Ok(Err(FieldError::Said(text.into())));
                }
            }
        }
    }
    Ok(Ok(all))
}

/// The objects that the one field of an action lists by primary keys, by id.
///
/// # Errors
/// The field errors, or the table's failure.
pub async fn listed<T: Lookup>(
    store: &Store,
    mut fields: Fields,
    field: &'static str,
) -> Result<BTreeMap<u64, T>, FormError> {
    let Some(keys) = fields.pk_list(field, Presence::Required) else {
        return Err(fields.into_errors().into());
    };
    resolve(store, &keys)
        .await?
        .map_err(|error| FormError::field(field, error))
}

/// The object that the one field of an action names by its primary key.
///
/// # Errors
/// The field errors, or the table's failure.
pub async fn named<T: Lookup>(
    store: &Store,
    mut fields: Fields,
    field: &'static str,
) -> Result<T, FormError> {
    let Some(key) = fields.pk(field) else {
        return Err(fields.into_errors().into());
    };
    let found = resolve(store, &[key]).await?;
    let object = found.map(|all| all.into_values().next());
    match object {
        Ok(Some(object)) => Ok(object),
        // A key that is no error names one object.
        Ok(None) => Err(FormError::field(field, FieldError::REQUIRED)),
        Err(error) => Err(FormError::field(field, error)),
    }
}
