//! Which users a list is asked for, and the parts of the index that hold them.

use std::collections::BTreeSet;

use super::{Row, keys};
use crate::{
    domain::{Flag, GroupId, User, UserId, Words},
    store::keys::{USERS_BY_EMAIL, USERS_BY_NAME},
};

/// Which users are asked for. All conditions must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// What is searched for.
    pub search: Search,
    /// Flags that they have.
    pub flags: BTreeSet<Flag>,
    /// Flags that they do not have.
    pub lacking: BTreeSet<Flag>,
    /// A group that they are in.
    pub group: Option<GroupId>,
}

/// What users are searched for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Search {
    /// Nothing: everybody is found.
    #[default]
    Anybody,
    /// What the username or the email address begins with, in lower case.
    Beginning(String),
    /// Words, each of which is contained in the username, the email address, the first or the last name.
    /// Usernames that begin with the longest come first, then addresses that do.
    Words(Words),
}

impl Search {
    /// A search for what begins with a text in lower case; empty is none.
    pub fn beginning(text: &str) -> Self {
        match text {
            "" => Self::Anybody,
            text => Self::Beginning(text.to_owned()),
        }
    }

    /// A search for the words of a text.
    pub fn words(text: &str) -> Self {
        let words = Words::of(text);
        match words.is_empty() {
            true => Self::Anybody,
            false => Self::Words(words),
        }
    }
}

/// A part of the list: rows of one index partition in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Names,
    Emails,
    Flagged(Flag),
    Members(GroupId),
    /// All users once more, for what a search finds in no other part.
    Others,
}

/// Parts that are read together.
pub(super) struct Stage {
    pub parts: Vec<Part>,
    /// Whether they also hold users that the filter does not accept.
    pub narrows: bool,
}

impl Filter {
    /// The parts of the list, in order. A group has the fewest users, then the flags in their
    /// order; the rest of the filter is applied to what they give.
    pub(super) fn stages(&self) -> Vec<Stage> {
        let (flags, words) = match &self.search {
            Search::Words(words) => (self.flags.len(), words.len()),
            Search::Beginning(_) => (self.flags.len(), 1),
            Search::Anybody => (self.flags.len(), 0),
        };
        let lacks = !self.lacking.is_empty();
        let one = |part, narrows| {
            vec![Stage {
                parts: vec![part],
                narrows,
            }]
        };
        match (self.group, self.flags.first(), words) {
            (Some(group), ..) => one(Part::Members(group), flags + words > 0 || lacks),
            (None, Some(flag), _) => one(Part::Flagged(*flag), flags > 1 || words > 0 || lacks),
            (None, None, 0) => one(Part::Names, lacks),
            (None, None, words) => {
                let mut stages = one(Part::Names, lacks || words > 1);
                stages[0].parts.push(Part::Emails);
                if matches!(self.search, Search::Words(_)) {
                    stages.extend(one(Part::Others, true));
                }
                stages
            }
        }
    }

    /// Whether any part also holds users that the filter does not accept, so that it is counted how many
    /// are looked at.
    pub(super) fn narrows(&self) -> bool {
        self.stages().iter().any(|stage| stage.narrows)
    }

    /// What usernames and addresses begin with that are found by an index.
    pub(super) fn beginning(&self) -> &str {
        match &self.search {
            Search::Anybody => "",
            Search::Beginning(text) => text,
            Search::Words(words) => words.longest(),
        }
    }

    /// What the sort keys of a part's rows begin with.
    pub(super) fn prefix(&self, part: Part) -> &str {
        match part {
            Part::Names | Part::Emails => self.beginning(),
            Part::Flagged(_) | Part::Members(_) | Part::Others => "",
        }
    }

    /// Whether a user meets all conditions and is still where the row says: the index lags behind.
    /// A user found in one part is not found again in a later one.
    pub(super) fn lets_through(&self, user: &User, row: &Row) -> bool {
        let (by_name, email) = (keys::user_by_name(user).sk, user.email.lower());
        let begins = [
            by_name.starts_with(self.beginning()),
            email.starts_with(self.beginning()),
        ];
        let is_there = match row.part {
            Part::Names | Part::Flagged(_) => by_name == row.sort_key,
            Part::Emails => {
                !begins[0] && keys::user_by_email(&user.email, user.id).sk == row.sort_key
            }
            Part::Members(group) => user.group_ids.contains(&group),
            Part::Others => begins == [false, false] && by_name == row.sort_key,
        };
        let is_found = match &self.search {
            Search::Anybody => true,
            Search::Beginning(_) => begins.contains(&true),
            Search::Words(words) => words.are_in(&[
                user.username.as_str(),
                user.email.as_str(),
                user.first_name.as_str(),
                user.last_name.as_str(),
            ]),
        };
        is_there
            && is_found
            && self.flags.iter().all(|flag| user.has(*flag))
            && !self.lacking.iter().any(|flag| user.has(*flag))
    }
}

impl Part {
    /// What the texts of its places begin with.
    pub(super) fn letter(self) -> char {
        match self {
            Self::Names => 'u',
            Self::Emails => 'e',
            Self::Flagged(_) => 'f',
            Self::Members(_) => 'm',
            Self::Others => 'w',
        }
    }

    pub(super) fn partition(self) -> String {
        match self {
            Self::Names | Self::Others => USERS_BY_NAME.to_owned(),
            Self::Emails => USERS_BY_EMAIL.to_owned(),
            Self::Flagged(flag) => keys::users_with(flag),
            Self::Members(group) => keys::member(group, UserId(0)).pk,
        }
    }
}
