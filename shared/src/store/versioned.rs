//! Optimistic locking: a change is written on the condition that nobody else wrote since the
//! object was read.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::de::DeserializeOwned;

use super::{
    Refusal, Store, StoreError, WriteError,
    history::Logged,
    keys::Key,
    layout::Layout,
    table::TRANSACTION,
    writes::{Condition, Write},
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
    fn creation(&self, layout: Layout) -> Result<Vec<Write>, StoreError>;

    /// The writes of a change, of which the first has the version as its condition.
    fn change(before: &Self, after: &Self, layout: Layout) -> Result<Vec<Write>, StoreError>;

    /// The writes of its deletion, of which the first has the version as its condition.
    fn deletion(&self, layout: Layout) -> Vec<Write>;

    /// `after` but for so many of the items that it needs more or less than `before`: a state that is
    /// right in itself, where one transaction cannot hold the whole change. None if it has not so many.
    fn short_of(_before: &Self, _after: &Self, _items: usize) -> Option<Self> {
        None
    }

    /// The object with as few items as it can have, and in no rule's way, before it is deleted in more
    /// than one step.
    #[must_use]
    fn bare(&self) -> Self {
        self.clone()
    }

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
        mut more: Vec<Write>,
        actor: Actor<'_>,
    ) -> Result<T, WriteError> {
        more.extend(self.log(actor, logged(&new, ActionFlag::Addition))?);
        self.create(new, more).await
    }

    /// [`Self::insert`] without an entry in the log.
    pub(super) async fn create<T: Versioned>(
        &self,
        new: T,
        mut more: Vec<Write>,
    ) -> Result<T, WriteError> {
        let layout = self.layout().await?;
        let mut writes = new.creation(layout)?;
        let excess = (writes.len() + more.len()).saturating_sub(TRANSACTION);
        if excess == 0 {
            writes.append(&mut more);
            self.table.write(writes).await?;
            return Ok(new);
        }
        let first = T::short_of(&new.bare(), &new, excess).ok_or_else(too_large)?;
        let mut writes = first.creation(layout)?;
        writes.append(&mut more);
        self.table.write(writes).await?;
        let rest = self.write_in_steps(&first, &new, more).await;
        rest.map_err(WriteError::of_begun)
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
        after: T,
        mut more: Vec<Write>,
        actor: Actor<'_>,
    ) -> Result<T, WriteError> {
        let entry = Logged {
            fields: T::changed_fields(before, &after),
            ..logged(&after, ActionFlag::Change)
        };
        more.extend(self.log(actor, entry)?);
        more.extend(still_decides(before, actor));
        self.write_in_steps(before, &after, more).await
    }

    /// Changes an object, in one transaction if that can hold all of it. Else the first has `more` and
    /// all that may be refused, and each leaves a whole object: the same change, asked for again, goes
    /// on from there. A write of `more` stands in place of the change's own write of the same item.
    pub(super) async fn write_in_steps<T: Versioned>(
        &self,
        before: &T,
        after: &T,
        mut more: Vec<Write>,
    ) -> Result<T, WriteError> {
        let layout = self.layout().await?;
        let mut now = before.clone();
        let mut has_begun = false;
        loop {
            let mut next = after.clone();
            let mut writes = T::change(&now, &next, layout)?;
            let excess = (writes.len() + more.len()).saturating_sub(TRANSACTION);
            if excess > 0 {
                next = T::short_of(&now, after, excess).ok_or_else(too_large)?;
                writes = T::change(&now, &next, layout)?;
            }
            let given: Vec<Option<Key>> = more.iter().map(Write::key).collect();
            writes.retain(|write| !given.contains(&write.key()));
            writes.append(&mut more);
            let written = self.table.write(writes).await;
            written.map_err(|error| if has_begun { error.of_begun() } else { error })?;
            has_begun = true;
            *next.version_mut() = *now.version_mut() + 1;
            if excess == 0 {
                return Ok(next);
            }
            now = next;
        }
    }

    /// Deletes an object, which must be as it is known, with more writes in the same transaction; those
    /// that do not fit go before it, as far as their items exist.
    ///
    /// # Errors
    /// As [`Store::replace`].
    pub async fn remove<T: Versioned>(
        &self,
        known: &T,
        mut more: Vec<Write>,
        actor: Actor<'_>,
    ) -> Result<(), WriteError> {
        let layout = self.layout().await?;
        let guard = still_decides(known, actor);
        let entry = self.log(actor, logged(known, ActionFlag::Deletion))?;
        let last: Vec<Write> = entry.into_iter().chain(guard.clone()).collect();
        let excess = |object: &T, more: &[Write]| {
            let size = object.deletion(layout).len() + more.len() + last.len();
            size.saturating_sub(TRANSACTION)
        };
        let mut known = known.clone();
        let is_large = excess(&known, &more) > 0;
        if is_large {
            // What a rule forbids is refused here, before anything is done.
            let bare = known.bare();
            if bare != known {
                known = self
                    .write_in_steps(&known, &bare, guard.into_iter().collect())
                    .await?;
            }
            let mut before: Vec<Write> = more.drain(..excess(&known, &more)).collect();
            for write in &mut before {
                // What is gone meanwhile does not come back, should the deletion not happen.
                write.condition = Condition::Exists;
            }
            self.note_all(before).await?;
        }
        let mut writes = known.deletion(layout);
        writes.append(&mut more);
        writes.extend(last);
        let written = self.table.write(writes).await;
        written.map_err(|error| if is_large { error.of_begun() } else { error })
    }

    /// An object as it is now.
    pub async fn read_again<T: Versioned>(&self, stale: &T) -> Result<Option<T>, StoreError> {
        self.table.get(stale.key()).await
    }
}

fn too_large() -> StoreError {
    StoreError::new(
        "TransactWriteItems",
        "more writes than a transaction can hold",
    )
}
