//! `manage unlock`: lets somebody in again whom failed logins locked out.

use std::net::IpAddr;

use clap::Args;
use shared::{
    accounts::lockout::{unlock as unlock_user, unlock_address},
    domain::Actor,
    store::Store,
};

use crate::{CommandError, account, operator::Operator, target::Target};

/// Options of `unlock`.
#[derive(Args)]
pub struct Options {
    /// A username: its attempts are forgotten, from every address. Or a source address: its failures
    /// and registrations are forgotten, but not its attempts at one username.
    #[arg(value_name = "NAME|ADDRESS")]
    whom: String,
    #[command(flatten)]
    operator: Operator,
    #[command(flatten)]
    target: Target,
}

/// Sets the counters of a username or an address back.
///
/// # Errors
/// The user does not exist, or the table's failure.
pub async fn unlock(options: Options) -> Result<(), CommandError> {
    let operator = options.operator.name()?;
    let open = options.target.open_existing().await?;
    let cleared = clear(&open.store, Actor::Command(&operator), &options.whom).await;
    open.close().await;
    let whom = &options.whom;
    match cleared? {
        0 => println!("Nothing to do: no attempts of {whom} are counted."),
        count => println!("Unlocked {whom}: {count} counter(s) set back."),
    }
    Ok(())
}

async fn clear(store: &Store, actor: Actor<'_>, whom: &str) -> Result<usize, CommandError> {
    let Ok(address) = whom.parse::<IpAddr>() else {
        let user = account::named(store, whom).await?;
        return Ok(unlock_user(store, actor, &user).await?);
    };
    let mut count = unlock_address(store, actor, address).await?;
    // An IPv4 address may be a username too.
    if let Ok(user) = account::named(store, whom).await {
        count += unlock_user(store, actor, &user).await?;
    }
    Ok(count)
}
