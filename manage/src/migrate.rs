//! `manage migrate`: brings a table of an older layout up to date, beside running functions.
//!
//! It scans the table in pages, and after each keeps in the table how far it is.

use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::{error::DisplayErrorContext, operation::scan::ScanOutput};
use clap::Args;
use futures_util::{StreamExt, TryStreamExt, stream};
use shared::{
    domain::{Permission, UserId},
    store::{
        Store, StoreError, WriteError,
        items::{Item, text},
        keys::{PK, SK},
        layout::{Done, LEARNED_WITHIN, Layout, Schema},
    },
};

use crate::{CommandError, pace::Pace, target::Target};

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
    /// Read the whole table again, also if all is done: after an older version wrote to it since.
    #[arg(long)]
    again: bool,
    /// Look at so many items a second at most.
    #[arg(long, value_name = "ITEMS")]
    read_rate: Option<u32>,
}

/// How many users are moved at once.
const AT_ONCE: usize = 16;
/// How many items are read before the position is kept.
const PAGE: i32 = 1000;
/// How long requests that are under way may take, in seconds.
const UNDER_WAY: i64 = 5;

/// Brings a table to the current layout. It may be stopped at any time; another run goes on from there.
///
/// # Errors
/// The table has a newer layout, or did not answer.
pub async fn migrate(options: Options) -> Result<(), CommandError> {
    let open = options.target.open_existing().await?;
    let wait = if options.no_wait || open.is_alone() {
        0
    } else {
        LEARNED_WITHIN + UNDER_WAY
    };
    let done = carry_out_or_tell(&open.store, &options, wait).await;
    open.close().await;
    done
}

async fn carry_out_or_tell(
    store: &Store,
    options: &Options,
    wait: i64,
) -> Result<(), CommandError> {
    let mut schema = store.schema().await?;
    if options.again {
        schema.done = None;
    }
    let (from, to) = (schema.layout, Layout::CURRENT);
    if schema == Schema::CURRENT && !options.again {
        println!("The table has layout {to}: nothing to do.");
        return Ok(());
    }
    if options.dry_run {
        let Left { hashes, users } = left(store, &schema).await?;
        println!(
            "Layout {from} to {to}: {hashes} password hashes to move, {users} users to index by name."
        );
        return Ok(());
    }
    match &schema.done {
        Some(done) => println!("Layout {from} to {to}: going on after {} items.", done.read),
        None => println!("Layout {from} to {to}."),
    }
    if options.again {
        store.note_done(None).await?;
    }
    let done = carry_out(store, wait, options.read_rate).await?;
    println!(
        "The table has layout {to}: {} items read, {} password hashes moved, {} users indexed by name.",
        done.read, done.moved, done.named
    );
    Ok(())
}

/// What a migration still has to do, at most.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// Password hashes to move.
    pub hashes: usize,
    /// Users who may lack rows in the indexes of names.
    pub users: usize,
}

/// What is still to be done.
///
/// # Errors
/// The table's failure.
pub async fn left(store: &Store, schema: &Schema) -> Result<Left, StoreError> {
    let mut done = schema.done.clone().unwrap_or_default();
    let mut left = Left::default();
    loop {
        let page = read(store, &done, PAGE).await?;
        let hashes = page.items().iter().filter(|key| is_hash(key)).count();
        left.hashes += hashes;
        left.users += page.items().len() - hashes;
        done.after = last_of(&page);
        if done.after.is_none() {
            return Ok(left);
        }
    }
}

/// Migrates, or goes on where a run before stopped. At the beginning it waits so many seconds until
/// every running function writes the new layout. Reads so many items a second at most. Tells what was
/// done in all.
///
/// # Errors
/// The table's failure.
pub async fn carry_out(
    store: &Store,
    wait: i64,
    read_rate: Option<u32>,
) -> Result<Done, CommandError> {
    let mut done = match store.schema().await?.done {
        Some(done) => done,
        None => {
            prepare(store, wait).await?;
            Done::default()
        }
    };
    let all = about_how_many(store).await;
    let (mut read, pace) = (done.read, Pace::of(read_rate));
    while move_page(store, &mut done, PAGE).await? {
        pace.wait(usize::try_from(done.read - read).unwrap_or(usize::MAX))
            .await;
        read = done.read;
        let Done {
            moved, named, read, ..
        } = &done;
        eprintln!("{read} items read{all}, {moved} moved, {named} indexed");
    }
    store.end_migration().await?;
    Ok(done)
}

/// Begins a migration: what comes before items are moved.
///
/// # Errors
/// The table's failure.
pub async fn prepare(store: &Store, wait: i64) -> Result<(), CommandError> {
    store.begin_migration().await?;
    if wait > 0 {
        println!("Waiting {wait} seconds until every function knows.");
        let wait = u64::try_from(wait).unwrap_or_default();
        tokio::time::sleep(Duration::from_secs(wait)).await;
    }
    fill_catalogue(store).await
}

/// Moves what is in the older layout among the next items, and keeps how far that is; false at the
/// end of the table.
///
/// # Errors
/// The table's failure.
pub async fn move_page(store: &Store, done: &mut Done, size: i32) -> Result<bool, CommandError> {
    let page = read(store, done, size).await?;
    let keys = page.items().iter();
    let users: Vec<(bool, UserId)> = keys
        .filter_map(|key| Some((is_hash(key), user_of(key)?)))
        .collect();
    let mut moved = stream::iter(users)
        .map(async |(is_hash, id)| match is_hash {
            true => Ok((store.move_credential(id).await?, false)),
            false => store.index_names(id).await.map(|named| (false, named)),
        })
        .buffer_unordered(AT_ONCE);
    while let Some((moved, named)) = moved.try_next().await? {
        done.moved += u64::from(moved);
        done.named += u64::from(named);
    }
    done.read += u64::try_from(page.scanned_count()).unwrap_or_default();
    done.after = last_of(&page);
    if done.after.is_none() {
        return Ok(false);
    }
    store.note_done(Some(done.clone())).await?;
    Ok(true)
}

/// The keys of the profiles and of the password hashes beside them among the next so many items.
async fn read(store: &Store, done: &Done, size: i32) -> Result<ScanOutput, StoreError> {
    let (client, name) = store.table().parts();
    let after = done.after.as_ref().map(|(pk, sk)| {
        let key = [(PK, pk), (SK, sk)];
        HashMap::from(key.map(|(name, value)| (name.to_owned(), text(value))))
    });
    let page = client
        .scan()
        .table_name(name)
        .consistent_read(true)
        .limit(size)
        .set_exclusive_start_key(after)
        .filter_expression("SK IN (:hash, :profile) AND begins_with(PK, :pk)")
        .expression_attribute_values(":hash", text("CREDENTIAL"))
        .expression_attribute_values(":profile", text("PROFILE"))
        .expression_attribute_values(":pk", text("USER#"))
        .projection_expression("PK, SK")
        .send()
        .await;
    page.map_err(|error| StoreError::from_scan(&error))
}

fn last_of(page: &ScanOutput) -> Option<(String, String)> {
    let last = page.last_evaluated_key()?;
    let value = |name| last.get(name)?.as_s().ok().cloned();
    Some((value(PK)?, value(SK)?))
}

fn is_hash(key: &Item) -> bool {
    key.get(SK) == Some(&text("CREDENTIAL"))
}

fn user_of(key: &Item) -> Option<UserId> {
    let pk = key.get(PK)?.as_s().ok()?;
    pk.strip_prefix("USER#")?.parse().ok().map(UserId)
}

/// What DynamoDB knows of the table's size, from up to six hours ago; nothing if it does not tell.
async fn about_how_many(store: &Store) -> String {
    let (client, name) = store.table().parts();
    let described = client.describe_table().table_name(name).send().await;
    if let Err(error) = &described {
        tracing::debug!(error = %DisplayErrorContext(error), "the table is not described");
    }
    let table = described.ok().and_then(|described| described.table);
    let count = table.and_then(|table| table.item_count);
    let count = count.filter(|count| *count > 0);
    count.map_or_else(String::new, |count| format!(" of about {count}"))
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
