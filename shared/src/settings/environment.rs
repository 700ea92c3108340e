//! How the variables of the environment are read.

use std::{fmt, net::IpAddr, ops::RangeInclusive, str::FromStr};

use ipnet::IpNet;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{Rate, SettingsError};

/// Ten years: longer lifetimes are slips of the keyboard.
const LONGEST: i64 = 315_360_000;

/// Reads variables. An empty text counts as not set, since a SAM template can declare a variable
/// only with some value.
pub(super) struct Environment<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
}

impl<'a> Environment<'a> {
    pub(super) fn new(lookup: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { lookup }
    }

    pub(super) fn get(&self, name: &str) -> Option<String> {
        (self.lookup)(name).filter(|value| !value.is_empty())
    }

    pub(super) fn required(&self, name: &str) -> Result<String, SettingsError> {
        self.get(name)
            .ok_or_else(|| SettingsError::new(format!("{name} is not set")))
    }

    pub(super) fn list(&self, name: &str) -> Vec<String> {
        let value = self.get(name).unwrap_or_default();
        let items = value.split(',').map(str::trim);
        let items = items.filter(|item| !item.is_empty());
        items.map(str::to_owned).collect()
    }

    /// Networks in CIDR form; an address alone is a network of its own.
    pub(super) fn networks(&self, name: &str) -> Result<Vec<IpNet>, SettingsError> {
        let network = |text: String| {
            let address = || text.parse::<IpAddr>().ok().map(IpNet::from);
            let network = text.parse().ok().or_else(address);
            network.ok_or_else(|| SettingsError::new(format!("{name}: {text} is no network")))
        };
        self.list(name).into_iter().map(network).collect()
    }

    /// A list whose items may hold commas: then it is an array of JSON.
    pub(super) fn texts(&self, name: &str) -> Result<Vec<String>, SettingsError> {
        let value = self.get(name).unwrap_or_default();
        if !value.starts_with('[') {
            return Ok(self.list(name));
        }
        // The error may quote the value, which may be a secret.
        serde_json::from_str(&value)
            .map_err(|_| SettingsError::new(format!("{name} is no array of texts")))
    }

    pub(super) fn flag(&self, name: &str) -> Result<bool, SettingsError> {
        self.flag_or(name, false)
    }

    pub(super) fn flag_or(&self, name: &str, default: bool) -> Result<bool, SettingsError> {
        match self
            .get(name)
            .map(|text| text.to_ascii_lowercase())
            .as_deref()
        {
            None => Ok(default),
            Some("false" | "0") => Ok(false),
            Some("true" | "1") => Ok(true),
            Some(_) => Err(SettingsError::new(format!(
                "{name} is neither true nor false"
            ))),
        }
    }

    /// DRF's `parse_rate`: the first letter of the period counts. Set to nothing, it is no limit.
    pub(super) fn rate(&self, name: &str, default: &str) -> Result<Option<Rate>, SettingsError> {
        let text = (self.lookup)(name).unwrap_or_else(|| default.to_owned());
        if text.trim().is_empty() {
            return Ok(None);
        }
        let rate = text.split_once('/').and_then(|(count, period)| {
            let seconds = match period.trim().chars().next()? {
                's' => 1,
                'm' => 60,
                'h' => 3600,
                'd' => 86_400,
                _ => return None,
            };
            let count = count.trim().parse().ok().filter(|count| *count > 0)?;
            Some(Rate { count, seconds })
        });
        let malformed = || SettingsError::new(format!("{name} is not a rate such as 100/hour"));
        rate.map(Some).ok_or_else(malformed)
    }

    pub(super) fn seconds(
        &self,
        name: &str,
        least: i64,
        default: i64,
    ) -> Result<i64, SettingsError> {
        self.number(name, "seconds", least..=LONGEST, default)
    }

    pub(super) fn time(&self, name: &str) -> Result<Option<i64>, SettingsError> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        let malformed =
            || SettingsError::new(format!("{name} is not a time such as 2027-01-31T12:00:00Z"));
        time(&text).map(Some).ok_or_else(malformed)
    }

    pub(super) fn number<T: FromStr + PartialOrd + fmt::Display>(
        &self,
        name: &str,
        unit: &str,
        range: RangeInclusive<T>,
        default: T,
    ) -> Result<T, SettingsError> {
        let Some(text) = self.get(name) else {
            return Ok(default);
        };
        let number = text.trim().parse().ok();
        number
            .filter(|number| range.contains(number))
            .ok_or_else(|| {
                let (least, most) = (range.start(), range.end());
                SettingsError::new(format!(
                    "{name} is not a number of {unit} from {least} to {most}"
                ))
            })
    }
}

/// A moment in seconds since 1970: a date and time of RFC 3339, or a date, which is its start in UTC.
pub fn time(text: &str) -> Option<i64> {
    let whole = match text.len() {
        // YYYY-MM-DD
        10 => format!("{text}T00:00:00Z"),
        _ => text.to_owned(),
    };
    let time = OffsetDateTime::parse(&whole, &Rfc3339).ok()?;
    Some(time.unix_timestamp())
}
