//! Reads the whole of a dump, and judges it against itself and the table, before anything is written.

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasher, RandomState},
};

use shared::{
    domain::{EmailAddress, UserId, UserName, names::TextField},
    hashing::{Assessment, Hasher, PasswordHash},
    store::{Store, keys::Sequence, moving::Known},
};

use super::{
    OnConflict, Settings, chunks,
    compare::{Comparison, Verdict},
    objects::{self, DumpGroup, DumpPermission, DumpUser, Wrong},
    plan::Plan,
    reading::Object,
    report::{EXAMPLES, Kind, Report, Tally},
};
use crate::CommandError;

/// What is known of a dump when all of it has been read. Names are kept as numbers of eight bytes, so
/// that a million users take some 30 MB.
pub struct Survey {
    /// What was found out.
    pub report: Report,
    /// Rights by what they mean.
    pub plan: Plan,
    /// The ids of the users, in order.
    pub ids: Vec<u64>,
    /// The addresses that several users of the dump have.
    pub shared: HashSet<u64>,
    /// The outstanding tokens that are blacklisted.
    pub blacklisted: HashSet<u64>,
    /// The users of an earlier load whom the dump does not have, in order.
    pub gone: Vec<UserId>,
    /// The fields of `auth.user` that no user of the dump has.
    pub lacks: Vec<&'static str>,
    /// Whether nobody has ever been in the table.
    pub is_first: bool,
    /// A password hash of each algorithm and cost.
    pub kinds: HashMap<String, PasswordHash>,
    hashes: RandomState,
    /// Usernames in NFKC that several users of the dump have; with them those that are the same as they
    /// stand.
    names: HashSet<u64>,
}

/// What the first reading collects.
#[derive(Default)]
struct Collected {
    report: Report,
    plan: Plan,
    permissions: Vec<DumpPermission>,
    groups: Vec<DumpGroup>,
    ids: Vec<u64>,
    names: Vec<u64>,
    emails: Vec<u64>,
    blacklisted: HashSet<u64>,
    has_superuser: bool,
    lacks: Vec<&'static str>,
    /// A hash of each algorithm and cost.
    kinds: HashMap<String, PasswordHash>,
    hashes: RandomState,
}

/// The fields of `auth.user` that a custom model may lack.
const FIELDS: [&str; 10] = [
    "last_login",
    "is_superuser",
    "first_name",
    "last_name",
    "email",
    "is_staff",
    "is_active",
    "date_joined",
    "groups",
    "user_permissions",
];

impl Survey {
    /// Whether the dump has a user.
    pub fn has(&self, id: u64) -> bool {
        self.ids.binary_search(&id).is_ok()
    }

    /// Whether a user's names may become free: the dump has the user, or they are to be deleted.
    pub fn may_leave(&self, id: u64, settings: &Settings) -> bool {
        self.has(id) || settings.prunes && self.gone.binary_search(&UserId(id)).is_ok()
    }

    /// Whether a user of the dump shares their address with another.
    pub fn shares(&self, email: &EmailAddress) -> bool {
        !email.is_empty() && self.shared.contains(&self.hashes.hash_one(email.lower()))
    }
}

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

fn collect(settings: &Settings, now: i64) -> Result<Collected, CommandError> {
    let mut all = Collected {
        lacks: FIELDS.to_vec(),
        ..Collected::default()
    };
    all.plan.content_types = settings.content_types.clone();
    settings.read(&mut |object| {
        if let Err((kind, example)) = all.take(&object, settings, now) {
            all.report.note(kind, example);
        }
        Ok(())
    })?;
    Ok(all)
}

impl Collected {
    fn take(&mut self, object: &Object, settings: &Settings, now: i64) -> Result<(), Wrong> {
        let model = object.model.as_str();
        *self.report.objects.entry(model.to_owned()).or_default() += 1;
        match model {
            "contenttypes.contenttype" => {
                let (pk, content_type) = objects::content_type(object)?;
                if let Some(pk) = pk {
                    self.plan.content_types.insert(pk, content_type.clone());
                }
                self.plan.declared.insert(content_type);
            }
            "auth.permission" => self.permissions.push(objects::permission(object)?),
            "auth.group" => self.groups.push(objects::group(object)?),
            _ if model == settings.form.user_model => {
                self.lacks
                    .retain(|field| !object.fields.contains_key(*field));
                self.user(&objects::user(object, &settings.form, now)?, settings);
            }
            "admin.logentry" if settings.log_entries => {}
            "token_blacklist.outstandingtoken" if settings.blacklist => {}
            "token_blacklist.blacklistedtoken" if settings.blacklist => {
                self.blacklisted.insert(objects::blacklisted_token(object)?);
            }
            other => *self.report.left_out.entry(other.to_owned()).or_default() += 1,
        }
        Ok(())
    }

    fn user(&mut self, wanted: &DumpUser, settings: &Settings) {
        let user = &wanted.user;
        let (name, email) = (user.username.as_str(), &user.email);
        self.has_superuser |= user.is_active_superuser();
        self.ids.push(user.id.0);
        self.names.push(self.hashes.hash_one(nfkc(name)));
        if !email.is_empty() {
            self.emails.push(self.hashes.hash_one(email.lower()));
        }
        let example = || format!("user {} '{name}'", user.id);
        if UserName::parse(name.into()).is_err() {
            self.report.note(Kind::UnusualName, example());
        }
        if !email.is_empty() && EmailAddress::parse(email.as_str().into()).is_err() {
            let example = format!("{}: {}", example(), email.as_str());
            self.report.note(Kind::NotAnAddress, example);
        }
        let kind = match wanted.password.assess() {
            Assessment::Unknown => Some(Kind::UnknownHash),
            Assessment::TooCostly => Some(Kind::CostlyHash),
            Assessment::Weak => (!settings.allow_weak_hashes).then_some(Kind::WeakHash),
            Assessment::Unusable => None,
            Assessment::Current | Assessment::Verifiable => {
                // `pbkdf2_sha256$600000$salt$hash`, `scrypt$16384$salt$8$5$hash`
                let parts: Vec<&str> = wanted.password.expose().split('$').collect();
                let costs = parts
                    .iter()
                    .filter(|part| part.len() < 20 && !part.is_empty());
                let kind = costs.take(3).copied().collect::<Vec<_>>().join("$");
                if self.kinds.len() < 40 {
                    self.kinds
                        .entry(kind)
                        .or_insert_with(|| wanted.password.clone());
                }
                None
            }
        };
        if let Some(kind) = kind {
            self.report.note(kind, example());
        }
    }

    fn into_survey(mut self) -> Survey {
        self.ids.sort_unstable();
        for pair in self.ids.windows(2) {
            if pair[0] == pair[1] {
                self.report.note(Kind::IdTwice, format!("user {}", pair[0]));
            }
        }
        Survey {
            report: self.report,
            plan: self.plan,
            ids: self.ids,
            shared: twice(self.emails),
            blacklisted: self.blacklisted,
            gone: Vec::new(),
            lacks: self.lacks,
            is_first: false,
            kinds: HashMap::new(),
            hashes: self.hashes,
            names: twice(self.names),
        }
    }
}

/// The numbers that are there more than once.
fn twice(mut numbers: Vec<u64>) -> HashSet<u64> {
    numbers.sort_unstable();
    let pairs = numbers.windows(2).filter(|pair| pair[0] == pair[1]);
    pairs.map(|pair| pair[0]).collect()
}

/// A name as a form normalises it.
fn nfkc(name: &str) -> String {
    let mut candidates = UserName::candidates(name);
    candidates.pop().unwrap_or_default().as_str().to_owned()
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
