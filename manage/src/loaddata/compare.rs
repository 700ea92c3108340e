//! A user of a dump beside the one that the table has.

use sha2::{Digest, Sha256};
use shared::{
    domain::User,
    hashing::{Assessment, Hasher, PasswordHash},
    store::{
        Versioned,
        moving::{Arrival, Known},
    },
};

use super::{objects::DumpUser, plan::Plan, report::Kind};

/// What a user of a dump is to the table.
pub enum Verdict {
    /// Nobody here yet.
    New,
    /// Here, with the same facts.
    Same(Box<User>),
    /// Here, with other facts: their names.
    Differs {
        /// The user of the table.
        before: Box<User>,
        /// The labels of what differs.
        fields: Vec<&'static str>,
        /// Whether the password is another.
        has_new_password: bool,
    },
    /// Something of theirs is another's here.
    Taken(Kind, String),
}

/// Compares users with the table's.
pub struct Comparison<'a> {
    /// Rights by what they mean.
    pub plan: &'a Plan,
    /// Verifies what wraps weak hashes.
    pub hasher: &'a Hasher,
    /// The account that is to get another id.
    pub moved: Option<&'a str>,
}

impl Comparison<'_> {
    /// What a user is to the table. `comes_along` says which ids the dump has: names of theirs may
    /// become free.
    pub fn verdict(
        &self,
        wanted: &DumpUser,
        known: &Known,
        comes_along: impl Fn(u64) -> bool,
    ) -> Verdict {
        let user = &wanted.user;
        let named = |what: &str, owner: &str| {
            let (id, name) = (user.id, user.username.as_str());
            format!("user {id} '{name}': {what} {owner} here")
        };
        let other = |id: u64| id != user.id.0 && !comes_along(id);
        if let Some(owner) = known.name_owner.filter(|owner| other(owner.0)) {
            let owner = format!("is user {owner}'s");
            return Verdict::Taken(Kind::NameTaken, named("the username", &owner));
        }
        let has_address = known.email_owners.contains(&user.id);
        let mut owners = known.email_owners.iter();
        if let Some(owner) = owners.find(|owner| !has_address && other(owner.0)) {
            let what = format!("the address {}", user.email.as_str());
            let owner = format!("is user {owner}'s");
            return Verdict::Taken(Kind::EmailTaken, named(&what, &owner));
        }
        let Some(before) = &known.user else {
            return Verdict::New;
        };
        if !is_same_account(before, wanted) {
            if self.moved == Some(before.username.as_str()) {
                return Verdict::New;
            }
            let owner = format!("is '{}'s", before.username.as_str());
            return Verdict::Taken(Kind::IdTaken, named("the id", &owner));
        }
        let after = self.merged(before, wanted);
        let mut fields = match &after {
            Some(after) => User::changed_fields(&self.alive(before), after),
            None => vec!["User permissions"],
        };
        let has_new_password = !self.is_same_password(before, known, &wanted.password);
        if has_new_password {
            fields.push("Password");
        }
        if fields.is_empty() {
            return Verdict::Same(Box::new(before.clone()));
        }
        Verdict::Differs {
            before: Box::new(before.clone()),
            fields,
            has_new_password,
        }
    }

    /// The user without the groups and permissions that are gone.
    fn alive(&self, user: &User) -> User {
        let mut user = user.clone();
        user.permission_ids = self.plan.alive(&user.permission_ids);
        let groups = &self.plan.existing_groups;
        user.group_ids.retain(|id| groups.contains_key(id));
        user
    }

    /// The user that the table is to have in place of `before`; none while a permission of theirs is
    /// not made yet.
    pub fn merged(&self, before: &User, wanted: &DumpUser) -> Option<User> {
        let mut after = User {
            group_ids: self.plan.groups_of(&wanted.groups),
            permission_ids: self.plan.permissions_of(&wanted.permissions)?,
            epoch: before.epoch,
            staff_epoch: before.staff_epoch,
            tokens_valid_after: before.tokens_valid_after,
            version: before.version,
            shares_email: before.shares_email,
            ..wanted.user.clone()
        };
        after.awaits_activation |= before.awaits_activation && !after.is_active;
        if after.email.lower() != before.email.lower() {
            after.shares_email = false;
        }
        let joined = |user: &User| (user.date_joined, user.date_joined_micros);
        if !wanted.has_joined || is_cut_of(joined(&after), joined(before)) {
            (after.date_joined, after.date_joined_micros) = joined(before);
        }
        let logged_in = |user: &User| (user.last_login, user.last_login_micros);
        // Logins here are later than Django's.
        let to_ms = (
            after.last_login.unwrap_or(i64::MIN),
            after.last_login_micros,
        );
        let here = (
            before.last_login.unwrap_or(i64::MIN),
            before.last_login_micros,
        );
        if logged_in(before) > logged_in(&after) || is_cut_of(to_ms, here) {
            (after.last_login, after.last_login_micros) = logged_in(before);
        }
        Some(after)
    }

    /// Whether a password is as Django has it: as it stands, wrapped, or replaced by a login here.
    fn is_same_password(&self, user: &User, known: &Known, given: &PasswordHash) -> bool {
        let stored = known.password.hash.as_ref();
        if stored == Some(given) || known.password.given == Some(digest(given)) {
            return true;
        }
        let Some(stored) = stored else { return false };
        given.assess() == Assessment::Weak
            && (self.hasher.is_wrapped_blocking(stored, given)
                || (stored.assess() == Assessment::Current && user.epoch == 0))
    }

    /// A user who is not here yet; a weak hash is wrapped. None while a permission of theirs is not
    /// made yet.
    pub fn arrival(&self, wanted: &DumpUser, shares_email: bool) -> Option<Arrival> {
        let user = User {
            group_ids: self.plan.groups_of(&wanted.groups),
            permission_ids: self.plan.permissions_of(&wanted.permissions)?,
            shares_email,
            ..wanted.user.clone()
        };
        let (password, given) = self.password(wanted);
        Some(Arrival {
            user,
            password,
            given,
        })
    }

    /// The hash to store, and the digest of the one given.
    pub fn password(&self, wanted: &DumpUser) -> (PasswordHash, Option<String>) {
        let given = &wanted.password;
        match given.assess() {
            // A digest of a weak hash would be as weak.
            Assessment::Weak => {
                let wrapped = self.hasher.wrap_blocking(given);
                (wrapped.unwrap_or_else(|| given.clone()), None)
            }
            Assessment::Verifiable => (given.clone(), Some(digest(given))),
            _ => (given.clone(), None),
        }
    }
}

/// Whether a date of a dump is one of the table cut to milliseconds, as Django's JSON has them.
fn is_cut_of(cut: (i64, u32), date: (i64, u32)) -> bool {
    cut == (date.0, date.1 / 1000 * 1000)
}

/// Whether an account here is the one of the dump: it has its name, or joined at the same moment and
/// was renamed since.
fn is_same_account(here: &User, wanted: &DumpUser) -> bool {
    let joined = |user: &User| (user.date_joined, user.date_joined_micros);
    let (here_joined, joined) = (joined(here), joined(&wanted.user));
    let is_one = joined == here_joined || is_cut_of(joined, here_joined);
    here.username == wanted.user.username || (wanted.has_joined && is_one)
}

fn digest(hash: &PasswordHash) -> String {
    let digest = Sha256::digest(hash.expose().as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
