//! `manage logout`: ends everything that a user is logged in by, or everybody.

use clap::Args;
use futures_util::{StreamExt, stream};
use shared::{
    accounts::{Refused, users::end_sessions},
    domain::{Actor, UserId},
    store::Store,
};

use crate::{CommandError, account, operator::Operator, pace::Pace, target::Target};

/// Options of `logout`.
#[derive(Args)]
pub struct Options {
    /// The username of the account.
    #[arg(required_unless_present = "all", conflicts_with_all = ["all", "from_id", "write_rate"])]
    username: Option<String>,
    /// Log out every user.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    everybody: Everybody,
    #[command(flatten)]
    operator: Operator,
    #[command(flatten)]
    target: Target,
}

/// How the sessions of all users are ended.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct Everybody {
    /// Begin with the user of this id: goes on where a run was stopped.
    #[arg(long, value_name = "ID")]
    pub from_id: Option<u64>,
    /// Log out so many users a second at most.
    #[arg(long, value_name = "USERS")]
    pub write_rate: Option<u32>,
}

/// How many users' sessions are ended at once.
const AT_ONCE: usize = 16;
/// After how many a line tells how far it is.
const TOLD_EVERY: usize = 1000;

/// Ends all sessions and tokens of a user, or of all.
///
/// # Errors
/// The user does not exist, or the table's failure.
pub async fn logout(options: Options) -> Result<(), CommandError> {
    let operator = options.operator.name()?;
    let open = options.target.open_existing().await?;
    let actor = Actor::Command(&operator);
    let ended = async {
        let Some(username) = &options.username else {
            let ended = end_all_sessions(&open.store, actor, options.everybody).await?;
            return Ok(format!("Ended the sessions and tokens of {ended} users."));
        };
        let user = account::named(&open.store, username).await?;
        end_sessions(&open.store, actor, user, None).await?;
        Ok::<_, CommandError>(format!("All sessions of user '{username}' have ended."))
    }
    .await;
    open.close().await;
    println!("{}", ended?);
    Ok(())
}

/// Ends the sessions and tokens of every user in the order of their ids, and says of how many. One that
/// fails tells where to go on.
///
/// # Errors
/// The table's failure.
pub async fn end_all_sessions(
    store: &Store,
    actor: Actor<'_>,
    how: Everybody,
) -> Result<usize, CommandError> {
    let mut ids = store.all_user_ids().await?;
    let mut next = how.from_id.unwrap_or(0);
    ids.retain(|id| id.0 >= next);
    let (all, pace) = (ids.len(), Pace::of(how.write_rate));
    // In order, so that all before the last one told are done.
    let mut ends = stream::iter(ids)
        .map(async |id| {
            pace.wait(1).await;
            end(store, actor, id).await.map(|()| id)
        })
        .buffered(AT_ONCE);
    let mut count = 0;
    while let Some(ended) = ends.next().await {
        let id = ended.map_err(|error| {
            CommandError::new(format!(
                "{error}\n{count} of {all} are done: go on with --from-id {next}"
            ))
        })?;
        next = id.0 + 1;
        count += 1;
        if count % TOLD_EVERY == 0 {
            eprintln!("{count} of {all}, to go on: --from-id {next}");
        }
    }
    Ok(count)
}

async fn end(store: &Store, actor: Actor<'_>, id: UserId) -> Result<(), CommandError> {
    let Some(user) = store.user(id).await? else {
        return Ok(());
    };
    match end_sessions(store, actor, user, None).await {
        // They were deleted meanwhile.
        Ok(_) | Err(Refused::NotFound) => Ok(()),
        Err(refused) => Err(refused.into()),
    }
}
