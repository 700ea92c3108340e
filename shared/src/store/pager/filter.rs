//! Which users a list is asked for, and the parts of the index that hold them.

use std::collections::BTreeSet;

use super::{Row, keys};
use crate::{
    domain::{Flag, GroupId, User, UserId, Words},
    store::keys::{NameIndex, USERS_BY_EMAIL, USERS_BY_NAME},
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

/// How the users that a filter asks for are read.
#[derive(Clone, Copy)]
pub(super) struct Plan<'a> {
    pub filter: &'a Filter,
    /// Whether the table's layout has the indexes of first and last names.
    pub has_names: bool,
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
    /// Usernames that begin with the longest come first, then addresses, first and last names that do.
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
    Named(NameIndex),
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

impl<'a> Plan<'a> {
    /// The parts of the list, in order. A group has the fewest users, then the flags in their
    /// order; the rest of the filter is applied to what they give.
    pub(super) fn stages(&self) -> Vec<Stage> {
        let (flags, words) = match &self.filter.search {
            Search::Words(words) => (self.filter.flags.len(), words.len()),
            Search::Beginning(_) => (self.filter.flags.len(), 1),
            Search::Anybody => (self.filter.flags.len(), 0),
        };
        let lacks = !self.filter.lacking.is_empty();
        let one = |part, narrows| {
            vec![Stage {
                parts: vec![part],
                narrows,
            }]
        };
        match (self.filter.group, self.filter.flags.first(), words) {
            (Some(group), ..) => one(Part::Members(group), flags + words > 0 || lacks),
            (None, Some(flag), _) => one(Part::Flagged(*flag), flags > 1 || words > 0 || lacks),
            (None, None, 0) => one(Part::Names, lacks),
            (None, None, words) => {
                let mut stages = one(Part::Names, lacks || words > 1);
                stages[0].parts.push(Part::Emails);
                stages[0].parts.extend(self.name_indexes().map(Part::Named));
                if matches!(self.filter.search, Search::Words(_)) {
                    stages.extend(one(Part::Others, true));
                }
                stages
            }
        }
    }

    /// The indexes of first and last names, where they are searched.
    fn name_indexes(&self) -> impl Iterator<Item = NameIndex> {
        let searches = matches!(self.filter.search, Search::Words(_)) && self.has_names;
        NameIndex::ALL.into_iter().filter(move |_| searches)
    }

    /// Whether any part also holds users that the filter does not accept, so that it is counted how many
    /// are looked at.
    pub(super) fn narrows(&self) -> bool {
        self.stages().iter().any(|stage| stage.narrows)
    }

    /// What usernames, addresses and names begin with that are found by an index.
    pub(super) fn beginning(&self) -> &'a str {
        match &self.filter.search {
            Search::Anybody => "",
            Search::Beginning(text) => text,
            Search::Words(words) => words.longest(),
        }
    }

    /// What the sort keys of a part's rows begin with.
    pub(super) fn prefix(&self, part: Part) -> &'a str {
        match part {
            Part::Names | Part::Emails | Part::Named(_) => self.beginning(),
            Part::Flagged(_) | Part::Members(_) | Part::Others => "",
        }
    }

    /// The first place where an index finds a user by what the search begins with.
    fn place(&self, user: &User) -> Option<(Part, String)> {
        let by_email = (!user.email.is_empty()).then(|| keys::user_by_email(&user.email, user.id));
        let names = self
            .name_indexes()
            .map(|index| (Part::Named(index), index.keys(user)));
        let mut places = [
            (Part::Names, Some(keys::user_by_name(user))),
            (Part::Emails, by_email),
        ]
        .into_iter()
        .chain(names)
        .filter_map(|(part, key)| Some((part, key?.sk)));
        places.find(|(_, sort_key)| sort_key.starts_with(self.beginning()))
    }

    /// Whether a user meets all conditions and is still where the row says: the index lags behind.
    /// A user found in one part is not found again in a later one.
    pub(super) fn lets_through(&self, user: &User, row: &Row) -> bool {
        let place = self.place(user);
        let has_name = || keys::user_by_name(user).sk == row.sort_key;
        let is_there = match row.part {
            Part::Names | Part::Emails | Part::Named(_) => place
                .as_ref()
                .is_some_and(|(part, sort_key)| (*part, sort_key) == (row.part, &row.sort_key)),
            Part::Flagged(_) => has_name(),
            Part::Members(group) => user.group_ids.contains(&group),
            Part::Others => place.is_none() && has_name(),
        };
        let is_found = match &self.filter.search {
            Search::Anybody => true,
            Search::Beginning(_) => place.is_some(),
            Search::Words(words) => words.are_in(&[
                user.username.as_str(),
                user.email.as_str(),
                user.first_name.as_str(),
                user.last_name.as_str(),
            ]),
        };
        is_there
            && is_found
            && self.filter.flags.iter().all(|flag| user.has(*flag))
            && !self.filter.lacking.iter().any(|flag| user.has(*flag))
    }
}

impl Part {
    /// What the texts of its places begin with.
    pub(super) fn letter(self) -> char {
        match self {
            Self::Names => 'u',
            Self::Emails => 'e',
            Self::Named(NameIndex::First) => 'i',
            Self::Named(NameIndex::Last) => 'l',
            Self::Flagged(_) => 'f',
            Self::Members(_) => 'm',
            Self::Others => 'w',
        }
    }

    pub(super) fn partition(self) -> String {
        match self {
            Self::Names | Self::Others => USERS_BY_NAME.to_owned(),
            Self::Emails => USERS_BY_EMAIL.to_owned(),
            Self::Named(index) => index.partition().to_owned(),
            Self::Flagged(flag) => keys::users_with(flag),
            Self::Members(group) => keys::member(group, UserId(0)).pk,
        }
    }
}
