//! The layout of the table: the version of it that its items follow, and how functions learn of a
//! migration.
//!
//! `manage migrate` first tells what layout to write, waits until every function knows
//! ([`LEARNED_WITHIN`]), then moves what is written in the older one, and at last says that all items
//! follow the new one. Reads find items of both at any time.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU32, Ordering},
    },
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::{
    Refusal, Store, StoreError, WriteError,
    budget::within,
    catalogue,
    items::{from_item, to_item},
    keys::{Entity, Sequence},
    writes::{Condition, Write},
};

/// A version of the table's layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Layout(pub u32);

impl Layout {
    /// Of tables without a `SCHEMA` item: password hashes lie beside the profiles.
    pub const FIRST: Self = Self(1);
    /// Password hashes have partitions of their own, and a catalogue holds every permission's label.
    pub const APART: Self = Self(2);
    /// Users have rows in the indexes of first and last names.
    pub const NAMED: Self = Self(3);
    /// What this version makes and migrates to.
    pub const CURRENT: Self = Self::NAMED;
}

impl fmt::Display for Layout {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// The item that tells the table's layout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema {
    /// What all items follow.
    pub layout: Layout,
    /// What is written, while a migration moves the rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writes: Option<Layout>,
    /// What of the migration is done, once it moves items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done: Option<Done>,
}

/// What of a migration is done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// The partition and sort key of the last item that it read, in the order of a scan.
    pub after: Option<(String, String)>,
    /// How many items it read.
    pub read: u64,
    /// How many password hashes it moved.
    pub moved: u64,
    /// How many users it added to the indexes of names.
    #[serde(default)]
    pub named: u64,
}

impl Schema {
    /// Of a table that has no such item.
    pub const FIRST: Self = Self {
        layout: Layout::FIRST,
        writes: None,
        done: None,
    };

    /// Of a table whose items all follow the current layout.
    pub const CURRENT: Self = Self {
        layout: Layout::CURRENT,
        ..Self::FIRST
    };

    /// The layout in which items are to be written.
    pub fn to_write(&self) -> Layout {
        self.writes.unwrap_or(self.layout).max(self.layout)
    }
}

/// The table has a layout that this version does not know.
#[derive(Debug, thiserror::Error)]
#[error(
    "the table has layout {0}, and this version knows none above {known}: use a newer version",
    known = Layout::CURRENT
)]
pub struct NewerLayout(Layout);

/// For how long a function's start waits for the table.
const START: Duration = Duration::from_secs(2);

/// Within how many seconds a function knows that a migration has begun. Reads and writes that are
/// under way take a few more.
pub const LEARNED_WITHIN: i64 = 10;

/// What a process knows of the layout. One that is not the current one is read again.
#[derive(Clone, Default)]
pub(super) struct Known(Arc<Learned>);

#[derive(Default)]
struct Learned {
    /// What to write.
    writes: AtomicU32,
    /// What all items follow.
    all: AtomicU32,
    at: AtomicI64,
}

impl Known {
    /// The layout to write, and the one that all items follow.
    fn get(&self, now: i64) -> Option<(Layout, Layout)> {
        let at = self.0.at.load(Ordering::Acquire);
        let writes = Layout(self.0.writes.load(Ordering::Acquire));
        let all = Layout(self.0.all.load(Ordering::Acquire));
        let is_fresh = writes >= Layout::FIRST && now - at < LEARNED_WITHIN;
        (is_fresh || self.is_current()).then_some((writes, all))
    }

    fn is_current(&self) -> bool {
        self.0.all.load(Ordering::Acquire) == Layout::CURRENT.0
    }

    fn set(&self, schema: &Schema, now: i64) {
        self.0.at.store(now, Ordering::Release);
        self.0.writes.store(schema.to_write().0, Ordering::Release);
        self.0.all.store(schema.layout.0, Ordering::Release);
    }
}

impl Store {
    /// The table's layout, as far as the table tells.
    ///
    /// # Errors
    /// The table's failure.
    pub async fn schema(&self) -> Result<Schema, StoreError> {
        let schema = self.table.get(Entity::Schema.key()).await?;
        Ok(schema.unwrap_or(Schema::FIRST))
    }

    /// Refuses a table with a newer layout. A table that cannot be reached is left to the first
    /// request, which tries again. Opens the connection.
    ///
    /// # Errors
    /// The layout is newer than this version.
    pub async fn refuse_newer_layout(&self) -> Result<(), NewerLayout> {
        match within(START, self.schema()).await {
            Ok(schema) => self.learn(&schema),
            Err(error) => {
                tracing::warn!(%error, "the table cannot be reached yet");
                Ok(())
            }
        }
    }

    /// The layout in which items are to be written: no read, unless the table has an older one.
    pub(super) async fn layout(&self) -> Result<Layout, StoreError> {
        Ok(self.layouts().await?.0)
    }

    /// The layout that all items follow: no read, unless it is an older one.
    pub(super) async fn layout_of_all(&self) -> Result<Layout, StoreError> {
        Ok(self.layouts().await?.1)
    }

    async fn layouts(&self) -> Result<(Layout, Layout), StoreError> {
        if let Some(layouts) = self.known.get(self.now()) {
            return Ok(layouts);
        }
        let schema = self.schema().await?;
        let learned = self.learn(&schema);
        learned.map_err(|error| StoreError::new("GetItem", error))?;
        Ok((schema.to_write(), schema.layout))
    }

    /// Whether it is known that password hashes are written in their own partitions.
    pub(super) fn writes_apart(&self) -> bool {
        Layout(self.known.0.writes.load(Ordering::Acquire)) >= Layout::APART
    }

    /// Gives a new table the current layout: one in which there was never a user or a permission,
    /// whatever requests have left in it. Reads nothing where the layout is known to be current.
    ///
    /// # Errors
    /// The table's failure, or a newer layout.
    pub async fn begin_if_new(&self) -> Result<(), WriteError> {
        if self.known.is_current() {
            return Ok(());
        }
        let schema = Entity::Schema.key();
        let sequences = [Sequence::User, Sequence::Permission];
        let sequences = sequences.map(|sequence| Entity::Sequence(sequence).key());
        let wanted = [schema.clone()].into_iter().chain(sequences);
        let mut found = self.table.batch_get(wanted).await?;
        let schema = match found.remove(&schema) {
            Some(item) => from_item(item)?,
            None if found.is_empty() => {
                self.begin_layout().await?;
                self.schema().await?
            }
            None => return Ok(()),
        };
        let learned = self.learn(&schema);
        learned.map_err(|error| StoreError::new("BatchGetItem", error))?;
        Ok(())
    }

    async fn begin_layout(&self) -> Result<(), WriteError> {
        let mut writes = catalogue::emptied(true);
        let item = to_item(&Entity::Schema.key(), &Schema::CURRENT)?;
        writes.push(Write::create(item, Refusal::Exists));
        match self.table.write(writes).await {
            // Another start was first.
            Err(WriteError::Refused(_)) => Ok(()),
            other => other,
        }
    }

    fn learn(&self, schema: &Schema) -> Result<(), NewerLayout> {
        let layout = schema.to_write();
        if layout > Layout::CURRENT {
            return Err(NewerLayout(layout));
        }
        self.known.set(schema, self.now());
        Ok(())
    }

    /// Begins a migration to the current layout: makes the catalogue, and tells every function to
    /// write in the current layout. They know within [`LEARNED_WITHIN`]. May be called again, and
    /// then keeps what is done.
    ///
    /// # Errors
    /// The table's failure.
    pub async fn begin_migration(&self) -> Result<(), WriteError> {
        for mut write in catalogue::emptied(false) {
            write.condition = Condition::Absent;
            self.note(write).await?;
        }
        let schema = Schema {
            writes: Some(Layout::CURRENT),
            ..self.schema().await?
        };
        self.put_schema(schema).await
    }

    /// Keeps what of a migration is done, for a run that goes on from there; none for one that
    /// begins anew.
    ///
    /// # Errors
    /// The table's failure.
    pub async fn note_done(&self, done: Option<Done>) -> Result<(), WriteError> {
        let schema = Schema {
            done,
            ..self.schema().await?
        };
        self.put_schema(schema).await
    }

    /// Ends a migration: all items follow the current layout.
    ///
    /// # Errors
    /// The table's failure.
    pub async fn end_migration(&self) -> Result<(), WriteError> {
        for copy in catalogue::copies() {
            self.table.write(vec![catalogue::whole(&copy)]).await?;
        }
        self.put_schema(Schema::CURRENT).await
    }

    async fn put_schema(&self, schema: Schema) -> Result<(), WriteError> {
        let item = to_item(&Entity::Schema.key(), &schema)?;
        self.table.write(vec![Write::put(item)]).await?;
        self.known.set(&schema, self.now());
        Ok(())
    }
}
