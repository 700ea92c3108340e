//! What a load finds out before it writes anything.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;

/// What can be in the way of a load, or is worth knowing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A field is missing, or holds what it cannot.
    Malformed,
    /// A dump of `--natural-primary` has no ids of users and groups.
    NoId,
    /// A key that is no id: 0, negative, above 2^63 - 1, a UUID.
    BadId,
    /// An id that two objects of a model have.
    IdTwice,
    /// A name that two users or two groups have.
    NameTwice,
    /// A date without an offset, and no `--timezone`.
    NaiveDate,
    /// A name that is longer than a key of the table.
    TooLong,
    /// An id of a content type that nothing explains.
    UnknownContentType,
    /// A group or permission that neither the dump nor the table has.
    UnknownReference,
    /// MD5 or SHA-1, and no `--allow-weak-hashes`.
    WeakHash,
    /// An id that another account, or another group, has here.
    IdTaken,
    /// A name that another account, or another group, has here.
    NameTaken,
    /// An address that another account has here.
    EmailTaken,
    /// More of something than there may be: see `shared::domain::quotas`.
    TooMany,
    /// An object that exists, with other facts.
    Differs,
    /// Addresses that several users have.
    SharedEmail,
    /// Usernames that NFKC makes the same.
    SameInNfkc,
    /// Usernames that a form would not take.
    UnusualName,
    /// Addresses that are none.
    NotAnAddress,
    /// Hashes that nobody can log in with.
    UnknownHash,
    /// Hashes that cost more than is computed here.
    CostlyHash,
    /// No user who may do everything, here or in the dump.
    NoSuperuser,
    /// Users and groups of an earlier load that the dump does not have.
    Gone,
    /// Objects of the log of changes or the blacklist that are not taken over.
    NotTaken,
}

impl Kind {
    /// Whether nothing is loaded with it.
    pub fn blocks(self) -> bool {
        self <= Self::Differs
    }

    fn text(self) -> &'static str {
        match self {
            Self::Malformed => "cannot be read",
            Self::NoId => {
                "have no id: the dump was made with --natural-primary, which leaves ids out; dump \
                 again without it"
            }
            Self::BadId => "have a key that is no id from 1 to 2^63 - 1",
            Self::IdTwice => "have an id that the dump has before",
            Self::NameTwice => "have a name that the dump has before",
            Self::NaiveDate => "have a date without an offset: name its zone with --timezone",
            Self::TooLong => "have a text that is longer than Django's fields take",
            Self::UnknownContentType => {
                "name a content type by a number that the dump does not explain: dump contenttypes \
                 too, or with --natural-foreign, or name it with --content-type"
            }
            Self::UnknownReference => {
                "name a group or permission that neither the dump nor the table has"
            }
            Self::WeakHash => {
                "have a password in MD5 or SHA-1: --allow-weak-hashes wraps it in Argon2id"
            }
            Self::IdTaken => "have an id that another has here",
            Self::NameTaken => "have a name that another has here",
            Self::EmailTaken => "have an address that another account has here",
            Self::TooMany => "are more than there may be",
            Self::Differs => "exist here with other facts: choose --on-conflict skip or update",
            Self::SharedEmail => "share an address with others, and keep it",
            Self::SameInNfkc => "have a name that another's name is in NFKC, and keep it",
            Self::UnusualName => "have a name that no form takes here, and keep it",
            Self::NotAnAddress => "have an address that is none, and keep it",
            Self::UnknownHash => "have a password hash that nobody can log in with",
            Self::CostlyHash => "have a password hash that is damaged, or too costly to verify",
            Self::NoSuperuser => "no active superuser exists here or in the dump",
            Self::Gone => "of an earlier load are not in the dump: --prune deletes them",
            Self::NotTaken => "of the log of changes or the blacklist are not taken over",
        }
    }
}

/// How many examples are kept of each kind.
pub const EXAMPLES: usize = 5;

/// One kind of finding.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Finding {
    /// Whether nothing is loaded with it.
    pub blocks: bool,
    /// How many objects it is true of.
    pub count: u64,
    /// The first of them.
    pub examples: Vec<String>,
}

/// What becomes of the objects of a dump.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Tally {
    /// Made.
    pub new: u64,
    /// Changed.
    pub changed: u64,
    /// As they are.
    pub unchanged: u64,
    /// Left out by `--on-conflict skip`.
    pub skipped: u64,
}

/// Everything that a load finds out before it writes.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// How many objects of each model the dump has.
    pub objects: BTreeMap<String, u64>,
    /// How many objects of each model are left out.
    pub left_out: BTreeMap<String, u64>,
    /// What is in the way or worth knowing.
    pub findings: BTreeMap<Kind, Finding>,
    /// What is to be done for users.
    pub users: Tally,
    /// What is to be done for groups.
    pub groups: Tally,
    /// What is to be done for permissions.
    pub permissions: Tally,
    /// Settings that the hashes seen ask for.
    pub suggestions: BTreeMap<&'static str, u64>,
}

impl Report {
    /// Notes something about an object.
    pub fn note(&mut self, kind: Kind, example: impl Into<String>) {
        let finding = self.findings.entry(kind).or_default();
        finding.blocks = kind.blocks();
        finding.count += 1;
        if finding.examples.len() < EXAMPLES {
            finding.examples.push(example.into());
        }
    }

    /// How many findings keep the load from beginning.
    pub fn obstacles(&self) -> u64 {
        let blocking = self.findings.values().filter(|finding| finding.blocks);
        blocking.map(|finding| finding.count).sum()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = |counts: &BTreeMap<String, u64>| {
            let counts = counts
                .iter()
                .map(|(model, count)| format!("{count} {model}"));
            counts.collect::<Vec<_>>().join(", ")
        };
        writeln!(f, "The dump has {}.", counts(&self.objects))?;
        if !self.left_out.is_empty() {
            writeln!(f, "Left out: {}.", counts(&self.left_out))?;
        }
        for (kind, finding) in &self.findings {
            let word = if finding.blocks { "Error" } else { "Note" };
            writeln!(f, "{word}: {} {}:", finding.count, kind.text())?;
            for example in &finding.examples {
                writeln!(f, "  {example}")?;
            }
            let more = finding.count - finding.examples.len() as u64;
            if more > 0 {
                writeln!(f, "  and {more} more")?;
            }
        }
        for (what, tally) in [
            ("Permissions", &self.permissions),
            ("Groups", &self.groups),
            ("Users", &self.users),
        ] {
            let Tally {
                new,
                changed,
                unchanged,
                skipped,
            } = tally;
            writeln!(
                f,
                "{what}: {new} new, {changed} changed, {unchanged} as they are, {skipped} skipped."
            )?;
        }
        for (setting, value) in &self.suggestions {
            writeln!(f, "For these password hashes set {setting}={value}.")?;
        }
        Ok(())
    }
}
