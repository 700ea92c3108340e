//! The items of a user beside their profile: markers, memberships and rows of indexes. The profile is the
//! truth.

use std::collections::BTreeMap;

use super::{
    Refusal, StoreError,
    items::{Item, attributes, indexed, number, number_set, to_item},
    keys::{self, Entity},
    marker::{self, OWNERS, release, take},
    writes::{Condition, Write},
};
use crate::domain::{Flag, GroupId, User, UserId};

/// A user's items in the indexes of those who have a flag.
pub(super) fn flag_rows(user: &User) -> BTreeMap<Flag, Item> {
    let flags = Flag::ALL.into_iter().filter(|flag| user.has(*flag));
    flags.map(|flag| (flag, flag_row(user, flag))).collect()
}

/// A user's item in the index of those who have a flag.
pub fn flag_row(user: &User, flag: Flag) -> Item {
    let item = attributes(&Entity::Flagged(user.id, flag).key());
    indexed(item, &keys::flagged_user(user, flag))
}

pub(super) fn join_superusers(id: UserId) -> Write {
    Write::add_to_set(Entity::ActiveSuperusers.key(), "ids", id.0)
}

pub(super) fn leave_superusers(id: UserId) -> Write {
    Write::take_from_set(
        Entity::ActiveSuperusers.key(),
        "ids",
        id.0,
        Refusal::LastSuperuser,
    )
}

/// A user's whole item: what a diff of two of them shows is what a change writes.
pub(super) fn user_item(user: &User) -> Result<Item, StoreError> {
    let item = to_item(&Entity::User(user.id).key(), user)?;
    Ok(indexed(item, &keys::user_by_name(user)))
}

pub(super) fn take_username(user: &User) -> Write {
    let name = Entity::UserName(&user.username);
    take(&name, user.id.0, Refusal::UserNameTaken)
}

pub(super) fn release_username(user: &User) -> Write {
    release(&Entity::UserName(&user.username), user.id.0)
}

/// An empty address has no marker.
pub(super) fn take_email(user: &User) -> Vec<Write> {
    if user.email.is_empty() {
        return Vec::new();
    }
    let marker = Entity::Email(&user.email);
    if user.shares_email {
        let mut join = Write::add_to_set(marker.key(), OWNERS, user.id.0);
        (join.condition, join.refusal) = (Condition::Lacks("user_id"), Refusal::EmailTaken);
        return vec![join, Write::put(shared_email(user))];
    }
    let item = indexed(
        marker::item(&marker, user.id.0),
        &keys::user_by_email(&user.email, user.id),
    );
    let mut take = Write::create(item, Refusal::EmailTaken);
    // The last of several who shared it may have left it empty.
    take.condition = Condition::LacksBoth("user_id", OWNERS);
    vec![take]
}

pub(super) fn release_email(user: &User) -> Vec<Write> {
    let email = Entity::Email(&user.email);
    if user.email.is_empty() {
        Vec::new()
    } else if user.shares_email {
        let mut leave = Write::take_from_set(email.key(), OWNERS, user.id.0, Refusal::Stale);
        leave.condition = Condition::None;
        vec![leave, Write::delete(Entity::SharedEmail(user.id).key())]
    } else {
        vec![release(&email, user.id.0)]
    }
}

/// Makes the marker of a user's own address one of several owners.
pub(super) fn share_email(user: &User) -> Vec<Write> {
    let mut item = attributes(&Entity::Email(&user.email).key());
    item.insert(OWNERS.to_owned(), number_set(user.id.0));
    let mut opened = Write::put(item);
    opened.condition = Condition::Equals("user_id", number(user.id.0));
    vec![opened, Write::put(shared_email(user))]
}

/// A row of the index of addresses for each who shares one: the marker has none.
pub fn shared_email(user: &User) -> Item {
    let item = attributes(&Entity::SharedEmail(user.id).key());
    indexed(item, &keys::user_by_email(&user.email, user.id))
}

/// A user's item in the index of a group's members.
pub fn membership(id: UserId, group: GroupId) -> Item {
    let item = attributes(&Entity::Membership(id, group).key());
    indexed(item, &keys::member(group, id))
}

pub(super) fn leave(id: UserId, group: GroupId) -> Write {
    Write::delete(Entity::Membership(id, group).key())
}
