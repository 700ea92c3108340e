//! `manage syncpermissions`: the permissions that another application declares, made to be there.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use clap::Args;
use serde::Deserialize;
use shared::{
    accounts::{self, Refused},
    domain::{
        Actor, Codename, ContentType, Permission, PermissionChange, PermissionName,
        names::TextField,
        quotas::{self, Taken},
    },
    store::Store,
};

use crate::{CommandError, operator::Operator, parsed, target::Target};

/// Options of `syncpermissions`.
#[derive(Args)]
pub struct Options {
    /// A list of permissions, each with content_type ("app_label.model"), codename and name: a JSON
    /// list, or TOML tables [[permissions]].
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Remove the permissions of the file's app_labels that the file has no more.
    #[arg(long)]
    prune: bool,
    /// Show what would be done, and do nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    operator: Operator,
    #[command(flatten)]
    target: Target,
}

/// A permission as a file declares it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Declared {
    content_type: String,
    codename: String,
    name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Toml {
    permissions: Vec<Declared>,
}

/// Declared permissions by content type and codename.
type Wanted = BTreeMap<(ContentType, Codename), PermissionName>;

/// One thing to do.
enum Step {
    Declare(ContentType),
    Add(ContentType, Codename, PermissionName),
    Rename(Permission, PermissionName),
    Remove(Permission),
}

/// Makes what a file declares be there.
///
/// # Errors
/// The file cannot be read or declares no valid permissions, or the table's failure.
pub async fn syncpermissions(options: Options) -> Result<(), CommandError> {
    let file = options.file.display();
    let text = fs::read_to_string(&options.file)
        .map_err(|error| CommandError::new(format!("cannot read {file}: {error}")))?;
    let is_toml = options.file.extension().is_some_and(|end| end == "toml");
    let wanted =
        parse(&text, is_toml).map_err(|error| CommandError::new(format!("{file}: {error}")))?;
    let operator = options.operator.name()?;
    let open = options.target.open().await?;
    let done = async {
        let steps = plan(&open.store, &wanted, options.prune).await?;
        for step in &steps {
            println!("{}", step.shown());
        }
        let count = steps.len();
        if !options.dry_run {
            for step in steps {
                step.carry_out(&open.store, Actor::Command(&operator))
                    .await?;
            }
        }
        Ok::<_, CommandError>(count)
    }
    .await;
    open.close().await;
    match (done?, options.dry_run) {
        (0, _) => println!("Nothing to do."),
        (count, true) => println!("{count} change(s) to make."),
        (count, false) => println!("{count} change(s) made."),
    }
    Ok(())
}

fn parse(text: &str, is_toml: bool) -> Result<Wanted, CommandError> {
    let declared: Vec<Declared> = if is_toml {
        let toml: Toml = toml::from_str(text).map_err(|error| one_line(&error))?;
        toml.permissions
    } else {
        serde_json::from_str(text).map_err(|error| one_line(&error))?
    };
    let mut wanted = Wanted::new();
    for Declared {
        content_type,
        codename,
        name,
    } in declared
    {
        let parsed = content_type_of(&content_type)?;
        let key = (parsed, field::<Codename>("codename", &codename)?);
        let name = field::<PermissionName>("name", &name)?;
        if wanted.insert(key, name).is_some() {
            return Err(CommandError::new(format!(
                "{content_type} {codename} is declared twice"
            )));
        }
    }
    Ok(wanted)
}

fn one_line(error: &dyn std::fmt::Display) -> CommandError {
    let text = error.to_string();
    let lines: Vec<&str> = text.split_whitespace().collect();
    CommandError::new(lines.join(" "))
}

/// Django's columns hold 100 characters of each part.
fn content_type_of(text: &str) -> Result<ContentType, CommandError> {
    let is_part = |part: &str| {
        let known = |c: char| c.is_ascii_alphanumeric() || c == '_';
        !part.is_empty() && part.len() <= 100 && part.chars().all(known)
    };
    ContentType::parse(text)
        .filter(|parsed| is_part(&parsed.app_label) && is_part(&parsed.model))
        .ok_or_else(|| CommandError::new(format!("'{text}' is no app_label.model")))
}

fn field<T: TextField>(name: &str, text: &str) -> Result<T, CommandError> {
    if text.is_empty() {
        return Err(CommandError::new(format!("a {name} is empty")));
    }
    parsed(text).map_err(|error| CommandError::new(format!("'{text}': {error}")))
}

async fn plan(store: &Store, wanted: &Wanted, prune: bool) -> Result<Vec<Step>, CommandError> {
    let mut steps = Vec::new();
    let content_types: BTreeSet<&ContentType> = wanted.keys().map(|(of, _)| of).collect();
    for content_type in &content_types {
        if !store.content_type_exists(content_type).await? {
            steps.push(Step::Declare((*content_type).clone()));
        }
    }
    let there = store.permissions().await?;
    let key = |one: &Permission| (one.content_type.clone(), one.codename.clone());
    let there: BTreeMap<_, Permission> = there.into_iter().map(|one| (key(&one), one)).collect();
    for ((content_type, codename), name) in wanted {
        match there.get(&(content_type.clone(), codename.clone())) {
            None => steps.push(Step::Add(
                content_type.clone(),
                codename.clone(),
                name.clone(),
            )),
            Some(one) if one.name != *name => {
                steps.push(Step::Rename(one.clone(), name.clone()));
            }
            Some(_) => {}
        }
    }
    must_fit(store, there.values(), &steps, &content_types).await?;
    // Of other applications' permissions the file says nothing.
    let apps: BTreeSet<&str> = content_types.iter().map(|of| &*of.app_label).collect();
    let gone = there.into_iter().filter(|(key, one)| {
        apps.contains(&*one.content_type.app_label) && !wanted.contains_key(key)
    });
    if prune {
        steps.extend(gone.map(|(_, one)| Step::Remove(one)));
    }
    Ok(steps)
}

/// Refuses what is more than there may be. What is removed goes last, and does not make room.
async fn must_fit(
    store: &Store,
    there: impl Iterator<Item = &Permission>,
    steps: &[Step],
    wanted: &BTreeSet<&ContentType>,
) -> Result<(), CommandError> {
    let mut labels: Vec<String> = there.map(Permission::label).collect();
    let taken = Taken::by(labels.iter().map(String::as_str));
    labels.extend(steps.iter().filter_map(|step| match step {
        Step::Add(of, codename, _) => Some(format!("{}.{}", of.app_label, codename.as_str())),
        _ => None,
    }));
    let mut excess = taken.refuses(Taken::by(labels.iter().map(String::as_str)));
    if steps.iter().any(|step| matches!(step, Step::Declare(_))) {
        let here = store.content_types().await?;
        let new = wanted.iter().filter(|one| !here.contains(one)).count();
        let (here, most) = (here.len(), quotas::CONTENT_TYPES);
        excess = excess.or_else(|| quotas::full(here, here + new, most, "content types"));
    }
    let excess = excess.map(|error| format!("nothing was written: {}", error.drf()));
    excess.map_or(Ok(()), |text| Err(CommandError::new(text)))
}

impl Step {
    fn shown(&self) -> String {
        match self {
            Self::Declare(content_type) => format!("declare {content_type}"),
            Self::Add(content_type, codename, name) => {
                format!(
                    "add {content_type} {} ({})",
                    codename.as_str(),
                    name.as_str()
                )
            }
            Self::Rename(one, name) => format!(
                "rename {} {} to {}",
                one.content_type,
                one.codename.as_str(),
                name.as_str()
            ),
            Self::Remove(one) => format!("remove {} {}", one.content_type, one.codename.as_str()),
        }
    }

    async fn carry_out(self, store: &Store, actor: Actor<'_>) -> Result<(), CommandError> {
        let done = match self {
            Self::Declare(content_type) => {
                return Ok(store.declare_content_type(&content_type).await?);
            }
            Self::Add(of, codename, name) => {
                let made = accounts::permissions::create(store, actor, name, codename, of);
                made.await.map(drop)
            }
            Self::Rename(one, name) => {
                let change = PermissionChange {
                    name: Some(name),
                    ..PermissionChange::default()
                };
                let changed = accounts::permissions::change(store, actor, one, &change);
                changed.await.map(drop)
            }
            Self::Remove(one) => accounts::permissions::delete(store, actor, one).await,
        };
        match done {
            // An object that was deleted meanwhile needs no change.
            Ok(()) | Err(Refused::NotFound) => Ok(()),
            Err(refused) => Err(refused.into()),
        }
    }
}
