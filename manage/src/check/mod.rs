//! `manage check`: every invariant of the table, for operators and for the tests.

mod contents;
mod findings;
mod mend;
mod strays;
mod sweep;

use std::{
    collections::BTreeSet,
    hash::{BuildHasher, RandomState},
};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use shared::store::{Store, StoreError};

use crate::{CommandError, pace::Pace, target::Target};
use findings::Finding;
use mend::Mended;
use sweep::Sweep;

/// Options of `check`.
#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    target: Target,
    /// Mend what the rest of the table tells: markers, index keys, rows of flags and groups, the set of
    /// superusers, sequences, the catalogue, items of nobody.
    #[arg(long)]
    repair: bool,
    /// Look at so many items a second at most.
    #[arg(long, value_name = "ITEMS")]
    read_rate: Option<u32>,
}

/// Checks a table and lists what is broken.
///
/// # Errors
/// Something is broken and not mended, or the table's failure.
pub async fn check(options: Options) -> Result<(), CommandError> {
    let open = options.target.open_existing().await?;
    let pace = Pace::of(options.read_rate);
    let checked = async {
        if options.repair {
            mend(&open.store, &pace, &mut |line| println!("{line}")).await?;
        }
        let mut count = 0;
        let told = |line: String| {
            count += 1;
            println!("{line}");
        };
        each_broken(&open.store, &pace, told).await?;
        Ok::<_, CommandError>(count)
    }
    .await;
    open.close().await;
    match checked? {
        0 => {
            println!("The table is consistent.");
            Ok(())
        }
        count => Err(CommandError::new(format!("{count} invariants are broken"))),
    }
}

/// Everything in the table that contradicts something else in it, a line each. Reads all of it, a part
/// at a time; on a table in use, an item changed during the read may be reported.
///
/// # Errors
/// The table's failure.
pub async fn broken_invariants(store: &Store) -> Result<Vec<String>, StoreError> {
    let mut lines = Vec::new();
    each_broken(store, &Pace::of(None), |line| lines.push(line)).await?;
    Ok(lines)
}

async fn each_broken(
    store: &Store,
    pace: &Pace,
    mut tell: impl FnMut(String),
) -> Result<(), StoreError> {
    let (mut sweep, bar) = (Sweep::of(store).await?, bar());
    while let Some(found) = sweep.next().await? {
        pass(&bar, pace, sweep.read).await;
        bar.suspend(|| found.into_iter().for_each(|finding| tell(finding.line)));
    }
    bar.finish_and_clear();
    Ok(())
}

/// Mends what can be derived, and says what it did, a line each. What one mend brings to light is
/// mended too.
///
/// # Errors
/// The table's failure.
pub async fn repair(store: &Store) -> Result<Vec<String>, CommandError> {
    let mut told = Vec::new();
    mend(store, &Pace::of(None), &mut |line| told.push(line)).await?;
    Ok(told)
}

async fn mend(
    store: &Store,
    pace: &Pace,
    tell: &mut dyn FnMut(String),
) -> Result<(), CommandError> {
    // Hashes of the lines, which may be as many as users.
    let (mut tried, hashes, mut before) = (BTreeSet::new(), RandomState::new(), None);
    // Until a way through finds nothing new.
    while before != Some(tried.len()) {
        before = Some(tried.len());
        let (mut sweep, bar) = (Sweep::of(store).await?, bar());
        while let Some(found) = sweep.next().await? {
            pass(&bar, pace, sweep.read).await;
            for Finding { line, mend } in found {
                let Some(mend) = mend.filter(|_| tried.insert(hashes.hash_one(&line))) else {
                    continue;
                };
                let line = match mend.carry_out(store).await? {
                    Mended::Done => format!("mended: {line}"),
                    Mended::ChangedMeanwhile => format!("changed meanwhile: {line}"),
                };
                bar.suspend(|| tell(line));
            }
        }
        bar.finish_and_clear();
    }
    Ok(())
}

/// Shows where the way through a table is, where there is a terminal.
fn bar() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} Items {pos}  {per_sec}") {
        bar.set_style(style);
    }
    bar
}

/// Notes how far it is, and waits for the next part's turn.
async fn pass(bar: &ProgressBar, pace: &Pace, read: u64) {
    let more = read.saturating_sub(bar.position());
    bar.set_position(read);
    pace.wait(usize::try_from(more).unwrap_or(usize::MAX)).await;
}
