//! Users, groups and permissions, made in the table itself. All that the tests ask of the code that
//! makes and changes accounts is asked here.

use std::{
    collections::BTreeSet,
    future::{Future, IntoFuture},
    pin::Pin,
    sync::atomic::Ordering,
};

use shared::{
    accounts::{groups, permissions, users},
    domain::{
        Actor, ContentType, EmailAddress, Group, GroupId, NewUser, Permission, PermissionId,
        SetChange, User, UserChange, UserId,
    },
    hashing::{Hasher, Password, PasswordHash},
    mail::links::Subject,
    store::{
        Ends, Expected, PasswordChange, Store,
        items::{indexed, to_item},
        keys::{self, Entity, Sequence},
        writes::Write,
    },
};
use tokio::sync::OnceCell;

use crate::{PASSWORD, Server, parsed};

/// A user about to be made: `server.user("ann").staff().await`.
#[must_use]
pub struct NewAccount {
    store: Store,
    user: User,
    email: Option<EmailAddress>,
    id: Option<UserId>,
    hash: Option<PasswordHash>,
    labels: Vec<String>,
}

impl NewAccount {
    /// An active user with the usual password and an address at `example.com`.
    pub fn new(store: &Store, now: i64, username: &str) -> Self {
        let user = NewUser::named(parsed(username), now).into_user(UserId(0));
        Self {
            store: store.clone(),
            user,
            email: None,
            id: None,
            hash: None,
            labels: Vec::new(),
        }
    }

    /// Changes anything of the user.
    pub fn with(mut self, change: impl FnOnce(&mut User)) -> Self {
        change(&mut self.user);
        self
    }

    /// A member of the staff.
    pub fn staff(self) -> Self {
        self.with(|user| user.is_staff = true)
    }

    /// A superuser.
    pub fn superuser(self) -> Self {
        self.with(|user| user.is_superuser = true)
    }

    /// Deactivated.
    pub fn inactive(self) -> Self {
        self.with(|user| user.is_active = false)
    }

    /// Another address, or none.
    pub fn email(mut self, email: &str) -> Self {
        self.email = Some(match email {
            "" => EmailAddress::default(),
            email => parsed(email),
        });
        self
    }

    /// A holder of these permissions.
    pub fn holds(mut self, labels: &[&str]) -> Self {
        self.labels.extend(labels.iter().map(|&one| one.to_owned()));
        self
    }

    /// A member of these groups.
    pub fn joins<'a>(self, groups: impl IntoIterator<Item = &'a Group>) -> Self {
        let ids = groups.into_iter().map(|group| group.id);
        self.with(|user| user.group_ids.extend(ids))
    }

    /// With that id, which the sequence does not know of.
    pub fn id(mut self, id: u64) -> Self {
        self.id = Some(UserId(id));
        self
    }

    /// With the encoding of another password.
    pub fn hash(mut self, encoded: &str) -> Self {
        self.hash = Some(PasswordHash::new(encoded.to_owned()));
        self
    }

    async fn make(self) -> User {
        let (store, mut user) = (self.store, self.user);
        let usual = || parsed(&format!("{}@example.com", user.username.as_str()));
        user.email = self.email.unwrap_or_else(usual);
        user.permission_ids.extend(ids(&store, &self.labels).await);
        user.id = match self.id {
            Some(id) => id,
            None => UserId(store.next_id(Sequence::User).await.expect("an id")),
        };
        let hash = match self.hash {
            Some(hash) => hash,
            None => usual_hash().await,
        };
        let made = store
            .insert_user(user, &hash, Vec::new(), Actor::Setup)
            .await;
        made.expect("a user")
    }
}

impl IntoFuture for NewAccount {
    type Output = User;
    type IntoFuture = Pin<Box<dyn Future<Output = User> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.make())
    }
}

/// The hash of [`PASSWORD`], made once, so that no test waits for it.
async fn usual_hash() -> PasswordHash {
    static HASH: OnceCell<PasswordHash> = OnceCell::const_new();
    let hash = async || Hasher::default().hash(&password(PASSWORD)).await;
    HASH.get_or_init(hash).await.clone()
}

fn password(text: &str) -> Password {
    Password::new(text.to_owned())
}

async fn ids<S: AsRef<str>>(store: &Store, labels: &[S]) -> BTreeSet<PermissionId> {
    if labels.is_empty() {
        return BTreeSet::new();
    }
    let all = store.permissions().await.expect("the permissions");
    let id = |label: &S| {
        let found = all.iter().find(|one| one.label() == label.as_ref());
        found.unwrap_or_else(|| panic!("no {}", label.as_ref())).id
    };
    labels.iter().map(id).collect()
}

impl Server {
    /// A user of that name, about to be made.
    pub fn user(&self, username: &str) -> NewAccount {
        NewAccount::new(&self.table, self.app.clock.now(), username)
    }

    /// A member of the staff who holds these permissions, about to be made.
    pub fn staff(&self, username: &str, labels: &[&str]) -> NewAccount {
        self.user(username).staff().holds(labels)
    }

    /// A user of some name, about to be made.
    pub fn anybody(&self) -> NewAccount {
        self.user(&self.name())
    }

    /// A name that nothing has.
    pub fn name(&self) -> String {
        format!("name{}", self.names.fetch_add(1, Ordering::SeqCst))
    }

    /// Makes a group that gives these permissions.
    pub async fn group(&self, name: &str, labels: &[&str]) -> Group {
        let ids = self.ids(labels).await;
        let made = groups::create(&self.table, Actor::Setup, parsed(name), ids);
        made.await.expect("a group")
    }

    /// Makes a permission for users; its label is `auth.<codename>`.
    pub async fn permission(&self, codename: &str, name: &str) -> Permission {
        let (name, codename) = (parsed(name), parsed(codename));
        let user = ContentType::parse("auth.user").expect("a content type");
        let made = permissions::create(&self.table, Actor::Setup, name, codename, user);
        made.await.expect("a permission")
    }

    /// The labels of all permissions.
    pub async fn labels(&self) -> Vec<String> {
        let all = self.table.permissions().await.expect("the permissions");
        all.iter().map(Permission::label).collect()
    }

    /// The id of a permission.
    pub async fn id(&self, label: &str) -> PermissionId {
        let mut ids = self.ids(&[label]).await;
        ids.pop_first().expect("an id")
    }

    /// The ids of permissions.
    pub async fn ids(&self, labels: &[&str]) -> BTreeSet<PermissionId> {
        ids(&self.table, labels).await
    }

    /// Changes a user's flags, groups and permissions.
    pub async fn change(&self, user: &User, change: impl Fn(&mut User)) -> User {
        let before = self.read(user.id).await;
        let mut after = before.clone();
        change(&mut after);
        let change = UserChange {
            is_active: Some(after.is_active),
            is_staff: Some(after.is_staff),
            is_superuser: Some(after.is_superuser),
            groups: Some(SetChange::Replace(after.group_ids)),
            permissions: Some(SetChange::Replace(after.permission_ids)),
            ..UserChange::default()
        };
        let changed = users::change(&self.table, Actor::Setup, before, &change);
        changed.await.expect("a changed user")
    }

    /// Puts users into the table that its lists show, with ids from 1001 on. All else of them, such as
    /// their passwords, is left out, so that there can be many.
    pub async fn put_users(
        &self,
        names: impl IntoIterator<Item = String>,
        change: impl Fn(&mut User),
    ) -> Vec<User> {
        let now = self.app.clock.now();
        let user = |(id, name): (u64, String)| {
            let mut user = NewUser::named(parsed(&name), now).into_user(UserId(id));
            change(&mut user);
            user
        };
        let users: Vec<User> = (1001..).zip(names).map(user).collect();
        for users in users.chunks(100) {
            let put = |user: &User| {
                let item = to_item(&Entity::User(user.id).key(), user).expect("an item");
                Write::put(indexed(item, &keys::user_by_name(user)))
            };
            let written = self.table.table().write(users.iter().map(put).collect());
            written.await.expect("a write");
        }
        users
    }

    /// Makes a user a member of exactly these groups.
    pub async fn join(&self, user: &User, ids: impl IntoIterator<Item = GroupId>) -> User {
        let ids: BTreeSet<GroupId> = ids.into_iter().collect();
        self.change(user, |user| user.group_ids.clone_from(&ids))
            .await
    }

    /// Gives a user another password; the user as they are then.
    pub async fn set_password(&self, user: &User, text: &str) -> User {
        let (hasher, password) = (&self.app.hasher, password(text));
        let changed = users::set_password(&self.table, hasher, Actor::Setup, user, &password);
        changed.await.expect("a new password")
    }

    /// Gives a user the encoding of another password.
    pub async fn set_hash(&self, user: &User, encoded: &str) {
        let hash = PasswordHash::new(encoded.to_owned());
        let (store, user) = (&self.table, self.read(user.id).await);
        let change = PasswordChange {
            hash: &hash,
            ends: Ends::All,
            last_login: None,
            more: Vec::new(),
        };
        let changed = store.set_password(&user, Expected::SameEpoch, change, Actor::Setup);
        changed.await.expect("a new password");
    }

    /// Deletes a user, whatever has been changed since.
    pub async fn remove(&self, user: &User) {
        let user = self.read(user.id).await;
        let gone = users::delete(&self.table, Actor::Setup, user);
        gone.await.expect("one user less");
    }

    /// The token of a link to a user, or to the address that waits to be theirs.
    pub async fn link_token(&self, id: UserId, pending: Option<&str>) -> String {
        let found = self.table.user_and_hash(id).await.expect("an answer");
        let (user, hash) = found.expect("a user");
        let mut subject = Subject::of(&user, hash.as_ref());
        if let Some(email) = pending {
            subject.email = email;
        }
        let now = self.app.clock.now();
        self.app.keys.link_token(subject, now).await
    }

    /// A user as the table holds them.
    pub async fn read(&self, id: UserId) -> User {
        let user = self.table.user(id).await.expect("a read");
        user.expect("a user")
    }
}
