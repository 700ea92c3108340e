//! `manage setuser`: a user's flags and groups.

use clap::Args;
use shared::{
    accounts::{Refused, users::change},
    domain::{Actor, GroupId, SetChange, UserChange},
    store::Store,
};

use crate::{CommandError, account, operator::Operator, target::Target};

/// Options of `setuser`.
#[derive(Args)]
#[group(id = "change", required = true, multiple = true, args = [
    "active", "inactive", "staff", "no_staff", "superuser", "no_superuser", "groups",
])]
pub struct Options {
    /// The username of the account.
    username: String,
    /// Let them log in.
    #[arg(long)]
    active: bool,
    /// Let them not log in, and end their sessions.
    #[arg(long, conflicts_with = "active")]
    inactive: bool,
    /// Let them use the admin pages, as far as they hold permissions.
    #[arg(long)]
    staff: bool,
    /// Let them not use the admin pages.
    #[arg(long, conflicts_with = "staff")]
    no_staff: bool,
    /// Let them do everything.
    #[arg(long)]
    superuser: bool,
    /// Let them do only what they hold permissions for.
    #[arg(long, conflicts_with = "superuser")]
    no_superuser: bool,
    /// Put them into exactly these groups; without a name into none.
    #[arg(long, value_name = "NAME", num_args = 0..)]
    groups: Option<Vec<String>>,
    #[command(flatten)]
    operator: Operator,
    #[command(flatten)]
    target: Target,
}

/// Changes a user.
///
/// # Errors
/// The user or a group does not exist, no active superuser would remain, or the table's failure.
pub async fn setuser(options: Options) -> Result<(), CommandError> {
    let operator = options.operator.name()?;
    let open = options.target.open_existing().await?;
    let changed = set(&open.store, Actor::Command(&operator), &options).await;
    open.close().await;
    let name = &options.username;
    if changed? {
        println!("User '{name}' changed.");
    } else {
        println!("Nothing to do: user '{name}' is so already.");
    }
    Ok(())
}

/// Whether anything had to be changed.
async fn set(store: &Store, actor: Actor<'_>, options: &Options) -> Result<bool, CommandError> {
    let user = account::named(store, &options.username).await?;
    let flag = |yes: bool, no: bool| (yes || no).then_some(yes);
    let groups = match &options.groups {
        Some(names) => Some(SetChange::Replace(ids_of(store, names).await?)),
        None => None,
    };
    let wanted = UserChange {
        is_active: flag(options.active, options.inactive),
        is_staff: flag(options.staff, options.no_staff),
        is_superuser: flag(options.superuser, options.no_superuser),
        groups,
        ..UserChange::default()
    };
    let version = user.version;
    match change(store, actor, user, &wanted).await {
        Ok(changed) => Ok(changed.version != version),
        Err(Refused::NotFound) => Err(account::unknown(&options.username)),
        Err(refused) => Err(refused.into()),
    }
}

/// The ids of groups by their names.
async fn ids_of<C: FromIterator<GroupId>>(
    store: &Store,
    names: &[String],
) -> Result<C, CommandError> {
    let all = store.groups().await?;
    let id = |name: &String| {
        let found = all.iter().find(|group| group.name.as_str() == name);
        let found = found.map(|group| group.id);
        found.ok_or_else(|| CommandError::new(format!("group '{name}' does not exist")))
    };
    names.iter().map(id).collect()
}
