//! The indexes of first and last names, which a search reads. The profile is the truth.

use super::{
    Store, WriteError,
    credentials::READS,
    items::{Item, attributes, from_item, indexed, key_of, number},
    keys::{Entity, NameIndex},
    writes::{Condition, Write},
};
use crate::domain::{User, UserId};

/// A user's item in an index of names, if they have that name.
pub fn name_row(user: &User, index: NameIndex) -> Option<Item> {
    let item = attributes(&Entity::Named(user.id, index).key());
    Some(indexed(item, &index.keys(user)?))
}

/// A user's items in the indexes of first and last names.
pub(super) fn name_rows(user: &User) -> impl Iterator<Item = Item> {
    let indexes = NameIndex::ALL.into_iter();
    indexes.filter_map(|index| name_row(user, index))
}

/// Writes what differs in the indexes of first and last names.
pub(super) fn rename(before: &User, after: &User) -> impl Iterator<Item = Write> {
    let differs = |index: &NameIndex| index.keys(before) != index.keys(after);
    let differing = NameIndex::ALL.into_iter().filter(differs);
    differing.map(|index| match name_row(after, index) {
        Some(row) => Write::put(row),
        None => Write::delete(Entity::Named(after.id, index).key()),
    })
}

impl Store {
    /// Gives a user the rows of the indexes of names that they lack; false if they lack none or do not
    /// exist.
    ///
    /// # Errors
    /// They change all the time, or the table's failure.
    pub async fn index_names(&self, id: UserId) -> Result<bool, WriteError> {
        let profile = Entity::User(id).key();
        let rows = NameIndex::ALL.map(|index| Entity::Named(id, index).key());
        for _ in 0..READS {
            let wanted = rows.iter().chain([&profile]).cloned();
            let mut found = self.table.batch_get(wanted).await?;
            let Some(user) = found.remove(&profile) else {
                return Ok(false);
            };
            let user: User = from_item(user)?;
            let lacks = |row: &Item| key_of(row).and_then(|key| found.get(&key)) != Some(row);
            let lacking = name_rows(&user).filter(lacks);
            let mut writes: Vec<Write> = lacking.map(Write::put).collect();
            if writes.is_empty() {
                return Ok(false);
            }
            // Counted as a change, so that none of the user's own gets lost beside it.
            let mut unchanged = Write::touch(profile.clone(), Item::new());
            unchanged.condition = Condition::Equals("version", number(user.version));
            writes.push(unchanged);
            match self.table.write(writes).await {
                Err(WriteError::Refused(_)) => {}
                other => return other.map(|()| true),
            }
        }
        Err(WriteError::Contended)
    }
}
