//! The lists of users: searched, filtered, and page by page in both directions.

use std::collections::{BTreeSet, HashMap};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::future::try_join_all;

use super::{
    Store, StoreError,
    keys::{self, Entity, Key, USERS_BY_EMAIL, USERS_BY_NAME},
    queries::{Direction, IndexRow},
};
use crate::domain::{Flag, GroupId, User, UserId};

/// How many users a page looks at, at most, to find those who meet a second condition.
pub const MOST_READ: usize = 1000;
/// How often a page that lacks users reads on, at most.
const ROUNDS: usize = 5;
/// The longest sort key that DynamoDB takes, in bytes.
const LONGEST_SORT_KEY: usize = 1024;

/// Which users are asked for. All conditions must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// What the username or the email address begins with, in lower case; empty is no condition.
    pub search: String,
    /// Flags that they have.
    pub flags: BTreeSet<Flag>,
    /// Flags that they do not have.
    pub lacking: BTreeSet<Flag>,
    /// A group that they are in.
    pub group: Option<GroupId>,
}

/// A part of the list: rows of one index partition in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Names,
    Emails,
    Flagged(Flag),
    Members(GroupId),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    part: Part,
    sort_key: String,
}

/// Where a page starts: after a row, or before one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    direction: Direction,
    row: Row,
}

/// A page of users.
#[derive(Debug)]
pub struct Page {
    /// The users, in order.
    pub users: Vec<User>,
    /// Where the page before starts, if it exists.
    pub previous: Option<Place>,
    /// Where the page after starts, if it exists.
    pub next: Option<Place>,
    /// Whether it is short because [`MOST_READ`] users were looked at.
    pub is_cut: bool,
}

impl Place {
    /// The text in a link.
    pub fn to_text(&self) -> String {
        let back = match self.direction {
            Direction::Forward => "",
            Direction::Backward => "<",
        };
        let Row { part, sort_key } = &self.row;
        URL_SAFE_NO_PAD.encode(format!("{back}{}{sort_key}", part.letter()))
    }

    /// Reads the text of a link; `None` if a list with this filter never gives it.
    pub fn parse(text: &str, filter: &Filter) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let (direction, text) = match text.strip_prefix('<') {
            Some(text) => (Direction::Backward, text),
            None => (Direction::Forward, text.as_str()),
        };
        let mut parts = filter.parts().into_iter();
        let part = parts.find(|part| text.starts_with(part.letter()))?;
        let mut row = Row {
            part,
            sort_key: text[1..].to_owned(),
        };
        let user = row.user()?;
        if let Part::Members(group) = part {
            row.sort_key = keys::member(group, user).sk;
        }
        let is_known =
            row.sort_key.len() <= LONGEST_SORT_KEY && row.sort_key.starts_with(filter.prefix(part));
        is_known.then_some(Self { direction, row })
    }

    /// Whether it starts a page after another one.
    pub fn is_forward(&self) -> bool {
        self.direction == Direction::Forward
    }
}

impl Filter {
    /// The parts of the list, in order. A group has the fewest users, then the flags in their
    /// order; the rest of the filter is applied to what they give.
    fn parts(&self) -> Vec<Part> {
        match (self.group, self.flags.first()) {
            (Some(group), _) => vec![Part::Members(group)],
            (None, Some(flag)) => vec![Part::Flagged(*flag)],
            (None, None) if self.search.is_empty() => vec![Part::Names],
            (None, None) => vec![Part::Names, Part::Emails],
        }
    }

    /// What the sort keys of a part's rows begin with.
    fn prefix(&self, part: Part) -> &str {
        match part {
            Part::Names | Part::Emails => &self.search,
            Part::Flagged(_) | Part::Members(_) => "",
        }
    }

    /// Whether the parts also hold users who do not meet all conditions.
    fn narrows_parts(&self) -> bool {
        let conditions = self.flags.len() + usize::from(self.group.is_some());
        let searched_among = conditions > 0 && !self.search.is_empty();
        conditions > 1 || searched_among || !self.lacking.is_empty()
    }

    /// Whether a user meets all conditions and is still where the row says: the index lags behind.
    /// A user found by username is not found again by email address.
    fn lets_through(&self, user: &User, row: &Row) -> bool {
        let by_name = keys::user_by_name(user).sk;
        let has_name = by_name.starts_with(&self.search);
        let is_there = match row.part {
            Part::Names | Part::Flagged(_) => by_name == row.sort_key,
            Part::Emails => {
                !has_name && keys::user_by_email(&user.email, user.id).sk == row.sort_key
            }
            Part::Members(group) => user.group_ids.contains(&group),
        };
        is_there
            && (has_name || user.email.lower().starts_with(&self.search))
            && self.flags.iter().all(|flag| user.has(*flag))
            && !self.lacking.iter().any(|flag| user.has(*flag))
    }
}

impl Part {
    /// What the texts of its places begin with.
    fn letter(self) -> char {
        match self {
            Self::Names => 'u',
            Self::Emails => 'e',
            Self::Flagged(_) => 'f',
            Self::Members(_) => 'm',
        }
    }

    fn partition(self) -> String {
        match self {
            Self::Names => USERS_BY_NAME.to_owned(),
            Self::Emails => USERS_BY_EMAIL.to_owned(),
            Self::Flagged(flag) => keys::users_with(flag),
            Self::Members(group) => keys::member(group, UserId(0)).pk,
        }
    }
}

impl Row {
    fn user(&self) -> Option<UserId> {
        match self.part {
            Part::Members(_) => self.sort_key.parse().ok().map(UserId),
            _ => keys::indexed_user(&self.sort_key),
        }
    }

    /// As DynamoDB wants it to read on: with the item's key.
    fn in_index(&self) -> Option<IndexRow> {
        let id = self.user()?;
        let key = match self.part {
            Part::Names => Entity::User(id).key(),
            Part::Flagged(flag) => Entity::Flagged(id, flag).key(),
            Part::Members(group) => Entity::Membership(id, group).key(),
            Part::Emails => Key {
                pk: format!("EMAIL#{}", self.sort_key.rsplit_once('#')?.0),
                sk: "EMAIL".to_owned(),
            },
        };
        Some(IndexRow {
            key,
            sort_key: self.sort_key.clone(),
        })
    }
}

impl Store {
    /// A page of up to `size` users that a filter accepts, in order of lower-cased username,
    /// then id; those found only by email address follow in order of it; members of a group are in
    /// order of id. Two round trips, and two more each time that a page is filled up.
    pub async fn user_page(
        &self,
        filter: &Filter,
        from: Option<&Place>,
        size: usize,
    ) -> Result<Page, StoreError> {
        let direction = from.map_or(Direction::Forward, |from| from.direction);
        let narrows = filter.narrows_parts();
        let (most, rounds) = if narrows {
            (MOST_READ, 1)
        } else {
            (size, ROUNDS)
        };
        let (mut found, mut first, mut more) = (Vec::new(), None, false);
        let mut last = from.map(|from| from.row.clone());
        for _ in 0..rounds {
            // One row more than wanted tells whether there is another page.
            let limit = most + 1;
            let mut rows = self.rows(filter, direction, last.as_ref(), limit).await?;
            more = rows.len() > most;
            rows.truncate(most);
            first = first.or_else(|| rows.first().cloned());
            last = rows.last().cloned();
            found.extend(self.confirmed(filter, rows).await?);
            if !more || found.len() >= size {
                break;
            }
        }
        if first.is_none() && direction == Direction::Backward {
            // Nothing is left before the place: the list begins there now.
            return Box::pin(self.user_page(filter, None, size)).await;
        }
        let is_cut = narrows && more && found.len() < size;
        if found.len() > size {
            found.truncate(size);
            more = true;
            last = found.last().map(|(row, _)| row.clone());
        }
        let last = last.filter(|_| more);
        let (before, after) = match direction {
            Direction::Forward => (first.filter(|_| from.is_some()), last),
            Direction::Backward => {
                found.reverse();
                (last, first)
            }
        };
        let place = |direction, row: Option<Row>| row.map(|row| Place { direction, row });
        Ok(Page {
            users: found.into_iter().map(|(_, user)| user).collect(),
            previous: place(Direction::Backward, before),
            next: place(Direction::Forward, after),
            is_cut,
        })
    }

    /// Up to `limit` rows in the direction of reading. All parts are asked at once.
    async fn rows(
        &self,
        filter: &Filter,
        direction: Direction,
        after: Option<&Row>,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        if filter.search.len() > LONGEST_SORT_KEY {
            return Ok(Vec::new());
        }
        let mut parts = filter.parts();
        if direction == Direction::Backward {
            parts.reverse();
        }
        let left = parts
            .into_iter()
            .skip_while(|part| after.is_some_and(|row| row.part != *part));
        let pages = left.map(async |part| {
            let start = after.filter(|row| row.part == part);
            let (pk, prefix) = (part.partition(), filter.prefix(part));
            let start = start.and_then(Row::in_index);
            let rows = self.table.index_rows(&pk, prefix, start, direction, limit);
            let row = move |IndexRow { sort_key, .. }| Row { part, sort_key };
            Ok(rows.await?.into_iter().map(row))
        });
        let rows = try_join_all(pages).await?.into_iter().flatten();
        Ok(rows.take(limit).collect())
    }

    /// The users of rows who are where the rows say and that the filter accepts.
    async fn confirmed(
        &self,
        filter: &Filter,
        rows: Vec<Row>,
    ) -> Result<Vec<(Row, User)>, StoreError> {
        let ids: Vec<UserId> = rows.iter().filter_map(Row::user).collect();
        let users = self.users(&ids).await?;
        let users: HashMap<UserId, User> = users.into_iter().map(|user| (user.id, user)).collect();
        let confirmed = rows.into_iter().filter_map(|row| {
            let user = users.get(&row.user()?)?;
            filter.lets_through(user, &row).then(|| (row, user.clone()))
        });
        Ok(confirmed.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_by_the_lists_that_give_it_and_no_others() {
        let searched = |search: &str| Filter {
            search: search.to_owned(),
            ..Filter::default()
        };
        let (all, ann) = (Filter::default(), searched("ann"));
        let staff = Filter {
            flags: [Flag::Staff].into(),
            ..searched("bob")
        };
        let members = Filter {
            group: Some(GroupId(3)),
            ..Filter::default()
        };
        for (text, lists) in [
            ("uann#0000000005", vec![&all, &ann]),
            ("<uann#0000000005", vec![&all, &ann]),
            ("eann@example.com#0000000005", vec![&ann]),
            ("fann#0000000005", vec![&staff]),
            ("m0000000005", vec![&members]),
            ("ubob#5", vec![]),
            ("e", vec![]),
            ("m", vec![]),
            ("", vec![]),
        ] {
            let encoded = URL_SAFE_NO_PAD.encode(text);
            for list in [&all, &ann, &staff, &members] {
                let place = Place::parse(&encoded, list);
                let given = lists.contains(&list).then_some(&encoded);
                assert_eq!(place.map(|place| place.to_text()).as_ref(), given, "{text}");
            }
        }
        // Ids were not padded once.
        let place = Place::parse(&URL_SAFE_NO_PAD.encode("m5"), &members).unwrap();
        assert_eq!(place.row.sort_key, "0000000005");
    }
}
