//! Passwords, and the users they belong to.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

use super::{
    Store, StoreError, WriteError,
    history::Logged,
    items::{Item, from_item, number, text, to_item},
    keys::{Entity, Key},
    layout::Layout,
    sessions::keep_session,
    versioned::{Versioned, logged, still_decides},
    writes::{Condition, Write},
};
use crate::{
    domain::{Actor, EmailAddress, User, UserId, UserName, log_entry::ActionFlag},
    hashing::PasswordHash,
};

/// A user's password hash, in an item of its own.
#[derive(Clone, Serialize, Deserialize)]
struct Credential {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    password: Option<PasswordHash>,
    /// The user's [`User::epoch`] when it was written; none by a version before sessions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    epoch: Option<u64>,
    /// A digest of the hash that Django gave: it tells whether Django's has changed since, when a
    /// login here has replaced it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    given: Option<String>,
}

impl Credential {
    /// What two items say of a user's password, of which one may be left from another layout, or from
    /// a version that writes an older one.
    fn merged(apart: Option<Self>, beside: Option<Self>) -> Option<Self> {
        let (Some(apart), Some(beside)) = (&apart, &beside) else {
            return apart.or(beside);
        };
        let is_later = beside.password.is_some() && beside.epoch > apart.epoch;
        let of = match is_later || apart.password.is_none() {
            true => beside,
            false => apart,
        };
        Some(Self {
            password: of.password.clone(),
            given: of.given.clone(),
            epoch: apart.epoch.max(beside.epoch),
        })
    }
}

/// Where a layout has a user's password hash.
fn place(id: UserId, layout: Layout) -> Key {
    match layout {
        Layout::FIRST => Entity::CredentialBesideProfile(id).key(),
        _ => Entity::Credential(id).key(),
    }
}

/// The item of a user's password hash.
pub(super) fn credential(
    id: UserId,
    password: &PasswordHash,
    epoch: u64,
    layout: Layout,
) -> Result<Item, StoreError> {
    credential_given(id, password, epoch, None, layout)
}

/// The item of a password hash from elsewhere, with the digest of what was given.
pub(super) fn credential_given(
    id: UserId,
    password: &PasswordHash,
    epoch: u64,
    given: Option<String>,
    layout: Layout,
) -> Result<Item, StoreError> {
    let credential = Credential {
        password: Some(password.clone()),
        epoch: Some(epoch),
        given,
    };
    to_item(&place(id, layout), &credential)
}

/// A stored password hash, for what moves accounts.
#[derive(Clone, Debug, Default)]
pub struct StoredHash {
    /// The hash.
    pub hash: Option<PasswordHash>,
    /// The digest of the hash that Django gave.
    pub given: Option<String>,
}

/// Reads a credential's item.
pub(super) fn stored_hash(item: Item) -> Result<StoredHash, StoreError> {
    let Credential {
        password, given, ..
    } = from_item(item)?;
    Ok(StoredHash {
        hash: password,
        given,
    })
}

/// Gives the item the user's new epoch.
pub(super) fn raise_epoch(id: UserId, epoch: u64, layout: Layout) -> Write {
    let epoch = Item::from([("epoch".to_owned(), number(epoch))]);
    let mut write = Write::set(place(id, layout), epoch);
    write.condition = Condition::None;
    write
}

/// A new password, and what changes with it.
pub struct PasswordChange<'a> {
    /// Its hash.
    pub hash: &'a PasswordHash,
    /// Which sessions and tokens it ends.
    pub ends: Ends<'a>,
    /// The time of a login that it counts as, in seconds since 1970.
    pub last_login: Option<i64>,
    /// What is written with it.
    pub more: Vec<Write>,
}

/// Which sessions and tokens a new password ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends<'a> {
    /// All.
    All,
    /// All but those of the session with this id.
    AllBut(&'a str),
    /// None.
    None,
}

/// What a new password asks of the user in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// They must be as they are known.
    Unchanged,
    /// Their sessions must not have been ended meanwhile.
    SameEpoch,
}

/// How often a user is read whose profile and credential were read from both sides of a change.
const READS: u32 = 5;

impl Store {
    /// The user that a typed name means: as it was typed, or else in NFKC.
    pub async fn user_typed(&self, text: &str) -> Result<Option<User>, StoreError> {
        for name in UserName::candidates(text) {
            if let Some(user) = self.user_by_name(&name).await? {
                return Ok(Some(user));
            }
        }
        Ok(None)
    }

    /// The user with that username: two round trips.
    pub async fn user_by_name(&self, name: &UserName) -> Result<Option<User>, StoreError> {
        match self.owner_of(&Entity::UserName(name)).await? {
            Some(id) => self.user(UserId(id)).await,
            None => Ok(None),
        }
    }

    /// The user with that email address, in whatever case: two round trips.
    pub async fn user_by_email(&self, email: &EmailAddress) -> Result<Option<User>, StoreError> {
        match self.owner_of(&Entity::Email(email)).await? {
            Some(id) => self.user(UserId(id)).await,
            None => Ok(None),
        }
    }

    /// The user with that id and their password hash, if they have that username: one round trip.
    /// Names that are not as they were typed mean only users who came from Django, whose names may be
    /// older than their normalisation.
    pub async fn user_to_log_in(
        &self,
        user_id: UserId,
        name: &UserName,
        typed: &str,
    ) -> Result<Option<(User, Option<PasswordHash>)>, StoreError> {
        let found = self.user_and_credential(user_id).await?;
        let (user, credential) = match found {
            // Between the two reads of a login another user may have taken the name.
            Some(found) if found.0.username == *name => found,
            _ => return Ok(None),
        };
        let came = credential.as_ref().is_some_and(|one| one.given.is_some());
        let is_meant = name.as_str() == typed || came;
        let found = (user, credential.and_then(|one| one.password));
        Ok(is_meant.then_some(found))
    }

    /// The user with that id and their password hash: one round trip.
    pub async fn user_and_hash(
        &self,
        user_id: UserId,
    ) -> Result<Option<(User, Option<PasswordHash>)>, StoreError> {
        let found = self.user_and_credential(user_id).await?;
        Ok(found.map(|(user, credential)| (user, credential.and_then(|one| one.password))))
    }

    async fn user_and_credential(
        &self,
        user_id: UserId,
    ) -> Result<Option<(User, Option<Credential>)>, StoreError> {
        let profile = Entity::User(user_id).key();
        let apart = Entity::Credential(user_id).key();
        let beside = Entity::CredentialBesideProfile(user_id).key();
        for read in 1..=READS {
            let reads_both = read > 1 || !self.has_current_layout();
            let both = reads_both.then(|| beside.clone());
            let wanted = [profile.clone(), apart.clone()].into_iter().chain(both);
            let mut found = self.table.batch_get(wanted).await?;
            let Some(user) = found.remove(&profile) else {
                return Ok(None);
            };
            let user: User = from_item(user)?;
            let [apart, beside] =
                [&apart, &beside].map(|key| found.remove(key).map(from_item).transpose());
            let credential = Credential::merged(apart?, beside?);
            let Some(credential) = credential.filter(|one| one.password.is_some()) else {
                if reads_both && read > 1 {
                    return Ok(Some((user, None)));
                }
                continue;
            };
            // One that has no epoch at the last read either is no half of a change: a version before
            // sessions wrote it.
            let is_whole = match credential.epoch {
                Some(epoch) => epoch == user.epoch,
                None => user.epoch == 0 || read == READS,
            };
            if is_whole {
                return Ok(Some((user, Some(credential))));
            }
        }
        Err(StoreError::new(
            "BatchGetItem",
            "profile and credential differ",
        ))
    }

    /// Replaces a password, and ends the tokens and sessions begun until now, as far as it is to.
    /// Returns the user as they are then.
    ///
    /// # Errors
    /// [`Refusal::Stale`](super::Refusal::Stale) if the user is deleted or not as expected, what
    /// became of the actor or of the session that was to go on, or the table's failure.
    pub async fn set_password(
        &self,
        known: &User,
        expected: Expected,
        change: PasswordChange<'_>,
        actor: Actor<'_>,
    ) -> Result<User, WriteError> {
        let PasswordChange {
            hash,
            ends,
            last_login,
            more,
        } = change;
        let mut after = known.clone();
        if ends != Ends::None {
            after.end_sessions(self.now());
        }
        let mut set = Item::from([("epoch".to_owned(), number(after.epoch))]);
        if let Some(date) = after.tokens_valid_after {
            set.insert("tokens_valid_after".to_owned(), number(date));
        }
        set.extend(last_login.into_iter().flat_map(login_at));
        // The version grows in any case, so that a change applied to an older read is read again.
        let mut touched = Write::touch(known.key(), set);
        touched.condition = match expected {
            Expected::Unchanged => Condition::Equals("version", number(known.version)),
            Expected::SameEpoch => Condition::EqualsOrAbsent("epoch", number(known.epoch)),
        };
        let credential = credential(known.id, hash, after.epoch, self.layout().await?)?;
        let mut writes = vec![touched, Write::put(credential)];
        if let Ends::AllBut(sid) = ends {
            writes.push(keep_session(known, &after, sid));
        }
        writes.extend(more);
        let entry = Logged {
            fields: vec!["password"],
            ..logged(known, ActionFlag::Change)
        };
        writes.extend(self.log(actor, entry)?);
        writes.extend(still_decides(known, actor));
        self.table.write(writes).await?;
        after.version += 1;
        Ok(after)
    }

    /// Replaces the hash of an unchanged password by a stronger one, unless the password was
    /// changed meanwhile. Tokens stay valid.
    pub async fn rehash(
        &self,
        id: UserId,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<(), StoreError> {
        let password = Item::from([("password".to_owned(), text(new.expose()))]);
        let mut write = Write::set(place(id, self.layout().await?), password);
        write.condition = Condition::Equals("password", text(old.expose()));
        self.note(write).await
    }

    /// Notes the time of a login, in seconds since 1970. Does not count as a change.
    pub async fn set_last_login(&self, id: UserId, now: i64) -> Result<(), StoreError> {
        let set = Item::from_iter(login_at(now));
        self.note(Write::set(Entity::User(id).key(), set)).await
    }

    /// Moves a user's password hash to a partition of its own; false if it is there already.
    ///
    /// # Errors
    /// The table's failure.
    pub async fn move_credential(&self, id: UserId) -> Result<bool, WriteError> {
        let apart = Entity::Credential(id).key();
        let beside = Entity::CredentialBesideProfile(id).key();
        for _ in 0..READS {
            let wanted = [apart.clone(), beside.clone()];
            let mut found = self.table.batch_get(wanted).await?;
            let mut read = |key| found.remove(key).map(from_item::<Credential>).transpose();
            let (new, old) = (read(&apart)?, read(&beside)?);
            let Some(left) = old.clone() else {
                return Ok(false);
            };
            let merged = Credential::merged(new.clone(), old);
            let mut put = match (&new, merged.as_ref()) {
                // Only its epoch was written yet, and may rise meanwhile.
                (Some(Credential { password: None, .. }), Some(merged)) => {
                    let mut item = to_item(&apart, merged)?;
                    item.retain(|name, _| ["password", "given"].contains(&name.as_str()));
                    Write::set(apart.clone(), item)
                }
                _ => Write::put(to_item(&apart, &merged)?),
            };
            put.condition = as_read(new.as_ref());
            let mut delete = Write::delete(beside.clone());
            delete.condition = as_read(Some(&left));
            match self.table.write(vec![put, delete]).await {
                Err(WriteError::Refused(_)) => {}
                other => return other.map(|()| true),
            }
        }
        Err(WriteError::Contended)
    }
}

/// The attributes of a login.
fn login_at(now: i64) -> [(String, AttributeValue); 2] {
    [
        ("last_login".to_owned(), number(now)),
        ("last_login_micros".to_owned(), number(0)),
    ]
}

/// The item is as it was read. A password changes with the epoch, or with a rehash alone.
fn as_read(credential: Option<&Credential>) -> Condition {
    match credential {
        None => Condition::Absent,
        Some(Credential {
            password: Some(password),
            ..
        }) => Condition::Equals("password", text(password.expose())),
        Some(_) => Condition::ExistsWithout("password"),
    }
}
