//! `manage loaddata`: accounts, groups and permissions from a fixture in the form of Django's
//! `dumpdata auth`, with the ids that it gives them. Objects that exist stay as they are.

use std::{
    collections::{BTreeSet, HashMap},
    fs,
    path::PathBuf,
    time::Instant,
};

use aws_sdk_dynamodb::primitives::{DateTime, DateTimeFormat};
use clap::Args;
use serde::Deserialize;
use shared::{
    domain::{
        Actor, Codename, ContentType, EmailAddress, Group, GroupId, GroupName, NewUser, Permission,
        PermissionId, PermissionName, PersonName, User, UserId, UserName, names::TextField,
    },
    hashing::{Hasher, Password, PasswordHash},
    store::{Store, WriteError, keys::Sequence},
};

use crate::{CommandError, operator::Operator, target::Target};

/// Options of `loaddata`.
#[derive(Args)]
pub struct Options {
    /// A JSON fixture as Django's dumpdata writes it, of auth.permission, auth.group and auth.user.
    #[arg(value_name = "FILE")]
    fixture: PathBuf,
    #[command(flatten)]
    operator: Operator,
    #[command(flatten)]
    target: Target,
}

/// An object of a fixture.
#[derive(Deserialize)]
#[serde(tag = "model")]
enum Object {
    #[serde(rename = "auth.permission")]
    Permission { pk: u64, fields: PermissionFields },
    #[serde(rename = "auth.group")]
    Group { pk: u64, fields: GroupFields },
    #[serde(rename = "auth.user")]
    User { pk: u64, fields: Box<UserFields> },
}

#[derive(Deserialize)]
struct PermissionFields {
    name: String,
    codename: String,
    /// Django's natural key of a content type: its app_label and its model.
    content_type: (String, String),
}

#[derive(Deserialize)]
struct GroupFields {
    name: String,
    #[serde(default)]
    permissions: BTreeSet<PermissionId>,
}

#[derive(Deserialize)]
struct UserFields {
    username: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    first_name: String,
    #[serde(default)]
    last_name: String,
    password: String,
    is_active: bool,
    is_staff: bool,
    is_superuser: bool,
    date_joined: String,
    #[serde(default)]
    groups: BTreeSet<GroupId>,
    #[serde(default)]
    user_permissions: BTreeSet<PermissionId>,
}

/// Loads a fixture.
///
/// # Errors
/// The file cannot be read or is no fixture, a name is taken by another, or the table's failure.
pub async fn loaddata(options: Options) -> Result<(), CommandError> {
    let file = options.fixture.display().to_string();
    let text = fs::read_to_string(&options.fixture)
        .map_err(|error| CommandError::new(format!("cannot read {file}: {error}")))?;
    let operator = options.operator.name()?;
    let open = options.target.open().await?;
    let loaded = load(&open.store, Actor::Command(&operator), &text).await;
    open.close().await;
    let (made, there) = loaded.map_err(|error| CommandError::new(format!("{file}: {error}")))?;
    println!("Installed {made} object(s) from the fixture, {there} were there.");
    if let Some(least) = failure_time(&text) {
        println!(
            "Some of the password hashes take longer to verify than this service's own, which tells \
             such accounts from others. Set LOGIN_FAILURE_TIME={least} (milliseconds) on a machine \
             like this one until they have been replaced at the next login."
        );
    }
    Ok(())
}

/// How much longer than a hash of this service's own another may take before it is noticed.
const NOTICED: f64 = 1.3;

/// The least time of a failed login, in milliseconds, that hides which hashes of a fixture take longer
/// to verify than this service's own; none if none does.
fn failure_time(text: &str) -> Option<u128> {
    let objects: Vec<Object> = serde_json::from_str(text).ok()?;
    let hashes = objects.into_iter().filter_map(|object| match object {
        Object::User { fields, .. } => Some(fields.password),
        _ => None,
    });
    // One of each algorithm and cost: `pbkdf2_sha256$600000$salt$hash`.
    let kind = |hash: &String| hash.splitn(3, '$').take(2).collect::<Vec<_>>().join("$");
    let kinds: HashMap<String, String> = hashes.map(|hash| (kind(&hash), hash)).collect();
    let (hasher, password) = (Hasher::default(), Password::new("a wrong one".to_owned()));
    let time = |hash: Option<PasswordHash>| {
        let started = Instant::now();
        let _ = hasher.verify_blocking(&password, hash.as_ref());
        started.elapsed()
    };
    // The first hash of all makes the scratch memory too.
    time(None);
    let own = time(None);
    let slowest = kinds
        .into_values()
        .map(|hash| time(Some(PasswordHash::new(hash))))
        .max()?;
    // Half as much again, since functions may be slower than this machine, and no odd numbers.
    (slowest > own.mul_f64(NOTICED)).then(|| (slowest.as_millis() * 3 / 2).div_ceil(10) * 10)
}

/// Loads the text of a fixture. Returns how many objects were made, and how many existed.
///
/// # Errors
/// It is no fixture, a name is taken by another object, or the table's failure.
pub async fn load(
    store: &Store,
    actor: Actor<'_>,
    text: &str,
) -> Result<(usize, usize), CommandError> {
    let objects: Vec<Object> = serde_json::from_str(text)
        .map_err(|error| CommandError::new(format!("not a fixture: {error}")))?;
    let (mut made, mut highest) = (0, HashMap::new());
    let all = objects.len();
    for object in objects {
        let (sequence, pk, new) = match object {
            Object::Permission { pk, fields } => (
                Sequence::Permission,
                pk,
                permission(store, actor, pk, fields).await,
            ),
            Object::Group { pk, fields } => {
                (Sequence::Group, pk, group(store, actor, pk, fields).await)
            }
            Object::User { pk, fields } => {
                (Sequence::User, pk, user(store, actor, pk, *fields).await)
            }
        };
        let new = new.map_err(|error| CommandError::new(format!("{sequence:?} {pk}: {error}")))?;
        made += usize::from(new);
        let last: &mut u64 = highest.entry(sequence).or_default();
        *last = pk.max(*last);
    }
    // An id that was given must not be given again.
    for (sequence, last) in highest {
        store.advance(sequence, last).await?;
    }
    Ok((made, all - made))
}

async fn permission(
    store: &Store,
    actor: Actor<'_>,
    pk: u64,
    fields: PermissionFields,
) -> Result<bool, CommandError> {
    let id = PermissionId(pk);
    if store.permission(id).await?.is_some() {
        return Ok(false);
    }
    let (app_label, model) = fields.content_type;
    let content_type = ContentType { app_label, model };
    store.declare_content_type(&content_type).await?;
    let permission = Permission {
        id,
        name: parsed::<PermissionName>(&fields.name)?,
        codename: parsed::<Codename>(&fields.codename)?,
        content_type,
        version: 1,
    };
    let made = store.insert(permission, Vec::new(), actor).await;
    made.map(|_| true).map_err(taken)
}

async fn group(
    store: &Store,
    actor: Actor<'_>,
    pk: u64,
    fields: GroupFields,
) -> Result<bool, CommandError> {
    let id = GroupId(pk);
    if store.group(id).await?.is_some() {
        return Ok(false);
    }
    let group = Group {
        id,
        name: parsed::<GroupName>(&fields.name)?,
        permission_ids: fields.permissions,
        version: 1,
    };
    let made = store.insert(group, Vec::new(), actor).await;
    made.map(|_| true).map_err(taken)
}

async fn user(
    store: &Store,
    actor: Actor<'_>,
    pk: u64,
    fields: UserFields,
) -> Result<bool, CommandError> {
    let id = UserId(pk);
    if store.user(id).await?.is_some() {
        return Ok(false);
    }
    let email = match fields.email.as_str() {
        "" => EmailAddress::default(),
        email => parsed(email)?,
    };
    let new = NewUser {
        username: parsed::<UserName>(&fields.username)?,
        email,
        first_name: name_of(&fields.first_name)?,
        last_name: name_of(&fields.last_name)?,
        is_active: fields.is_active,
        is_staff: fields.is_staff,
        is_superuser: fields.is_superuser,
        date_joined: DateTime::from_str(&fields.date_joined, DateTimeFormat::DateTimeWithOffset)
            .map_err(|error| CommandError::new(format!("date_joined: {error}")))?
            .secs(),
    };
    let user = User {
        group_ids: fields.groups,
        permission_ids: fields.user_permissions,
        ..new.into_user(id)
    };
    let password = PasswordHash::new(fields.password);
    let made = store.insert_user(user, &password, actor).await;
    made.map(|_| true).map_err(taken)
}

fn name_of(text: &str) -> Result<PersonName, CommandError> {
    if text.is_empty() {
        return Ok(PersonName::default());
    }
    parsed(text)
}

fn parsed<T: TextField>(text: &str) -> Result<T, CommandError> {
    crate::parsed(text).map_err(|error| CommandError::new(format!("'{text}': {error}")))
}

fn taken(error: WriteError) -> CommandError {
    match error {
        WriteError::Refused(refusals) => {
            CommandError::new(format!("belongs to another already: {refusals:?}"))
        }
        WriteError::Contended => CommandError::new("another write was first: load it again"),
        WriteError::Failed(error) => error.into(),
    }
}
