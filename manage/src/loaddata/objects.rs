//! Django's models as a dump has them.

use jiff::{Timestamp, civil, tz::TimeZone};
use serde_json::{Map, Value};
use shared::{
    domain::{ContentType, EmailAddress, Extra, NewUser, PersonName, User, UserId, UserName},
    hashing::PasswordHash,
};

use super::{reading::Object, report::Kind};

/// What is wrong with an object.
pub type Wrong = (Kind, String);

/// How the objects of a dump are read.
#[derive(Clone, Debug)]
pub struct Form {
    /// The model of users, in lower case: `auth.user`.
    pub user_model: String,
    /// The field that is the username.
    pub username_field: String,
    /// The zone of dates without an offset.
    pub timezone: Option<TimeZone>,
}

/// A relation, as a dump has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reference {
    /// By primary key.
    Id(u64),
    /// By natural key.
    Natural(Vec<String>),
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Natural(key) => write!(f, "{key:?}"),
        }
    }
}

/// A permission.
#[derive(Clone, Debug)]
pub struct DumpPermission {
    /// Absent with `--natural-primary`, where permissions do well without.
    pub pk: Option<u64>,
    /// The name for people.
    pub name: String,
    /// The name for programs.
    pub codename: String,
    /// What it is about.
    pub content_type: Reference,
}

/// A group.
#[derive(Clone, Debug)]
pub struct DumpGroup {
    /// The id, which it keeps.
    pub pk: u64,
    /// The name.
    pub name: String,
    /// What its members may do.
    pub permissions: Vec<Reference>,
}

/// A user.
#[derive(Clone, Debug)]
pub struct DumpUser {
    /// Without groups and permissions.
    pub user: User,
    /// Whether the dump says when they joined.
    pub has_joined: bool,
    /// Their groups.
    pub groups: Vec<Reference>,
    /// The permissions that they hold directly.
    pub permissions: Vec<Reference>,
    /// The password hash, as it stands.
    pub password: PasswordHash,
}

fn malformed(text: impl Into<String>) -> Wrong {
    (Kind::Malformed, text.into())
}

/// A primary key.
///
/// # Errors
/// It is absent or no id.
pub fn id(object: &Object) -> Result<u64, Wrong> {
    let described = || format!("{} {}", object.model, shown(object));
    match &object.pk {
        None | Some(Value::Null) => Err((Kind::NoId, described())),
        Some(pk) => number(pk).ok_or_else(|| {
            let uuid = pk.as_str().is_some_and(|pk| pk.len() >= 32);
            let why = if uuid {
                ": a UUID; tokens and groups name users by numbers here"
            } else {
                ""
            };
            (Kind::BadId, format!("{} {pk}{why}", object.model))
        }),
    }
}

/// An id in a dump: a number, or its digits as text.
fn number(value: &Value) -> Option<u64> {
    let number = match value {
        Value::Number(number) => number.as_u64().or_else(|| {
            let whole = number.as_f64().filter(|float| float.fract() == 0.0)?;
            // Beyond, a float no longer tells one number from the next.
            (1.0..=9_007_199_254_740_992.0)
                .contains(&whole)
                .then_some(whole as u64)
        })?,
        Value::String(text) if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok()?,
        _ => return None,
    };
    (1..=i64::MAX as u64).contains(&number).then_some(number)
}

/// What tells an object from others, for messages.
fn shown(object: &Object) -> String {
    let names = ["username", "name", "codename", "email"];
    let name = names
        .iter()
        .find_map(|name| object.fields.get(*name)?.as_str());
    match (&object.pk, name) {
        (Some(pk), Some(name)) => format!("{pk} ({name})"),
        (Some(pk), None) => pk.to_string(),
        (None, name) => name.unwrap_or("without a name").to_owned(),
    }
}

/// The fields of an object, each taken once.
struct Fields<'a> {
    object: &'a Object,
    left: Map<String, Value>,
}

impl<'a> Fields<'a> {
    fn of(object: &'a Object) -> Self {
        Self {
            object,
            left: object.fields.clone(),
        }
    }

    fn wrong(&self, name: &str, kind: Kind) -> Wrong {
        let Object { model, .. } = self.object;
        (kind, format!("{model} {}: {name}", shown(self.object)))
    }

    fn take(&mut self, name: &str) -> Value {
        self.left.shift_remove(name).unwrap_or_default()
    }

    /// A text; `null` and an absent field are `default`.
    fn text(&mut self, name: &str, default: Option<&str>) -> Result<String, Wrong> {
        match (self.take(name), default) {
            (Value::String(text), _) => Ok(text),
            (Value::Number(number), _) => Ok(number.to_string()),
            (Value::Null, Some(default)) => Ok(default.to_owned()),
            _ => Err(self.wrong(name, Kind::Malformed)),
        }
    }

    fn flag(&mut self, name: &str, default: bool) -> Result<bool, Wrong> {
        match self.take(name) {
            Value::Null => Ok(default),
            Value::Bool(flag) => Ok(flag),
            Value::Number(number) if number.as_u64().is_some_and(|n| n < 2) => {
                Ok(number.as_u64() == Some(1))
            }
            Value::String(text) => match text.to_ascii_lowercase().as_str() {
                "true" | "t" | "1" => Ok(true),
                "false" | "f" | "0" => Ok(false),
                _ => Err(self.wrong(name, Kind::Malformed)),
            },
            _ => Err(self.wrong(name, Kind::Malformed)),
        }
    }

    /// A date in seconds since 1970, and the microseconds beyond.
    fn date(&mut self, name: &str, zone: Option<&TimeZone>) -> Result<Option<(i64, u32)>, Wrong> {
        match self.take(name) {
            Value::Null => Ok(None),
            Value::String(text) => match date(&text, zone) {
                Ok(date) => Ok(Some(date)),
                Err(kind) => Err(self.wrong(name, kind)),
            },
            _ => Err(self.wrong(name, Kind::Malformed)),
        }
    }

    fn references(&mut self, name: &str) -> Result<Vec<Reference>, Wrong> {
        let references = match self.take(name) {
            Value::Null => Some(Vec::new()),
            Value::Array(keys) => keys.iter().map(reference).collect(),
            _ => None,
        };
        references.ok_or_else(|| self.wrong(name, Kind::Malformed))
    }
}

fn reference(key: &Value) -> Option<Reference> {
    match key {
        Value::Array(parts) => {
            let text = |part: &Value| part.as_str().map(str::to_owned);
            parts
                .iter()
                .map(text)
                .collect::<Option<_>>()
                .map(Reference::Natural)
        }
        id => number(id).map(Reference::Id),
    }
}

/// A date as Django writes and reads it.
///
/// # Errors
/// It is none, or has no offset and no zone is known.
fn date(text: &str, zone: Option<&TimeZone>) -> Result<(i64, u32), Kind> {
    let time = match text.parse::<Timestamp>() {
        Ok(time) => time,
        Err(_) => {
            let local: civil::DateTime = text.parse().map_err(|_| Kind::Malformed)?;
            let zone = zone.ok_or(Kind::NaiveDate)?;
            let zoned = local.to_zoned(zone.clone());
            zoned.map_err(|_| Kind::Malformed)?.timestamp()
        }
    };
    let micros = time.as_microsecond();
    // The remainder of a million is below 2^32.
    Ok((
        micros.div_euclid(1_000_000),
        micros.rem_euclid(1_000_000) as u32,
    ))
}

/// A content type.
///
/// # Errors
/// A field is missing.
pub fn content_type(object: &Object) -> Result<(Option<u64>, ContentType), Wrong> {
    let mut fields = Fields::of(object);
    let content_type = ContentType {
        app_label: fields.text("app_label", None)?,
        model: fields.text("model", None)?,
    };
    let pk = object.pk.as_ref().map(|_| id(object)).transpose()?;
    Ok((pk, content_type))
}

/// A permission.
///
/// # Errors
/// A field is missing, or the key is no id.
pub fn permission(object: &Object) -> Result<DumpPermission, Wrong> {
    let mut fields = Fields::of(object);
    let content_type = fields.take("content_type");
    Ok(DumpPermission {
        pk: object.pk.as_ref().map(|_| id(object)).transpose()?,
        name: fields.text("name", Some(""))?,
        codename: fields.text("codename", None)?,
        content_type: reference(&content_type)
            .ok_or_else(|| fields.wrong("content_type", Kind::Malformed))?,
    })
}

/// A group.
///
/// # Errors
/// As [`permission`], or it has no id.
pub fn group(object: &Object) -> Result<DumpGroup, Wrong> {
    let mut fields = Fields::of(object);
    Ok(DumpGroup {
        pk: id(object)?,
        name: fields.text("name", None)?,
        permissions: fields.references("permissions")?,
    })
}

/// A user; `now` is when one joins of whom the dump does not say it (seconds since 1970).
///
/// # Errors
/// As [`group`], or a date is none.
pub fn user(object: &Object, form: &Form, now: i64) -> Result<DumpUser, Wrong> {
    let mut fields = Fields::of(object);
    let pk = id(object)?;
    let zone = form.timezone.as_ref();
    let username = fields.text(&form.username_field, None)?;
    let email = if form.username_field == "email" {
        username.clone()
    } else {
        fields.text("email", Some(""))?
    };
    let joined = fields.date("date_joined", zone)?;
    let last_login = fields.date("last_login", zone)?;
    let (date_joined, date_joined_micros) = joined.unwrap_or((now, 0));
    let new = NewUser {
        email: EmailAddress::held(email),
        first_name: PersonName::held(fields.text("first_name", Some(""))?),
        last_name: PersonName::held(fields.text("last_name", Some(""))?),
        is_active: fields.flag("is_active", true)?,
        is_staff: fields.flag("is_staff", false)?,
        is_superuser: fields.flag("is_superuser", false)?,
        ..NewUser::named(UserName::held(username), date_joined)
    };
    let password = PasswordHash::new(fields.text("password", Some(""))?);
    let groups = fields.references("groups")?;
    let permissions = fields.references("user_permissions")?;
    let user = User {
        date_joined_micros,
        last_login: last_login.map(|(seconds, _)| seconds),
        last_login_micros: last_login.map_or(0, |(_, micros)| micros),
        extra: Extra(fields.left),
        ..new.into_user(UserId(pk))
    };
    let named = |what: &str| format!("{} {}: {what}", object.model, shown(object));
    for (what, text, limit) in [
        ("username", user.username.as_str(), 150),
        ("email", user.email.as_str(), 254),
    ] {
        if text.chars().count() > limit {
            return Err((Kind::TooLong, named(what)));
        }
    }
    if user.extra.0.len() > 1000 {
        return Err(malformed(named("too many fields")));
    }
    Ok(DumpUser {
        user,
        has_joined: joined.is_some(),
        groups,
        permissions,
        password,
    })
}

/// An entry of `admin.logentry`, before its references are looked up.
#[derive(Clone, Debug)]
pub struct DumpLogEntry {
    /// Its key.
    pub pk: u64,
    /// Milliseconds since 1970.
    pub action_time: i64,
    /// Who did it.
    pub user: Reference,
    /// To what.
    pub content_type: Reference,
    /// To which.
    pub object_id: Option<u64>,
    /// What it was called.
    pub object_repr: String,
    /// What was done.
    pub action_flag: u8,
    /// Django's JSON.
    pub change_message: String,
}

/// An entry of the log of changes; none if it is about what has no number.
///
/// # Errors
/// A field is missing.
pub fn log_entry(object: &Object, form: &Form) -> Result<Option<DumpLogEntry>, Wrong> {
    let mut fields = Fields::of(object);
    let (user, content_type) = (fields.take("user"), fields.take("content_type"));
    let (Some(user), Some(content_type)) = (reference(&user), reference(&content_type)) else {
        return Ok(None);
    };
    let time = fields.date("action_time", form.timezone.as_ref())?;
    let (seconds, micros) = time.ok_or_else(|| fields.wrong("action_time", Kind::Malformed))?;
    let flag = number(&fields.take("action_flag")).and_then(|flag| u8::try_from(flag).ok());
    Ok(Some(DumpLogEntry {
        pk: id(object)?,
        action_time: seconds * 1000 + i64::from(micros / 1000),
        user,
        content_type,
        object_id: number(&fields.take("object_id")),
        object_repr: fields.text("object_repr", Some(""))?,
        action_flag: flag.unwrap_or(0),
        change_message: fields.text("change_message", Some(""))?,
    }))
}

/// The `jti` of an outstanding token, and its end in seconds since 1970.
///
/// # Errors
/// A field is missing.
pub fn outstanding_token(object: &Object, form: &Form) -> Result<(u64, String, i64), Wrong> {
    let mut fields = Fields::of(object);
    let ends = fields.date("expires_at", form.timezone.as_ref())?;
    let (ends, _) = ends.ok_or_else(|| fields.wrong("expires_at", Kind::Malformed))?;
    Ok((id(object)?, fields.text("jti", None)?, ends))
}

/// The outstanding token that an entry of the blacklist names.
///
/// # Errors
/// It names none.
pub fn blacklisted_token(object: &Object) -> Result<u64, Wrong> {
    let mut fields = Fields::of(object);
    let token = fields.take("token");
    number(&token).ok_or_else(|| fields.wrong("token", Kind::Malformed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_django_writes_them() {
        let utc = Some(TimeZone::UTC);
        for (text, seconds, micros) in [
            ("2024-01-01T10:00:00Z", 1_704_103_200, 0),
            ("2024-01-01T10:00:00.123Z", 1_704_103_200, 123_000),
            ("2024-01-01T10:00:00.123456+00:00", 1_704_103_200, 123_456),
            ("2024-01-01T15:45:00+05:45", 1_704_103_200, 0),
            ("2024-01-01 10:00:00+00:00", 1_704_103_200, 0),
            ("2024-01-01T10:00Z", 1_704_103_200, 0),
            ("1969-07-20T20:17:40.500Z", -14_182_940, 500_000),
            ("0001-01-01T00:00:00Z", -62_135_596_800, 0),
            ("2024-01-01T10:00:00", 1_704_103_200, 0),
            ("2024-01-01", 1_704_067_200, 0),
        ] {
            assert_eq!(
                date(text, utc.as_ref()).ok(),
                Some((seconds, micros)),
                "{text}"
            );
        }
        assert_eq!(date("2024-01-01T10:00:00", None), Err(Kind::NaiveDate));
        assert_eq!(date("yesterday", utc.as_ref()), Err(Kind::Malformed));
    }

    #[test]
    fn ids_are_whole_numbers_from_one_on() {
        for (pk, expected) in [
            (Value::from(7), Some(7)),
            (Value::from("7"), Some(7)),
            (Value::from(7.0), Some(7)),
            (Value::from(i64::MAX), Some(i64::MAX as u64)),
            (Value::from(i64::MAX as u64 + 1), None),
            (Value::from(0), None),
            (Value::from(-1), None),
            (Value::from(7.5), None),
            (Value::from("8d1c0b1e-0000-4000-8000-000000000001"), None),
        ] {
            assert_eq!(number(&pk), expected, "{pk}");
        }
    }
}
