//! Users, groups and permissions, made in the table itself. All that the tests ask of the code that
//! makes and changes accounts is asked here.

use std::{
    collections::BTreeSet,
    convert::Infallible,
    future::{Future, IntoFuture},
    pin::Pin,
    sync::atomic::Ordering,
};

use shared::{
    domain::{
        ContentType, EmailAddress, Group, GroupId, Permission, PermissionId, PersonName, User,
        UserId,
    },
    hashing::{Hasher, Password, PasswordHash},
    store::{Actor, Store, nothing_forbids, users::NewUser},
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
        let user = User {
            id: UserId(0),
            username: parsed(username),
            email: EmailAddress::default(),
            first_name: PersonName::default(),
            last_name: PersonName::default(),
            is_active: true,
            is_staff: false,
            is_superuser: false,
            group_ids: BTreeSet::new(),
            permission_ids: BTreeSet::new(),
            date_joined: now,
            last_login: None,
            tokens_valid_after: None,
            sessions_valid_after: None,
            version: 1,
        };
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
        let (store, user) = (self.store, self.user);
        let usual = || parsed(&format!("{}@example.com", user.username.as_str()));
        let new = NewUser {
            email: self.email.unwrap_or_else(usual),
            username: user.username,
            first_name: user.first_name,
            last_name: user.last_name,
            is_active: user.is_active,
            is_staff: user.is_staff,
            is_superuser: user.is_superuser,
            date_joined: user.date_joined,
        };
        let id = match self.id {
            Some(id) => id,
            None => store.next_user_id().await.expect("an id"),
        };
        let hash = match self.hash {
            Some(hash) => hash,
            None => usual_hash().await,
        };
        let made = store.create_user(id, new, &hash, Actor::Command).await;
        let made = made.expect("a user");
        let mut held = user.permission_ids;
        held.extend(ids(&store, &self.labels).await);
        if held.is_empty() && user.group_ids.is_empty() {
            return made;
        }
        let join = |made: &mut User| {
            made.permission_ids.clone_from(&held);
            made.group_ids.clone_from(&user.group_ids);
        };
        change(&store, &made, join).await
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
    let hash = HASH.get_or_init(async || hash(PASSWORD).await);
    hash.await.clone()
}

async fn hash(password: &str) -> PasswordHash {
    let password = Password::new(password.to_owned());
    Hasher::default().hash(&password).await
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

async fn change(store: &Store, user: &User, change: impl Fn(&mut User)) -> User {
    let change = |user: &User| {
        let mut user = user.clone();
        change(&mut user);
        Ok::<_, Infallible>(user)
    };
    let changed = store.update_user(user.clone(), Actor::Command, nothing_forbids, change);
    changed.await.expect("a changed user")
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
        let made = self
            .table
            .create_group_with(parsed(name), ids, Actor::Command);
        made.await.expect("a group")
    }

    /// Makes a permission for users; its label is `auth.<codename>`.
    pub async fn permission(&self, codename: &str, name: &str) -> Permission {
        let user = ContentType::parse("auth.user").expect("a content type");
        let made =
            self.table
                .create_permission(parsed(name), parsed(codename), user, Actor::Command);
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

    /// Changes a user.
    pub async fn change(&self, user: &User, with: impl Fn(&mut User)) -> User {
        change(&self.table, user, with).await
    }

    /// Makes a user a member of exactly these groups.
    pub async fn join(&self, user: &User, ids: impl IntoIterator<Item = GroupId>) -> User {
        let ids: BTreeSet<GroupId> = ids.into_iter().collect();
        self.change(user, |user| user.group_ids.clone_from(&ids))
            .await
    }

    /// Gives a user another password.
    pub async fn set_password(&self, user: &User, password: &str) {
        self.set_hash(user, hash(password).await.expose()).await;
    }

    /// Gives a user the encoding of another password.
    pub async fn set_hash(&self, user: &User, encoded: &str) {
        let (hash, now) = (PasswordHash::new(encoded.to_owned()), self.app.clock.now());
        let changed = self
            .table
            .set_password(user, false, &hash, now, Actor::Command);
        changed.await.expect("a new password");
    }

    /// Deletes a user, whatever has been changed since.
    pub async fn remove(&self, user: &User) {
        let user = self.read(user.id).await;
        let gone = self
            .table
            .delete_user::<Infallible, _>(user, Actor::Command, nothing_forbids);
        gone.await.expect("one user less");
    }

    /// A user as the table holds them.
    pub async fn read(&self, id: UserId) -> User {
        let user = self.table.user(id).await.expect("a read");
        user.expect("a user")
    }
}
