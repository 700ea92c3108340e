//! `manage rollback`: points the alias of every function to a version before.

use clap::Args;

use crate::{
    CommandError,
    stack::{Function, LIVE, Stack, Target, failed},
};

/// Options of `rollback`.
#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    target: Target,
    /// The number of the version, which every function must have; the one before the present one if it
    /// is not given.
    #[arg(long, value_name = "N")]
    to: Option<u64>,
    /// Show what would be done, and do nothing.
    #[arg(long)]
    dry_run: bool,
}

/// One alias to move.
struct Step {
    function: Function,
    from: u64,
    to: u64,
}

/// Rolls the functions of a stack back. Nothing is changed unless all of them can be.
///
/// # Errors
/// A deployment runs, a function has no such version, or AWS's failure.
pub async fn rollback(options: Options) -> Result<(), CommandError> {
    let stack = Stack::of(&options.target).await?;
    let status = stack.status().await?;
    if status.ends_with("IN_PROGRESS") {
        return Err(running(&format!("the stack is {status}")));
    }
    let steps = plan(&stack, options.to).await?;
    let mut moved = 0;
    for step in &steps {
        let Step { function, from, to } = step;
        let name = &function.resource;
        if from == to {
            println!("{name}: stays at version {from}");
            continue;
        }
        if !options.dry_run {
            step.carry_out(&stack).await?;
        }
        moved += 1;
        println!("{name}: version {from} -> {to}");
    }
    if options.dry_run {
        println!("{moved} function(s) to roll back.");
    } else {
        println!("{moved} function(s) rolled back. The next deployment moves them on again.");
    }
    Ok(())
}

fn running(why: &str) -> CommandError {
    CommandError::new(format!(
        "a deployment runs ({why}); stop it or wait for its end"
    ))
}

async fn plan(stack: &Stack, to: Option<u64>) -> Result<Vec<Step>, CommandError> {
    let mut steps = Vec::new();
    for function in stack.functions().await? {
        let name = &function.resource;
        if let Some((version, _)) = function.shifting() {
            return Err(running(&format!("{name} is moving to version {version}")));
        }
        let from = function.live().ok_or_else(|| {
            CommandError::new(format!("the alias {LIVE} of {name} leads to no version"))
        })?;
        let versions = stack.versions(&function).await?;
        let found = match to {
            Some(to) => versions.contains(&to).then_some(to),
            None => versions.into_iter().rfind(|version| *version < from),
        };
        let to = found.ok_or_else(|| {
            let wanted = to.map_or_else(|| format!("before {from}"), |to| to.to_string());
            CommandError::new(format!("{name} has no version {wanted}"))
        })?;
        steps.push(Step { function, from, to });
    }
    Ok(steps)
}

impl Step {
    async fn carry_out(&self, stack: &Stack) -> Result<(), CommandError> {
        let Self { function, to, .. } = self;
        let call = stack.lambda.update_alias();
        let call = call
            .function_name(&function.name)
            .name(LIVE)
            .function_version(to.to_string())
            // A deployment that began meanwhile has changed it, and is not undone.
            .set_revision_id(function.alias.revision_id.clone());
        let what = || format!("roll {} back", function.resource);
        let moved = call.send().await;
        moved.map(drop).map_err(|error| failed(&what(), &error))
    }
}
