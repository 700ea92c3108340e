//! `manage verifydump`: every fact of a dump beside the table.

use std::collections::BTreeSet;

use clap::Args;
use shared::{
    domain::{Group, GroupId, User},
    hashing::Hasher,
    store::Store,
};

use super::{
    ReadOptions, Settings, chunks,
    compare::{Comparison, Verdict},
    judging::judge,
    objects::{DumpUser, Reference},
    plan::{Meaning, Plan},
    report::Kind,
};
use crate::{CommandError, target::Target};

/// Options of `verifydump`.
#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    read: ReadOptions,
    #[command(flatten)]
    target: Target,
}

/// Compares dumps with a table, and prints what differs.
///
/// # Errors
/// Something differs, a dump cannot be read, or the table's failure.
pub async fn verifydump(options: Options) -> Result<(), CommandError> {
    let settings = Settings::read_by(&options.read)?;
    let open = options.target.open_existing().await?;
    open.require_current_layout().await?;
    let mut count = 0;
    let compared = compare(&open.store, &settings, &mut |line| {
        println!("{line}");
        count += 1;
    })
    .await;
    open.close().await;
    let users = compared?;
    match count {
        0 => {
            println!("The table has every fact of the dump: {users} user(s).");
            Ok(())
        }
        count => Err(CommandError::new(format!("{count} difference(s)"))),
    }
}

/// Compares dumps with a table; `differs` gets a line for each difference. Returns how many users were
/// compared.
///
/// # Errors
/// A dump cannot be read, or the table's failure.
pub async fn compare(
    store: &Store,
    settings: &Settings,
    differs: &mut dyn FnMut(String),
) -> Result<u64, CommandError> {
    let survey = judge(store, settings).await?;
    for (kind, finding) in &survey.report.findings {
        // What depends on the table is compared one by one below, and weak hashes are wrapped there.
        if *kind < Kind::WeakHash {
            for example in &finding.examples {
                differs(format!("the dump: {example}"));
            }
        }
    }
    let plan = &survey.plan;
    rights(plan, differs);
    let hasher = Hasher::default();
    let comparison = Comparison {
        plan,
        hasher: &hasher,
        moved: None,
    };
    let (mut incoming, reader) = chunks::users(settings, store.now());
    let mut users = 0;
    while let Some(chunk) = incoming.recv().await {
        let known = chunks::known(store, &chunk).await?;
        for (wanted, known) in chunk.iter().zip(&known) {
            users += 1;
            let (id, name) = (wanted.user.id, wanted.user.username.as_str());
            let here = match comparison.verdict(wanted, known, |_| false) {
                Verdict::New => {
                    differs(format!("user {id} '{name}': not here"));
                    continue;
                }
                Verdict::Taken(_, what) => {
                    differs(what);
                    continue;
                }
                Verdict::Differs { fields, before, .. } => {
                    differs(format!("user {id} '{name}': {}", fields.join(", ")));
                    before
                }
                Verdict::Same(here) => here,
            };
            let (expected, held) = (labels_of(plan, wanted), labels_here(plan, &here));
            for label in expected.difference(&held) {
                differs(format!("user {id} '{name}': lacks {label}"));
            }
            for label in held.difference(&expected) {
                differs(format!("user {id} '{name}': has {label} beyond the dump"));
            }
        }
    }
    chunks::end(reader).await?;
    Ok(users)
}

fn rights(plan: &Plan, differs: &mut dyn FnMut(String)) {
    for (meaning, permission) in &plan.permissions {
        let (content_type, codename) = meaning;
        match plan.existing.get(meaning) {
            None => differs(format!("permission {content_type}.{codename}: not here")),
            Some(here) if here.name.as_str() != permission.name => {
                differs(format!("permission {content_type}.{codename}: name"));
            }
            Some(_) => {}
        }
    }
    for group in plan.groups.values() {
        let (id, name) = (GroupId(group.pk), &group.name);
        let Some(here) = plan.existing_groups.get(&id) else {
            differs(format!("group {id} '{name}': not here"));
            continue;
        };
        if here.name.as_str() != name {
            let other = here.name.as_str();
            differs(format!("group {id} '{name}': the name is '{other}' here"));
        }
        if plan.permissions_of(&group.permissions) != Some(plan.alive(&here.permission_ids)) {
            differs(format!("group {id} '{name}': permissions"));
        }
    }
}

fn label((content_type, codename): Meaning) -> String {
    format!("{}.{codename}", content_type.app_label)
}

/// The labels that the dump gives a user, but for what a superuser holds as one.
fn labels_of(plan: &Plan, wanted: &DumpUser) -> BTreeSet<String> {
    let groups = wanted.groups.iter().filter_map(|one| plan.group(one));
    let of_groups = groups.filter_map(|id| plan.groups.get(&id.0));
    let of_groups = of_groups.flat_map(|group| &group.permissions);
    let all = of_groups.chain(&wanted.permissions);
    let meaning = |reference: &Reference| plan.permission(reference);
    all.filter_map(meaning).map(label).collect()
}

fn labels_here(plan: &Plan, user: &User) -> BTreeSet<String> {
    let groups = user.group_ids.iter();
    let groups = groups.filter_map(|id| plan.existing_groups.get(id));
    // A group that the dump does not have is compared by nothing.
    let groups = groups.filter(|group: &&Group| plan.groups.contains_key(&group.id.0));
    let ids = groups.flat_map(|group| &group.permission_ids);
    let ids: BTreeSet<_> = ids.chain(&user.permission_ids).collect();
    let existing = plan.existing.iter();
    let held = existing.filter(|(_, permission)| ids.contains(&permission.id));
    held.map(|(meaning, _)| label(meaning.clone())).collect()
}
