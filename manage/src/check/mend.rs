//! How what can be derived is mended.
//!
//! A finding may be a change that was under way while the table was read. So a mend is written only if
//! its owner is as it was read, in one transaction with the owner's version.

use shared::store::{
    Store, WriteError,
    items::{Item, number, text},
    keys::{self, Key},
    writes::{Action, Condition, Write},
};

/// What a finding's owner must be for the mend to be right.
#[derive(Clone, Debug)]
pub enum Owner {
    /// As it was read: its item and version.
    Unchanged(Key, u64),
    /// Still absent. Ids are not used again, so it stays so.
    Gone(Key),
    /// Nothing.
    Nobody,
}

/// The writes that make a finding right.
#[derive(Clone, Debug)]
pub struct Mend {
    /// All of them or none.
    pub writes: Vec<Write>,
    /// On what condition.
    pub owners: Vec<Owner>,
}

/// What came of a mend.
pub enum Mended {
    /// It was written.
    Done,
    /// The item or its owner is not as it was read.
    ChangedMeanwhile,
}

impl Mend {
    /// One write for an owner.
    pub fn new(owner: Owner, write: Write) -> Self {
        Self {
            writes: vec![write],
            owners: vec![owner],
        }
    }

    /// Carries it out.
    ///
    /// # Errors
    /// The table's failure.
    pub async fn carry_out(self, store: &Store) -> Result<Mended, WriteError> {
        let mut writes = self.writes;
        for owner in self.owners {
            match owner {
                Owner::Unchanged(key, version) => writes.push(unchanged(key, version)),
                Owner::Gone(key) => {
                    let found = store.table().get::<serde::de::IgnoredAny>(key).await?;
                    if found.is_some() {
                        return Ok(Mended::ChangedMeanwhile);
                    }
                }
                Owner::Nobody => {}
            }
        }
        match store.table().write(writes).await {
            Ok(()) => Ok(Mended::Done),
            Err(WriteError::Refused(_) | WriteError::Contended) => Ok(Mended::ChangedMeanwhile),
            Err(error) => Err(error),
        }
    }
}

/// Counts a change of an object, which must have that version.
fn unchanged(key: Key, version: u64) -> Write {
    let mut write = Write::touch(key, Item::new());
    write.condition = Condition::Equals("version", number(version));
    write
}

/// Gives an item index keys.
pub fn index(key: Key, index: &Key) -> Write {
    let set = Item::from([
        (keys::GSI1PK.to_owned(), text(&index.pk)),
        (keys::GSI1SK.to_owned(), text(&index.sk)),
    ]);
    Write::set(key, set)
}

/// The same, for an item that has a version itself.
pub fn own_index(key: Key, version: u64, index_keys: &Key) -> Write {
    let mut write = index(key, index_keys);
    write.condition = Condition::Equals("version", number(version));
    if let Action::Update { add_to, .. } = &mut write.action {
        *add_to = Some(("version", number(1)));
    }
    write
}
