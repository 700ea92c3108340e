//! Every key of the table.

use sha2::{Digest, Sha256};

use crate::domain::{
    Codename, ContentType, EmailAddress, Flag, GroupId, GroupName, PermissionId, User, UserId,
    UserName, log_entry::Object, searchable,
};

/// The table's key attributes and indexes, for the template's and `manage`'s definition of it.
pub const PK: &str = "PK";
/// The sort key.
pub const SK: &str = "SK";
/// The index's partition key.
pub const GSI1PK: &str = "GSI1PK";
/// The index's sort key.
pub const GSI1SK: &str = "GSI1SK";
/// The index's name; it projects keys only.
pub const GSI1: &str = "GSI1";
/// The attribute that DynamoDB expires items by.
pub const TTL: &str = "ttl";

/// Partition of all groups.
pub const GROUPS: &str = "GROUP";
/// Partition of all permissions.
pub const PERMISSIONS: &str = "PERMISSION";
/// Partition of all content types.
pub const CONTENT_TYPES: &str = "CONTENTTYPE";
/// Index partition of users, by lower-cased username.
pub const USERS_BY_NAME: &str = "USER";
/// Index partition of email markers, by address.
pub const USERS_BY_EMAIL: &str = "EMAIL";

/// Index partition of mails that are owed, in the order of time.
pub const OUTBOX: &str = "OUTBOX";

/// The primary key of one item.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Partition key.
    pub pk: String,
    /// Sort key.
    pub sk: String,
}

/// The models with ids of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sequence {
    /// Users.
    User,
    /// Groups.
    Group,
    /// Permissions.
    Permission,
}

/// The indexes of the names that people have beside their username.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameIndex {
    /// By first name.
    First,
    /// By last name.
    Last,
}

/// Every kind of item.
#[derive(Clone, Copy, Debug)]
pub enum Entity<'a> {
    /// A user's profile.
    User(UserId),
    /// A user's password hash.
    Credential(UserId),
    /// Where the first layout has a user's password hash.
    CredentialBesideProfile(UserId),
    /// A user's place in the index of a group's members.
    Membership(UserId, GroupId),
    /// A user's place in the index of those who have a flag.
    Flagged(UserId, Flag),
    /// A user's place in the index of first or of last names.
    Named(UserId, NameIndex),
    /// A user's place in the index of addresses, if they share theirs.
    SharedEmail(UserId),
    /// The marker that makes a username unique.
    UserName(&'a UserName),
    /// The marker that makes an email address unique.
    Email(&'a EmailAddress),
    /// A group.
    Group(GroupId),
    /// The marker that makes a group's name unique.
    GroupName(&'a GroupName),
    /// A permission.
    Permission(PermissionId),
    /// The marker that makes a codename unique within its content type.
    Codename(&'a ContentType, &'a Codename),
    /// A content type.
    ContentType(&'a ContentType),
    /// A copy of the labels of all permissions.
    Catalogue(u8),
    /// The table's layout.
    Schema,
    /// The user model of the site that the accounts came from.
    UserModel,
    /// The set of active superusers.
    ActiveSuperusers,
    /// The last id given.
    Sequence(Sequence),
    /// A blacklisted token.
    Token(&'a str),
    /// A session of a user, by its id.
    Session(UserId, &'a str),
    /// A counter of attempts at a subject, by its place among the subject's counters.
    Attempts(&'a str, &'a str),
    /// A change of an object, by the object and the entry's place among its changes.
    LogEntry(&'a Object, &'a str),
    /// A mail that is owed, by its id.
    Mail(&'a str),
}

impl Entity<'_> {
    /// The item's key.
    pub fn key(&self) -> Key {
        let (pk, sk) = match self {
            Self::User(id) => (user(*id), "PROFILE".to_owned()),
            Self::Credential(id) => (format!("CREDENTIAL#{id}"), "CREDENTIAL".to_owned()),
            Self::CredentialBesideProfile(id) => (user(*id), "CREDENTIAL".to_owned()),
            Self::Flagged(id, flag) => (user(*id), format!("FLAG#{}", flag.name())),
            Self::Membership(id, group) => (user(*id), format!("GROUP#{group}")),
            Self::Named(id, index) => (user(*id), index.partition().to_owned()),
            Self::SharedEmail(id) => (user(*id), "EMAIL".to_owned()),
            Self::UserName(name) => (format!("USERNAME#{}", name.as_str()), "USERNAME".to_owned()),
            Self::Email(email) => (format!("EMAIL#{}", email.lower()), "EMAIL".to_owned()),
            Self::Group(id) => (GROUPS.to_owned(), padded(id.0)),
            Self::GroupName(name) => (
                format!("GROUPNAME#{}", name.as_str()),
                "GROUPNAME".to_owned(),
            ),
            Self::Permission(id) => (PERMISSIONS.to_owned(), padded(id.0)),
            Self::Codename(content_type, codename) => (
                label(&format!("{}.{}", content_type.app_label, codename.as_str())),
                content_type.model.clone(),
            ),
            Self::ContentType(content_type) => (CONTENT_TYPES.to_owned(), content_type.to_string()),
            Self::Catalogue(copy) => (format!("CATALOGUE#{copy}"), "CATALOGUE".to_owned()),
            Self::Schema => ("SCHEMA".to_owned(), "SCHEMA".to_owned()),
            Self::UserModel => ("DJANGO".to_owned(), "USER_MODEL".to_owned()),
            Self::ActiveSuperusers => ("SUPERUSER".to_owned(), "ACTIVE".to_owned()),
            Self::Sequence(sequence) => ("SEQUENCE".to_owned(), sequence.name().to_owned()),
            Self::Token(jti) => (token(jti), "TOKEN".to_owned()),
            Self::Session(id, sid) => (sessions_of(*id), (*sid).to_owned()),
            Self::Attempts(subject, place) => {
                (format!("ATTEMPTS#{}", digest(subject)), (*place).to_owned())
            }
            Self::LogEntry(object, place) => (log_of(object), (*place).to_owned()),
            Self::Mail(id) => (format!("{MAILS}{id}"), "MAIL".to_owned()),
        };
        Key { pk, sk }
    }
}

impl Sequence {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::User, Self::Group, Self::Permission];

    fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
            Self::Permission => "permission",
        }
    }
}

impl NameIndex {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::First, Self::Last];

    /// The index partition.
    pub fn partition(self) -> &'static str {
        match self {
            Self::First => "FIRSTNAME",
            Self::Last => "LASTNAME",
        }
    }

    /// The index keys of a user, in the order of the name as it is searched for; none for an empty name.
    pub fn keys(self, user: &User) -> Option<Key> {
        /// In bytes, so that the id still fits into the 1,024 of a sort key.
        const LONGEST: usize = 1000;
        let name = match self {
            Self::First => &user.first_name,
            Self::Last => &user.last_name,
        };
        let mut name = searchable(name.as_str());
        name.truncate(name.floor_char_boundary(LONGEST));
        (!name.is_empty()).then(|| Key {
            pk: self.partition().to_owned(),
            sk: format!("{name}#{}", padded(user.id.0)),
        })
    }
}

/// The partition of the markers of a label: one for each model whose permission it means.
pub fn label(label: &str) -> String {
    format!("CODENAME#{label}")
}

/// What the partitions of mails begin with.
pub const MAILS: &str = "OUTBOX#";

/// The index keys of a mail: in the order of time.
pub fn owed(id: &str) -> Key {
    Key {
        pk: OUTBOX.to_owned(),
        sk: id.to_owned(),
    }
}

/// The partition of a user's items.
pub fn user(id: UserId) -> String {
    format!("USER#{id}")
}

/// A token's id as it stands, or a digest of one that would make the key longer than DynamoDB
/// takes (2,048 bytes): such ids are never issued here, but may be signed by others.
fn token(jti: &str) -> String {
    const LONGEST: usize = 1000;
    if jti.len() <= LONGEST {
        return format!("TOKEN#{jti}");
    }
    format!("TOKEN#sha256:{}", digest(jti))
}

/// The partition of a user's sessions.
pub fn sessions_of(id: UserId) -> String {
    format!("SESSION#{id}")
}

/// The SHA-256 of a text, in hexadecimal digits.
pub fn digest(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The partition of an object's changes.
pub fn log_of(object: &Object) -> String {
    format!("LOG#{}#{}", object.model.content_type(), object.id)
}

/// The index partition of a day's changes, by the number of the day since 1970.
pub fn log_of_day(day: i64) -> String {
    format!("LOG#{day}")
}

/// Ten digits, so that the order of texts is that of numbers.
fn padded(id: u64) -> String {
    format!("{id:010}")
}

/// The index keys of a user: in order of lower-cased username, then id. `#` sorts before every
/// character of a username, so `ann` comes before `ann-marie`.
pub fn user_by_name(user: &User) -> Key {
    Key {
        pk: USERS_BY_NAME.to_owned(),
        sk: format!("{}#{}", user.username.lower(), padded(user.id.0)),
    }
}

/// The index partition of the users who have a flag.
pub fn users_with(flag: Flag) -> String {
    format!("FLAG#{}", flag.name())
}

/// The index keys of a flag's item: in the order of [`user_by_name`].
pub fn flagged_user(user: &User, flag: Flag) -> Key {
    Key {
        pk: users_with(flag),
        sk: user_by_name(user).sk,
    }
}

/// The index keys of an email marker; the id after the last `#` saves reading the marker.
pub fn user_by_email(email: &EmailAddress, id: UserId) -> Key {
    Key {
        pk: USERS_BY_EMAIL.to_owned(),
        sk: format!("{}#{}", email.lower(), padded(id.0)),
    }
}

/// The index keys of a membership: a group's members by id.
pub fn member(group: GroupId, id: UserId) -> Key {
    Key {
        pk: format!("GROUP#{group}"),
        sk: padded(id.0),
    }
}

/// The user that an index sort key of [`user_by_name`], [`user_by_email`] or [`NameIndex::keys`] names.
pub fn indexed_user(sort_key: &str) -> Option<UserId> {
    let (_, id) = sort_key.rsplit_once('#')?;
    (id.len() >= 10 && id.bytes().all(|b| b.is_ascii_digit()))
        .then(|| id.parse().ok().map(UserId))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn index_keys_of_users_end_in_the_id() {
        assert_eq!(indexed_user("ann#0000000007"), Some(UserId(7)));
        assert_eq!(
            indexed_user("a#b@x.org#12345678901"),
            Some(UserId(12_345_678_901))
        );
        for nobody in ["", "ann", "ann#7", "ann#00000000x7", "ann#+000000007"] {
            assert_eq!(indexed_user(nobody), None, "{nobody:?}");
        }
    }

    #[test]
    fn a_tokens_key_is_its_id_or_a_digest_of_a_long_one() {
        assert_eq!(Entity::Token("abc").key().pk, "TOKEN#abc");
        let long = Entity::Token(&"a".repeat(3000)).key().pk;
        assert_eq!(long.len(), "TOKEN#sha256:".len() + 64);
        assert_ne!(long, Entity::Token(&"b".repeat(3000)).key().pk);
    }
}
