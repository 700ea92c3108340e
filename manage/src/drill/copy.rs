//! A table's backup, and the table that is restored from it.

use std::time::Duration;

use aws_sdk_dynamodb::{
    Client,
    error::DisplayErrorContext,
    types::{BackupStatus, PutRequest, Select, TableStatus, WriteRequest},
};
use shared::store::{items::Item, queries::PAGE};
use tokio::time::sleep;

use crate::{CommandError, afterrestore::is_unknown, init};

/// How often the database is asked whether it is done.
const PAUSE: Duration = Duration::from_secs(1);
/// As many as one call writes.
const AT_ONCE: usize = 25;

/// What is restored from.
pub(super) enum Backup {
    /// DynamoDB's own, by its ARN.
    Own(String),
    /// None: the copy is made already.
    Copy,
}

/// A table, its backup and its copy.
pub(super) struct Copies {
    client: Client,
    table: String,
    copy: String,
    /// What there is to delete.
    backup: Option<String>,
    is_made: bool,
}

impl Copies {
    pub(super) fn new(client: &Client, table: &str, copy: String) -> Self {
        Self {
            client: client.clone(),
            table: table.to_owned(),
            copy,
            backup: None,
            is_made: false,
        }
    }

    /// The copy's name.
    pub(super) fn name(&self) -> &str {
        &self.copy
    }

    /// Whether the database makes backups.
    pub(super) async fn has_backups(&self) -> Result<bool, CommandError> {
        let list = self.client.list_backups().table_name(&self.table);
        match list.limit(1).send().await {
            Ok(_) => Ok(true),
            Err(error) if is_unknown(&error) => Ok(false),
            Err(error) => Err(failed("list the backups", &error)),
        }
    }

    /// Backs the table up; without backups it copies the table.
    pub(super) async fn back_up(&mut self, has_backups: bool) -> Result<Backup, CommandError> {
        if !has_backups {
            self.is_made = true;
            init::create_table(&self.client, &self.copy).await?;
            self.copy_items().await?;
            return Ok(Backup::Copy);
        }
        let create = self.client.create_backup().table_name(&self.table);
        let made = create.backup_name(&self.copy).send().await;
        let made = made.map_err(|error| failed("back up", &error))?;
        let details = made.backup_details;
        let details = details.ok_or_else(|| CommandError::new("the backup has no ARN"))?;
        self.backup = Some(details.backup_arn.clone());
        let mut status = details.backup_status;
        while status == BackupStatus::Creating {
            sleep(PAUSE).await;
            let describe = self.client.describe_backup();
            let backup = describe.backup_arn(&details.backup_arn).send().await;
            let backup = backup.map_err(|error| failed("look at the backup", &error))?;
            let backup = backup.backup_description.and_then(|it| it.backup_details);
            status = backup.map_or(BackupStatus::Deleted, |details| details.backup_status);
        }
        if status != BackupStatus::Available {
            return Err(CommandError::new(format!("the backup is {status}")));
        }
        Ok(Backup::Own(details.backup_arn))
    }

    /// Makes the copy from a backup, and waits until it can be used.
    pub(super) async fn restore(&mut self, backup: &Backup) -> Result<(), CommandError> {
        let Backup::Own(arn) = backup else {
            return Ok(());
        };
        let restore = self.client.restore_table_from_backup().backup_arn(arn);
        let restored = restore.target_table_name(&self.copy).send().await;
        restored.map_err(|error| failed("restore", &error))?;
        self.is_made = true;
        self.until_active().await
    }

    async fn until_active(&self) -> Result<(), CommandError> {
        loop {
            let describe = self.client.describe_table().table_name(&self.copy);
            let table = describe.send().await;
            let table = table.map_err(|error| failed("look at the copy", &error))?;
            let status = table.table.and_then(|table| table.table_status);
            match status {
                Some(TableStatus::Active) => return Ok(()),
                Some(TableStatus::Creating | TableStatus::Updating) => sleep(PAUSE).await,
                status => {
                    let text = format!("the copy has the status {status:?}");
                    return Err(CommandError::new(text));
                }
            }
        }
    }

    async fn copy_items(&self) -> Result<(), CommandError> {
        let scan = self.client.scan().table_name(&self.table);
        let mut pages = scan
            .consistent_read(true)
            .limit(PAGE)
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| failed("read the table", &error))?;
            let items = page.items.unwrap_or_default();
            for chunk in items.chunks(AT_ONCE) {
                self.write(chunk).await?;
            }
        }
        Ok(())
    }

    async fn write(&self, items: &[Item]) -> Result<(), CommandError> {
        let put = |item: &Item| {
            let put = PutRequest::builder().set_item(Some(item.clone())).build();
            Ok(WriteRequest::builder().put_request(put?).build())
        };
        let puts: Result<Vec<_>, aws_sdk_dynamodb::error::BuildError> =
            items.iter().map(put).collect();
        let mut left = Some(puts.map_err(|error| failed("write the copy", &error))?);
        while let Some(puts) = left.take().filter(|puts| !puts.is_empty()) {
            let write = self.client.batch_write_item();
            let written = write.request_items(&self.copy, puts).send().await;
            let written = written.map_err(|error| failed("write the copy", &error))?;
            // What the database had no capacity for.
            let unprocessed = written.unprocessed_items.unwrap_or_default();
            left = unprocessed.into_values().next();
        }
        Ok(())
    }

    /// How many items the table has.
    pub(super) async fn count(&self) -> Result<i64, CommandError> {
        self.count_in(&self.table).await
    }

    /// How many items the copy has.
    pub(super) async fn count_restored(&self) -> Result<i64, CommandError> {
        self.count_in(&self.copy).await
    }

    async fn count_in(&self, table: &str) -> Result<i64, CommandError> {
        let scan = self.client.scan().table_name(table).select(Select::Count);
        let mut pages = scan
            .consistent_read(true)
            .limit(PAGE)
            .into_paginator()
            .send();
        let mut count = 0;
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| failed("count the items", &error))?;
            count += i64::from(page.count);
        }
        Ok(count)
    }

    /// Deletes the backup, if there is one.
    pub(super) async fn delete_backup(&mut self) -> Result<(), CommandError> {
        let Some(arn) = self.backup.take() else {
            return Ok(());
        };
        let deleted = self.client.delete_backup().backup_arn(&arn).send().await;
        deleted.map_err(|error| failed(&format!("delete the backup {arn}"), &error))?;
        Ok(())
    }

    /// Deletes the copy, if there is one.
    pub(super) async fn delete(&mut self) -> Result<(), CommandError> {
        if !std::mem::take(&mut self.is_made) {
            return Ok(());
        }
        let what = format!("delete the table {}", self.copy);
        // A table that is being restored cannot be changed yet.
        self.until_active().await?;
        let update = self.client.update_table().table_name(&self.copy);
        let update = update.deletion_protection_enabled(false).send().await;
        update.map_err(|error| failed(&what, &error))?;
        self.until_active().await?;
        let delete = self.client.delete_table().table_name(&self.copy);
        delete.send().await.map_err(|error| failed(&what, &error))?;
        Ok(())
    }
}

fn failed(what: &str, error: &(dyn std::error::Error + 'static)) -> CommandError {
    CommandError::new(format!("cannot {what}: {}", DisplayErrorContext(error)))
}
