//! Optimistic locking: a change is applied to what was read, written on the condition that nobody
//! wrote meanwhile, and else read, applied and written again.

use serde::de::DeserializeOwned;

use super::{
    Actor, ChangeError, Refusal, Store, StoreError, WriteError, keys::Key, log::Logged,
    table::TRANSACTION, writes::Write,
};
use crate::domain::log::{ActionFlag, Object};

/// How often a change is read, applied and written before the table is called unavailable.
const TRIES: u32 = 20;

/// An entity with a version.
pub(super) trait Versioned: Clone + PartialEq + DeserializeOwned {
    /// Its item's key.
    fn key(&self) -> Key;

    /// Counts the changes.
    fn version_mut(&mut self) -> &mut u64;

    /// The writes of a change, of which the first has the version as its condition.
    fn change(before: &Self, after: &Self) -> Result<Writes, StoreError>;

    /// The writes of its deletion, of which the first has the version as its condition.
    fn deletion(&self) -> Writes;

    /// What the log of changes names it by.
    fn object(&self) -> Object;

    /// Django's `str()` of it.
    fn repr(&self) -> String;

    /// The labels of the fields that differ, as Django's admin calls them.
    fn changed_fields(before: &Self, after: &Self) -> Vec<&'static str>;

    /// Its entry in the log of changes.
    fn logged(&self, action: ActionFlag) -> Logged {
        Logged {
            object: self.object(),
            repr: self.repr(),
            action,
            fields: Vec::new(),
        }
    }
}

/// What a change writes.
#[derive(Default)]
pub(super) struct Writes {
    /// All of it or nothing.
    pub(super) whole: Vec<Write>,
    /// Items of an index: they go with the rest if they fit into one transaction, else after it,
    /// since what they speak of is the truth and they only point to it.
    pub(super) index: Vec<Write>,
}

/// The labels of what is true of.
pub(super) fn changed<const N: usize>(fields: [(&'static str, bool); N]) -> Vec<&'static str> {
    let changed = fields.into_iter().filter(|(_, differs)| *differs);
    changed.map(|(label, _)| label).collect()
}

/// The judge of changes that nothing forbids.
pub async fn nothing_forbids<T, E>(_: T) -> Result<(), E> {
    Ok(())
}

impl Store {
    /// Changes an entity: `change` is applied to what the table holds, and again if somebody else
    /// changed it meanwhile; each time `judge` must first agree. `known` spares the first read.
    ///
    /// A change that is there already is none: the SDK may have sent a write again whose answer
    /// was lost, and then the version alone tells nothing.
    pub(super) async fn update<T: Versioned, E, J>(
        &self,
        known: T,
        actor: Actor,
        judge: impl Fn(T) -> J,
        change: impl Fn(&T) -> Result<T, E>,
    ) -> Result<T, ChangeError<E>>
    where
        J: Future<Output = Result<(), E>>,
    {
        let mut before = known;
        for _ in 0..TRIES {
            judge(before.clone()).await.map_err(ChangeError::Rule)?;
            let mut after = change(&before).map_err(ChangeError::Rule)?;
            if after == before {
                return Ok(before);
            }
            let logged = Logged {
                fields: T::changed_fields(&before, &after),
                ..after.logged(ActionFlag::Change)
            };
            let mut writes = T::change(&before, &after)?;
            writes.whole.extend(self.log(&actor, logged)?);
            match self.write_once(writes).await {
                Ok(()) => {
                    *after.version_mut() += 1;
                    return Ok(after);
                }
                Err(error) => before = self.read_again(&before, error).await?,
            }
        }
        Err(StoreError::new("update", "changed by others without end").into())
    }

    /// Deletes an entity, if `judge` lets what the table holds go.
    pub(super) async fn delete<T: Versioned, E, J>(
        &self,
        known: T,
        actor: Actor,
        judge: impl Fn(T) -> J,
    ) -> Result<(), ChangeError<E>>
    where
        J: Future<Output = Result<(), E>>,
    {
        let mut entity = known;
        for _ in 0..TRIES {
            judge(entity.clone()).await.map_err(ChangeError::Rule)?;
            let mut writes = entity.deletion();
            let logged = entity.logged(ActionFlag::Deletion);
            writes.whole.extend(self.log(&actor, logged)?);
            match self.write_once(writes).await {
                Ok(()) => return Ok(()),
                Err(error) => entity = self.read_again(&entity, error).await?,
            }
        }
        Err(StoreError::new("delete", "changed by others without end").into())
    }

    async fn write_once(&self, writes: Writes) -> Result<(), WriteError> {
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

    /// The entity as it is now, after a write that came too late; other failures stay.
    async fn read_again<T: Versioned, E>(
        &self,
        stale: &T,
        error: WriteError,
    ) -> Result<T, ChangeError<E>> {
        match error {
            // Whether another rule is broken as well, a fresh look tells better.
            WriteError::Refused(refusals) if refusals.contains(&Refusal::Stale) => {
                self.table.get(stale.key()).await?.ok_or(ChangeError::Gone)
            }
            WriteError::Refused(refusals) => Err(ChangeError::Refused(refusals)),
            WriteError::Failed(error) => Err(error.into()),
        }
    }
}
