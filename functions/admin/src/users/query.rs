//! What the list of users is asked for, by Django's names of the parameters.

use shared::{
    domain::{Flag, GroupId, log_entry::Model},
    store::pager::{Filter, Place, Search},
};

use crate::urls;

/// A flag's parameter.
#[derive(Clone, Copy)]
pub struct FlagParameter {
    pub name: &'static str,
    pub label: &'static str,
    pub flag: Flag,
    /// The value that asks for users who have the flag, and the one for users who lack it.
    pub values: [&'static str; 2],
}

/// The parameters of all flags.
pub const FLAGS: [FlagParameter; 3] = [
    FlagParameter {
        name: "is_staff__exact",
        label: "Staff",
        flag: Flag::Staff,
        values: ["1", "0"],
    },
    FlagParameter {
        name: "is_superuser__exact",
        label: "Superuser",
        flag: Flag::Superuser,
        values: ["1", "0"],
    },
    FlagParameter {
        name: "is_active__exact",
        label: "Active",
        flag: Flag::Inactive,
        values: ["0", "1"],
    },
];
const GROUP: &str = "groups__id__exact";

impl FlagParameter {
    /// The value that a filter has for it, empty if none.
    pub fn value_in(&self, filter: &Filter) -> &'static str {
        let [having, lacking] = self.values;
        if filter.flags.contains(&self.flag) {
            having
        } else if filter.lacking.contains(&self.flag) {
            lacking
        } else {
            ""
        }
    }
}

/// The query of the list of users.
#[derive(Default)]
pub struct UserQuery {
    /// The search as it was typed.
    pub search: String,
    /// Which users it shows.
    pub filter: Filter,
    /// Where its page starts.
    pub from: Option<Place>,
    /// A filter that Django may have and this list has not.
    pub unknown: Option<String>,
}

impl UserQuery {
    /// Reads a query.
    pub fn read(pairs: Vec<(String, String)>) -> Self {
        let mut query = Self::default();
        let from = pairs.iter().rfind(|(name, _)| name == "p").cloned();
        // A form sends what is left open as nothing.
        for (name, value) in pairs.into_iter().filter(|(_, value)| !value.is_empty()) {
            query.take(name, &value);
        }
        // A place that this list never gave is its beginning.
        query.from = from.and_then(|(_, place)| Place::parse(&place, &query.filter));
        query
    }

    fn take(&mut self, name: String, value: &str) {
        let filter = &mut self.filter;
        let flag = FLAGS.into_iter().find(|flag| flag.name == name);
        let place = flag.and_then(|flag| flag.values.iter().position(|known| *known == value));
        match (name.as_str(), flag, place) {
            ("q", ..) => {
                value.trim().clone_into(&mut self.search);
                filter.search = Search::words(value);
            }
            (GROUP, ..) if value.parse::<u64>().is_ok() => {
                filter.group = value.parse().ok().map(GroupId);
            }
            (_, Some(parameter), Some(0)) => drop(filter.flags.insert(parameter.flag)),
            (_, Some(parameter), Some(_)) => drop(filter.lacking.insert(parameter.flag)),
            _ if name.contains("__") => self.unknown = Some(name),
            _ => {}
        }
    }

    /// The address of the list from a place on, or from its beginning.
    pub fn url(&self, place: Option<&Place>) -> String {
        let flags = FLAGS.map(|flag| (flag.name, flag.value_in(&self.filter).to_owned()));
        let group = self.filter.group.map(|group| group.to_string());
        let place = place.map(Place::to_text);
        let others = [
            (GROUP, group.unwrap_or_default()),
            ("p", place.unwrap_or_default()),
        ];
        let mut query = form_urlencoded::Serializer::new(String::new());
        let pairs = std::iter::once(("q", self.search.clone()))
            .chain(flags)
            .chain(others);
        query.extend_pairs(pairs.filter(|(_, value)| !value.is_empty()));
        match query.finish().as_str() {
            "" => urls::list(Model::User),
            query => format!("{}?{query}", urls::list(Model::User)),
        }
    }

    /// The address of this very page of the list.
    pub fn here(&self) -> String {
        self.url(self.from.as_ref())
    }

    /// Whether it leaves any user out.
    pub fn is_filtered(&self) -> bool {
        self.filter != Filter::default()
    }
}
