//! Primary keys in bodies and paths, read as Django reads them: by Python's `int()`.

use std::collections::BTreeSet;

use super::value::Value;
use crate::{
    domain::{GroupId, PermissionId},
    python,
    store::{Store, StoreError},
};

/// A value given as a primary key.
#[derive(Clone, Debug, PartialEq)]
pub enum Pk {
    /// A number that an object may have, and the value as Python prints it.
    Id(u64, String),
    /// A value that no object can have, as Python prints it: null, a negative, a huge one.
    Nobody(String),
    /// A value that is no number: the name of its type in Python.
    NotANumber(&'static str),
}

/// Reads a value as `PrimaryKeyRelatedField` does.
pub fn pk(value: &Value) -> Pk {
    let shown = value.to_python_str();
    let digits = match value {
        Value::Null => return Pk::Nobody(shown),
        Value::Int(digits) => Some(digits.clone()),
        Value::Float(number) if number.is_finite() => Some(format!("{:.0}", number.trunc())),
        Value::Str(text) if text.first_surrogate().is_none() => python::int(text.as_str()),
        _ => None,
    };
    match digits {
        None => Pk::NotANumber(value.type_name()),
        Some(digits) => match id(&digits) {
            Some(id) => Pk::Id(id, shown),
            None => Pk::Nobody(shown),
        },
    }
}

/// The id that a segment of a path names, if it can name one.
pub fn path_id(segment: &str) -> Option<u64> {
    id(&python::int(segment)?)
}

/// Ids are positive and, as in the recorded database, at most 64 bits with a sign.
fn id(digits: &str) -> Option<u64> {
    digits.parse::<i64>().ok().and_then(|id| u64::try_from(id).ok()).filter(|id| *id > 0)
}

/// What primary keys are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Related {
    /// Groups.
    Group,
    /// Permissions.
    Permission,
}

impl Related {
    /// Those of the ids that exist.
    async fn existing(self, store: &Store, ids: BTreeSet<u64>) -> Result<BTreeSet<u64>, StoreError> {
        Ok(match self {
            Self::Group => {
                let groups = store.groups_of(&ids.into_iter().map(GroupId).collect()).await?;
                groups.into_iter().map(|group| group.id.0).collect()
            }
            Self::Permission => {
                let ids = ids.into_iter().map(PermissionId).collect();
                store.permissions_of(&ids).await?.into_iter().map(|permission| permission.id.0).collect()
            }
        })
    }
}

/// Primary keys in the order given.
#[derive(Clone, Debug, PartialEq)]
pub struct PkList(Vec<Pk>);

/// How many keys are looked up at once: a DynamoDB batch.
const CHUNK: usize = 100;

impl PkList {
    /// Keys in order.
    pub fn new(keys: Vec<Pk>) -> Self {
        Self(keys)
    }

    /// The ids, once each, if all of them exist, by strongly consistent reads.
    ///
    /// Looks at a batch at a time, so that a long list of unknown ids costs one read.
    ///
    /// # Errors
    /// DRF's text for the first key that is wrong, or the failure of a read.
    pub async fn resolve(
        &self,
        related: Related,
        store: &Store,
    ) -> Result<Result<BTreeSet<u64>, String>, StoreError> {
        let mut all = BTreeSet::new();
        for chunk in self.0.chunks(CHUNK) {
            let wanted: BTreeSet<u64> = chunk
                .iter()
                .filter_map(|key| if let Pk::Id(id, _) = key { Some(*id) } else { None })
                .filter(|id| !all.contains(id))
                .collect();
            if !wanted.is_empty() {
                all.extend(related.existing(store, wanted).await?);
            }
            for key in chunk {
                match key {
                    Pk::Id(id, _) if all.contains(id) => {}
                    Pk::Id(_, shown) | Pk::Nobody(shown) => {
                        return Ok(Err(format!("Invalid pk \"{shown}\" - object does not exist.")));
                    }
                    Pk::NotANumber(kind) => {
                        return Ok(Err(format!("Incorrect type. Expected pk value, received {kind}.")));
                    }
                }
            }
        }
        Ok(Ok(all))
    }
}
