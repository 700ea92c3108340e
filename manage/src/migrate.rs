//! `manage migrate`: brings a table of an older layout up to date, beside running functions.

use std::time::Duration;

use clap::Args;
use futures_util::{StreamExt, TryStreamExt, stream};
use shared::{
    domain::{Permission, UserId},
    store::{
        Store, StoreError, WriteError,
        items::{Item, text},
        keys::PK,
        layout::{LEARNED_WITHIN, Layout, Schema},
    },
};

use crate::{CommandError, target::Target};

/// Options of `migrate`.
#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    target: Target,
    /// Only tell what there is to do.
    #[arg(long)]
    dry_run: bool,
    /// Do not wait until running functions know: for a table that none uses.
    #[arg(long)]
    no_wait: bool,
}

/// What a migration has to do.
#[derive(Debug, PartialEq, Eq)]
pub struct Plan {
    /// The table's layout.
    pub layout: Layout,
    /// Users whose password hashes lie beside their profiles.
    pub credentials: Vec<UserId>,
}

/// How many users are moved at once.
const AT_ONCE: usize = 16;
/// After how many a line tells how far it is.
const TOLD_EVERY: usize = 1000;
/// How long requests that are under way may take, in seconds.
const UNDER_WAY: i64 = 5;

/// Brings a table to the current layout. It may be stopped and run again at any time.
///
/// # Errors
/// The table has a newer layout, or did not answer.
pub async fn migrate(options: Options) -> Result<(), CommandError> {
    let open = options.target.open_existing().await?;
    let plan = plan(&open.store).await?;
    let (from, to) = (plan.layout, Layout::CURRENT);
    if from == to && plan.credentials.is_empty() {
        println!("The table has layout {to}: nothing to do.");
    } else {
        let users = plan.credentials.len();
        println!("Layout {from} to {to}: {users} password hashes to move.");
        if !options.dry_run {
            let wait = if options.no_wait || open.is_alone() {
                0
            } else {
                LEARNED_WITHIN + UNDER_WAY
            };
            carry_out(&open.store, plan, wait).await?;
            println!("The table has layout {to}.");
        }
    }
    open.close().await;
    Ok(())
}

/// Reads what there is to do.
///
/// # Errors
/// The table's failure.
pub async fn plan(store: &Store) -> Result<Plan, StoreError> {
    let Schema { layout, .. } = store.schema().await?;
    let (client, name) = store.table().parts();
    let mut pages = client
        .scan()
        .table_name(name)
        .consistent_read(true)
        .filter_expression("SK = :sk AND begins_with(PK, :pk)")
        .expression_attribute_values(":sk", text("CREDENTIAL"))
        .expression_attribute_values(":pk", text("USER#"))
        .projection_expression("PK, SK")
        .into_paginator()
        .items()
        .send();
    let mut credentials = Vec::new();
    while let Some(item) = pages.next().await {
        let item = item.map_err(|error| StoreError::from_scan(&error))?;
        credentials.extend(user_of(&item));
    }
    Ok(Plan {
        layout,
        credentials,
    })
}

fn user_of(key: &Item) -> Option<UserId> {
    let pk = key.get(PK)?.as_s().ok()?;
    pk.strip_prefix("USER#")?.parse().ok().map(UserId)
}

/// Carries a plan out, and waits so many seconds until every running function writes the new layout.
///
/// # Errors
/// The table's failure.
pub async fn carry_out(store: &Store, plan: Plan, wait: i64) -> Result<(), CommandError> {
    store.begin_migration().await?;
    if wait > 0 {
        println!("Waiting {wait} seconds until every function knows.");
        let wait = u64::try_from(wait).unwrap_or_default();
        tokio::time::sleep(Duration::from_secs(wait)).await;
    }
    fill_catalogue(store).await?;
    let all = plan.credentials.len();
    let mut moved = stream::iter(plan.credentials)
        .map(|id| store.move_credential(id))
        .buffer_unordered(AT_ONCE);
    let mut count = 0;
    while moved.try_next().await?.is_some() {
        count += 1;
        if count % TOLD_EVERY == 0 {
            eprintln!("{count} of {all}");
        }
    }
    Ok(store.end_migration().await?)
}

async fn fill_catalogue(store: &Store) -> Result<(), CommandError> {
    for permission in store.permissions().await? {
        let mut known: Option<Permission> = Some(permission);
        // One that changes or goes meanwhile writes the catalogue itself; what it was is read again.
        while let Some(permission) = known {
            match store.catalogue(&permission).await {
                Ok(()) => break,
                Err(WriteError::Refused(_) | WriteError::Contended) => {
                    known = store.permission(permission.id).await?;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}
