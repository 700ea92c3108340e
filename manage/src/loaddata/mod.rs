//! `manage loaddata`: users, groups and permissions out of Django's `dumpdata`, with their ids and
//! password hashes. The whole dump is judged before anything is written.

mod chunks;
mod collecting;
pub mod compare;
mod fields;
mod judging;
mod logs;
pub mod objects;
pub mod plan;
pub mod reading;
pub mod report;
mod rights;
mod suggestions;
pub mod verify;
mod writing;

use std::{collections::HashMap, fs, path::PathBuf};

use clap::{Args, ValueEnum};
use jiff::tz::TimeZone;
use shared::{
    domain::{Actor, ContentType, log_entry::Model},
    store::Store,
};

pub use collecting::Survey;
pub use judging::judge;
use objects::Form;
use report::{Report, Tally};
use writing::Written;

use crate::{CommandError, operator::Operator, target::Target};

/// What becomes of objects that exist with other facts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum OnConflict {
    /// Nothing is loaded.
    #[default]
    Fail,
    /// They stay as they are here.
    Skip,
    /// They become as in the dump.
    Update,
}

/// How a dump is read: the options of every command that reads one.
#[derive(Args, Clone, Debug)]
pub struct ReadOptions {
    /// Dumps of Django's dumpdata: JSON, JSON lines, XML or YAML, packed by gzip or not.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The site's AUTH_USER_MODEL.
    #[arg(long, value_name = "MODEL", default_value = "auth.user")]
    user_model: String,
    /// The field of that model that users log in with.
    #[arg(long, value_name = "FIELD", default_value = "username")]
    username_field: String,
    /// The zone of dates without an offset, such as Europe/Berlin: of a site with USE_TZ=False.
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
    /// What a number of a content type means, where the dump does not say it: 7=blog.post.
    #[arg(long, value_name = "NUMBER=MODEL")]
    content_type: Vec<String>,
    /// Leave out groups and permissions that neither the dump nor the table has.
    #[arg(long)]
    drop_missing_references: bool,
}

/// Options of `loaddata`.
#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    read: ReadOptions,
    /// Judge the dump, and write nothing.
    #[arg(long)]
    dry_run: bool,
    /// Write what was found out to a file, as JSON.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// What becomes of objects that exist with other facts.
    #[arg(long, value_enum, default_value_t, value_name = "POLICY")]
    on_conflict: OnConflict,
    /// Bring what changed in Django since the last load: the same as --on-conflict update.
    #[arg(long, conflicts_with = "on_conflict")]
    update: bool,
    /// With --update, delete the users and groups of an earlier load that the dump does not have.
    #[arg(long, requires = "update")]
    prune: bool,
    /// Take passwords in MD5 and SHA-1, wrapped in Argon2id.
    #[arg(long)]
    allow_weak_hashes: bool,
    /// Let the link of a mail activate inactive users who never logged in, as djoser's activation does.
    #[arg(long)]
    inactive_await_activation: bool,
    /// Give this account here another id, if the dump has its id.
    #[arg(long, value_name = "USERNAME")]
    move_user: Option<String>,
    /// Load the entries of admin.logentry about users, groups and permissions.
    #[arg(long)]
    log_entries: bool,
    /// Load SimpleJWT's blacklist.
    #[arg(long)]
    blacklist: bool,
    /// Write at most so many users a second.
    #[arg(long, value_name = "USERS")]
    write_rate: Option<u32>,
    #[command(flatten)]
    operator: Operator,
    #[command(flatten)]
    target: Target,
}

/// What to load, and how.
#[derive(Clone, Debug)]
pub struct Settings {
    files: Vec<PathBuf>,
    form: Form,
    content_types: HashMap<u64, ContentType>,
    drop_missing_references: bool,
    on_conflict: OnConflict,
    prunes: bool,
    allow_weak_hashes: bool,
    move_user: Option<String>,
    log_entries: bool,
    blacklist: bool,
    write_rate: Option<u32>,
    operator: Option<String>,
}

impl Settings {
    /// A load of files by the options' defaults.
    pub fn of(files: Vec<PathBuf>) -> Self {
        Self {
            files,
            form: Form {
                user_model: Model::User.content_type().to_owned(),
                username_field: "username".to_owned(),
                timezone: None,
                inactive_await_activation: false,
            },
            content_types: HashMap::new(),
            drop_missing_references: false,
            on_conflict: OnConflict::Fail,
            prunes: false,
            allow_weak_hashes: false,
            move_user: None,
            log_entries: false,
            blacklist: false,
            write_rate: None,
            operator: None,
        }
    }

    /// The same with another policy for objects that exist with other facts.
    #[must_use]
    pub fn on_conflict(mut self, policy: OnConflict) -> Self {
        self.on_conflict = policy;
        self
    }

    /// Who loads, for the log of changes.
    fn actor(&self) -> Actor<'_> {
        self.operator
            .as_deref()
            .map_or(Actor::Setup, Actor::Command)
    }

    /// What the options of reading say.
    ///
    /// # Errors
    /// A zone or a content type that is none.
    pub fn read_by(options: &ReadOptions) -> Result<Self, CommandError> {
        let mut settings = Self::of(options.files.clone());
        settings.form.user_model = options.user_model.to_ascii_lowercase();
        settings
            .form
            .username_field
            .clone_from(&options.username_field);
        if let Some(name) = &options.timezone {
            let zone = TimeZone::get(name)
                .map_err(|error| CommandError::new(format!("--timezone {name}: {error}")))?;
            settings.form.timezone = Some(zone);
        }
        for given in &options.content_type {
            let parts = given.split_once('=');
            let parsed = parts.and_then(|(number, model)| {
                Some((number.parse().ok()?, ContentType::parse(model)?))
            });
            let Some((number, content_type)) = parsed else {
                let text = format!("--content-type {given}: not of the form 7=blog.post");
                return Err(CommandError::new(text));
            };
            settings.content_types.insert(number, content_type);
        }
        settings.drop_missing_references = options.drop_missing_references;
        Ok(settings)
    }

    /// Reads all objects of the files.
    fn read(&self, sink: reading::Sink<'_>) -> Result<(), CommandError> {
        self.files
            .iter()
            .try_for_each(|file| reading::read(file, sink))
    }

    /// How users are read.
    pub fn form(&self) -> &Form {
        &self.form
    }
}

/// Loads dumps.
///
/// # Errors
/// They cannot be read, something is in the way, or the table's failure.
pub async fn loaddata(options: Options) -> Result<(), CommandError> {
    let mut settings = Settings::read_by(&options.read)?;
    settings.on_conflict = if options.update {
        OnConflict::Update
    } else {
        options.on_conflict
    };
    settings.prunes = options.prune;
    settings.allow_weak_hashes = options.allow_weak_hashes;
    settings.form.inactive_await_activation = options.inactive_await_activation;
    settings.move_user = options.move_user;
    settings.log_entries = options.log_entries;
    settings.blacklist = options.blacklist;
    settings.write_rate = options.write_rate;
    settings.operator = Some(options.operator.name()?);
    let open = options.target.open().await?;
    open.require_current_layout().await?;
    let loaded = async {
        let mut survey = judge(&open.store, &settings).await?;
        suggestions::suggest(&mut survey);
        if let Some(file) = &options.report {
            write_report(file, &survey.report)?;
        }
        print!("{}", survey.report);
        refuse(&survey.report)?;
        if options.dry_run {
            println!("Nothing was written: this was a dry run.");
            return Ok(());
        }
        let before = (survey.report.permissions.new, survey.report.groups.new);
        let Written { users, deleted } =
            writing::write(&open.store, &settings, &mut survey).await?;
        let (entries, tokens) = logs::load(&open.store, &settings, &mut survey).await?;
        let made = before.0 + before.1 + users.new;
        let Tally {
            changed,
            unchanged,
            skipped,
            ..
        } = users;
        println!(
            "Installed {made} object(s): {} permission(s), {} group(s), {} user(s). Users changed: \
             {changed}, as they were: {unchanged}, skipped: {skipped}.",
            before.0, before.1, users.new
        );
        if settings.prunes {
            println!("Deleted {deleted} user(s) and group(s) that the dump does not have.");
        }
        if settings.log_entries || settings.blacklist {
            println!(
                "Loaded {entries} entries of the log of changes, {tokens} blacklisted tokens."
            );
        }
        Ok(())
    }
    .await;
    open.close().await;
    loaded
}

/// Loads dumps without a word. Returns what was done for users, and what was found out.
///
/// # Errors
/// As [`loaddata`].
pub async fn load(store: &Store, settings: &Settings) -> Result<(Tally, Report), CommandError> {
    let mut survey = judge(store, settings).await?;
    refuse(&survey.report)?;
    let Written { users, .. } = writing::write(store, settings, &mut survey).await?;
    logs::load(store, settings, &mut survey).await?;
    Ok((users, survey.report))
}

fn refuse(report: &Report) -> Result<(), CommandError> {
    match report.obstacles() {
        0 => Ok(()),
        count => Err(CommandError::new(format!(
            "nothing was written: {count} object(s) are in the way"
        ))),
    }
}

fn write_report(file: &PathBuf, report: &Report) -> Result<(), CommandError> {
    let failed =
        |error: String| CommandError::new(format!("cannot write {}: {error}", file.display()));
    let text = serde_json::to_string_pretty(report).map_err(|error| failed(error.to_string()))?;
    fs::write(file, text + "\n").map_err(|error| failed(error.to_string()))
}
