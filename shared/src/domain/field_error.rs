//! What is wrong with a field's value. The API and the pages say it in words of their own, as DRF's
//! fields and Django's forms differ.

use std::borrow::Cow;

/// One thing that is wrong with a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldError {
    /// What both say in the same words, or only one of them can say.
    Said(Cow<'static, str>),
    /// A required text is blank.
    Blank,
    /// A text has more than `limit` code points.
    TooLong {
        /// The most it may have.
        limit: usize,
        /// What it has.
        length: usize,
    },
    /// The two passwords of a form differ.
    PasswordMismatch,
    /// Another object has the value.
    Taken(Unique),
    /// No object has that primary key, as Python prints it.
    NoSuchObject(String),
}

/// The rules of uniqueness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unique {
    /// Of a user.
    Username,
    /// Of a user, without regard to case.
    Email,
    /// Of a group.
    GroupName,
    /// Of a permission, within its content type.
    Codename,
}

impl FieldError {
    /// A required field is absent.
    pub const REQUIRED: Self = Self::said("This field is required.");
    /// A field is null.
    pub const NULL: Self = Self::said("This field may not be null.");

    /// What both say in the same words.
    pub const fn said(text: &'static str) -> Self {
        Self::Said(Cow::Borrowed(text))
    }

    /// DRF's words.
    pub fn drf(&self) -> Cow<'static, str> {
        let text = match self {
            Self::Said(text) => return text.clone(),
            Self::TooLong { limit, .. } => {
                return format!("Ensure this field has no more than {limit} characters.").into();
            }
            Self::NoSuchObject(pk) => {
                return format!("Invalid pk \"{pk}\" - object does not exist.").into();
            }
            Self::Blank => "This field may not be blank.",
            Self::PasswordMismatch => "Password fields didn't match.",
            Self::Taken(Unique::Username) => "A user with that username already exists.",
            Self::Taken(Unique::Email) => "This field must be unique.",
            Self::Taken(Unique::GroupName) => "group with this name already exists.",
            Self::Taken(Unique::Codename) => {
                "The fields content_type, codename must make a unique set."
            }
        };
        text.into()
    }

    /// The words of Django's forms.
    pub fn django(&self) -> Cow<'static, str> {
        let text = match self {
            Self::Said(_) | Self::Taken(Unique::Username) => return self.drf(),
            Self::TooLong { limit, length } => {
                return format!(
                    "Ensure this value has at most {limit} characters (it has {length})."
                )
                .into();
            }
            Self::NoSuchObject(pk) => {
                return format!("Select a valid choice. {pk} is not one of the available choices.")
                    .into();
            }
            Self::Blank => return Self::REQUIRED.drf(),
            Self::PasswordMismatch => "The two password fields didn’t match.",
            Self::Taken(Unique::Email) => "User with this Email address already exists.",
            Self::Taken(Unique::GroupName) => "Group with this Name already exists.",
            Self::Taken(Unique::Codename) => {
                "Permission with this Content type and Codename already exists."
            }
        };
        text.into()
    }
}
