//! Fields as a form shows them: labels, values, errors.

use std::{borrow::Cow, collections::BTreeSet};

use shared::{
    domain::{FieldError, GroupId, GroupName, Permission, PermissionId, names, quotas},
    input::{FieldErrors, NON_FIELD_ERRORS},
};

use crate::{posted::Posted, staff::Staff};

/// Fields that belong together.
#[derive(Default)]
pub struct Fieldset {
    pub legend: &'static str,
    pub description: Cow<'static, str>,
    pub fields: Vec<Field>,
}

/// A submit button.
pub struct Button {
    pub name: &'static str,
    pub label: &'static str,
}

/// Django's rules of passwords.
pub const PASSWORD_HELP: &str = "Not too similar to the other personal information, at least 8 \
     characters, not a commonly used password, and not entirely numeric.";

/// A field.
#[derive(Default)]
pub struct Field {
    pub name: &'static str,
    pub label: &'static str,
    /// `checkbox`, `select`, `selector` (several of many), or the type of an `<input>`.
    pub kind: &'static str,
    pub value: String,
    pub help: &'static str,
    pub required: bool,
    pub errors: Vec<String>,
    pub checked: bool,
    pub options: Vec<Choice>,
    pub autocomplete: &'static str,
    pub disabled: bool,
}

impl Field {
    /// With a sign that it must be filled in.
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// With a text below.
    pub fn help(mut self, help: &'static str) -> Self {
        self.help = help;
        self
    }

    /// Of another kind.
    pub fn kind(mut self, kind: &'static str) -> Self {
        self.kind = kind;
        self
    }

    /// Open for changes only under a condition.
    pub fn open_if(mut self, open: bool) -> Self {
        self.disabled = !open;
        self
    }
}

/// One of the values of a field.
pub struct Choice {
    pub value: String,
    pub label: String,
    pub selected: bool,
}

impl Choice {
    /// A choice.
    pub fn new(value: impl ToString, label: impl Into<String>, selected: bool) -> Self {
        Self {
            value: value.to_string(),
            label: label.into(),
            selected,
        }
    }
}

/// As many groups as there may be; of a table that has more the first, and those that are selected.
pub fn offered_groups<'a>(
    groups: impl IntoIterator<Item = (GroupId, &'a GroupName)>,
    is_selected: impl Fn(GroupId) -> bool,
) -> Vec<Choice> {
    let choices = groups
        .into_iter()
        .map(|(id, name)| Choice::new(id, name.as_str(), is_selected(id)));
    as_many_as(quotas::GROUPS, choices)
}

/// The first of the choices, and those that are selected.
pub fn as_many_as(most: usize, choices: impl Iterator<Item = Choice>) -> Vec<Choice> {
    let offered = choices
        .enumerate()
        .filter(|(number, choice)| *number < most || choice.selected);
    offered.map(|(_, choice)| choice).collect()
}

/// The permissions that an object holds, and of the rest those that the user holds: nobody hands
/// out more. Of a table that has more than there may be, the first.
pub fn offered_permissions(
    staff: &Staff,
    all: &[Permission],
    held: &BTreeSet<PermissionId>,
) -> Vec<Choice> {
    let is_held = |one: &Permission| held.contains(&one.id);
    let offered = all
        .iter()
        .filter(|one| is_held(one) || staff.holds(&one.label()));
    let choices = offered.map(|one| Choice::new(one.id, one.title(), is_held(one)));
    as_many_as(quotas::PERMISSIONS, choices)
}

/// Django's bound form: what was sent, if it is shown again, and what is wrong with it.
#[derive(Default)]
pub struct Bound<'a> {
    data: Option<&'a Posted>,
    errors: FieldErrors,
}

impl<'a> Bound<'a> {
    /// A form that is shown again.
    pub fn again(data: &'a Posted, errors: FieldErrors) -> Self {
        Self {
            data: Some(data),
            errors,
        }
    }

    /// What was sent of a field.
    fn sent(&self, name: &str) -> Option<&'a Posted> {
        self.data.filter(|posted| posted.has(name))
    }

    fn field(&self, name: &'static str, label: &'static str, kind: &'static str) -> Field {
        let mine = self.errors.iter().find(|(field, _)| *field == name);
        Field {
            name,
            label,
            kind,
            errors: mine.map(|(_, errors)| said(errors)).unwrap_or_default(),
            // It is somebody else's data: the browser's owner has nothing to fill in.
            autocomplete: "off",
            ..Field::default()
        }
    }

    /// A text field with the value of the object.
    pub fn text(&self, name: &'static str, label: &'static str, value: &str) -> Field {
        let sent = self.sent(name).map(|posted| posted.text(name));
        Field {
            value: sent.unwrap_or(value).to_owned(),
            ..self.field(name, label, "text")
        }
    }

    /// A field for a new password, which is always shown empty.
    pub fn password(&self, name: &'static str, label: &'static str) -> Field {
        Field {
            required: true,
            autocomplete: "new-password",
            ..self.field(name, label, "password")
        }
    }

    /// A check box.
    pub fn check_box(&self, name: &'static str, label: &'static str, checked: bool) -> Field {
        let sent = self.sent(name).map(|posted| posted.text(name) == "true");
        Field {
            checked: sent.unwrap_or(checked),
            autocomplete: "",
            ..self.field(name, label, "checkbox")
        }
    }

    /// Several of many.
    pub fn selector(
        &self,
        name: &'static str,
        label: &'static str,
        options: impl IntoIterator<Item = Choice>,
    ) -> Field {
        Field {
            options: self.chosen(name, options),
            ..self.field(name, label, "selector")
        }
    }

    /// One of many.
    pub fn select(
        &self,
        name: &'static str,
        label: &'static str,
        options: impl IntoIterator<Item = Choice>,
    ) -> Field {
        let nothing = Choice::new("", "---------", false);
        Field {
            options: self.chosen(name, std::iter::once(nothing).chain(options)),
            ..self.field(name, label, "select")
        }
    }

    /// The options; after a form was sent, selected as it was.
    fn chosen(&self, name: &str, options: impl IntoIterator<Item = Choice>) -> Vec<Choice> {
        let mut options: Vec<Choice> = options.into_iter().collect();
        if let Some(data) = self.data {
            for option in &mut options {
                option.selected = data.texts(name).any(|text| text == option.value);
            }
        }
        options
    }

    /// The errors above the form: that some fields have errors, and those of no single field.
    pub fn form_errors(&self) -> Vec<String> {
        let is_general = |name: &str| name == NON_FIELD_ERRORS;
        let mut texts = Vec::new();
        if self.errors.iter().any(|(name, _)| !is_general(name)) {
            // As Django, which counts fields.
            let errors = match self.errors.iter().count() {
                1 => "error",
                _ => "errors",
            };
            texts.push(format!("Please correct the {errors} below."));
        }
        let general = self.errors.iter().find(|(name, _)| is_general(name));
        texts.extend(general.into_iter().flat_map(|(_, errors)| said(errors)));
        texts
    }
}

/// The errors of a field in the words of Django's forms, and as they check: addresses before
/// lengths, and what the model alone checks only where the form finds nothing.
fn said(errors: &[FieldError]) -> Vec<String> {
    let mut errors: Vec<&FieldError> = errors.iter().collect();
    errors.sort_by_key(|error| **error != names::INVALID_EMAIL);
    if errors.len() > 1 {
        errors.retain(|error| **error != names::INVALID_USERNAME);
    }
    errors
        .into_iter()
        .map(|error| error.django().into_owned())
        .collect()
}
