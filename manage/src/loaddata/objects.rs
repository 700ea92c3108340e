//! Django's models as a dump has them.

use jiff::tz::TimeZone;
use shared::{
    domain::{ContentType, EmailAddress, Extra, NewUser, PersonName, User, UserId, UserName},
    hashing::PasswordHash,
};

pub use super::fields::{Reference, Wrong};
use super::{
    fields::{Fields, id, number, reference, shown},
    reading::Object,
    report::Kind,
};

/// How the objects of a dump are read.
#[derive(Clone, Debug)]
pub struct Form {
    /// The model of users, in lower case: `auth.user`.
    pub user_model: String,
    /// The field that is the username.
    pub username_field: String,
    /// The zone of dates without an offset.
    pub timezone: Option<TimeZone>,
    /// Whether inactive users who never logged in wait for their activation.
    pub inactive_await_activation: bool,
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

/// A user; `now` is when a user joined if the dump does not say it (seconds since 1970).
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
    let is_active = fields.flag("is_active", true)?;
    let is_new = !is_active && last_login.is_none();
    let new = NewUser {
        email: EmailAddress::held(email),
        first_name: PersonName::held(fields.text("first_name", Some(""))?),
        last_name: PersonName::held(fields.text("last_name", Some(""))?),
        is_active,
        awaits_activation: form.inactive_await_activation && is_new,
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
        from_django: true,
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
