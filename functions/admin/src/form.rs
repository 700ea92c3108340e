//! Forms: their fields with what was typed and what is wrong with it.

use askama::Template;
use shared::{
    domain::{Group, Permission},
    error::{FieldErrors, NON_FIELD_ERRORS},
};

use crate::{
    page::{Link, Page, Section},
    posted::Posted,
    staff::Staff,
};

/// `form.html`
#[derive(Template)]
#[template(path = "form.html")]
pub struct FormPage {
    pub page: Page,
    pub action_url: String,
    pub has_errors: bool,
    pub form_errors: Vec<String>,
    pub fieldsets: Vec<Fieldset>,
    pub tools: Vec<Link>,
    pub has_submit: bool,
    pub submit: Vec<Button>,
    pub delete_url: String,
    pub related: Related,
}

/// Fields that belong together.
pub struct Fieldset {
    pub legend: &'static str,
    pub description: &'static str,
    pub fields: Vec<Field>,
}

/// A submit button.
pub struct Button {
    pub name: &'static str,
    pub label: &'static str,
    pub primary: bool,
}

/// What is shown below a form.
#[derive(Default)]
pub struct Related {
    pub title: &'static str,
    pub has_links: bool,
    pub links: Vec<Link>,
    pub all_url: String,
    pub all_label: &'static str,
    pub empty: &'static str,
}

/// A field.
#[derive(Default)]
pub struct Field {
    pub name: &'static str,
    pub label: &'static str,
    pub kind: &'static str,
    pub value: String,
    pub help: &'static str,
    pub required: bool,
    pub has_errors: bool,
    pub errors: Vec<String>,
    pub checked: bool,
    pub options: Vec<Choice>,
    pub autocomplete: &'static str,
    pub disabled: bool,
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

    /// Groups, those that `chosen` names as selected.
    pub fn groups<'a>(
        groups: impl IntoIterator<Item = &'a Group>,
        chosen: impl Fn(&Group) -> bool,
    ) -> Vec<Self> {
        let choice = |group: &Group| Self::new(group.id, group.name.as_str(), chosen(group));
        groups.into_iter().map(choice).collect()
    }

    /// Permissions, those that `chosen` names as selected.
    pub fn permissions<'a>(
        permissions: impl IntoIterator<Item = &'a Permission>,
        chosen: impl Fn(&Permission) -> bool,
    ) -> Vec<Self> {
        let choice = |one: &Permission| Self::new(one.id, one.title(), chosen(one));
        permissions.into_iter().map(choice).collect()
    }
}

/// The ways to save that lead where one may go.
pub fn save_buttons(staff: &Staff, section: Section) -> Vec<Button> {
    let button = |name, label| Button {
        name,
        label,
        primary: name == "_save",
    };
    let mut buttons = vec![button("_save", "Save")];
    if !section.add_url(staff).is_empty() {
        buttons.push(button("_addanother", "Save and add another"));
    }
    if staff.can_view(section.model()) {
        buttons.push(button("_continue", "Save and continue editing"));
    }
    buttons
}

/// One way to go on.
pub fn one_button(label: &'static str) -> Vec<Button> {
    vec![Button {
        name: "_save",
        label,
        primary: true,
    }]
}

/// Where the fields of a form get their values and errors from: what was sent, if it is shown
/// again, else what is there.
#[derive(Clone, Copy)]
pub struct Filled<'a> {
    pub posted: Option<&'a Posted>,
    pub errors: &'a FieldErrors,
}

impl Filled<'_> {
    /// A text field.
    pub fn text(&self, name: &'static str, label: &'static str, value: &str) -> Field {
        let value = match self.posted {
            Some(posted) if posted.has(name) => posted.text(name).to_owned(),
            _ => value.to_owned(),
        };
        self.with_errors(Field {
            name,
            label,
            kind: "text",
            value,
            ..Field::default()
        })
    }

    /// A password field, which is always shown empty.
    pub fn password(&self, name: &'static str, label: &'static str, help: &'static str) -> Field {
        self.with_errors(Field {
            name,
            label,
            kind: "password",
            help,
            required: true,
            autocomplete: if name == "old_password" {
                "current-password"
            } else {
                "new-password"
            },
            ..Field::default()
        })
    }

    /// A check box.
    pub fn check_box(
        &self,
        name: &'static str,
        label: &'static str,
        help: &'static str,
        checked: bool,
    ) -> Field {
        let checked = match self.posted {
            Some(posted) if posted.has(name) => posted.text(name) == "true",
            _ => checked,
        };
        self.with_errors(Field {
            name,
            label,
            kind: "checkbox",
            help,
            checked,
            ..Field::default()
        })
    }

    /// Several of many.
    pub fn selector(
        &self,
        name: &'static str,
        label: &'static str,
        help: &'static str,
        options: Vec<Choice>,
    ) -> Field {
        self.with_errors(Field {
            name,
            label,
            kind: "selector",
            help,
            options,
            ..Field::default()
        })
    }

    /// One of many.
    pub fn select(&self, name: &'static str, label: &'static str, options: Vec<Choice>) -> Field {
        self.with_errors(Field {
            name,
            label,
            kind: "select",
            required: true,
            options,
            ..Field::default()
        })
    }

    fn with_errors(&self, mut field: Field) -> Field {
        let mine = self.errors.iter().filter(|(name, _)| *name == field.name);
        field.errors = mine.flat_map(|(_, texts)| texts).cloned().collect();
        field.has_errors = !field.errors.is_empty();
        field
    }

    /// The errors above the form: that there are some, and those of no single field.
    pub fn form_errors(&self) -> Vec<String> {
        let mut texts = Vec::new();
        let is_general = |name: &str| name == NON_FIELD_ERRORS;
        if self.errors.iter().any(|(name, _)| !is_general(name)) {
            let count: usize = self.errors.iter().map(|(_, texts)| texts.len()).sum();
            let errors = if count == 1 { "error" } else { "errors" };
            texts.push(format!("Please correct the {errors} below."));
        }
        let general = self.errors.iter().filter(|(name, _)| is_general(name));
        texts.extend(general.flat_map(|(_, texts)| texts).cloned());
        texts
    }
}
