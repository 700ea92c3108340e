//! Attempts, counted in windows of time before anything is checked.

use aws_sdk_dynamodb::types::ReturnValue;
use serde::Deserialize;

use super::{
    Store, StoreError,
    items::{attributes, from_item, number, number_of},
    keys::{Entity, Key, TTL, digest},
    marker,
    queries::Direction,
    table::failure,
    writes::Write,
};
use crate::domain::{UserId, UserName};

/// How many counters of one subject are read at most: each network that tries a username has one.
pub const COUNTERS: usize = 1000;

/// What is counted: attempts at a subject, apart by a part of it, in windows of so many seconds.
#[derive(Clone, Debug)]
pub struct Counter {
    subject: String,
    part: String,
    seconds: i64,
}

/// How many attempts a window has had, and when it ends, in seconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attempts {
    /// The count, with the present one if it was counted.
    pub count: u64,
    /// The end of the window.
    pub until: i64,
}

impl Counter {
    /// A counter of attempts at a subject, such as a username, in windows of `seconds`.
    pub fn new(subject: &str, seconds: i64) -> Self {
        Self {
            subject: subject.to_owned(),
            part: String::new(),
            seconds,
        }
    }

    /// The counter of a part of them, such as those from one address.
    #[must_use]
    pub fn of(&self, part: &str) -> Self {
        Self {
            part: digest(part),
            ..self.clone()
        }
    }

    /// The item of the window that `now` is in, and the window's end. Windows of different subjects
    /// begin at different times, so that not all counters begin anew at once.
    fn window(&self, now: i64) -> (Key, i64) {
        let digits = digest(&self.subject);
        let offset = digits
            .get(..8)
            .and_then(|hex| i64::from_str_radix(hex, 16).ok());
        let offset = offset.unwrap_or_default() % self.seconds;
        let number = (now + offset).div_euclid(self.seconds);
        let place = format!("{number}#{}", self.part);
        let key = Entity::Attempts(&self.subject, &place).key();
        (key, (number + 1) * self.seconds - offset)
    }
}

/// A counter's item.
#[derive(Deserialize)]
struct Stored {
    /// The window's number and the digest of the part.
    #[serde(rename = "SK")]
    place: String,
    #[serde(default)]
    count: u64,
    ttl: i64,
}

/// The attempts at a subject in a window that has not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The digest of the part that was counted apart; empty for the counter of the subject itself.
    part: String,
    /// How many, and until when.
    pub attempts: Attempts,
}

impl Counted {
    /// Whether it counts the subject as a whole.
    pub fn is_whole(&self) -> bool {
        self.part.is_empty()
    }

    /// Whether it counts this part of the subject.
    pub fn is_of(&self, part: &str) -> bool {
        self.part == digest(part)
    }
}

impl Store {
    /// Counts an attempt, and returns how many there have been: one write.
    pub async fn count_attempt(&self, counter: &Counter) -> Result<Attempts, StoreError> {
        let (key, until) = counter.window(self.now());
        let (client, table) = self.table.parts();
        let answer = client
            .update_item()
            .table_name(table)
            .set_key(Some(attributes(&key)))
            .update_expression("ADD #count :one SET #ttl = :ttl")
            .expression_attribute_names("#count", "count")
            .expression_attribute_names("#ttl", TTL)
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":ttl", number(until))
            .return_values(ReturnValue::UpdatedNew)
            .send()
            .await
            .map_err(|error| failure("UpdateItem", error))?;
        let item = answer.attributes.unwrap_or_default();
        let count = number_of(&item, "count").unwrap_or(1);
        Ok(Attempts { count, until })
    }

    /// Sets a counter back.
    pub async fn forget_attempts(&self, counter: &Counter) -> Result<(), StoreError> {
        let (key, _) = counter.window(self.now());
        self.note(Write::delete(key)).await
    }

    /// Sets the counters of a subject back, as many as [`Self::attempts`] gives and whatever their
    /// windows: one read, and a write for each. Returns how many.
    pub async fn forget_attempts_at(&self, subject: &str) -> Result<usize, StoreError> {
        let stored = self.stored_attempts(subject).await?;
        let delete =
            |stored: &Stored| Write::delete(Entity::Attempts(subject, &stored.place).key());
        self.note_all(stored.iter().map(delete).collect()).await?;
        Ok(stored.len())
    }

    /// The counters of a subject whose windows have not ended: one read. Of more than [`COUNTERS`]
    /// the one of the subject itself, in its latest window, and the latest of its parts.
    pub async fn attempts(&self, subject: &str) -> Result<Vec<Counted>, StoreError> {
        let now = self.now();
        let mut items = self.stored_attempts(subject).await?;
        items.retain(|stored| stored.ttl > now);
        let counted = |Stored { place, count, ttl }: Stored| Counted {
            part: place
                .split_once('#')
                .map_or("", |(_, part)| part)
                .to_owned(),
            attempts: Attempts { count, until: ttl },
        };
        Ok(items.into_iter().map(counted).collect())
    }

    async fn stored_attempts(&self, subject: &str) -> Result<Vec<Stored>, StoreError> {
        let pk = Entity::Attempts(subject, "").key().pk;
        let latest = Direction::Backward;
        let (items, rest) = self.table.page(&pk, None, latest, COUNTERS).await?;
        let stored: Result<Vec<Stored>, _> = items.into_iter().map(from_item).collect();
        let mut stored = stored?;
        // In this direction it comes behind its parts.
        let whole = stored
            .first()
            .and_then(|latest| latest.place.split_once('#'));
        if let Some((number, _)) = whole
            && rest.is_some()
        {
            let place = format!("{number}#");
            stored.retain(|stored| stored.place != place);
            let key = Entity::Attempts(subject, &place).key();
            stored.extend(self.table.get::<Stored>(key).await?);
        }
        stored.sort_by(|one, other| one.place.cmp(&other.place));
        Ok(stored)
    }

    /// The user with the first of the usernames that is somebody's, and the counts of two counters:
    /// one read.
    pub async fn candidate(
        &self,
        names: &[UserName],
        counters: [&Counter; 2],
    ) -> Result<(Option<(UserId, UserName)>, [Attempts; 2]), StoreError> {
        let now = self.now();
        let markers = names.iter().map(Entity::UserName);
        let windows = counters.map(|counter| counter.window(now));
        let keys = windows.iter().map(|(key, _)| key.clone());
        let wanted = keys.chain(markers.map(|marker| marker.key()));
        let found = self.table.batch_get(wanted).await?;
        let owner = names.iter().find_map(|name| {
            let marker = Entity::UserName(name);
            let id = marker::owner(&marker, found.get(&marker.key())?)?;
            Some((UserId(id), name.clone()))
        });
        let attempts = windows.map(|(key, until)| Attempts {
            count: found
                .get(&key)
                .and_then(|item| number_of(item, "count"))
                .unwrap_or(0),
            until,
        });
        Ok((owner, attempts))
    }
}
