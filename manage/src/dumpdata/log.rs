//! The log of changes, in a dump.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufWriter, Write},
};

use serde_json::json;
use shared::domain::{
    UserId,
    log_entry::{ActionFlag, LogEntry, Model},
};

use super::{Dump, unwritable};
use crate::{CommandError, private};

/// What the log of changes says of users since a time.
#[derive(Default)]
pub(super) struct Log {
    pub(super) changed: BTreeSet<u64>,
    /// Ids and names.
    pub(super) deleted: BTreeMap<u64, String>,
}

impl Dump<'_> {
    /// What the log of changes says of users, where it is asked.
    pub(super) async fn read_log(&self) -> Result<Log, CommandError> {
        let mut log = Log::default();
        if self.since.is_none() && self.options.deleted.is_none() {
            return Ok(log);
        }
        let of_users = |entry: LogEntry| {
            if entry.content_type != Model::User {
                return Ok(());
            }
            log.changed.insert(entry.object_id);
            if entry.action_flag == ActionFlag::Deletion {
                log.deleted.insert(entry.object_id, entry.object_repr);
            }
            Ok::<_, CommandError>(())
        };
        self.store
            .each_log_entry(self.since.unwrap_or(i64::MIN), of_users)
            .await?;
        Ok(log)
    }

    /// Writes the users who are gone to the file for them.
    pub(super) fn deleted(
        &self,
        deleted: &BTreeMap<u64, String>,
        ids: &[UserId],
    ) -> Result<(), CommandError> {
        let Some(path) = &self.options.deleted else {
            return Ok(());
        };
        let mut file = BufWriter::new(private::create(path).map_err(unwritable)?);
        for (id, name) in deleted {
            if ids.binary_search(&UserId(*id)).is_err() {
                writeln!(file, "{id} {name}").map_err(unwritable)?;
            }
        }
        file.flush().map_err(unwritable)
    }

    /// Writes the log of changes, but for what nobody of now did, which Django refuses.
    pub(super) async fn log(&mut self, ids: &[UserId]) -> Result<(), CommandError> {
        let (store, since) = (self.store, self.since.unwrap_or(i64::MIN));
        let one = |entry: LogEntry| match ids.binary_search(&entry.user_id) {
            Ok(_) => self.log_entry(&entry),
            Err(_) => Ok(()),
        };
        store.each_log_entry(since, one).await
    }

    fn log_entry(&mut self, entry: &LogEntry) -> Result<(), CommandError> {
        let millis = entry.action_time;
        // The remainder of a thousand, times a thousand, is below 2^32.
        let time = (
            millis.div_euclid(1000),
            (millis.rem_euclid(1000) * 1000) as u32,
        );
        let content_type = match (entry.content_type, self.model.model.split_once('.')) {
            (Model::User, Some((app_label, model))) => json!([app_label, model]),
            (model, _) => json!(["auth", model.name()]),
        };
        let object = json!({
            "model": "admin.logentry",
            "fields": {
                "action_time": self.date(time),
                "user": entry.user_id.0,
                "content_type": content_type,
                "object_id": entry.object_id.to_string(),
                "object_repr": entry.object_repr,
                "action_flag": u8::from(entry.action_flag),
                "change_message": entry.change_message,
            },
        });
        self.out.write(&object)
    }
}
