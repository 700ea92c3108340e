//! The first reading of a dump: what is in it, and what is wrong with that by itself.

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasher, RandomState},
};

use shared::{
    domain::{EmailAddress, UserId, UserName, names::TextField},
    hashing::{Assessment, PasswordHash},
};

use super::{
    Settings,
    objects::{self, DumpGroup, DumpPermission, DumpUser, Wrong},
    plan::Plan,
    reading::Object,
    report::{Kind, Report},
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
    /// The users of an earlier load that the dump does not have, in order.
    pub gone: Vec<UserId>,
    /// The fields of `auth.user` that no user of the dump has.
    pub lacks: Vec<&'static str>,
    /// Whether nobody has ever been in the table.
    pub is_first: bool,
    /// A password hash of each algorithm and cost.
    pub kinds: HashMap<String, PasswordHash>,
    pub(super) hashes: RandomState,
    /// Usernames in NFKC that several users of the dump have; with them those that are the same as they
    /// stand.
    pub(super) names: HashSet<u64>,
}

/// What the first reading collects.
#[derive(Default)]
pub(super) struct Collected {
    pub(super) report: Report,
    pub(super) plan: Plan,
    pub(super) permissions: Vec<DumpPermission>,
    pub(super) groups: Vec<DumpGroup>,
    ids: Vec<u64>,
    names: Vec<u64>,
    emails: Vec<u64>,
    blacklisted: HashSet<u64>,
    pub(super) has_superuser: bool,
    lacks: Vec<&'static str>,
    /// A hash of each algorithm and cost.
    pub(super) kinds: HashMap<String, PasswordHash>,
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

pub(super) fn collect(settings: &Settings, now: i64) -> Result<Collected, CommandError> {
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

    pub(super) fn into_survey(mut self) -> Survey {
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
pub(super) fn nfkc(name: &str) -> String {
    let mut candidates = UserName::candidates(name);
    candidates.pop().unwrap_or_default().as_str().to_owned()
}
