//! `django.contrib.admin.models.LogEntry`: who did what to what, and when.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{User, UserId};

/// Who changes something, for the log of changes and for the rights that a change needs.
#[derive(Clone, Copy, Debug)]
pub enum Actor<'a> {
    /// A user, who needs rights.
    User(&'a User),
    /// An anonymous visitor who registers.
    Registration,
    /// An operator at the command line, who may do everything, by name.
    Command(&'a str),
    /// The service itself, which fills a fresh table. What it does is not logged.
    Setup,
}

impl fmt::Display for Actor<'_> {
    /// What logs call it. No username has a space.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(user) => write!(f, "user {}", user.id),
            Self::Registration => f.write_str("anonymous"),
            Self::Command(name) => write!(f, "command ({name})"),
            Self::Setup => f.write_str("setup"),
        }
    }
}

impl<'a> From<&'a User> for Actor<'a> {
    fn from(user: &'a User) -> Self {
        Self::User(user)
    }
}

/// The models whose changes are logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Model {
    /// `auth.user`
    #[serde(rename = "auth.user")]
    User,
    /// `auth.group`
    #[serde(rename = "auth.group")]
    Group,
    /// `auth.permission`
    #[serde(rename = "auth.permission")]
    Permission,
}

impl Model {
    /// Its content type, as `app_label.model`.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::User => "auth.user",
            Self::Group => "auth.group",
            Self::Permission => "auth.permission",
        }
    }

    /// Django's `verbose_name`.
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
            Self::Permission => "permission",
        }
    }
}

/// One object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Object {
    /// What it is.
    pub model: Model,
    /// Its primary key.
    pub id: u64,
}

/// Django's `action_flag`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
pub enum ActionFlag {
    /// 1
    Addition,
    /// 2
    Change,
    /// 3
    Deletion,
}

impl From<ActionFlag> for u8 {
    fn from(flag: ActionFlag) -> Self {
        match flag {
            ActionFlag::Addition => 1,
            ActionFlag::Change => 2,
            ActionFlag::Deletion => 3,
        }
    }
}

impl TryFrom<u8> for ActionFlag {
    type Error = String;

    fn try_from(number: u8) -> Result<Self, String> {
        match number {
            1 => Ok(Self::Addition),
            2 => Ok(Self::Change),
            3 => Ok(Self::Deletion),
            _ => Err(format!("no action has the number {number}")),
        }
    }
}

/// One change, by Django's field names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogEntry {
    /// Milliseconds since 1970.
    pub action_time: i64,
    /// Who did it; 0, which is no user's, for an operator at the command line.
    pub user_id: UserId,
    /// Their username at the time, beyond Django's fields: it stays when the user is deleted. For an
    /// operator `command (ann)`, which can be nobody's username.
    pub username: String,
    /// To what.
    pub content_type: Model,
    /// To which.
    pub object_id: u64,
    /// What it was called at the time.
    pub object_repr: String,
    /// What was done.
    pub action_flag: ActionFlag,
    /// Django's JSON: `[{"changed": {"fields": ["Username"]}}]`; empty for a deletion.
    pub change_message: String,
}

impl LogEntry {
    /// Whether users did it to themselves. Operators are nobody's id, and so is what they unlock.
    pub fn is_of_oneself(&self) -> bool {
        let Self {
            user_id, object_id, ..
        } = self;
        self.content_type == Model::User && *object_id == user_id.0 && *object_id != 0
    }

    /// The object.
    pub fn object(&self) -> Object {
        Object {
            model: self.content_type,
            id: self.object_id,
        }
    }

    /// Django's `get_change_message`: `Changed Username and First name.`
    pub fn message(&self) -> String {
        match self.action_flag {
            ActionFlag::Addition => "Added.".to_owned(),
            ActionFlag::Deletion => "Deleted.".to_owned(),
            ActionFlag::Change => match changed_fields(&self.change_message).as_slice() {
                [] => "No fields changed.".to_owned(),
                [one] => format!("Changed {one}."),
                [many @ .., last] => format!("Changed {} and {last}.", many.join(", ")),
            },
        }
    }
}

#[derive(Deserialize)]
struct Message {
    changed: Option<Fields>,
}

#[derive(Serialize, Deserialize)]
struct Fields {
    fields: Vec<String>,
}

fn changed_fields(message: &str) -> Vec<String> {
    let messages: Vec<Message> = serde_json::from_str(message).unwrap_or_default();
    let changed = messages.into_iter().filter_map(|message| message.changed);
    changed.flat_map(|changed| changed.fields).collect()
}

/// Django's `change_message` of a change of fields, by their labels.
pub fn change_message(fields: &[&str]) -> String {
    serde_json::json!([{"changed": {"fields": fields}}]).to_string()
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(action_flag: ActionFlag, fields: &[&str]) -> String {
        LogEntry {
            action_time: 0,
            user_id: UserId(1),
            username: "admin".to_owned(),
            content_type: Model::User,
            object_id: 7,
            object_repr: "ann".to_owned(),
            action_flag,
            change_message: change_message(fields),
        }
        .message()
    }

    #[test]
    fn messages_read_as_in_djangos_admin() {
        assert_eq!(message(ActionFlag::Addition, &[]), "Added.");
        assert_eq!(message(ActionFlag::Deletion, &[]), "Deleted.");
        let changed = |fields: &[&str]| message(ActionFlag::Change, fields);
        assert_eq!(changed(&[]), "No fields changed.");
        assert_eq!(changed(&["password"]), "Changed password.");
        assert_eq!(
            changed(&["Username", "First name", "Groups"]),
            "Changed Username, First name and Groups."
        );
    }
}
