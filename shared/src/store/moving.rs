//! Accounts that move in from Django with their ids, or move to another id: in tables of the current
//! layout only.

use std::collections::BTreeSet;

use super::{
    Refusal, Store, StoreError, Versioned, WriteError,
    credentials::{StoredHash, credential_given, stored_hash},
    history::Stored,
    items::{Item, from_item, number_of, number_set},
    keys::{Entity, Sequence},
    layout::Layout,
    marker,
    table::TRANSACTION,
    writes::{Condition, Write},
};
use crate::{
    domain::{Actor, EmailAddress, Permission, User, UserId, UserName, log_entry::LogEntry},
    hashing::PasswordHash,
};

/// A user about to move in, with an id of their own.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// Everything but the password.
    pub user: User,
    /// The hash to store.
    pub password: PasswordHash,
    /// The digest of the hash that Django gave, where it may be kept.
    pub given: Option<String>,
}

/// What the table knows of somebody who is to move in.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Who has the id.
    pub user: Option<User>,
    /// That user's password.
    pub password: StoredHash,
    /// Who has the username.
    pub name_owner: Option<UserId>,
    /// Who has the address.
    pub email_owners: Vec<UserId>,
}

impl Arrival {
    fn credential(&self) -> Result<Write, StoreError> {
        let (user, given) = (&self.user, self.given.clone());
        let credential =
            credential_given(user.id, &self.password, user.epoch, given, Layout::CURRENT)?;
        Ok(Write::create(credential, Refusal::Exists))
    }

    fn writes(&self) -> Result<Vec<Write>, StoreError> {
        let mut writes = self.user.creation(Layout::CURRENT)?;
        writes.push(self.credential()?);
        Ok(writes)
    }

    /// Whether they write items that others write too, and so need a transaction of their own.
    fn goes_alone(&self) -> bool {
        self.user.is_active_superuser() || self.user.shares_email
    }
}

/// Puts together those who fit into one transaction.
///
/// # Errors
/// Something cannot be stored.
pub fn pack(arrivals: Vec<Arrival>) -> Result<Vec<Vec<Arrival>>, StoreError> {
    let (mut packs, mut alone, mut room) = (Vec::<Vec<Arrival>>::new(), Vec::new(), 0);
    for arrival in arrivals {
        let size = arrival.writes()?.len();
        if arrival.goes_alone() || size > TRANSACTION {
            alone.push(vec![arrival]);
            continue;
        }
        match packs.last_mut() {
            Some(pack) if size <= room => pack.push(arrival),
            _ => {
                packs.push(vec![arrival]);
                room = TRANSACTION;
            }
        }
        room -= size;
    }
    packs.append(&mut alone);
    Ok(packs)
}

impl Store {
    /// The last id that a sequence gave; 0 if none.
    pub async fn last_id(&self, sequence: Sequence) -> Result<u64, StoreError> {
        let item = self
            .table
            .get_item(Entity::Sequence(sequence).key())
            .await?;
        Ok(item.and_then(|item| number_of(&item, "value")).unwrap_or(0))
    }

    /// The ids of all users, in order: reads the whole table.
    ///
    /// # Errors
    /// The table's failure.
    pub async fn all_user_ids(&self) -> Result<Vec<UserId>, StoreError> {
        self.user_ids(|_| true).await
    }

    /// The ids of the users whom loads of Django's dumps made, in order: reads the whole table.
    ///
    /// # Errors
    /// The table's failure.
    pub async fn user_ids_from_django(&self) -> Result<Vec<UserId>, StoreError> {
        let is_marked = |item: &Item| {
            item.get("from_django")
                .is_some_and(|mark| mark.as_bool() == Ok(&true))
        };
        self.user_ids(is_marked).await
    }

    async fn user_ids(&self, is_wanted: impl Fn(&Item) -> bool) -> Result<Vec<UserId>, StoreError> {
        let mut pages = self.table.scan("USER#");
        let mut ids = Vec::new();
        while let Some(item) = pages.next().await? {
            if let Some(id) = number_of(&item, "id").filter(|_| is_wanted(&item)) {
                ids.push(UserId(id));
            }
        }
        ids.sort_unstable();
        Ok(ids)
    }

    /// Several users with their passwords; those who do not exist are absent. In the order asked for.
    ///
    /// # Errors
    /// The table's failure.
    pub async fn users_with_passwords(
        &self,
        ids: &[UserId],
    ) -> Result<Vec<(User, StoredHash)>, StoreError> {
        let keys = ids
            .iter()
            .flat_map(|id| [Entity::User(*id).key(), Entity::Credential(*id).key()]);
        let mut found = self.table.batch_get(keys).await?;
        let users = ids.iter().filter_map(|id| {
            let user = found.remove(&Entity::User(*id).key())?;
            let password = found.remove(&Entity::Credential(*id).key());
            Some((user, password))
        });
        let read = users.map(|(user, password)| {
            let password = password.map(stored_hash).transpose()?;
            Ok((from_item(user)?, password.unwrap_or_default()))
        });
        read.collect()
    }

    /// Gives `each` the entries of the log of changes since a time (milliseconds since 1970), in no
    /// order: reads the whole table.
    ///
    /// # Errors
    /// The table's failure, or what `each` says.
    pub async fn each_log_entry<E: From<StoreError>>(
        &self,
        since: i64,
        mut each: impl FnMut(LogEntry) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut pages = self.table.scan("LOG#");
        while let Some(item) = pages.next().await? {
            let stored: Stored = from_item(item)?;
            if stored.entry.action_time >= since {
                each(stored.entry)?;
            }
        }
        Ok(())
    }

    /// What is known of some who are to move in, in their order: one round trip.
    pub async fn known_of(
        &self,
        arrivals: &[(UserId, UserName, EmailAddress)],
    ) -> Result<Vec<Known>, StoreError> {
        let wanted = arrivals.iter().flat_map(|(id, name, email)| {
            let email = (!email.is_empty()).then(|| Entity::Email(email).key());
            [
                Entity::User(*id).key(),
                Entity::Credential(*id).key(),
                Entity::UserName(name).key(),
            ]
            .into_iter()
            .chain(email)
        });
        let found = self.table.batch_get(wanted).await?;
        let known = arrivals.iter().map(|(id, name, email)| {
            let item = |entity: Entity<'_>| found.get(&entity.key());
            let user: Option<User> = item(Entity::User(*id))
                .cloned()
                .map(from_item)
                .transpose()?;
            let password = item(Entity::Credential(*id)).cloned().map(stored_hash);
            let name = Entity::UserName(name);
            let owners = item(Entity::Email(email)).filter(|_| !email.is_empty());
            let owners = owners.map(marker::owners).unwrap_or_default();
            Ok(Known {
                user,
                password: password.transpose()?.unwrap_or_default(),
                name_owner: item(name)
                    .and_then(|item| marker::owner(&name, item))
                    .map(UserId),
                email_owners: owners.into_iter().map(UserId).collect(),
            })
        });
        known.collect()
    }

    /// Puts new users, all of them or none: a pack of [`pack`].
    ///
    /// # Errors
    /// An id or a name is taken, or the table's failure.
    pub async fn insert_arrivals(&self, arrivals: &[Arrival]) -> Result<(), WriteError> {
        if let [one] = arrivals {
            let more = vec![one.credential()?];
            return self.create(one.user.clone(), more).await.map(drop);
        }
        let mut all = Vec::new();
        for arrival in arrivals {
            all.extend(arrival.writes()?);
        }
        self.table.write(all).await
    }

    /// Writes what differs in a user who moved in before, and a new password if they have one.
    ///
    /// # Errors
    /// As [`Store::replace`].
    pub async fn update_arrival(
        &self,
        before: &User,
        arrival: Arrival,
        has_new_password: bool,
    ) -> Result<(), WriteError> {
        let Arrival {
            user: mut after,
            password,
            given,
        } = arrival;
        let leaves = before.is_active && !after.is_active;
        if leaves || has_new_password {
            after.end_sessions(self.now());
        }
        if before.is_staff && !after.is_staff {
            after.staff_epoch += 1;
        }
        let mut more = Vec::new();
        if has_new_password {
            let credential =
                credential_given(after.id, &password, after.epoch, given, Layout::CURRENT)?;
            more.push(Write::put(credential));
        }
        self.write_in_steps(before, &after, more).await?;
        if after.epoch != before.epoch {
            self.end_sessions(after.id, after.epoch).await?;
        }
        Ok(())
    }

    /// Puts a permission with an id that its sequence has not given yet, and raises the sequence.
    ///
    /// # Errors
    /// [`Refusal::Stale`] if the sequence has passed the id, a taken name, or the table's failure.
    pub async fn insert_permission_at(
        &self,
        permission: Permission,
        actor: Actor<'_>,
    ) -> Result<(), WriteError> {
        let sequence = Entity::Sequence(Sequence::Permission).key();
        let raise = Write::raise(sequence, "value", permission.id.0);
        let made = self.insert(permission, vec![raise], actor).await;
        made.map(drop)
    }

    /// Gives a user another id, which must be free, in one transaction. Their sessions and tokens end
    /// with the old one.
    ///
    /// # Errors
    /// They were changed meanwhile, or the table's failure.
    pub async fn move_user(&self, user: &User, to: UserId) -> Result<User, WriteError> {
        let credential = Entity::Credential(user.id).key();
        let credential = self.table.get_item(credential).await?;
        let mut moved = user.clone();
        (moved.id, moved.version) = (to, 1);
        let (gone, new) = (
            user.deletion(Layout::CURRENT),
            moved.creation(Layout::CURRENT)?,
        );
        let mut writes = gone;
        for write in new {
            // A marker changes hands: its deletion gives its condition to the put.
            match writes.iter().position(|old| old.key() == write.key()) {
                Some(place) => {
                    let old = writes.swap_remove(place);
                    writes.push(old.into_replacement(write));
                }
                None => writes.push(write),
            }
        }
        if let Some(item) = credential {
            let StoredHash { hash, given } = stored_hash(item)?;
            if let Some(hash) = hash {
                let item = credential_given(to, &hash, moved.epoch, given, Layout::CURRENT)?;
                writes.push(Write::create(item, Refusal::Exists));
            }
        }
        if user.is_active_superuser() {
            let key = Entity::ActiveSuperusers.key();
            writes.retain(|write| write.key().as_ref() != Some(&key));
            writes.push(self.superuser_moved(user.id, to).await?);
        }
        self.table.write(writes).await?;
        self.delete_sessions(user.id).await?;
        Ok(moved)
    }

    /// Puts one id in place of another in the set of active superusers.
    async fn superuser_moved(&self, from: UserId, to: UserId) -> Result<Write, StoreError> {
        let key = Entity::ActiveSuperusers.key();
        let item = self.table.get_item(key.clone()).await?.unwrap_or_default();
        let before = item.get("ids").cloned();
        let ids = before.as_ref().and_then(|ids| ids.as_ns().ok());
        let mut after: BTreeSet<String> = ids.into_iter().flatten().cloned().collect();
        after.remove(&from.0.to_string());
        after.insert(to.0.to_string());
        let after = aws_sdk_dynamodb::types::AttributeValue::Ns(after.into_iter().collect());
        let mut write = Write::set(key, Item::from([("ids".to_owned(), after)]));
        let before = before.unwrap_or_else(|| number_set(from.0));
        write.condition = Condition::Equals("ids", before);
        Ok(write)
    }
}
