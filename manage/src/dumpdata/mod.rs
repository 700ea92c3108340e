//! `manage dumpdata`: users, groups and permissions as Django's `loaddata` reads them.

mod log;
mod out;

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
    path::PathBuf,
};

use clap::{Args, ValueEnum};
use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Map, Value, json};
use shared::{
    domain::{Group, GroupId, Permission, PermissionId, User, log_entry::Model},
    hashing::PasswordHash,
    store::{Store, StoredHash, user_model::UserModel},
};

use crate::{
    CommandError,
    pace::{Pace, bar},
    private,
    target::Target,
};
use out::Objects;

/// The form of a dump.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One array.
    Json,
    /// A line for each object.
    Jsonl,
}

/// Options of `dumpdata`.
#[derive(Args)]
pub struct Options {
    /// The file to write; standard output if it is not given.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// json or jsonl.
    #[arg(long, value_enum, default_value = "json")]
    format: Format,
    /// The site's AUTH_USER_MODEL: that of the last load unless told, or auth.user.
    #[arg(long, value_name = "MODEL")]
    user_model: Option<String>,
    /// The field of that model that users log in with: that of the last load unless told, or username.
    #[arg(long, value_name = "FIELD")]
    username_field: Option<String>,
    /// Only users who joined, logged in or were changed since, such as 2026-11-26T10:00:00Z.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Write the users who were deleted (since that time) to a file, an id and a name a line.
    #[arg(long, value_name = "FILE")]
    deleted: Option<PathBuf>,
    /// Write the log of changes too, as admin.logentry.
    #[arg(long)]
    log_entries: bool,
    /// Dates without an offset, for a site with USE_TZ=False.
    #[arg(long)]
    naive: bool,
    /// The zone of such dates.
    #[arg(long, value_name = "ZONE", default_value = "UTC", requires = "naive")]
    timezone: String,
    /// Read so many users a second at most.
    #[arg(long, value_name = "USERS")]
    read_rate: Option<u32>,
    #[command(flatten)]
    target: Target,
}

/// Writes a dump.
///
/// # Errors
/// A file cannot be written, or the table's failure.
pub async fn dumpdata(options: Options) -> Result<(), CommandError> {
    let zone = match options.naive {
        true => Some(TimeZone::get(&options.timezone).map_err(|error| {
            CommandError::new(format!("--timezone {}: {error}", options.timezone))
        })?),
        false => None,
    };
    let since = match &options.since {
        Some(text) => {
            let time: Timestamp = text
                .parse()
                .map_err(|error| CommandError::new(format!("--since {text}: {error}")))?;
            Some(time.as_millisecond())
        }
        None => None,
    };
    let open = options.target.open_existing().await?;
    open.require_current_layout().await?;
    let dumped = async {
        let out: Box<dyn Write> = match &options.output {
            Some(path) => Box::new(private::create(path).map_err(unwritable)?),
            None => Box::new(io::stdout().lock()),
        };
        let dump = Dump {
            store: &open.store,
            options: &options,
            since,
            zone,
            model: user_model(&open.store, &options).await?,
            out: Objects::new(out, options.format)?,
            wrapped: 0,
        };
        dump.write().await
    }
    .await;
    open.close().await;
    dumped
}

/// The user model that is asked for, or else that of the last load, with what a load has said of it.
async fn user_model(store: &Store, options: &Options) -> Result<UserModel, CommandError> {
    let asked = options.user_model.as_deref();
    let loaded = store.user_model().await?;
    let loaded = loaded.filter(|it| asked.is_none_or(|asked| it.model.eq_ignore_ascii_case(asked)));
    let mut model = loaded.unwrap_or_else(|| UserModel {
        model: Model::User.content_type().to_owned(),
        username_field: "username".to_owned(),
        lacks: BTreeSet::new(),
    });
    model.model = asked.map_or(model.model, str::to_owned);
    let field = options.username_field.clone();
    model.username_field = field.unwrap_or(model.username_field);
    Ok(model)
}

fn unwritable(error: io::Error) -> CommandError {
    CommandError::new(format!("cannot write the dump: {error}"))
}

struct Dump<'a> {
    store: &'a Store,
    options: &'a Options,
    /// Milliseconds since 1970.
    since: Option<i64>,
    zone: Option<TimeZone>,
    model: UserModel,
    out: Objects,
    wrapped: u64,
}

/// How many users are read at once.
const CHUNK: usize = 100;

impl Dump<'_> {
    async fn write(mut self) -> Result<(), CommandError> {
        for content_type in self.store.content_types().await? {
            self.out.write(&json!({
                "model": "contenttypes.contenttype",
                "fields": {"app_label": content_type.app_label, "model": content_type.model},
            }))?;
        }
        let permissions = self.store.permissions().await?;
        for permission in &permissions {
            let about = &permission.content_type;
            self.out.write(&json!({
                "model": "auth.permission",
                "fields": {
                    "name": permission.name.as_str(),
                    "content_type": [about.app_label, about.model],
                    "codename": permission.codename.as_str(),
                },
            }))?;
        }
        let permissions: BTreeMap<PermissionId, Permission> =
            permissions.into_iter().map(|one| (one.id, one)).collect();
        let groups = self.store.groups().await?;
        for group in &groups {
            self.out.write(&json!({
                "model": "auth.group",
                "pk": group.id.0,
                "fields": {
                    "name": group.name.as_str(),
                    "permissions": natural(&group.permission_ids, &permissions),
                },
            }))?;
        }
        let groups: BTreeMap<GroupId, Group> =
            groups.into_iter().map(|one| (one.id, one)).collect();
        let log = self.read_log().await?;
        let ids = self.store.all_user_ids().await?;
        let (pace, bar) = (Pace::of(self.options.read_rate), bar(ids.len()));
        for chunk in ids.chunks(CHUNK) {
            pace.wait(chunk.len()).await;
            for (user, password) in self.store.users_with_passwords(chunk).await? {
                if self.is_wanted(&user, &log.changed) {
                    let object = self.user(&user, password, &groups, &permissions);
                    self.out.write(&object)?;
                }
            }
            bar.inc(chunk.len() as u64);
        }
        bar.finish_and_clear();
        self.deleted(&log.deleted, &ids)?;
        if self.options.log_entries {
            self.log(&ids).await?;
        }
        let wrapped = self.wrapped;
        self.out.end()?;
        if wrapped > 0 {
            eprintln!(
                "Note: {wrapped} password(s) came in MD5 or SHA-1 and were not used since. Django needs \
                 the hasher in docs/migrate.md to verify their wrapping."
            );
        }
        Ok(())
    }

    /// Whether a user may have changed since the time that was asked for.
    fn is_wanted(&self, user: &User, changed: &BTreeSet<u64>) -> bool {
        let Some(since) = self.since else { return true };
        let dates = [
            Some(user.date_joined),
            user.last_login,
            user.tokens_valid_after,
        ];
        let mut dates = dates.into_iter().flatten();
        changed.contains(&user.id.0) || dates.any(|date| date >= since.div_euclid(1000))
    }

    fn user(
        &mut self,
        user: &User,
        password: StoredHash,
        groups: &BTreeMap<GroupId, Group>,
        permissions: &BTreeMap<PermissionId, Permission>,
    ) -> Value {
        let mut fields = Map::new();
        let mut set = |name: &str, value: Value| fields.insert(name.to_owned(), value);
        set("password", self.password(password.hash).into());
        let last_login = user.last_login.map(|time| (time, user.last_login_micros));
        set("last_login", last_login.map(|time| self.date(time)).into());
        set("is_superuser", user.is_superuser.into());
        if self.model.username_field != "email" {
            let name = self.model.username_field.as_str();
            set(name, user.username.as_str().into());
        }
        set("first_name", user.first_name.as_str().into());
        set("last_name", user.last_name.as_str().into());
        set("email", user.email.as_str().into());
        set("is_staff", user.is_staff.into());
        set("is_active", user.is_active.into());
        let joined = (user.date_joined, user.date_joined_micros);
        set("date_joined", self.date(joined).into());
        let names = user.group_ids.iter().filter_map(|id| groups.get(id));
        set(
            "groups",
            names.map(|group| json!([group.name.as_str()])).collect(),
        );
        set(
            "user_permissions",
            natural(&user.permission_ids, permissions),
        );
        // A custom model's own fields.
        for (name, value) in &user.extra.0 {
            set(name, value.clone());
        }
        fields.retain(|name, _| !self.model.lacks.contains(name));
        json!({"model": self.model.model, "pk": user.id.0, "fields": fields})
    }

    /// A hash as it stands, which is Django's form but for what came in MD5 or SHA-1.
    fn password(&mut self, hash: Option<PasswordHash>) -> String {
        let hash = hash
            .map(|hash| hash.expose().to_owned())
            .unwrap_or_default();
        self.wrapped += u64::from(hash.starts_with("wrapped$"));
        hash
    }

    /// A date as Django reads it, of seconds since 1970 and the microseconds beyond.
    fn date(&self, (seconds, micros): (i64, u32)) -> String {
        let micros = i64::from(micros) + seconds.saturating_mul(1_000_000);
        let time = Timestamp::from_microsecond(micros).unwrap_or_default();
        match &self.zone {
            None => time.to_string(),
            Some(zone) => zone.to_datetime(time).to_string(),
        }
    }
}

/// The natural keys of permissions; those that are gone are left out.
fn natural(
    ids: &BTreeSet<PermissionId>,
    permissions: &BTreeMap<PermissionId, Permission>,
) -> Value {
    let permissions = ids.iter().filter_map(|id| permissions.get(id));
    let key = |permission: &Permission| {
        let about = &permission.content_type;
        json!([permission.codename.as_str(), about.app_label, about.model])
    };
    permissions.map(key).collect()
}
