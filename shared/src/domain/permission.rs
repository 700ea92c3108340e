//! `django.contrib.auth.models.Permission` and `django.contrib.contenttypes`.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Codename, PermissionName};

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
    /// Splits `app_label.model`; anything but two parts is none.
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

    /// Django's order of permissions: app_label, model, codename.
    pub fn order(&self) -> (&ContentType, &Codename) {
        (&self.content_type, &self.codename)
    }
}

/// The models that Django's auth application declares.
pub const STOCK_MODELS: [&str; 3] = ["user", "group", "permission"];
/// The permissions that Django makes for every model.
pub const STOCK_ACTIONS: [&str; 4] = ["add", "change", "delete", "view"];
