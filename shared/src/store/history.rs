//! The log of changes: written in the transaction of the change itself, found by the object and,
//! for the recent ones, by the day. Kept for `AUDIT_RETENTION_DAYS`.

use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};

use super::{
    Store, StoreError,
    items::{Item, from_item, indexed, key_of, number, number_of, text, to_item},
    keys::{self, Entity},
    queries::{Direction, Scan},
    writes::{Condition, Write},
};
use crate::{
    clock::Clock,
    domain::{
        Actor, User, UserId,
        log_entry::{ActionFlag, LogEntry, Object, change_message},
    },
};

/// How many days back recent changes are looked for.
const RECENT_DAYS: i64 = 7;
const DAY: i64 = 24 * 60 * 60;

/// When changes happen, and how long they are remembered.
#[derive(Clone)]
pub(super) struct Audit {
    pub(super) clock: Clock,
    /// Entries end after so many days; 0 is never.
    pub(super) retention_days: i64,
}

impl Audit {
    /// When an entry of that time (seconds since 1970) ends.
    pub(super) fn ends(&self, time: i64) -> Option<i64> {
        (self.retention_days > 0).then(|| time + self.retention_days * DAY)
    }
}

/// An entry with the time of its end.
#[derive(Serialize, Deserialize)]
pub(super) struct Stored {
    #[serde(flatten)]
    pub(super) entry: LogEntry,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ttl: Option<i64>,
}

/// A change to be logged.
pub(super) struct Logged {
    pub(super) object: Object,
    /// What it is called.
    pub(super) repr: String,
    pub(super) action: ActionFlag,
    /// The labels of the fields that changed.
    pub(super) fields: Vec<&'static str>,
}

/// A page of an object's history.
pub struct History {
    /// The newest first.
    pub entries: Vec<LogEntry>,
    /// Where the next page starts, if one exists.
    pub next: Option<String>,
}

impl Store {
    /// What a change by `actor` adds to its transaction. What users do to themselves, registration
    /// included, is not among the recent changes.
    pub(super) fn log(
        &self,
        actor: Actor<'_>,
        logged: Logged,
    ) -> Result<Option<Write>, StoreError> {
        let (user_id, username) = match actor {
            Actor::User(user) => (user.id, user.username.as_str().to_owned()),
            Actor::Registration => (UserId(logged.object.id), logged.repr.clone()),
            Actor::Command(_) => (UserId(0), actor.to_string()),
            Actor::Setup => return Ok(None),
        };
        let now = self.audit.clock.now_in_ms();
        let entry = LogEntry {
            action_time: now,
            user_id,
            username,
            content_type: logged.object.model,
            object_id: logged.object.id,
            object_repr: logged.repr,
            action_flag: logged.action,
            change_message: match logged.action {
                ActionFlag::Addition => r#"[{"added": {}}]"#.to_owned(),
                ActionFlag::Change => change_message(&logged.fields),
                ActionFlag::Deletion => String::new(),
            },
        };
        // Changes of the same millisecond need places of their own.
        let place = format!("{now:015}#{:08x}", rand::random::<u32>());
        let ttl = self.audit.ends(now / 1000);
        let stored = Stored { entry, ttl };
        let item = to_item(&Entity::LogEntry(&logged.object, &place).key(), &stored)?;
        if stored.entry.is_of_oneself() {
            return Ok(Some(Write::put(item)));
        }
        let index = keys::Key {
            pk: keys::log_of_day(now / 1000 / DAY),
            sk: place,
        };
        Ok(Some(Write::put(indexed(item, &index))))
    }

    /// Logs what `actor` changed of an object that is no item of its own, such as its counters.
    ///
    /// # Errors
    /// The table's failure.
    pub async fn log_alone(
        &self,
        actor: Actor<'_>,
        object: Object,
        repr: String,
        field: &'static str,
    ) -> Result<(), StoreError> {
        let action = ActionFlag::Change;
        let fields = vec![field];
        let logged = Logged {
            object,
            repr,
            action,
            fields,
        };
        match self.log(actor, logged)? {
            Some(write) => self.note(write).await,
            None => Ok(()),
        }
    }

    /// The changes of an object, the newest first, `size` at a time: one round trip.
    pub async fn history(
        &self,
        object: &Object,
        before: Option<&str>,
        size: usize,
    ) -> Result<History, StoreError> {
        let before = before.map(|place| Entity::LogEntry(object, place).key());
        let pk = keys::log_of(object);
        let (items, last) = self
            .table
            .page(&pk, before, Direction::Backward, size)
            .await?;
        let stored = items.into_iter().map(from_item);
        let stored = stored.collect::<Result<Vec<Stored>, _>>()?;
        Ok(History {
            entries: self.kept(stored),
            next: last.map(|key| key.sk),
        })
    }

    /// The last changes that somebody made of anything but themselves, the newest first: two round
    /// trips.
    pub async fn recent_changes(&self, size: usize) -> Result<Vec<LogEntry>, StoreError> {
        let today = self.audit.clock.now() / DAY;
        let days = (today - RECENT_DAYS + 1..=today).map(|day| {
            let pk = keys::log_of_day(day);
            async move {
                self.table
                    .index_rows(&pk, "", None, Direction::Backward, size)
                    .await
            }
        });
        let mut rows: Vec<_> = try_join_all(days).await?.into_iter().flatten().collect();
        rows.sort_by(|a, b| b.sort_key.cmp(&a.sort_key));
        rows.truncate(size);
        let mut found = self
            .table
            .batch_get(rows.iter().map(|row| row.key.clone()))
            .await?;
        let items = rows.iter().filter_map(|row| found.remove(&row.key));
        let mut stored = items.map(from_item).collect::<Result<Vec<Stored>, _>>()?;
        // Older versions index what users change of themselves too.
        stored.retain(|stored| !stored.entry.is_of_oneself());
        Ok(self.kept(stored))
    }

    /// DynamoDB deletes what has ended late.
    fn kept(&self, stored: Vec<Stored>) -> Vec<LogEntry> {
        let now = self.audit.clock.now();
        let kept = stored
            .into_iter()
            .filter(|stored| stored.ttl.is_none_or(|ttl| ttl > now));
        kept.map(|stored| stored.entry).collect()
    }

    /// Puts an entry of Django's log of changes, under a place that `pk` makes its own; false if it
    /// is older than entries are kept.
    pub async fn load_log_entry(&self, entry: LogEntry, pk: u64) -> Result<bool, StoreError> {
        let (seconds, object) = (entry.action_time.div_euclid(1000), entry.object());
        let ttl = self.audit.ends(seconds);
        if ttl.is_some_and(|ttl| ttl <= self.now()) {
            return Ok(false);
        }
        let place = format!("{:015}#{pk:08x}", entry.action_time);
        let index = keys::Key {
            pk: keys::log_of_day(seconds.div_euclid(24 * 60 * 60)),
            sk: place.clone(),
        };
        let key = Entity::LogEntry(&object, &place).key();
        let item = to_item(&key, &Stored { entry, ttl })?;
        self.note(Write::put(indexed(item, &index))).await?;
        Ok(true)
    }

    /// Takes somebody who is deleted out of the log of changes: the entries about them go, and those
    /// of what they did keep no name.
    pub async fn erase_from_log(&self, id: UserId) -> Result<u64, StoreError> {
        let mut erased = 0;
        let mut entries = EntriesNaming::of(self, id);
        while let Some((key, _)) = entries.next().await? {
            let write = if key.pk == entries.about {
                Write::delete(key)
            } else {
                let nobody = Item::from([
                    ("username".to_owned(), text("")),
                    ("user_id".to_owned(), number(0)),
                ]);
                let mut write = Write::set(key, nobody);
                write.condition = Condition::Exists;
                write
            };
            self.note(write).await?;
            erased += 1;
        }
        Ok(erased)
    }

    /// The entries of the log of changes about a user, and of what they did: reads the whole table.
    pub async fn log_entries_naming(
        &self,
        id: UserId,
    ) -> Result<Vec<(keys::Key, LogEntry)>, StoreError> {
        let mut found = EntriesNaming::of(self, id);
        let mut entries = Vec::new();
        while let Some((key, item)) = found.next().await? {
            let stored: Stored = from_item(item)?;
            entries.push((key, stored.entry));
        }
        Ok(entries)
    }
}

/// The entries of the log of changes about a user, and of what they did, one after the other.
struct EntriesNaming {
    id: UserId,
    /// The partition of those about them.
    about: String,
    log: Scan,
}

impl EntriesNaming {
    fn of(store: &Store, id: UserId) -> Self {
        Self {
            id,
            about: keys::log_of(&User::object_of(id)),
            log: store.table.scan("LOG#"),
        }
    }

    async fn next(&mut self) -> Result<Option<(keys::Key, Item)>, StoreError> {
        while let Some(item) = self.log.next().await? {
            let Some(key) = key_of(&item) else {
                continue;
            };
            if key.pk == self.about || number_of(&item, "user_id") == Some(self.id.0) {
                return Ok(Some((key, item)));
            }
        }
        Ok(None)
    }
}
