//! Users, their markers and their memberships.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    Actor, ChangeError, Refusal, Store, StoreError, WriteError,
    credentials::Credential,
    keys::{self, Entity, Key, Sequence},
    table::{self, Item, from_item, number, to_item},
    versioned::{Versioned, Writes, changed},
    writes::Write,
};
use crate::{
    domain::{
        EmailAddress, Flag, GroupId, PersonName, User, UserId, UserName,
        log::{ActionFlag, Model, Object},
        password::PersonalAttributes,
    },
    hashing::PasswordHash,
};

/// What a marker says: whose the name is.
#[derive(Serialize, Deserialize)]
pub(super) struct Marker {
    pub(super) user_id: UserId,
}

/// A user about to be made.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// The username.
    pub username: UserName,
    /// The email address; empty on the command line only.
    pub email: EmailAddress,
    /// May be empty.
    pub first_name: PersonName,
    /// May be empty.
    pub last_name: PersonName,
    /// Whether he may log in.
    pub is_active: bool,
    /// Whether he is an admin.
    pub is_staff: bool,
    /// Whether he is a superuser.
    pub is_superuser: bool,
    /// Seconds since 1970.
    pub date_joined: i64,
}

impl NewUser {
    /// What his password must not be like.
    pub fn attributes(&self) -> PersonalAttributes<'_> {
        PersonalAttributes {
            username: self.username.as_str(),
            first_name: self.first_name.as_str(),
            last_name: self.last_name.as_str(),
            email: self.email.as_str(),
        }
    }

    fn into_user(self, id: UserId) -> User {
        let Self {
            username,
            email,
            first_name,
            last_name,
            is_active,
            is_staff,
            is_superuser,
            date_joined,
        } = self;
        User {
            id,
            username,
            email,
            first_name,
            last_name,
            is_active,
            is_staff,
            is_superuser,
            group_ids: BTreeSet::new(),
            permission_ids: BTreeSet::new(),
            date_joined,
            last_login: None,
            tokens_valid_after: None,
            sessions_valid_after: None,
            version: 1,
        }
    }
}

impl Store {
    /// The user with that id.
    pub async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.table.get(Entity::User(id).key()).await
    }

    /// Several users; those who do not exist are absent. In the order asked for.
    pub async fn users(&self, ids: &[UserId]) -> Result<Vec<User>, StoreError> {
        let mut found = self
            .table
            .batch_get(ids.iter().map(|id| Entity::User(*id).key()))
            .await?;
        ids.iter()
            .filter_map(|id| found.remove(&Entity::User(*id).key()))
            .map(from_item)
            .collect()
    }

    /// Whether a username and an email address belong to somebody else than `but`.
    pub async fn taken(
        &self,
        username: Option<&UserName>,
        email: Option<&EmailAddress>,
        but: Option<UserId>,
    ) -> Result<(bool, bool), StoreError> {
        let username = username.map(|name| Entity::UserName(name).key());
        let email = email
            .filter(|email| !email.is_empty())
            .map(|email| Entity::Email(email).key());
        let mut found = self
            .table
            .batch_get(username.iter().chain(&email).cloned())
            .await?;
        let mut taken = |key: Option<Key>| -> Result<bool, StoreError> {
            let marker: Option<Marker> = key
                .and_then(|key| found.remove(&key))
                .map(from_item)
                .transpose()?;
            Ok(marker.is_some_and(|marker| Some(marker.user_id) != but))
        };
        Ok((taken(username)?, taken(email)?))
    }

    /// An id for a new user. Ids that are not used leave gaps, which are fine.
    pub async fn next_user_id(&self) -> Result<UserId, StoreError> {
        self.table
            .next(Entity::Sequence(Sequence::User).key())
            .await
            .map(UserId)
    }

    /// Sees to it that a sequence gives no id up to `last`, which was given otherwise.
    pub async fn advance(&self, sequence: Sequence, last: u64) -> Result<(), StoreError> {
        let write = Write::raise(Entity::Sequence(sequence).key(), "value", last);
        match self.table.write(vec![write]).await {
            // It is past that already.
            Ok(()) | Err(WriteError::Refused(_)) => Ok(()),
            Err(WriteError::Failed(error)) => Err(error),
        }
    }

    /// Makes a user with his credential and markers: one transaction.
    ///
    /// # Errors
    /// Both uniqueness rules that are broken, together.
    pub async fn create_user(
        &self,
        id: UserId,
        new: NewUser,
        password: &PasswordHash,
        actor: Actor,
    ) -> Result<User, WriteError> {
        let user = new.into_user(id);
        let failed = WriteError::Failed;
        let credential = Credential {
            password: password.clone(),
        };
        let mut writes = vec![
            Write::create(user_item(&user).map_err(failed)?, Refusal::Exists),
            Write::create(
                to_item(&Entity::Credential(id).key(), &credential).map_err(failed)?,
                Refusal::Exists,
            ),
            username_marker(&user).map_err(failed)?,
        ];
        writes.extend(email_marker(&user).map_err(failed)?);
        if user.is_active_superuser() {
            writes.push(join_superusers(id));
        }
        writes.extend(flag_rows(&user).into_values().map(Write::put));
        let logged = self.log(&actor, user.logged(ActionFlag::Addition));
        writes.extend(logged.map_err(failed)?);
        self.table.write(writes).await?;
        Ok(user)
    }

    /// Changes a user; see the rules of optimistic locking.
    ///
    /// # Errors
    /// The user is gone; a uniqueness rule or the last superuser forbids it; `judge` or `change` refused.
    pub async fn update_user<E, J>(
        &self,
        known: User,
        actor: Actor,
        judge: impl Fn(User) -> J,
        change: impl Fn(&User) -> Result<User, E>,
    ) -> Result<User, ChangeError<E>>
    where
        J: Future<Output = Result<(), E>>,
    {
        let now = self.audit.clock.now();
        let change = |user: &User| {
            let mut changed = change(user)?;
            let had = user.is_active && user.is_staff;
            if had && !(changed.is_active && changed.is_staff) {
                changed.sessions_valid_after = Some(now + 1);
            }
            Ok(changed)
        };
        self.update(known, actor, judge, change).await
    }

    /// Deletes a user with everything that is his, if `judge` lets it.
    ///
    /// # Errors
    /// The user is gone; he is the last active superuser; `judge` refused.
    pub async fn delete_user<E, J>(
        &self,
        known: User,
        actor: Actor,
        judge: impl Fn(User) -> J,
    ) -> Result<(), ChangeError<E>>
    where
        J: Future<Output = Result<(), E>>,
    {
        self.delete(known, actor, judge).await
    }
}

impl Versioned for User {
    fn key(&self) -> Key {
        Entity::User(self.id).key()
    }

    fn version_mut(&mut self) -> &mut u64 {
        &mut self.version
    }

    fn change(before: &Self, after: &Self) -> Result<Writes, StoreError> {
        let id = before.id;
        let (old, new) = (user_item(before)?, user_item(after)?);
        let mut whole = vec![Write::change(before.key(), &old, &new, before.version)];
        if before.username != after.username {
            whole.push(username_marker(after)?);
            whole.push(forget_username(before));
        }
        // A marker that keeps its key is left alone: no item appears twice in a transaction.
        if before.email.lower() != after.email.lower() {
            whole.extend(email_marker(after)?);
            whole.extend(forget_email(before));
        }
        let (mut had, has) = (flag_rows(before), flag_rows(after));
        for (flag, row) in has {
            if had.remove(&flag).as_ref() != Some(&row) {
                whole.push(Write::put(row));
            }
        }
        let lost = had.into_keys();
        whole.extend(lost.map(|flag| Write::delete(Entity::Flagged(id, flag).key())));
        match (before.is_active_superuser(), after.is_active_superuser()) {
            (false, true) => whole.push(join_superusers(id)),
            (true, false) => whole.push(leave_superusers(id)),
            _ => {}
        }
        let joined = after.group_ids.difference(&before.group_ids);
        let left = before.group_ids.difference(&after.group_ids);
        let index = joined
            .map(|group| Write::put(membership(id, *group)))
            .chain(left.map(|group| forget_membership(id, *group)))
            .collect();
        Ok(Writes { whole, index })
    }

    fn deletion(&self) -> Writes {
        let mut whole = vec![
            Write::delete_if(self.key(), "version", number(self.version)),
            Write::delete(Entity::Credential(self.id).key()),
            forget_username(self),
        ];
        whole.extend(forget_email(self));
        let flags = flag_rows(self).into_keys();
        whole.extend(flags.map(|flag| Write::delete(Entity::Flagged(self.id, flag).key())));
        if self.is_active_superuser() {
            whole.push(leave_superusers(self.id));
        }
        let index = self
            .group_ids
            .iter()
            .map(|group| forget_membership(self.id, *group))
            .collect();
        Writes { whole, index }
    }

    fn object(&self) -> Object {
        Object {
            model: Model::User,
            id: self.id.0,
        }
    }

    fn repr(&self) -> String {
        self.username.as_str().to_owned()
    }

    fn changed_fields(before: &Self, after: &Self) -> Vec<&'static str> {
        let Self {
            id: _,
            username,
            email,
            first_name,
            last_name,
            is_active,
            is_staff,
            is_superuser,
            group_ids,
            permission_ids,
            date_joined,
            last_login,
            tokens_valid_after: _,
            sessions_valid_after: _,
            version: _,
        } = after;
        changed([
            ("Username", before.username != *username),
            ("First name", before.first_name != *first_name),
            ("Last name", before.last_name != *last_name),
            ("Email address", before.email != *email),
            ("Active", before.is_active != *is_active),
            ("Staff status", before.is_staff != *is_staff),
            ("Superuser status", before.is_superuser != *is_superuser),
            ("Groups", before.group_ids != *group_ids),
            ("User permissions", before.permission_ids != *permission_ids),
            ("Last login", before.last_login != *last_login),
            ("Date joined", before.date_joined != *date_joined),
        ])
    }
}

/// A user's items in the indexes of those who have a flag.
fn flag_rows(user: &User) -> BTreeMap<Flag, Item> {
    let flags = Flag::ALL.into_iter().filter(|flag| user.has(*flag));
    let row = |flag| {
        let item = table::attributes(&Entity::Flagged(user.id, flag).key());
        (flag, table::indexed(item, &keys::flagged_user(user, flag)))
    };
    flags.map(row).collect()
}

fn join_superusers(id: UserId) -> Write {
    Write::add_to_set(Entity::ActiveSuperusers.key(), "ids", id.0)
}

fn leave_superusers(id: UserId) -> Write {
    Write::take_from_set(
        Entity::ActiveSuperusers.key(),
        "ids",
        id.0,
        Refusal::LastSuperuser,
    )
}

/// A user's whole item: what a diff of two of them shows is what a change writes.
fn user_item(user: &User) -> Result<Item, StoreError> {
    let item = to_item(&Entity::User(user.id).key(), user)?;
    Ok(table::indexed(item, &keys::user_by_name(user)))
}

fn username_marker(user: &User) -> Result<Write, StoreError> {
    let item = to_item(
        &Entity::UserName(&user.username).key(),
        &Marker { user_id: user.id },
    )?;
    Ok(Write::create(item, Refusal::UserNameTaken))
}

fn forget_username(user: &User) -> Write {
    Write::delete_if(
        Entity::UserName(&user.username).key(),
        "user_id",
        number(user.id),
    )
}

/// An empty address has no marker.
fn email_marker(user: &User) -> Result<Option<Write>, StoreError> {
    if user.email.is_empty() {
        return Ok(None);
    }
    let item = to_item(
        &Entity::Email(&user.email).key(),
        &Marker { user_id: user.id },
    )?;
    let item = table::indexed(item, &keys::user_by_email(&user.email, user.id));
    Ok(Some(Write::create(item, Refusal::EmailTaken)))
}

fn forget_email(user: &User) -> Option<Write> {
    let key = (!user.email.is_empty()).then(|| Entity::Email(&user.email).key());
    key.map(|key| Write::delete_if(key, "user_id", number(user.id)))
}

fn membership(id: UserId, group: GroupId) -> Item {
    let item = table::attributes(&Entity::Membership(id, group).key());
    table::indexed(item, &keys::member(group, id))
}

fn forget_membership(id: UserId, group: GroupId) -> Write {
    Write::delete(Entity::Membership(id, group).key())
}
