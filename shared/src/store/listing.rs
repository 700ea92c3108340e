//! The pages of the list of users, from the index.

use std::collections::HashSet;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{
    Store, StoreError,
    keys::{self, Entity, USERS_BY_EMAIL, USERS_BY_NAME},
    queries::IndexRow,
};
use crate::domain::{GroupId, User, UserId};

/// The longest sort key that DynamoDB takes, in bytes.
const LONGEST_SORT_KEY: usize = 1024;
/// How many index pages one answer reads at most to fill up a page of users.
const PAGES_READ: usize = 5;

/// Where in the list a page starts: after this row of one of the two indexes, or with its first.
#[derive(Clone, Debug, PartialEq)]
pub struct Cursor {
    by_email: bool,
    after: String,
}

impl Cursor {
    /// The text in a `next` link.
    pub fn to_text(&self) -> String {
        let index = if self.by_email { 'e' } else { 'u' };
        URL_SAFE_NO_PAD.encode(format!("{index}{}", self.after))
    }

    /// Reads the text of a `next` link; only one that a list with this search gave is some.
    pub fn parse(text: &str, search: &str) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let (by_email, after) = match text.split_at_checked(1)? {
            ("u", after) => (false, after),
            ("e", after) if !search.is_empty() => (true, after),
            _ => return None,
        };
        let at_start = by_email && after.is_empty();
        let known = at_start
            || (after.len() <= LONGEST_SORT_KEY
                && after.starts_with(search)
                && keys::indexed_user(after).is_some());
        known.then(|| Self {
            by_email,
            after: after.to_owned(),
        })
    }
}

/// Where in the list of a group's members a page starts: after this user.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MemberCursor(UserId);

impl MemberCursor {
    /// The text in a `next` link.
    pub fn to_text(self) -> String {
        URL_SAFE_NO_PAD.encode(format!("m{}", self.0))
    }

    /// Reads the text of a `next` link.
    pub fn parse(text: &str) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let id = text.strip_prefix('m')?;
        let is_plain = id.bytes().all(|byte| byte.is_ascii_digit());
        is_plain.then(|| id.parse().ok().map(|id| Self(UserId(id))))?
    }
}

/// One page of users.
pub struct Page {
    /// The users, in order.
    pub users: Vec<User>,
    /// Where the next page starts, if there is one.
    pub next: Option<Cursor>,
}

impl Store {
    /// A page of users in order of lower-cased username, then id. With a search (in lower case):
    /// those whose username begins with it, then those found only by their email address.
    pub async fn user_page(
        &self,
        search: &str,
        cursor: Option<Cursor>,
        size: usize,
    ) -> Result<Page, StoreError> {
        let mut page = Page {
            users: Vec::new(),
            next: None,
        };
        if search.len() > LONGEST_SORT_KEY {
            return Ok(page);
        }
        let mut by_email = cursor.as_ref().is_some_and(|cursor| cursor.by_email);
        let mut after = cursor.map(|cursor| cursor.after);
        for _ in 0..PAGES_READ {
            let wanted = size - page.users.len();
            let (users, last) = self
                .index_users(search, by_email, after.as_deref(), wanted)
                .await?;
            page.users.extend(users);
            match last {
                Some(last) => {
                    page.next = Some(Cursor {
                        by_email,
                        after: last.clone(),
                    });
                    after = Some(last);
                }
                None if !by_email && !search.is_empty() => {
                    page.next = None;
                    (by_email, after) = (true, None);
                    if page.users.len() == size {
                        page.next = self.first_by_email(search).await?;
                    }
                }
                None => {
                    page.next = None;
                    return Ok(page);
                }
            }
            if page.users.len() == size {
                return Ok(page);
            }
        }
        Ok(page)
    }

    /// A page of a group's members in order of id, and where the next one starts. Rows of the
    /// index that a profile does not confirm are dropped, so that a page may be short.
    pub async fn member_page(
        &self,
        group: GroupId,
        after: Option<MemberCursor>,
        size: usize,
    ) -> Result<(Vec<User>, Option<MemberCursor>), StoreError> {
        let after = after.map(|MemberCursor(user)| IndexRow {
            key: Entity::Membership(user, group).key(),
            sort_key: keys::member(group, user).sk,
        });
        let pk = keys::member(group, UserId(0)).pk;
        let mut rows = self.table.index_page(&pk, "", after, size + 1).await?;
        let more = rows.len() > size;
        rows.truncate(size);
        let ids: Vec<UserId> = rows
            .iter()
            .filter_map(|row| row.sort_key.parse().ok().map(UserId))
            .collect();
        let mut users = self.users(&ids).await?;
        users.retain(|user| user.group_ids.contains(&group));
        let next = ids.last().filter(|_| more).copied().map(MemberCursor);
        Ok((users, next))
    }

    /// Users of up to `wanted` rows of an index, and the last row if there are more.
    async fn index_users(
        &self,
        search: &str,
        by_email: bool,
        after: Option<&str>,
        wanted: usize,
    ) -> Result<(Vec<User>, Option<String>), StoreError> {
        let pk = if by_email {
            USERS_BY_EMAIL
        } else {
            USERS_BY_NAME
        };
        let start = after.and_then(|after| start_row(by_email, after));
        // One row more than wanted tells whether there is a next page.
        let mut rows = self.table.index_page(pk, search, start, wanted + 1).await?;
        let more = rows.len() > wanted;
        rows.truncate(wanted);
        let last = rows.last().filter(|_| more).map(|row| row.sort_key.clone());
        let mut seen = HashSet::new();
        let ids: Vec<UserId> = rows
            .iter()
            .filter_map(|row| keys::indexed_user(&row.sort_key))
            .filter(|id| seen.insert(*id))
            .collect();
        let current: HashSet<&str> = rows.iter().map(|row| row.sort_key.as_str()).collect();
        let mut users = self.users(&ids).await?;
        // The index lags behind: a row that its profile no longer confirms is dropped.
        users.retain(|user| {
            let by_name = keys::user_by_name(user).sk;
            if by_email {
                current.contains(keys::user_by_email(&user.email, user.id).sk.as_str())
                    && !by_name.starts_with(search)
            } else {
                current.contains(by_name.as_str())
            }
        });
        Ok((users, last))
    }

    /// Where the users found by email start, if there are any.
    async fn first_by_email(&self, search: &str) -> Result<Option<Cursor>, StoreError> {
        let rows = self
            .table
            .index_page(USERS_BY_EMAIL, search, None, 1)
            .await?;
        Ok(rows.first().map(|_| Cursor {
            by_email: true,
            after: String::new(),
        }))
    }
}

/// The index row that a cursor names, with the item's key as DynamoDB wants it beside.
fn start_row(by_email: bool, after: &str) -> Option<IndexRow> {
    let id = keys::indexed_user(after)?;
    let key = if by_email {
        let (address, _) = after.rsplit_once('#')?;
        keys::Key {
            pk: format!("EMAIL#{address}"),
            sk: "EMAIL".to_owned(),
        }
    } else {
        Entity::User(id).key()
    };
    Some(IndexRow {
        key,
        sort_key: after.to_owned(),
    })
}
