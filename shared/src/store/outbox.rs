//! Mails that are owed: written with the change that they are about, deleted when they are sent.

use super::{
    Store, StoreError, WriteError,
    items::{Item, from_item, indexed, number, to_item},
    keys::{self, Entity, OUTBOX},
    queries::{Direction, IndexRow},
    table::TRANSACTION,
    writes::{Condition, Write},
};
use crate::{domain::User, mail::Mail};

/// The write that owes a mail, for the transaction of what it is about.
///
/// # Errors
/// It cannot be made an item.
pub fn owe(mail: &Mail) -> Result<Write, StoreError> {
    let item = to_item(&Entity::Mail(&mail.id).key(), mail)?;
    Ok(Write::put(indexed(item, &keys::owed(&mail.id))))
}

/// How many mails are read at once.
const PAGE: usize = 100;

/// Pages of the mails that are owed, the oldest first. What takes the place of a mail that was read may be
/// missed: another reading finds it.
pub struct OwedPages<'a> {
    store: &'a Store,
    after: Option<IndexRow>,
    is_over: bool,
}

impl OwedPages<'_> {
    /// The next page, which may be empty; none at the end.
    ///
    /// # Errors
    /// The table's failure.
    pub async fn next(&mut self) -> Result<Option<Vec<Mail>>, StoreError> {
        if self.is_over {
            return Ok(None);
        }
        let (table, any) = (&self.store.table, Direction::Forward);
        let after = self.after.take();
        let rows = table.index_rows(OUTBOX, "", after, any, PAGE).await?;
        self.is_over = rows.len() < PAGE;
        self.after = rows.last().cloned();
        Ok(Some(self.store.mails_in(&rows).await?))
    }
}

impl Store {
    /// Owes a mail that belongs to no change.
    ///
    /// # Errors
    /// The table's failure.
    pub async fn owe_mail(&self, mail: &Mail) -> Result<(), StoreError> {
        self.owe(owe(mail)?).await
    }

    /// Owes a mail by the write of [`owe`] alone.
    ///
    /// # Errors
    /// The table's failure.
    pub async fn owe(&self, mail: Write) -> Result<(), StoreError> {
        self.note(mail).await
    }

    /// A mail that is owed.
    ///
    /// # Errors
    /// The table's failure.
    pub async fn mail(&self, id: &str) -> Result<Option<Mail>, StoreError> {
        self.table.get(Entity::Mail(id).key()).await
    }

    /// Up to `limit` mails that are owed, the oldest first, as far as the index, which lags behind,
    /// knows.
    ///
    /// # Errors
    /// The table's failure.
    pub async fn owed_mails(&self, limit: usize) -> Result<Vec<Mail>, StoreError> {
        let any = Direction::Forward;
        let rows = self.table.index_rows(OUTBOX, "", None, any, limit).await?;
        self.mails_in(&rows).await
    }

    /// All of them, in pages.
    pub fn owed_pages(&self) -> OwedPages<'_> {
        OwedPages {
            store: self,
            after: None,
            is_over: false,
        }
    }

    async fn mails_in(&self, rows: &[IndexRow]) -> Result<Vec<Mail>, StoreError> {
        let keys = || rows.iter().map(|row| &row.key);
        let mut found = self.table.batch_get(keys().cloned()).await?;
        let found = keys().filter_map(|key| found.remove(key));
        found.map(from_item).collect()
    }

    /// The mails that are owed to a user or their address: reads all that are owed.
    ///
    /// # Errors
    /// The table's failure.
    pub async fn mails_of(&self, user: &User) -> Result<Vec<Mail>, StoreError> {
        let mut pages = self.owed_pages();
        let mut theirs = Vec::new();
        while let Some(mut mails) = pages.next().await? {
            mails.retain(|mail| match mail.user_id {
                Some(id) => id == user.id,
                None => !user.email.is_empty() && mail.to.lower() == user.email.lower(),
            });
            theirs.append(&mut mails);
        }
        Ok(theirs)
    }

    /// Takes a mail into one's hands until a time (seconds since 1970), so that nobody else sends it
    /// meanwhile; false if it was sent, or is in the hands of another.
    ///
    /// # Errors
    /// The table's failure.
    pub async fn claim_mail(&self, id: &str, until: i64) -> Result<bool, StoreError> {
        let key = Entity::Mail(id).key();
        let mut write = Write::add_to(key, "tries", 1).setting("claimed_until", number(until));
        write.condition = Condition::Less("claimed_until", number(self.now()));
        match self.table.write(vec![write]).await {
            Ok(()) => Ok(true),
            Err(WriteError::Refused(_) | WriteError::Contended) => Ok(false),
            Err(WriteError::Failed(error)) => Err(error),
        }
    }

    /// Lets a mail go that could not be sent.
    ///
    /// # Errors
    /// The table's failure.
    pub async fn release_mail(&self, id: &str) -> Result<(), StoreError> {
        let key = Entity::Mail(id).key();
        let free = Item::from([("claimed_until".to_owned(), number(0))]);
        self.note(Write::set(key, free)).await
    }

    /// Notes that a mail was sent, or need not be sent any more.
    ///
    /// # Errors
    /// The table's failure.
    pub async fn forget_mail(&self, id: &str) -> Result<(), StoreError> {
        self.note(Write::delete(Entity::Mail(id).key())).await
    }

    /// Owes several mails in place of one, all or none; of more than a transaction holds, the rest is
    /// owed before, and again if the last step fails.
    ///
    /// # Errors
    /// The table's failure, or other writes of it got in the way.
    pub async fn replace_mail(&self, id: &str, mails: &[Mail]) -> Result<(), WriteError> {
        let mut writes = mails.iter().map(owe).collect::<Result<Vec<_>, _>>()?;
        let rest = writes.split_off(writes.len().min(TRANSACTION - 1));
        self.note_all(rest).await?;
        let mut delete = Write::delete(Entity::Mail(id).key());
        delete.condition = Condition::Exists;
        writes.push(delete);
        self.table.write(writes).await
    }
}
