//! Users, their markers and their memberships.

use super::{
    Refusal, Store, StoreError, WriteError,
    credentials::{credential, raise_epoch},
    items::{from_item, key_of, number},
    keys::{self, Entity, Key, Sequence},
    layout::Layout,
    marker::{self, taken},
    naming::{name_rows, rename},
    queries::Direction,
    user_rows::{
        flag_rows, join_superusers, leave, leave_superusers, membership, release_email,
        release_username, share_email, take_email, take_username, user_item,
    },
    versioned::{Versioned, changed},
    writes::Write,
};
use crate::{
    domain::{
        Actor, EmailAddress, GroupId, User, UserId, UserName,
        log_entry::{Model, Object},
    },
    hashing::PasswordHash,
    input::FieldErrors,
};

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

    /// The field errors of a username and an email address that belong to another user than `but`:
    /// one read.
    pub async fn names_taken(
        &self,
        username: Option<UserName>,
        email: Option<EmailAddress>,
        but: Option<UserId>,
    ) -> Result<FieldErrors, StoreError> {
        let email = email.filter(|email| !email.is_empty());
        let username = username.as_ref().map(Entity::UserName);
        let email = email.as_ref().map(Entity::Email);
        let wanted = username.iter().chain(&email).map(Entity::key);
        let found = self.table.batch_get(wanted).await?;
        let mut errors = FieldErrors::default();
        for (name, refusal) in [
            (username, Refusal::UserNameTaken),
            (email, Refusal::EmailTaken),
        ] {
            let Some(marker) = name.and_then(|name| found.get(&name.key())) else {
                continue;
            };
            let (owners, but) = (marker::owners(marker), but.map(|id| id.0));
            if !but.is_some_and(|id| owners.contains(&id)) {
                errors.extend(taken(owners.first().copied(), None, refusal));
            }
        }
        Ok(errors)
    }

    /// The users who have an address, without regard to case: one, or several who came from Django
    /// with it.
    pub async fn users_by_email(&self, email: &EmailAddress) -> Result<Vec<User>, StoreError> {
        let marker = self.table.get_item(Entity::Email(email).key()).await?;
        let ids = marker.map(|item| marker::owners(&item)).unwrap_or_default();
        let ids: Vec<UserId> = ids.into_iter().map(UserId).collect();
        self.users(&ids).await
    }

    /// The field error of a username that a user has without regard to case, as far as the index,
    /// which lags behind, knows.
    pub async fn username_taken_in_any_case(
        &self,
        username: &UserName,
    ) -> Result<FieldErrors, StoreError> {
        let prefix = format!("{}#", username.lower());
        let (index, any) = (keys::USERS_BY_NAME, Direction::Forward);
        let rows = self.table.index_rows(index, &prefix, None, any, 1).await?;
        let owner = rows
            .first()
            .and_then(|row| keys::indexed_user(&row.sort_key));
        Ok(taken(owner.map(|id| id.0), None, Refusal::UserNameTaken))
    }

    /// An id for a new object. Ids that are not used leave gaps, which are fine.
    pub async fn next_id(&self, sequence: Sequence) -> Result<u64, StoreError> {
        self.table.next(Entity::Sequence(sequence).key()).await
    }

    /// Makes sure that a sequence gives no id up to `last`, which was given otherwise.
    pub async fn advance(&self, sequence: Sequence, last: u64) -> Result<(), StoreError> {
        // A refusal says that the sequence is past that already.
        self.note(Write::raise(
            Entity::Sequence(sequence).key(),
            "value",
            last,
        ))
        .await
    }

    /// Puts a new user with their password hash, with more writes in the same transaction.
    ///
    /// # Errors
    /// Both uniqueness rules that are broken, together.
    pub async fn insert_user(
        &self,
        user: User,
        password: &PasswordHash,
        mut more: Vec<Write>,
        actor: Actor<'_>,
    ) -> Result<User, WriteError> {
        let layout = self.layout().await?;
        let credential = credential(user.id, password, user.epoch, layout)?;
        more.push(Write::create(credential, Refusal::Exists));
        self.insert(user, more, actor).await
    }
}

impl Versioned for User {
    fn key(&self) -> Key {
        Entity::User(self.id).key()
    }

    fn version_mut(&mut self) -> &mut u64 {
        &mut self.version
    }

    fn creation(&self, layout: Layout) -> Result<Vec<Write>, StoreError> {
        let mut writes = vec![
            Write::create(user_item(self)?, Refusal::Exists),
            take_username(self),
        ];
        writes.extend(take_email(self));
        if self.is_active_superuser() {
            writes.push(join_superusers(self.id));
        }
        writes.extend(flag_rows(self).into_values().map(Write::put));
        if layout >= Layout::NAMED {
            writes.extend(name_rows(self).map(Write::put));
        }
        let memberships = self.group_ids.iter();
        writes.extend(memberships.map(|group| Write::put(membership(self.id, *group))));
        Ok(writes)
    }

    fn change(before: &Self, after: &Self, layout: Layout) -> Result<Vec<Write>, StoreError> {
        let id = before.id;
        let (old, new) = (user_item(before)?, user_item(after)?);
        let mut writes = vec![Write::change(before.key(), &old, &new, before.version)];
        if before.username != after.username {
            writes.push(take_username(after));
            writes.push(release_username(before));
        }
        // A marker that keeps its key is left alone: no item appears twice in a transaction.
        if before.email.lower() != after.email.lower() {
            writes.extend(take_email(after));
            writes.extend(release_email(before));
        } else if !before.shares_email && after.shares_email {
            writes.extend(share_email(after));
        }
        let (mut had, has) = (flag_rows(before), flag_rows(after));
        for (flag, row) in has {
            if had.remove(&flag).as_ref() != Some(&row) {
                writes.push(Write::put(row));
            }
        }
        if layout >= Layout::NAMED {
            writes.extend(rename(before, after));
        }
        let lost = had.into_keys();
        writes.extend(lost.map(|flag| Write::delete(Entity::Flagged(id, flag).key())));
        if before.epoch != after.epoch {
            writes.push(raise_epoch(id, after.epoch, layout));
        }
        match (before.is_active_superuser(), after.is_active_superuser()) {
            (false, true) => writes.push(join_superusers(id)),
            (true, false) => writes.push(leave_superusers(id)),
            _ => {}
        }
        let joined = after.group_ids.difference(&before.group_ids);
        let left = before.group_ids.difference(&after.group_ids);
        writes.extend(joined.map(|group| Write::put(membership(id, *group))));
        writes.extend(left.map(|group| leave(id, *group)));
        Ok(writes)
    }

    fn deletion(&self, _: Layout) -> Vec<Write> {
        let mut writes = vec![
            Write::delete_if(self.key(), "version", number(self.version)),
            Write::delete(Entity::Credential(self.id).key()),
            Write::delete(Entity::CredentialBesideProfile(self.id).key()),
            release_username(self),
        ];
        writes.extend(release_email(self));
        let flags = flag_rows(self).into_keys();
        writes.extend(flags.map(|flag| Write::delete(Entity::Flagged(self.id, flag).key())));
        // Where the layout is older there may be none, or one that a migration has made.
        let rows = name_rows(self).filter_map(|row| key_of(&row));
        writes.extend(rows.map(Write::delete));
        if self.is_active_superuser() {
            writes.push(leave_superusers(self.id));
        }
        let memberships = self.group_ids.iter();
        writes.extend(memberships.map(|group| leave(self.id, *group)));
        writes
    }

    /// Groups are left before others are joined, so that no step gives more than either state does.
    fn short_of(before: &Self, after: &Self, items: usize) -> Option<Self> {
        let left = before.group_ids.difference(&after.group_ids);
        let joined = after.group_ids.difference(&before.group_ids);
        let changes: Vec<GroupId> = left.chain(joined).copied().collect();
        let done = changes.len().checked_sub(items)?;
        let mut next = after.clone();
        for id in &changes[done..] {
            // What has not changed yet is as it was.
            if !next.group_ids.remove(id) {
                next.group_ids.insert(*id);
            }
        }
        Some(next)
    }

    fn bare(&self) -> Self {
        let mut bare = self.clone();
        bare.group_ids.clear();
        bare.is_superuser = false;
        bare
    }

    fn object(&self) -> Object {
        Self::object_of(self.id)
    }

    fn repr(&self) -> String {
        self.username.as_str().to_owned()
    }

    fn decides(&self) -> bool {
        self.is_staff || self.is_superuser
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
            date_joined_micros,
            last_login_micros,
            shares_email: _,
            awaits_activation: _,
            pending_email,
            from_django: _,
            extra,
            epoch,
            staff_epoch: _,
            tokens_valid_after: _,
            version: _,
        } = after;
        changed([
            ("Username", before.username != *username),
            ("First name", before.first_name != *first_name),
            ("Last name", before.last_name != *last_name),
            ("Email address", before.email != *email),
            (
                "New email address",
                before.pending_email != *pending_email && pending_email.is_some(),
            ),
            ("Active", before.is_active != *is_active),
            ("Staff status", before.is_staff != *is_staff),
            ("Superuser status", before.is_superuser != *is_superuser),
            ("Groups", before.group_ids != *group_ids),
            ("User permissions", before.permission_ids != *permission_ids),
            (
                "Last login",
                (before.last_login, before.last_login_micros) != (*last_login, *last_login_micros),
            ),
            (
                "Date joined",
                (before.date_joined, before.date_joined_micros)
                    != (*date_joined, *date_joined_micros),
            ),
            ("Extra", before.extra != *extra),
            // A deactivation ends them by itself.
            (
                "Sessions",
                before.epoch != *epoch && before.is_active == *is_active,
            ),
        ])
    }
}

impl User {
    /// What the log of changes names a user by.
    pub(super) fn object_of(id: UserId) -> Object {
        Object {
            model: Model::User,
            id: id.0,
        }
    }
}
