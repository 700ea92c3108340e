//! The lists of users: searched, filtered, and page by page in both directions.

mod filter;

use std::collections::HashMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::future::try_join_all;

use super::{
    Store, StoreError,
    keys::{self, Entity, Key},
    layout::Layout,
    queries::{Direction, IndexRow},
};
use crate::domain::{User, UserId};
pub use filter::{Filter, Search};
use filter::{Part, Plan, Stage};

/// How many users a page looks at, at most, to find those who meet a second condition.
pub const MOST_READ: usize = 1000;
/// How often a page that lacks users reads on, at most.
const ROUNDS: usize = 5;
/// The longest sort key that DynamoDB takes, in bytes.
const LONGEST_SORT_KEY: usize = 1024;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    part: Part,
    sort_key: String,
    /// How many were looked at, with this one, where that is counted; else 0.
    number: usize,
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
    rows: Vec<Row>,
    /// Where the page before starts, if it exists.
    pub previous: Option<Place>,
    /// Where the page after starts, if it exists.
    pub next: Option<Place>,
    /// How many users were looked at up to here, if the page is short because [`MOST_READ`] of them are
    /// as many as one looks at.
    pub searched: Option<usize>,
}

impl Page {
    /// Leaves the users from the one at `count` on to the next page.
    pub fn cut(&mut self, count: usize) {
        if let Some(row) = self.rows.get(count.wrapping_sub(1)).cloned() {
            let direction = Direction::Forward;
            self.next = Some(Place { direction, row });
            self.users.truncate(count);
            self.rows.truncate(count);
        }
    }
}

impl Place {
    /// The text in a link.
    pub fn to_text(&self) -> String {
        let back = match self.direction {
            Direction::Forward => "",
            Direction::Backward => "<",
        };
        let Row {
            part,
            sort_key,
            number,
        } = &self.row;
        let number = match number {
            0 => String::new(),
            number => number.to_string(),
        };
        URL_SAFE_NO_PAD.encode(format!("{back}{number}{}{sort_key}", part.letter()))
    }

    /// Reads the text of a link; `None` if a list with this filter never gives it.
    pub fn parse(text: &str, filter: &Filter) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let (direction, text) = match text.strip_prefix('<') {
            Some(text) => (Direction::Backward, text),
            None => (Direction::Forward, text.as_str()),
        };
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, text) = text.split_at(digits);
        // A table of an older layout gives no place in the indexes of names.
        let plan = Plan {
            filter,
            has_names: true,
        };
        let parts = plan.stages().into_iter().flat_map(|stage| stage.parts);
        let mut parts = parts.filter(|part| text.starts_with(part.letter()));
        let part = parts.next()?;
        let mut row = Row {
            part,
            sort_key: text[1..].to_owned(),
            number: number.parse().unwrap_or_default(),
        };
        let user = row.user()?;
        if let Part::Members(group) = part {
            row.sort_key = keys::member(group, user).sk;
        }
        let is_known = row.sort_key.len() <= LONGEST_SORT_KEY
            && row.sort_key.starts_with(plan.prefix(part))
            && (plan.narrows() || number.is_empty());
        is_known.then_some(Self { direction, row })
    }

    /// Whether it starts a page after another one.
    pub fn is_forward(&self) -> bool {
        self.direction == Direction::Forward
    }
}

/// What was read for a page.
#[derive(Default)]
struct Reading {
    /// The users that the filter accepts, in the order of reading.
    found: Vec<(Row, User)>,
    /// The first row that was read.
    first: Option<Row>,
    /// The last one, or where the reading began.
    last: Option<Row>,
    /// Whether there may be more behind it.
    more: bool,
    /// Whether it ended because [`MOST_READ`] users were looked at.
    is_cut: bool,
}

/// Numbers rows by how many were looked at, those on the pages before included.
fn number(rows: &mut [Row], after: Option<&Row>, direction: Direction) {
    let start = after.map_or(0, |row| row.number);
    for (place, row) in (1..).zip(rows) {
        row.number = match direction {
            Direction::Forward => start.saturating_add(place),
            Direction::Backward => start.saturating_sub(place),
        };
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
            Part::Names | Part::Others => Entity::User(id).key(),
            Part::Flagged(flag) => Entity::Flagged(id, flag).key(),
            Part::Members(group) => Entity::Membership(id, group).key(),
            Part::Named(index) => Entity::Named(id, index).key(),
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
    /// then id; those found only by email address follow in order of it, then those found by first or
    /// last name, and those found in any other way after them; members of a group are in order of id.
    /// Two round trips, and two more each time that a page is filled up.
    pub async fn user_page(
        &self,
        filter: &Filter,
        from: Option<&Place>,
        size: usize,
    ) -> Result<Page, StoreError> {
        let searches = matches!(filter.search, Search::Words(_));
        let has_names = searches && self.layout_of_all().await? >= Layout::NAMED;
        self.page(Plan { filter, has_names }, from, size).await
    }

    async fn page(
        &self,
        plan: Plan<'_>,
        from: Option<&Place>,
        size: usize,
    ) -> Result<Page, StoreError> {
        let direction = from.map_or(Direction::Forward, |from| from.direction);
        let mut read = self.read(plan, from, direction, size).await?;
        if read.first.is_none() && direction == Direction::Backward {
            // Nothing is left before the place: the list begins there now.
            return Box::pin(self.page(plan, None, size)).await;
        }
        if read.found.len() > size {
            read.found.truncate(size);
            read.more = true;
            read.last = read.found.last().map(|(row, _)| row.clone());
        }
        let last = read.last.filter(|_| read.more);
        let (before, after) = match direction {
            Direction::Forward => (read.first.filter(|_| from.is_some()), last),
            Direction::Backward => {
                read.found.reverse();
                (last, read.first)
            }
        };
        let number = |row: &Option<Row>| row.as_ref().map_or(0, |row| row.number);
        let searched = read.is_cut.then(|| number(&before).max(number(&after)));
        let place = |direction, row: Option<Row>| row.map(|row| Place { direction, row });
        let (rows, users) = read.found.into_iter().unzip();
        Ok(Page {
            users,
            rows,
            previous: place(Direction::Backward, before),
            next: place(Direction::Forward, after),
            searched,
        })
    }

    /// Reads stage after stage until a page is full, or as much as one page reads.
    async fn read(
        &self,
        plan: Plan<'_>,
        from: Option<&Place>,
        direction: Direction,
        size: usize,
    ) -> Result<Reading, StoreError> {
        let mut stages = plan.stages();
        if direction == Direction::Backward {
            stages.reverse();
        }
        let counts = plan.narrows();
        let begun = |stage: &Stage| from.is_none_or(|from| stage.parts.contains(&from.row.part));
        let mut stages = stages.into_iter().skip_while(|stage| !begun(stage));
        let mut read = Reading {
            last: from.map(|from| from.row.clone()),
            ..Reading::default()
        };
        let (mut left, mut rounds) = (MOST_READ, ROUNDS);
        let mut stage = stages.next();
        while let Some(here) = &stage {
            let most = if here.narrows { left } else { size };
            // One row more than wanted tells whether there is another page.
            let rows = self.rows(plan, &here.parts, direction, read.last.as_ref(), most + 1);
            let mut rows = rows.await?;
            let goes_on = rows.len() > most;
            rows.truncate(most);
            if counts {
                number(&mut rows, read.last.as_ref(), direction);
            }
            (left, rounds) = (left.saturating_sub(rows.len()), rounds - 1);
            read.first = read.first.or_else(|| rows.first().cloned());
            read.last = rows.last().cloned().or(read.last);
            read.found.extend(self.confirmed(plan, rows).await?);
            let next = if goes_on { None } else { stages.next() };
            read.more = goes_on || next.is_some();
            if read.found.len() >= size {
                if let (Direction::Backward, Some(next)) = (direction, &next) {
                    // Nothing may be left there: the page is the first then.
                    let left = self.rows(plan, &next.parts, direction, None, 1);
                    read.more = !left.await?.is_empty();
                }
                break;
            }
            if goes_on && (here.narrows || rounds == 0) {
                read.is_cut = here.narrows;
                break;
            }
            if !goes_on {
                (stage, rounds) = (next, ROUNDS);
            }
        }
        Ok(read)
    }

    /// Up to `limit` rows of parts in the direction of reading. All parts are asked at once.
    async fn rows(
        &self,
        plan: Plan<'_>,
        parts: &[Part],
        direction: Direction,
        after: Option<&Row>,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        if plan.beginning().len() > LONGEST_SORT_KEY {
            return Ok(Vec::new());
        }
        let mut parts = parts.to_vec();
        if direction == Direction::Backward {
            parts.reverse();
        }
        // A row of another stage is behind all of these.
        let after = after.filter(|row| parts.contains(&row.part));
        let left = parts
            .iter()
            .copied()
            .skip_while(|part| after.is_some_and(|row| row.part != *part));
        let pages = left.map(async |part| {
            let start = after.filter(|row| row.part == part);
            let (pk, prefix) = (part.partition(), plan.prefix(part));
            let start = start.and_then(Row::in_index);
            let rows = self.table.index_rows(&pk, prefix, start, direction, limit);
            let row = move |IndexRow { sort_key, .. }| Row {
                part,
                sort_key,
                number: 0,
            };
            Ok(rows.await?.into_iter().map(row))
        });
        let rows = try_join_all(pages).await?.into_iter().flatten();
        Ok(rows.take(limit).collect())
    }

    /// The users of rows who are where the rows say and that the filter accepts.
    async fn confirmed(
        &self,
        plan: Plan<'_>,
        rows: Vec<Row>,
    ) -> Result<Vec<(Row, User)>, StoreError> {
        let ids: Vec<UserId> = rows.iter().filter_map(Row::user).collect();
        let users = self.users(&ids).await?;
        let users: HashMap<UserId, User> = users.into_iter().map(|user| (user.id, user)).collect();
        let confirmed = rows.into_iter().filter_map(|row| {
            let user = users.get(&row.user()?)?;
            plan.lets_through(user, &row).then(|| (row, user.clone()))
        });
        Ok(confirmed.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Flag, GroupId};

    #[test]
    fn a_place_is_read_by_the_lists_that_give_it_and_no_others() {
        let searched = |search: &str| Filter {
            search: Search::beginning(search),
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
        let words = Filter {
            search: Search::words("an annika"),
            ..Filter::default()
        };
        for (text, lists) in [
            ("iannika#0000000005", vec![&words]),
            ("lannika#0000000005", vec![&words]),
            ("lann#0000000005", vec![]),
            ("uann#0000000005", vec![&all, &ann]),
            ("<uann#0000000005", vec![&all, &ann]),
            ("eann@example.com#0000000005", vec![&ann]),
            ("fann#0000000005", vec![&staff]),
            ("m0000000005", vec![&members]),
            ("uannika#0000000005", vec![&all, &ann, &words]),
            ("1000wbob#0000000005", vec![&words]),
            ("<7wbob#0000000005", vec![&words]),
            ("7uann#0000000005", vec![]),
            ("ubob#5", vec![]),
            ("e", vec![]),
            ("m", vec![]),
            ("", vec![]),
        ] {
            let encoded = URL_SAFE_NO_PAD.encode(text);
            for list in [&all, &ann, &staff, &members, &words] {
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
