//! What the list of users is asked for, by Django's names of the parameters.

use shared::{
    domain::{Flag, GroupId},
    http::paging::searchable,
    store::pager::{Filter, Place},
};

use crate::page::Section;

/// A flag's parameter.
#[derive(Clone, Copy)]
pub struct FlagParameter {
    pub name: &'static str,
    pub label: &'static str,
    pub flag: Flag,
    /// The value that means to have the flag; the other of 0 and 1 means not to.
    pub having: &'static str,
}

/// The parameters of all flags.
pub const FLAGS: [FlagParameter; 3] = [
    FlagParameter {
        name: "is_staff__exact",
        label: "Staff",
        flag: Flag::Staff,
        having: "1",
    },
    FlagParameter {
        name: "is_superuser__exact",
        label: "Superuser",
        flag: Flag::Superuser,
        having: "1",
    },
    FlagParameter {
        name: "is_active__exact",
        label: "Active",
        flag: Flag::Inactive,
        having: "0",
    },
];
const GROUP: &str = "groups__id__exact";

/// A list of users that somebody asks for.
#[derive(Default)]
pub struct Asked {
    /// The search as it was typed.
    pub search: String,
    /// Whom it lets through.
    pub filter: Filter,
    /// Where its page starts.
    pub from: Option<Place>,
    /// A filter that Django may have and this list has not.
    pub unknown: Option<String>,
}

impl Asked {
    /// Reads a query.
    pub fn of(query: Vec<(String, String)>) -> Self {
        let mut asked = Self::default();
        let from = query.iter().rfind(|(name, _)| name == "p").cloned();
        for (name, value) in query {
            // A form sends what is left open as nothing.
            if !value.is_empty() {
                asked.take(name, &value);
            }
        }
        // A place that this list never gave is its beginning.
        asked.from = from.and_then(|(_, place)| Place::parse(&place, &asked.filter));
        asked
    }

    fn take(&mut self, name: String, value: &str) {
        let filter = &mut self.filter;
        let flag = FLAGS.into_iter().find(|flag| flag.name == name);
        match (name.as_str(), flag) {
            ("q", _) => {
                value.trim().clone_into(&mut self.search);
                filter.search = searchable(value);
            }
            (GROUP, _) if value.parse::<u64>().is_ok() => {
                filter.group = value.parse().ok().map(GroupId);
            }
            (_, Some(parameter)) if value == parameter.having => {
                filter.flags.insert(parameter.flag);
            }
            (_, Some(parameter)) if matches!(value, "0" | "1") => {
                filter.lacking.insert(parameter.flag);
            }
            _ if name.contains("__") => self.unknown = Some(name),
            _ => {}
        }
    }

    /// The address of the list from a place on, or from its beginning.
    pub fn url(&self, place: Option<&Place>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if !self.search.is_empty() {
            query.append_pair("q", &self.search);
        }
        for FlagParameter {
            name, flag, having, ..
        } in FLAGS
        {
            if self.filter.flags.contains(&flag) {
                query.append_pair(name, having);
            } else if self.filter.lacking.contains(&flag) {
                query.append_pair(name, if having == "1" { "0" } else { "1" });
            }
        }
        if let Some(group) = self.filter.group {
            query.append_pair(GROUP, &group.to_string());
        }
        if let Some(place) = place {
            query.append_pair("p", &place.to_text());
        }
        match query.finish().as_str() {
            "" => Section::Users.url(),
            query => format!("{}?{query}", Section::Users.url()),
        }
    }

    /// The address of this very page of the list.
    pub fn here(&self) -> String {
        self.url(self.from.as_ref())
    }

    /// Whether it leaves anybody out.
    pub fn is_filtered(&self) -> bool {
        self.filter != Filter::default()
    }
}
