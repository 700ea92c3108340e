//! `manage unlock`: lets a user log in again after too many failed logins.

use std::net::IpAddr;

use clap::Args;
use shared::{
    accounts::lockout::{unlock as unlock_user, unlock_address},
    domain::Actor,
    store::Store,
};

use crate::{CommandError, account, operator::Operator, target::Target, terminal::clean};

/// Options of `unlock`.
#[derive(Args)]
pub struct Options {
    /// A username: its attempts are forgotten, from every address. Or a source address: its failures
    /// and registrations are forgotten, but not its attempts at one username.
    #[arg(value_name = "NAME|ADDRESS")]
    subject: String,
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
    let cleared = clear(&open.store, Actor::Command(&operator), &options.subject).await;
    open.close().await;
    let subject = clean(&options.subject);
    match cleared? {
        0 => println!("Nothing to do: no attempts of {subject} are counted."),
        count => println!("Unlocked {subject}: {count} counter(s) set back."),
    }
    Ok(())
}

async fn clear(store: &Store, actor: Actor<'_>, subject: &str) -> Result<usize, CommandError> {
    let Ok(address) = subject.parse::<IpAddr>() else {
        let user = account::named(store, subject).await?;
        return Ok(unlock_user(store, actor, &user).await?);
    };
    let mut count = unlock_address(store, actor, address).await?;
    // An IPv4 address may be a username too.
    if let Ok(user) = account::named(store, subject).await {
        count += unlock_user(store, actor, &user).await?;
    }
    Ok(count)
}
