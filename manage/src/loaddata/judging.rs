//! Reads the whole of a dump, and judges it against itself and the table, before anything is written.

use std::{collections::HashMap, hash::BuildHasher};

use shared::{
    hashing::Hasher,
    store::{Store, keys::Sequence, moving::Known},
};

use super::{
    OnConflict, Settings, chunks,
    collecting::{Collected, Survey, collect, nfkc},
    compare::{Comparison, Verdict},
    report::{EXAMPLES, Kind, Tally},
};
use crate::CommandError;

/// Reads a dump, and judges it.
///
/// # Errors
/// It cannot be read, or the table's failure.
pub async fn judge(store: &Store, settings: &Settings) -> Result<Survey, CommandError> {
    let (reading, now) = (settings.clone(), store.now());
    let collected = tokio::task::spawn_blocking(move || collect(&reading, now));
    let mut collected = collected
        .await
        .map_err(|error| CommandError::new(format!("cannot read the dump: {error}")))??;
    let Collected {
        report,
        plan,
        permissions,
        groups,
        ..
    } = &mut collected;
    plan.drops_missing = settings.drop_missing_references;
    plan.read(store).await?;
    plan.resolve(std::mem::take(permissions), std::mem::take(groups), report);
    let (has_superuser, kinds) = (
        collected.has_superuser,
        std::mem::take(&mut collected.kinds),
    );
    let mut survey = collected.into_survey();
    survey.is_first = store.last_id(Sequence::User).await? == 0;
    if survey.is_first && !has_superuser && !survey.ids.is_empty() {
        survey
            .report
            .note(Kind::NoSuperuser, "make one with createsuperuser");
    }
    if settings.on_conflict == OnConflict::Update && !survey.is_first {
        find_gone(store, settings, &mut survey).await?;
    }
    for excess in survey.plan.excess() {
        survey.report.note(Kind::TooMany, excess);
    }
    judge_rights(&mut survey, settings);
    judge_users(store, settings, &mut survey).await?;
    survey.kinds = kinds;
    Ok(survey)
}

/// Finds what an earlier load made and the dump does not have. A dump without users says nothing of
/// them.
async fn find_gone(
    store: &Store,
    settings: &Settings,
    survey: &mut Survey,
) -> Result<(), CommandError> {
    if !survey.ids.is_empty() {
        let mut ids = store.user_ids_from_django().await?;
        ids.retain(|id| !survey.has(id.0));
        survey.gone = ids;
    }
    survey.plan.find_gone(settings.prunes);
    for group in &survey.plan.gone_groups {
        let example = format!("auth.group {} '{}'", group.id, group.name.as_str());
        survey.report.note(Kind::Gone, example);
    }
    let shown = &survey.gone[..survey.gone.len().min(EXAMPLES)];
    let shown = store.users(shown).await?;
    for (number, id) in survey.gone.iter().enumerate() {
        let name = shown
            .get(number)
            .map(|user| format!(" '{}'", user.username.as_str()));
        let example = format!("user {id}{}", name.unwrap_or_default());
        survey.report.note(Kind::Gone, example);
    }
    Ok(())
}

/// Compares groups and permissions with the table's.
fn judge_rights(survey: &mut Survey, settings: &Settings) {
    let (plan, report) = (&survey.plan, &mut survey.report);
    let updates = settings.on_conflict == OnConflict::Update;
    for (meaning, permission) in &plan.permissions {
        let tally = &mut report.permissions;
        match plan.existing.get(meaning) {
            None => tally.new += 1,
            Some(here) if here.name.as_str() == permission.name => tally.unchanged += 1,
            Some(_) => {
                if differing(tally, settings.on_conflict) {
                    let (about, codename) = meaning;
                    report.note(Kind::Differs, format!("{about}.{codename}: name"));
                }
            }
        }
    }
    for group in plan.groups.values() {
        let id = shared::domain::GroupId(group.pk);
        let example = |what: &str| format!("auth.group {id} '{}': {what}", group.name);
        let mut owners = plan.existing_groups.values();
        let owner = owners.find(|here| here.name.as_str() == group.name && here.id != id);
        let owner = owner.filter(|here| !updates || !plan.is_renamed(here));
        if let Some(owner) = owner {
            report.note(
                Kind::NameTaken,
                example(&format!("is group {} here", owner.id)),
            );
            continue;
        }
        let Some(here) = plan.existing_groups.get(&id) else {
            report.groups.new += 1;
            continue;
        };
        if plan.is_renamed(here) {
            if differing(&mut report.groups, settings.on_conflict) {
                let what = format!("the name is '{}' here", here.name.as_str());
                report.note(Kind::Differs, example(&what));
            }
        } else if here.name.as_str() != group.name {
            let what = format!("the id is group '{}' here", here.name.as_str());
            report.note(Kind::IdTaken, example(&what));
        } else if plan.permissions_of(&group.permissions) == Some(plan.alive(&here.permission_ids))
        {
            report.groups.unchanged += 1;
        } else if differing(&mut report.groups, settings.on_conflict) {
            report.note(Kind::Differs, example("permissions"));
        }
    }
}

/// Counts an object that exists with other facts; true if the load cannot begin with it.
fn differing(tally: &mut Tally, on_conflict: OnConflict) -> bool {
    match on_conflict {
        OnConflict::Fail => return true,
        OnConflict::Skip => tally.skipped += 1,
        OnConflict::Update => tally.changed += 1,
    }
    false
}

async fn judge_users(
    store: &Store,
    settings: &Settings,
    survey: &mut Survey,
) -> Result<(), CommandError> {
    let hasher = Hasher::default();
    let mut names: HashMap<String, u64> = HashMap::new();
    let mut spellings: HashMap<String, String> = HashMap::new();
    let (mut incoming, reader) = chunks::users(settings, store.now());
    let mut report = std::mem::take(&mut survey.report);
    while let Some(chunk) = incoming.recv().await {
        let known = if survey.is_first {
            vec![Known::default(); chunk.len()]
        } else {
            chunks::known(store, &chunk).await?
        };
        for (wanted, known) in chunk.iter().zip(&known) {
            let user = &wanted.user;
            let (id, name) = (user.id.0, user.username.as_str());
            let example = || format!("user {id} '{name}'");
            let normalised = nfkc(name);
            if survey.names.contains(&survey.hashes.hash_one(&normalised)) {
                let other = names.insert(name.to_owned(), id);
                if let Some(other) = other.filter(|other| *other != id) {
                    report.note(Kind::NameTwice, format!("users {other} and {id}: '{name}'"));
                }
                let other = spellings
                    .entry(normalised)
                    .or_insert_with(|| name.to_owned());
                if other != name {
                    report.note(Kind::SameInNfkc, format!("{}: '{other}'", example()));
                }
            }
            if survey.shares(&user.email) {
                let example = format!("{}: {}", example(), user.email.as_str());
                report.note(Kind::SharedEmail, example);
            }
            if !survey.plan.drops_missing {
                for missing in survey.plan.missing(&wanted.groups, &wanted.permissions) {
                    report.note(Kind::UnknownReference, format!("{}: {missing}", example()));
                }
            }
            if let Some(excess) = survey.plan.excess_of(wanted, known.user.as_ref()) {
                report.note(Kind::TooMany, format!("{}: {excess}", example()));
            }
            let comparison = Comparison {
                plan: &survey.plan,
                hasher: &hasher,
                moved: settings.move_user.as_deref(),
            };
            match comparison.verdict(wanted, known, |id| survey.may_leave(id, settings)) {
                Verdict::New => report.users.new += 1,
                Verdict::Same(_) => report.users.unchanged += 1,
                Verdict::Differs { fields, .. } => {
                    if differing(&mut report.users, settings.on_conflict) {
                        let example = format!("{}: {}", example(), fields.join(", "));
                        report.note(Kind::Differs, example);
                    }
                }
                // Never by policy: the user who has the id here would be taken for the other.
                Verdict::Taken(Kind::IdTaken, example) => report.note(Kind::IdTaken, example),
                Verdict::Taken(..) if settings.on_conflict == OnConflict::Skip => {
                    report.users.skipped += 1;
                }
                Verdict::Taken(kind, example) => report.note(kind, example),
            }
        }
    }
    survey.report = report;
    chunks::end(reader).await
}
