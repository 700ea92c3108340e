//! `manage check`: every invariant of the table, for operators and for the tests.

mod contents;
mod findings;
mod mend;
mod strays;

use std::collections::BTreeSet;

use clap::Args;
use shared::store::{Store, StoreError};

use crate::{CommandError, target::Target};
use contents::Contents;
use findings::{Finding, findings};
use mend::Mended;

/// Options of `check`.
#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    target: Target,
    /// Mend what the rest of the table tells: markers, index keys, rows of flags and groups, the set of
    /// superusers, sequences, the catalogue, items of nobody.
    #[arg(long)]
    repair: bool,
}

/// Checks a table and lists what is broken.
///
/// # Errors
/// Something is broken and not mended, or the table's failure.
pub async fn check(options: Options) -> Result<(), CommandError> {
    let open = options.target.open_existing().await?;
    if options.repair {
        for line in repair(&open.store).await? {
            println!("{line}");
        }
    }
    let broken = broken_invariants(&open.store).await;
    open.close().await;
    let broken = broken?;
    if broken.is_empty() {
        println!("The table is consistent.");
        return Ok(());
    }
    for line in &broken {
        println!("{line}");
    }
    Err(CommandError::new(format!(
        "{} invariants are broken",
        broken.len()
    )))
}

/// Everything in the table that contradicts something else in it, a line each. Reads all of it;
/// on a table in use, an item changed during the read may be reported.
///
/// # Errors
/// The table's failure.
pub async fn broken_invariants(store: &Store) -> Result<Vec<String>, StoreError> {
    let found = findings(&Contents::read(store).await?)?;
    Ok(found.into_iter().map(|finding| finding.line).collect())
}

/// Mends what can be derived, and says what it did, a line each. What one mend brings to light is
/// mended too.
///
/// # Errors
/// The table's failure.
pub async fn repair(store: &Store) -> Result<Vec<String>, CommandError> {
    let (mut told, mut tried) = (Vec::new(), BTreeSet::new());
    loop {
        let found = findings(&Contents::read(store).await?)?;
        let new: Vec<Finding> = found
            .into_iter()
            .filter(|finding| finding.mend.is_some() && tried.insert(finding.line.clone()))
            .collect();
        if new.is_empty() {
            return Ok(told);
        }
        for Finding { line, mend } in new {
            let Some(mend) = mend else { continue };
            told.push(match mend.carry_out(store).await? {
                Mended::Done => format!("mended: {line}"),
                Mended::ChangedMeanwhile => format!("changed meanwhile: {line}"),
            });
        }
    }
}
