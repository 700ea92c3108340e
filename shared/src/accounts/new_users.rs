//! New users: made by others, by themselves, or invited.

use super::{Refused, changes::judge, mails::owed, sessions::Client};
use crate::{
    domain::{Actor, NewUser, User, UserId},
    hashing::{Hasher, Password, PasswordHash},
    mail::Kind,
    store::{Store, StoreError, keys::Sequence, writes::Write},
};

/// Makes a user. The id is taken while the password is hashed.
///
/// # Errors
/// Names are taken, the actor may not do it, or the table's failure.
pub async fn create(
    store: &Store,
    hasher: &Hasher,
    actor: Actor<'_>,
    new: NewUser,
    password: &Password,
) -> Result<User, Refused> {
    create_with(store, hasher, actor, new, password, |_| Ok(None)).await
}

/// Makes the account of somebody who registers. With `SEND_ACTIVATION_EMAIL` it is not active before
/// the link of a mail was opened.
///
/// # Errors
/// Names are taken, or the table's failure.
pub async fn register(
    store: &Store,
    hasher: &Hasher,
    mut new: NewUser,
    password: &Password,
    client: &Client,
) -> Result<User, Refused> {
    let kind = match store.mails().activation {
        true => Kind::Activation,
        false => Kind::Confirmation,
    };
    new.awaits_activation = kind == Kind::Activation;
    new.is_active = !new.awaits_activation;
    let mail = |user: &User| owed(store, kind, user, &user.email, client);
    create_with(store, hasher, Actor::Registration, new, password, mail).await
}

/// Makes an account whose password nobody can have.
///
/// # Errors
/// As [`create`].
pub async fn create_without_password(
    store: &Store,
    actor: Actor<'_>,
    new: NewUser,
) -> Result<User, Refused> {
    without_password(store, actor, new, |_| Ok(None)).await
}

/// Makes an account without a password, and sends its address a link to set one.
///
/// # Errors
/// As [`create`].
pub async fn invite(store: &Store, actor: Actor<'_>, new: NewUser) -> Result<User, Refused> {
    let nobody = Client::default();
    let mail = |user: &User| owed(store, Kind::Invitation, user, &user.email, &nobody);
    without_password(store, actor, new, mail).await
}

async fn without_password(
    store: &Store,
    actor: Actor<'_>,
    new: NewUser,
    mail: impl Fn(&User) -> Result<Option<Write>, StoreError>,
) -> Result<User, Refused> {
    store.begin_if_new().await?;
    let mut user = new.into_user(UserId(0));
    judge(store, actor, None, Some(&user)).await?;
    user.id = UserId(store.next_id(Sequence::User).await?);
    let (more, hash) = (mail(&user)?.into_iter().collect(), PasswordHash::unusable());
    Ok(store.insert_user(user, &hash, more, actor).await?)
}

async fn create_with(
    store: &Store,
    hasher: &Hasher,
    actor: Actor<'_>,
    new: NewUser,
    password: &Password,
    mail: impl Fn(&User) -> Result<Option<Write>, StoreError>,
) -> Result<User, Refused> {
    // The first user of a table may be the first to come at all.
    store.begin_if_new().await?;
    let mut user = new.into_user(UserId(0));
    judge(store, actor, None, Some(&user)).await?;
    let (id, hash) = tokio::join!(store.next_id(Sequence::User), hasher.hash(password));
    user.id = UserId(id?);
    let more = mail(&user)?.into_iter().collect();
    Ok(store.insert_user(user, &hash, more, actor).await?)
}
