//! Conditional writes and what their refusal means.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;

use super::{
    StoreError,
    items::{Item, difference, key_of, number, number_set},
    keys::Key,
};
use crate::{
    domain::{FieldError, Unique},
    input::NON_FIELD_ERRORS,
};

/// The rule that a write's condition stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The item was changed or deleted since it was read.
    Stale,
    /// The username belongs to another user.
    UserNameTaken,
    /// The email address belongs to another user.
    EmailTaken,
    /// The group's name belongs to another group.
    GroupNameTaken,
    /// The codename exists for that content type.
    CodenameTaken,
    /// No active superuser would remain.
    LastSuperuser,
    /// The item exists already.
    Exists,
    /// Who changes something is no longer what they were when it was judged.
    ActorChanged,
    /// The session that was to go on has ended.
    SessionEnded,
    /// Beside another: an earlier step of the same change is done.
    Begun,
}

impl Refusal {
    /// The field and the error of a broken rule of uniqueness.
    pub fn field_error(self) -> Option<(&'static str, FieldError)> {
        let (field, unique) = match self {
            Self::UserNameTaken => ("username", Unique::Username),
            Self::EmailTaken => ("email", Unique::Email),
            Self::GroupNameTaken => ("name", Unique::GroupName),
            Self::CodenameTaken => (NON_FIELD_ERRORS, Unique::Codename),
            Self::Stale
            | Self::LastSuperuser
            | Self::Exists
            | Self::ActorChanged
            | Self::SessionEnded
            | Self::Begun => return None,
        };
        Some((field, FieldError::Taken(unique)))
    }
}

/// Why a write did not happen.
#[derive(Debug)]
pub enum WriteError {
    /// Conditions failed, in the order of the writes; nothing was written.
    Refused(Vec<Refusal>),
    /// Other writes of the same items got in the way of each try.
    Contended,
    /// The table did not answer.
    Failed(StoreError),
}

impl WriteError {
    /// The same after an earlier step of the change is done, so that nobody is told that nothing is.
    pub(super) fn of_begun(self) -> Self {
        match self {
            Self::Contended => begun().into(),
            Self::Refused(mut refusals) => {
                refusals.push(Refusal::Begun);
                Self::Refused(refusals)
            }
            failed @ Self::Failed(_) => failed,
        }
    }
}

/// The failure of a change that has begun and that other writes kept from its end: asked for again, it
/// goes on.
pub(crate) fn begun() -> StoreError {
    StoreError::new(
        "TransactWriteItems",
        "other writes got in the way of its later steps",
    )
}

impl From<StoreError> for WriteError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

/// What must be true of the item for a write to happen.
#[derive(Clone, Debug)]
pub enum Condition {
    /// Nothing.
    None,
    /// The item does not exist.
    Absent,
    /// The item exists.
    Exists,
    /// The item exists without the attribute.
    ExistsWithout(&'static str),
    /// The attribute has this value.
    Equals(&'static str, AttributeValue),
    /// The attributes have these values.
    AllEqual(Vec<(&'static str, AttributeValue)>),
    /// The attribute is absent, or the whole item.
    Lacks(&'static str),
    /// Neither attribute is there, or not even the item.
    LacksBoth(&'static str, &'static str),
    /// The item exists, without the attribute or with this value of it.
    EqualsOrAbsent(&'static str, AttributeValue),
    /// The set has more than one member.
    OthersIn(&'static str),
    /// The number is smaller, or absent, or the whole item.
    Below(&'static str, AttributeValue),
    /// The number is there and smaller.
    Less(&'static str, AttributeValue),
}

/// What a write does.
#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "a request makes a handful, and drops them at once"
)]
pub enum Action {
    /// Puts a whole item; only for items that are new, or that no other code adds to.
    Put(Item),
    /// Changes named attributes.
    Update {
        /// The item.
        key: Key,
        /// Attributes that get a value.
        set: Item,
        /// Attributes that go.
        remove: BTreeSet<String>,
        /// A set and the members that it gets, or a number and what it grows by.
        add_to: Option<(&'static str, AttributeValue)>,
        /// A set, and the members that it loses.
        take_from: Option<(&'static str, AttributeValue)>,
    },
    /// Deletes an item.
    Delete(Key),
    /// Nothing: in a transaction, for the condition alone.
    Check(Key),
}

/// One conditional write.
#[derive(Clone, Debug)]
pub struct Write {
    /// What it does.
    pub action: Action,
    /// On what condition.
    pub condition: Condition,
    /// What a failed condition means.
    pub refusal: Refusal,
}

impl Write {
    /// Puts an item that must not exist yet.
    pub fn create(item: Item, refusal: Refusal) -> Self {
        Self {
            action: Action::Put(item),
            condition: Condition::Absent,
            refusal,
        }
    }

    /// Puts an item, in place of one that may exist.
    pub fn put(item: Item) -> Self {
        Self {
            action: Action::Put(item),
            condition: Condition::None,
            refusal: Refusal::Stale,
        }
    }

    /// Changes what differs between two states of an item, of which the first has `version`.
    pub fn change(key: Key, before: &Item, after: &Item, version: u64) -> Self {
        let (mut set, remove) = difference(before, after);
        set.insert("version".to_owned(), number(version + 1));
        Self {
            action: Action::Update {
                key,
                set,
                remove,
                add_to: None,
                take_from: None,
            },
            condition: Condition::Equals("version", number(version)),
            refusal: Refusal::Stale,
        }
    }

    /// Sets attributes of an item that exists, whatever its version.
    pub fn set(key: Key, set: Item) -> Self {
        let action = Action::Update {
            key,
            set,
            remove: BTreeSet::new(),
            add_to: None,
            take_from: None,
        };
        Self {
            action,
            condition: Condition::Exists,
            refusal: Refusal::Stale,
        }
    }

    /// Removes an attribute of an item that exists.
    pub fn remove(key: Key, name: &str) -> Self {
        let mut write = Self::set(key, Item::new());
        if let Action::Update { remove, .. } = &mut write.action {
            remove.insert(name.to_owned());
        }
        write
    }

    /// Raises a number, which may be absent.
    pub fn raise(key: Key, name: &'static str, value: u64) -> Self {
        let mut write = Self::set(key, Item::from([(name.to_owned(), number(value))]));
        write.condition = Condition::Below(name, number(value));
        write
    }

    /// Sets attributes of an item that exists, and counts that as a change of it.
    pub fn touch(key: Key, set: Item) -> Self {
        let mut write = Self::set(key, set);
        if let Action::Update { add_to, .. } = &mut write.action {
            *add_to = Some(("version", number(1)));
        }
        write
    }

    /// Adds to a number, which may be absent.
    pub fn add_to(key: Key, name: &'static str, value: u64) -> Self {
        let mut write = Self::set(key, Item::new());
        if let Action::Update { add_to, .. } = &mut write.action {
            *add_to = Some((name, number(value)));
        }
        write
    }

    /// An update that sets one more attribute.
    #[must_use]
    pub fn setting(mut self, name: &str, value: AttributeValue) -> Self {
        if let Action::Update { set, .. } = &mut self.action {
            set.insert(name.to_owned(), value);
        }
        self
    }

    /// Adds a number to a set, which may be absent.
    pub fn add_to_set(key: Key, set: &'static str, value: u64) -> Self {
        let action = Action::Update {
            key,
            set: Item::new(),
            remove: BTreeSet::new(),
            add_to: Some((set, number_set(value))),
            take_from: None,
        };
        Self {
            action,
            condition: Condition::None,
            refusal: Refusal::Stale,
        }
    }

    /// Takes a number from a set that must keep another.
    pub fn take_from_set(key: Key, set: &'static str, value: u64, refusal: Refusal) -> Self {
        let action = Action::Update {
            key,
            set: Item::new(),
            remove: BTreeSet::new(),
            add_to: None,
            take_from: Some((set, number_set(value))),
        };
        Self {
            action,
            condition: Condition::OthersIn(set),
            refusal,
        }
    }

    /// Deletes an item whose attribute still has this value.
    pub fn delete_if(key: Key, attribute: &'static str, value: AttributeValue) -> Self {
        Self {
            action: Action::Delete(key),
            condition: Condition::Equals(attribute, value),
            refusal: Refusal::Stale,
        }
    }

    /// Writes nothing, but for the rest of a transaction attributes of an item must have these values.
    pub fn check(key: Key, values: Vec<(&'static str, AttributeValue)>, refusal: Refusal) -> Self {
        Self {
            action: Action::Check(key),
            condition: Condition::AllEqual(values),
            refusal,
        }
    }

    /// Deletes an item, if it exists.
    pub fn delete(key: Key) -> Self {
        Self {
            action: Action::Delete(key),
            condition: Condition::None,
            refusal: Refusal::Stale,
        }
    }

    /// The key of the item; a put's is among its attributes.
    pub(super) fn key(&self) -> Option<Key> {
        match &self.action {
            Action::Put(item) => key_of(item),
            Action::Update { key, .. } | Action::Delete(key) | Action::Check(key) => {
                Some(key.clone())
            }
        }
    }

    /// One write in place of this deletion and a put of the same item.
    pub(super) fn into_replacement(self, put: Self) -> Self {
        Self {
            action: put.action,
            condition: self.condition,
            refusal: self.refusal,
        }
    }
}
