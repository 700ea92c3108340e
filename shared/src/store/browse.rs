//! Users as the admin pages list them: filtered, and page by page in both directions.

use std::collections::{BTreeSet, HashMap};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::future::try_join_all;

use super::{
    Store, StoreError,
    keys::{self, Entity, Key, USERS_BY_EMAIL, USERS_BY_NAME},
    queries::IndexRow,
};
use crate::domain::{Flag, GroupId, User, UserId};

/// How many users a page looks at, at most, to find those whom a second filter lets through.
pub const MOST_READ: usize = 1000;
/// The longest sort key that DynamoDB takes, in bytes.
const LONGEST_SORT_KEY: usize = 1024;

/// Which users are asked for. All conditions must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// What the username or the email address begins with, in lower case; empty is no condition.
    pub search: String,
    /// Flags that they have.
    pub flags: BTreeSet<Flag>,
    /// Flags that they have not.
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

/// Where a page starts: after a row, or before one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    forward: bool,
    part: usize,
    sort_key: String,
}

/// A page of users.
pub struct Browsed {
    /// The users, in order.
    pub users: Vec<User>,
    /// Where the page before starts, if there is one.
    pub previous: Option<Place>,
    /// Where the page after starts, if there is one.
    pub next: Option<Place>,
    /// Whether it may be short because enough was read.
    pub is_cut: bool,
}

impl Place {
    /// The text in a link.
    pub fn to_text(&self) -> String {
        let direction = if self.forward { '>' } else { '<' };
        URL_SAFE_NO_PAD.encode(format!("{direction}{}{}", self.part, self.sort_key))
    }

    /// Reads the text of a link; one that no list gives is none.
    pub fn parse(text: &str) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let forward = match text.chars().next()? {
            '>' => true,
            '<' => false,
            _ => return None,
        };
        let (part, sort_key) = text.get(1..)?.split_at_checked(1)?;
        let is_known = sort_key.len() <= LONGEST_SORT_KEY && !sort_key.is_empty();
        is_known.then_some(Self {
            forward,
            part: part.parse().ok()?,
            sort_key: sort_key.to_owned(),
        })
    }
}

impl Filter {
    /// The parts of the list, in order. A group has the fewest users, then the flags in their
    /// order; whatever is left of the filter is applied to what they give.
    fn parts(&self) -> Vec<Part> {
        match (self.group, self.flags.first()) {
            (Some(group), _) => vec![Part::Members(group)],
            (None, Some(flag)) => vec![Part::Flagged(*flag)],
            (None, None) if self.search.is_empty() => vec![Part::Names],
            (None, None) => vec![Part::Names, Part::Emails],
        }
    }

    /// Whether the parts hold users whom the filter does not let through.
    fn is_second(&self) -> bool {
        let conditions = self.flags.len() + usize::from(self.group.is_some());
        let searched_among = conditions > 0 && !self.search.is_empty();
        conditions > 1 || searched_among || !self.lacking.is_empty()
    }

    fn lets_through(&self, user: &User) -> bool {
        let found = self.search.is_empty()
            || keys::user_by_name(user).sk.starts_with(&self.search)
            || user.email.lower().starts_with(&self.search);
        found
            && self.flags.iter().all(|flag| user.has(*flag))
            && !self.lacking.iter().any(|flag| user.has(*flag))
            && self
                .group
                .is_none_or(|group| user.group_ids.contains(&group))
    }
}

impl Part {
    fn index(self) -> String {
        match self {
            Self::Names => USERS_BY_NAME.to_owned(),
            Self::Emails => USERS_BY_EMAIL.to_owned(),
            Self::Flagged(flag) => keys::users_with(flag),
            Self::Members(group) => keys::member(group, UserId(0)).pk,
        }
    }

    fn user(self, sort_key: &str) -> Option<UserId> {
        match self {
            Self::Members(_) => sort_key.parse().ok().map(UserId),
            _ => keys::indexed_user(sort_key),
        }
    }

    /// The row of a place, with the item's key as DynamoDB wants it beside.
    fn row(self, sort_key: &str) -> Option<IndexRow> {
        let id = self.user(sort_key)?;
        let key = match self {
            Self::Names => Entity::User(id).key(),
            Self::Flagged(flag) => Entity::Flagged(id, flag).key(),
            Self::Members(group) => Entity::Membership(id, group).key(),
            Self::Emails => Key {
                pk: format!("EMAIL#{}", sort_key.rsplit_once('#')?.0),
                sk: "EMAIL".to_owned(),
            },
        };
        Some(IndexRow {
            key,
            sort_key: sort_key.to_owned(),
        })
    }

    /// Whether a user is still where a row says: the index lags behind. Whoever is found by his
    /// username is not found again by his email address.
    fn confirms(self, sort_key: &str, user: &User, search: &str) -> bool {
        let by_name = keys::user_by_name(user).sk;
        match self {
            Self::Names => by_name == sort_key,
            Self::Emails => {
                keys::user_by_email(&user.email, user.id).sk == sort_key
                    && !by_name.starts_with(search)
            }
            Self::Flagged(flag) => user.has(flag) && by_name == sort_key,
            Self::Members(group) => user.group_ids.contains(&group),
        }
    }
}

impl Store {
    /// A page of the users whom a filter lets through, in order of lower-cased username (of id in a
    /// group): two round trips. A place that this list never gave is its beginning.
    pub async fn browse_users(
        &self,
        filter: &Filter,
        from: Option<Place>,
        size: usize,
    ) -> Result<Browsed, StoreError> {
        let parts = filter.parts();
        let from = from.filter(|from| {
            let part = parts.get(from.part);
            let searched = parts[0] != Part::Names || from.sort_key.starts_with(&filter.search);
            searched && part.is_some_and(|part| part.row(&from.sort_key).is_some())
        });
        let forward = from.as_ref().is_none_or(|from| from.forward);
        let most = if filter.is_second() { MOST_READ } else { size };
        let mut rows = self
            .rows(filter, &parts, from.as_ref(), forward, most)
            .await?;
        // One row more than wanted tells whether there is another page.
        let mut more = rows.len() > most;
        if rows.is_empty() && !forward {
            // Nothing is left before the place: the list begins there now.
            return Box::pin(self.browse_users(filter, None, size)).await;
        }
        rows.truncate(most);
        let mut is_cut = more && filter.is_second();
        let mut found = self.confirmed(filter, &parts, &rows).await?;
        let mut last = rows.last().cloned();
        if found.len() > size {
            found.truncate(size);
            (more, is_cut) = (true, false);
            last = found.last().map(|(place, _)| place.clone());
        }
        let first = rows.into_iter().next();
        if !forward {
            found.reverse();
        }
        let place = |forward, row: Option<(usize, String)>| {
            row.map(|(part, sort_key)| Place {
                forward,
                part,
                sort_key,
            })
        };
        let came_from_somewhere = from.is_some();
        let (before, after) = if forward {
            (first.filter(|_| came_from_somewhere), last.filter(|_| more))
        } else {
            (last.filter(|_| more), first)
        };
        Ok(Browsed {
            users: found.into_iter().map(|(_, user)| user).collect(),
            previous: place(false, before),
            next: place(true, after),
            is_cut,
        })
    }

    /// Up to `most` rows and one more, as parts and sort keys, in the direction of reading. All
    /// parts are asked at once.
    async fn rows(
        &self,
        filter: &Filter,
        parts: &[Part],
        from: Option<&Place>,
        forward: bool,
        most: usize,
    ) -> Result<Vec<(usize, String)>, StoreError> {
        let at = from.map(|from| from.part);
        let mut asked: Vec<(usize, Part)> = parts.iter().copied().enumerate().collect();
        asked.retain(|(part, _)| {
            at.is_none_or(|at| if forward { *part >= at } else { *part <= at })
        });
        if !forward {
            asked.reverse();
        }
        let prefix = match parts {
            [Part::Names, ..] => filter.search.as_str(),
            _ => "",
        };
        if prefix.len() > LONGEST_SORT_KEY {
            return Ok(Vec::new());
        }
        let pages = asked.iter().map(|(part, of)| {
            let start = from.filter(|from| from.part == *part);
            let start = start.and_then(|from| of.row(&from.sort_key));
            let index = of.index();
            async move {
                if forward {
                    self.table.index_page(&index, prefix, start, most + 1).await
                } else {
                    self.table
                        .index_page_back(&index, prefix, start, most + 1)
                        .await
                }
            }
        });
        let pages = try_join_all(pages).await?;
        let mut rows = Vec::new();
        for ((part, _), page) in asked.iter().zip(pages) {
            rows.extend(page.into_iter().map(|row| (*part, row.sort_key)));
        }
        rows.truncate(most + 1);
        Ok(rows)
    }

    /// The users of rows who are where the rows say and whom the filter lets through.
    async fn confirmed(
        &self,
        filter: &Filter,
        parts: &[Part],
        rows: &[(usize, String)],
    ) -> Result<Vec<((usize, String), User)>, StoreError> {
        let ids = rows
            .iter()
            .filter_map(|(part, sort_key)| parts[*part].user(sort_key));
        let ids: Vec<UserId> = ids.collect();
        let users = self.users(&ids).await?;
        let users: HashMap<UserId, User> = users.into_iter().map(|user| (user.id, user)).collect();
        let mut found = Vec::new();
        for row in rows {
            let (part, sort_key) = (parts[row.0], &row.1);
            let user = part.user(sort_key).and_then(|id| users.get(&id));
            if let Some(user) = user
                && part.confirms(sort_key, user, &filter.search)
                && filter.lets_through(user)
            {
                found.push((row.clone(), user.clone()));
            }
        }
        Ok(found)
    }
}
