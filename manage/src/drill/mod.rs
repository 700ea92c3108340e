//! `manage drill`: backs a table up, restores it beside itself, makes the copy safe, serves the API on
//! it and proves that a restore loses and gives away nothing. The copy is deleted at the end.

mod copy;
mod proof;

use std::time::{Duration, Instant};

use clap::Args;
use shared::{clock::Clock, domain::Actor, store::Store};

use crate::{
    CommandError,
    afterrestore::{raise_sequences, turn_on},
    check::broken_invariants,
    logout::{Everybody, end_all_sessions},
    operator::Operator,
    random_text,
    target::Target,
};
use copy::{Backup, Copies};
use proof::{Service, Witness};

/// Options of `drill`.
#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    target: Target,
    /// Keep the restored table, and tell its name.
    #[arg(long)]
    keep: bool,
    /// How long to wait before and after a backup: DynamoDB's holds what was written a minute before,
    /// and may hold what is written within the next.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    settle: u64,
    #[command(flatten)]
    operator: Operator,
}

/// Carries the drill out. It makes two accounts in the table and deletes them at the end.
///
/// # Errors
/// The step that failed, with the reason.
pub async fn drill(options: Options) -> Result<(), CommandError> {
    let operator = options.operator.name()?;
    let open = options.target.open_existing().await?;
    let rehearsed = async {
        open.require_current_layout().await?;
        let actor = Actor::Command(&operator);
        let mut drill = Drill::of(&open.store, actor, Duration::from_secs(options.settle))?;
        let rehearsed = tokio::select! {
            rehearsed = drill.rehearse() => rehearsed,
            _ = tokio::signal::ctrl_c() => Err(CommandError::new("stopped")),
        };
        let cleaned = drill.clean_up(options.keep).await;
        rehearsed.and(cleaned)
    }
    .await;
    open.close().await;
    rehearsed?;
    println!("The drill succeeded.");
    Ok(())
}

struct Drill<'a> {
    store: &'a Store,
    actor: Actor<'a>,
    settle: Duration,
    key: String,
    service: Service,
    copies: Copies,
    /// What is to be deleted from the table.
    witnesses: Vec<Witness>,
}

impl<'a> Drill<'a> {
    fn of(store: &'a Store, actor: Actor<'a>, settle: Duration) -> Result<Self, CommandError> {
        let (client, name) = store.table().parts();
        let copy = format!("{name}-drill-{}", Clock::System.now());
        let key = random_text();
        Ok(Self {
            store,
            actor,
            settle,
            service: Service::on(client, name, &key)?,
            key,
            copies: Copies::new(client, name, copy),
            witnesses: Vec::new(),
        })
    }

    async fn rehearse(&mut self) -> Result<(), CommandError> {
        let (client, _) = self.store.table().parts();
        let kept = self.witness("kept").await?;
        let has_backups = self.copies.has_backups().await?;
        let settle = if has_backups {
            self.settle
        } else {
            Duration::ZERO
        };
        wait(settle).await;

        let step = Step::begin("back up");
        let before = self.copies.count().await?;
        let backup = step.of(self.copies.back_up(has_backups).await)?;
        let after = self.copies.count().await?;
        step.done(match backup {
            Backup::Own(_) => "DynamoDB has taken a backup.",
            Backup::Copy => "This database has no backups: its items were copied one by one.",
        });
        wait(settle).await;
        let lost = self.witness("lost").await?;

        let step = Step::begin("restore");
        step.of(self.copies.restore(&backup).await)?;
        let copy = Store::new(client.clone(), self.copies.name());
        let restored = step.of(self.copies.count_restored().await)?;
        if !(before.min(after)..=before.max(after)).contains(&restored) {
            let text = format!("the table had {before} to {after} items, its copy has {restored}");
            return step.of(Err(CommandError::new(text)));
        }
        step.done(&format!("{} has all {restored} items.", self.copies.name()));

        let step = Step::begin("make safe");
        let safe = async {
            raise_sequences(&copy, None).await?;
            let ended = end_all_sessions(&copy, self.actor, Everybody::default()).await?;
            Ok((ended, turn_on(&copy).await?))
        };
        let (ended, on) = step.of(safe.await)?;
        step.done(&format!(
            "Sequences are raised, the sessions of {ended} users ended. {} The signing key is not \
             replaced, since the table in use has the same.",
            on.join(" ")
        ));

        let step = Step::begin("re-point");
        let service = step.of(Service::on(client, self.copies.name(), &self.key))?;
        step.of(service.answers().await)?;
        step.done(&format!(
            "The API answers from the copy. A stack does by: sam deploy --parameter-overrides \
             ExistingTableName={}",
            self.copies.name()
        ));

        let step = Step::begin("check");
        step.of(service.proves(&kept, &lost).await)?;
        let broken = step.of(broken_invariants(&copy).await.map_err(CommandError::from))?;
        if !broken.is_empty() {
            let text = format!("the copy is not consistent: {}", broken.join("; "));
            return step.of(Err(CommandError::new(text)));
        }
        step.done(
            "A user logs in, no token from before is taken, the next user gets an id that nobody \
             had, and the copy is consistent.",
        );
        Ok(())
    }

    /// An account with a session, which is deleted at the end.
    async fn witness(&mut self, name: &str) -> Result<Witness, CommandError> {
        let mut witness = self.service.account(self.actor, name).await?;
        self.witnesses.push(witness.clone());
        self.service.log_in(&mut witness).await?;
        Ok(witness)
    }

    /// Deletes whatever the drill has made; all of it is tried.
    async fn clean_up(&mut self, keep: bool) -> Result<(), CommandError> {
        let step = Step::begin("clean up");
        let mut cleaned = Ok(());
        for witness in self.witnesses.drain(..) {
            cleaned = cleaned.and(self.service.delete(self.actor, &witness).await);
        }
        cleaned = cleaned.and(self.copies.delete_backup().await);
        if !keep {
            cleaned = cleaned.and(self.copies.delete().await);
        }
        step.of(cleaned)?;
        let name = self.copies.name();
        step.done(&if keep {
            format!("The accounts of the drill are deleted. The copy stays: {name}.")
        } else {
            "The accounts of the drill and the copy are deleted.".to_owned()
        });
        Ok(())
    }
}

async fn wait(time: Duration) {
    if !time.is_zero() {
        println!(
            "Waiting {} seconds, for the backup to be of one state.",
            time.as_secs()
        );
        tokio::time::sleep(time).await;
    }
}

/// A step, with the time that it takes.
struct Step {
    name: &'static str,
    begun: Instant,
}

impl Step {
    fn begin(name: &'static str) -> Self {
        let begun = Instant::now();
        Self { name, begun }
    }

    /// What came of the step, with its name in the error.
    fn of<T>(&self, result: Result<T, CommandError>) -> Result<T, CommandError> {
        result.map_err(|error| CommandError::new(format!("{} failed: {error}", self.name)))
    }

    fn done(self, told: &str) {
        println!(
            "{} ({:.1} s): {told}",
            self.name,
            self.begun.elapsed().as_secs_f64()
        );
    }
}
