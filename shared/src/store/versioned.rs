//! Optimistic locking: a change is written on the condition that nobody else wrote since the
//! object was read.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::de::DeserializeOwned;

use super::{
    Refusal, Store, StoreError, WriteError, history::Logged, keys::Key, layout::Layout,
    table::TRANSACTION, writes::Write,
};
use crate::domain::{
    Actor,
    log_entry::{ActionFlag, Object},
};

/// A model with a version.
pub trait Versioned: Clone + PartialEq + DeserializeOwned + Send + Sync {
    /// Its item's key.
    fn key(&self) -> Key;

    /// Counts the changes.
    fn version_mut(&mut self) -> &mut u64;

    /// The writes of its creation in a table of that layout.
    fn creation(&self, layout: Layout) -> Result<Writes, StoreError>;

    /// The writes of a change, of which the first has the version as its condition.
    fn change(before: &Self, after: &Self, layout: Layout) -> Result<Writes, StoreError>;

    /// The writes of its deletion, of which the first has the version as its condition.
    fn deletion(&self, layout: Layout) -> Writes;

    /// What the log of changes names it by.
    fn object(&self) -> Object;

    /// Django's `str()` of it.
    fn repr(&self) -> String;

    /// Whether it is somebody who may decide over others.
    fn decides(&self) -> bool {
        false
    }

    /// The labels of the fields that differ, as Django's admin calls them.
    fn changed_fields(before: &Self, after: &Self) -> Vec<&'static str>;
}

/// An object's entry in the log of changes.
pub(super) fn logged(object: &impl Versioned, action: ActionFlag) -> Logged {
    Logged {
        object: object.object(),
        repr: object.repr(),
        action,
        fields: Vec::new(),
    }
}

/// Of two who decide over each other at the same time, only one may be heard: whoever changes somebody
/// who decides over others must still be what they were.
pub(super) fn still_decides<T: Versioned>(object: &T, actor: Actor<'_>) -> Option<Write> {
    let Actor::User(caller) = actor else {
        return None;
    };
    // One's own item is written, on a condition of its own.
    if !object.decides() || object.object() == caller.object() {
        return None;
    }
    let flags = [
        ("is_active", caller.is_active),
        ("is_staff", caller.is_staff),
        ("is_superuser", caller.is_superuser),
    ];
    let flags = flags.map(|(name, value)| (name, AttributeValue::Bool(value)));
    Some(Write::check(
        caller.key(),
        flags.into(),
        Refusal::ActorChanged,
    ))
}

/// What a change writes.
#[derive(Default)]
pub struct Writes {
    /// All of it or nothing.
    pub whole: Vec<Write>,
    /// Items of an index: they go with the rest if they fit into one transaction, else after it,
    /// since the object itself is the truth and they only point to it.
    pub index: Vec<Write>,
}

/// The labels whose condition holds.
pub(super) fn changed<const N: usize>(fields: [(&'static str, bool); N]) -> Vec<&'static str> {
    let changed = fields.into_iter().filter(|(_, differs)| *differs);
    changed.map(|(label, _)| label).collect()
}

impl Store {
    /// Puts a new object, with more writes in the same transaction.
    ///
    /// # Errors
    /// The id or a name is taken, or the table's failure.
    pub async fn insert<T: Versioned>(
        &self,
        new: T,
        more: Vec<Write>,
        actor: Actor<'_>,
    ) -> Result<T, WriteError> {
        let mut writes = new.creation(self.layout().await?)?;
        writes.whole.extend(more);
        let entry = logged(&new, ActionFlag::Addition);
        writes.whole.extend(self.log(actor, entry)?);
        self.write_all(writes).await?;
        Ok(new)
    }

    /// Writes what differs between two states of an object, of which the table must hold the first,
    /// with more writes in the same transaction. Returns the second with its new version.
    ///
    /// # Errors
    /// [`Refusal::Stale`](super::Refusal::Stale) if the table holds another state, a broken rule
    /// of uniqueness, or the table's failure.
    pub async fn replace<T: Versioned>(
        &self,
        before: &T,
        mut after: T,
        more: Vec<Write>,
        actor: Actor<'_>,
    ) -> Result<T, WriteError> {
        let entry = Logged {
            fields: T::changed_fields(before, &after),
            ..logged(&after, ActionFlag::Change)
        };
        let mut writes = T::change(before, &after, self.layout().await?)?;
        writes.whole.extend(more);
        writes.whole.extend(self.log(actor, entry)?);
        writes.whole.extend(still_decides(before, actor));
        self.write_all(writes).await?;
        *after.version_mut() += 1;
        Ok(after)
    }

    /// Deletes an object, which must be as it is known.
    ///
    /// # Errors
    /// As [`Store::replace`].
    pub async fn remove<T: Versioned>(
        &self,
        known: &T,
        actor: Actor<'_>,
    ) -> Result<(), WriteError> {
        let mut writes = known.deletion(self.layout().await?);
        writes
            .whole
            .extend(self.log(actor, logged(known, ActionFlag::Deletion))?);
        writes.whole.extend(still_decides(known, actor));
        self.write_all(writes).await
    }

    /// An object as it is now.
    pub async fn read_again<T: Versioned>(&self, stale: &T) -> Result<Option<T>, StoreError> {
        self.table.get(stale.key()).await
    }

    pub(super) async fn write_all(&self, writes: Writes) -> Result<(), WriteError> {
        let Writes {
            mut whole,
            mut index,
        } = writes;
        if whole.len() + index.len() <= TRANSACTION {
            whole.append(&mut index);
        }
        self.table.write(whole).await?;
        while !index.is_empty() {
            let part = index.split_off(index.len().saturating_sub(TRANSACTION));
            self.table.write(part).await?;
        }
        Ok(())
    }
}
