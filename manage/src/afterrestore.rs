//! `manage afterrestore`: makes a restored table safe. What a backup does not hold was there: ids were
//! given, passwords changed, sessions ended. So every sequence is raised above what can have been
//! given, every session and token ends, and every key is replaced.

use aws_sdk_dynamodb::{
    Client,
    error::{DisplayErrorContext, ProvideErrorMetadata},
    types::{PointInTimeRecoverySpecification, TimeToLiveSpecification, TimeToLiveStatus},
};
use clap::Args;
use shared::{
    domain::Actor,
    store::{
        Store,
        keys::{Sequence, TTL},
    },
};

use crate::{
    CommandError,
    check::broken_invariants,
    logout::{Everybody, end_all_sessions},
    operator::Operator,
    rotatekey,
    target::Target,
};

/// Options of `afterrestore`.
#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    target: Target,
    /// The highest user id that was ever given, if it is known, as from the logs of the table before.
    #[arg(long, value_name = "ID")]
    last_user_id: Option<u64>,
    /// The secret with the keys in AWS Secrets Manager, all of which are replaced: the output
    /// SigningKeyArn.
    #[arg(long, value_name = "SECRET")]
    secret: Option<String>,
    #[command(flatten)]
    everybody: Everybody,
    #[command(flatten)]
    operator: Operator,
}

/// How far a sequence is raised where nobody knows what was given.
const GAP: u64 = 1_000_000;

/// Makes a restored table safe, and checks it. May be run again.
///
/// # Errors
/// Something in the table is broken, or the table or the secret cannot be read or written.
pub async fn afterrestore(options: Options) -> Result<(), CommandError> {
    let operator = options.operator.name()?;
    let open = options.target.open_existing().await?;
    let store = &open.store;
    let done = async {
        for line in raise_sequences(store, options.last_user_id).await? {
            println!("{line}");
        }
        let ended = end_all_sessions(store, Actor::Command(&operator), options.everybody);
        let ended = ended.await?;
        println!("Ended the sessions and tokens of {ended} users.");
        match &options.secret {
            Some(secret) => {
                rotatekey::replace(secret).await?;
                println!("Replaced every key: no token signed before verifies.");
            }
            None => {
                println!(
                    "The signing key was not replaced: give --secret, or use rotatekey --leaked."
                )
            }
        }
        for line in turn_on(store).await? {
            println!("{line}");
        }
        let broken = broken_invariants(store).await?;
        for line in &broken {
            println!("{line}");
        }
        if broken.is_empty() {
            println!("The table is consistent.");
            return Ok(());
        }
        let count = broken.len();
        Err(CommandError::new(format!(
            "{count} invariants are broken: run manage check --repair"
        )))
    };
    let done = done.await;
    open.close().await;
    done
}

/// Raises the sequences above every id that can have been given, and says to what. One that was
/// raised so for the same number is left.
///
/// # Errors
/// The table's failure.
pub async fn raise_sequences(
    store: &Store,
    last_user_id: Option<u64>,
) -> Result<Vec<String>, CommandError> {
    let mut told = Vec::new();
    for sequence in [Sequence::User, Sequence::Group, Sequence::Permission] {
        let last = store.last_id(sequence).await?;
        let to = match (sequence, last_user_id) {
            (Sequence::User, Some(id)) => last.max(id),
            _ => last.saturating_add(GAP),
        };
        store.advance(sequence, to).await?;
        told.push(format!("The next {sequence:?} gets an id above {to}."));
    }
    Ok(told)
}

/// Turns on what a restored table does not have, and says what: expiry, recovery to any point in
/// time (which an engine on this machine lacks), and protection against deletion.
///
/// # Errors
/// The database's failure.
pub async fn turn_on(store: &Store) -> Result<[&'static str; 3], CommandError> {
    let (client, name) = store.table().parts();
    Ok([
        turn_on_expiry(client, name).await?,
        turn_on_recovery(client, name).await?,
        turn_on_protection(client, name).await?,
    ])
}

async fn turn_on_expiry(client: &Client, name: &str) -> Result<&'static str, CommandError> {
    let ttl = client.describe_time_to_live().table_name(name).send().await;
    let ttl = ttl.map_err(|error| failed(name, &error))?;
    let status = ttl
        .time_to_live_description()
        .and_then(|ttl| ttl.time_to_live_status());
    let is_on = [TimeToLiveStatus::Enabled, TimeToLiveStatus::Enabling];
    if !status.is_some_and(|status| is_on.contains(status)) {
        let on = TimeToLiveSpecification::builder()
            .attribute_name(TTL)
            .enabled(true)
            .build()
            .map_err(|error| failed(name, &error))?;
        let update = client.update_time_to_live().table_name(name);
        let update = update.time_to_live_specification(on).send().await;
        update.map_err(|error| failed(name, &error))?;
    }
    Ok("Items expire.")
}

async fn turn_on_recovery(client: &Client, name: &str) -> Result<&'static str, CommandError> {
    let on = PointInTimeRecoverySpecification::builder()
        .point_in_time_recovery_enabled(true)
        .build()
        .map_err(|error| failed(name, &error))?;
    let update = client.update_continuous_backups().table_name(name);
    let update = update.point_in_time_recovery_specification(on);
    match update.send().await {
        Ok(_) => Ok("Point-in-time recovery is on."),
        Err(error) if is_unknown(&error) => Ok("This database has no point-in-time recovery."),
        Err(error) => Err(failed(name, &error)),
    }
}

async fn turn_on_protection(client: &Client, name: &str) -> Result<&'static str, CommandError> {
    let table = client.describe_table().table_name(name).send().await;
    let table = table.map_err(|error| failed(name, &error))?.table;
    let is_on = table.and_then(|table| table.deletion_protection_enabled);
    if is_on != Some(true) {
        let update = client.update_table().table_name(name);
        let update = update.deletion_protection_enabled(true).send().await;
        update.map_err(|error| failed(name, &error))?;
    }
    Ok("Deletion protection is on.")
}

fn failed(name: &str, error: &(dyn std::error::Error + 'static)) -> CommandError {
    let error = DisplayErrorContext(error);
    CommandError::new(format!("cannot set up {name}: {error}"))
}

/// Whether a database does not know what it was asked for.
pub fn is_unknown<E: ProvideErrorMetadata>(error: &E) -> bool {
    error.code() == Some("UnknownOperationException")
}
