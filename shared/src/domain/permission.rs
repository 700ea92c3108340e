//! `django.contrib.auth.models.Permission` and `django.contrib.contenttypes`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::{Deserialize, Serialize};

use super::{Codename, Group, GroupId, GroupName, PermissionName, User};

/// A permission's primary key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PermissionId(pub u64);

impl fmt::Display for PermissionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a permission is about: `app_label.model`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ContentType {
    /// Django's `app_label`, such as `auth`.
    pub app_label: String,
    /// Django's `model`, such as `user`.
    pub model: String,
}

impl ContentType {
    /// Splits `app_label.model`; anything but two parts is `None`.
    pub fn parse(text: &str) -> Option<Self> {
        let (app_label, model) = text.split_once('.')?;
        (!model.contains('.')).then(|| Self {
            app_label: app_label.to_owned(),
            model: model.to_owned(),
        })
    }
}

impl fmt::Display for ContentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.app_label, self.model)
    }
}

/// A permission, named `app_label.codename` where it decides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Permission {
    /// The primary key.
    pub id: PermissionId,
    /// For people: `Can change user`.
    pub name: PermissionName,
    /// For programs: `change_user`; unique within its content type.
    pub codename: Codename,
    /// What it is about.
    #[serde(flatten)]
    pub content_type: ContentType,
    /// Counts the changes, for optimistic locking.
    pub version: u64,
}

impl Permission {
    /// Django's label, which `has_perm` takes; the model is no part of it.
    pub fn label(&self) -> String {
        format!("{}.{}", self.content_type.app_label, self.codename.as_str())
    }

    /// Django's `str()` of it: `auth | user | Can change user`.
    pub fn title(&self) -> String {
        let ContentType { app_label, model } = &self.content_type;
        format!("{app_label} | {model} | {}", self.name.as_str())
    }

    /// Django's order of permissions: app_label, model, codename.
    pub fn order(&self) -> (&ContentType, &Codename) {
        (&self.content_type, &self.codename)
    }
}

/// A change of a permission: what is absent stays as it is.
#[derive(Clone, Debug, Default)]
pub struct PermissionChange {
    /// The name for people.
    pub name: Option<PermissionName>,
    /// The name for programs.
    pub codename: Option<Codename>,
    /// What it is about.
    pub content_type: Option<ContentType>,
}

impl PermissionChange {
    /// The permission with the change.
    pub fn apply(&self, permission: &Permission) -> Permission {
        let Self {
            name,
            codename,
            content_type,
        } = self;
        let mut permission = permission.clone();
        permission.name = name.clone().unwrap_or(permission.name);
        permission.codename = codename.clone().unwrap_or(permission.codename);
        permission.content_type = content_type.clone().unwrap_or(permission.content_type);
        permission
    }
}

/// Where a user's permission comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The user is a superuser.
    Superuser,
    /// The user holds it directly.
    User,
    /// A group of the user.
    Group(GroupId, GroupName),
}

/// Everything that a user may do, by label, with where it comes from: Django's
/// `get_all_permissions`. `groups` are the user's, `labels` those of at least the permissions that the
/// user and the groups name, or of all that exist for a superuser; an id that is not among them belongs
/// to a deleted permission and counts for nothing.
///
/// [`User::is_active`] is not looked at.
pub fn sources(
    user: &User,
    groups: &[Group],
    labels: &BTreeMap<PermissionId, String>,
) -> BTreeMap<String, Vec<Source>> {
    let mut held: BTreeMap<String, Vec<Source>> = BTreeMap::new();
    let mut add = |label: &String, source: Source| {
        let sources = held.entry(label.clone()).or_default();
        if !sources.contains(&source) {
            sources.push(source);
        }
    };
    for (id, label) in labels {
        if user.is_superuser {
            add(label, Source::Superuser);
            continue;
        }
        if user.permission_ids.contains(id) {
            add(label, Source::User);
        }
        for group in groups {
            if group.permission_ids.contains(id) {
                add(label, Source::Group(group.id, group.name.clone()));
            }
        }
    }
    held
}

/// What a user holds, to be compared with what a change gives, takes or decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// Everything: a superuser.
    All,
    /// What anyone else holds.
    These {
        /// Labels of permissions.
        labels: BTreeSet<String>,
        /// Groups, whose names other services decide by. Staff hold every group's name.
        groups: BTreeSet<GroupId>,
        /// Whether they are an admin.
        is_staff: bool,
    },
}

impl Held {
    /// What a user with these labels holds.
    pub fn of(user: &User, labels: BTreeSet<String>) -> Self {
        if user.is_superuser {
            return Self::All;
        }
        Self::These {
            labels,
            groups: user.group_ids.clone(),
            is_staff: user.is_staff,
        }
    }

    /// Whether it has all of the labels.
    pub fn covers<'a>(&self, labels: impl IntoIterator<Item = &'a String>) -> bool {
        match self {
            Self::All => true,
            Self::These { labels: held, .. } => {
                labels.into_iter().all(|label| held.contains(label))
            }
        }
    }

    /// Whether it has the name of a group.
    pub fn has_name_of(&self, group: GroupId) -> bool {
        match self {
            Self::All => true,
            Self::These {
                groups, is_staff, ..
            } => *is_staff || groups.contains(&group),
        }
    }

    /// Whether it may take away what it does not have: admins may.
    pub fn may_take_anything(&self) -> bool {
        matches!(self, Self::All | Self::These { is_staff: true, .. })
    }

    /// Whether it has all that another has.
    pub fn covers_all_of(&self, other: &Self) -> bool {
        let Self::These {
            labels,
            groups,
            is_staff,
        } = other
        else {
            return *self == Self::All;
        };
        self.covers(labels)
            && groups.iter().all(|group| self.has_name_of(*group))
            && (!is_staff || self.may_take_anything())
    }
}

/// The labels of permissions, each once.
pub fn labels<'a>(permissions: impl IntoIterator<Item = &'a Permission>) -> BTreeSet<String> {
    permissions.into_iter().map(Permission::label).collect()
}

/// Whether a label decides something in this service: those of Django's auth application.
pub fn decides(label: &str) -> bool {
    let Some(codename) = label.strip_prefix("auth.") else {
        return false;
    };
    codename.split_once('_').is_some_and(|(action, model)| {
        STOCK_ACTIONS.contains(&action) && STOCK_MODELS.contains(&model)
    })
}

/// The models that Django's auth application declares.
pub const STOCK_MODELS: [&str; 3] = ["user", "group", "permission"];
/// The permissions that Django makes for every model.
pub const STOCK_ACTIONS: [&str; 4] = ["add", "change", "delete", "view"];
