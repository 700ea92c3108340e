//! `manage showuser`: all that decides what somebody may do, and why they cannot get in.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use clap::Args;
use serde::Serialize;
use shared::{
    accounts::{
        lockout::{self, Count},
        throttle::network,
    },
    clock::rfc3339,
    domain::{
        User,
        log_entry::{LogEntry, Model, Object},
        permission::Source,
    },
    store::{
        Store,
        sessions::{Kind, Session},
    },
};

use crate::{CommandError, account, target::Target, terminal::clean};

/// How many of the last changes are shown.
const CHANGES: usize = 20;

/// Options of `showuser`.
#[derive(Args)]
pub struct Options {
    /// A username, an id or an email address.
    #[arg(value_name = "NAME|ID|EMAIL")]
    account: String,
    /// Print a JSON list of the accounts.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

/// Shows an account, or all if the text is the username of one and the id or address of another.
///
/// # Errors
/// There is none, or the table's failure.
pub async fn showuser(options: Options) -> Result<(), CommandError> {
    let open = options.target.open_existing().await?;
    let found = async {
        let mut shown = Vec::new();
        for user in account::called(&open.store, &options.account).await? {
            shown.push(Account::of(&open.store, user).await?);
        }
        Ok::<_, CommandError>(shown)
    }
    .await;
    open.close().await;
    let found = found?;
    if options.json {
        let text = serde_json::to_string_pretty(&found);
        println!(
            "{}",
            text.map_err(|error| CommandError::new(error.to_string()))?
        );
    } else {
        let texts: Vec<String> = found.iter().map(ToString::to_string).collect();
        print!("{}", texts.join("\n"));
    }
    Ok(())
}

/// What is shown of an account. Times are RFC 3339 in UTC.
#[derive(Serialize)]
struct Account {
    id: u64,
    username: String,
    email: String,
    new_email: Option<String>,
    first_name: String,
    last_name: String,
    is_active: bool,
    awaits_activation: bool,
    is_staff: bool,
    is_superuser: bool,
    date_joined: String,
    last_login: Option<String>,
    groups: Vec<String>,
    /// By label, where each comes from.
    permissions: BTreeMap<String, Vec<String>>,
    sessions: Vec<ShownSession>,
    failed_logins: Vec<Failures>,
    changes: Vec<Change>,
}

#[derive(Serialize)]
struct ShownSession {
    id: String,
    kind: Kind,
    address: String,
    user_agent: String,
    created: String,
    last_used: String,
    expires: String,
}

/// Attempts that count towards a limit.
#[derive(Serialize)]
struct Failures {
    counted: String,
    attempts: u64,
    until: String,
}

#[derive(Serialize)]
struct Change {
    time: String,
    by: String,
    message: String,
}

impl Account {
    async fn of(store: &Store, user: User) -> Result<Self, CommandError> {
        let now = store.now();
        let (model, id) = (Model::User, user.id.0);
        let object = Object { model, id };
        let (groups, permissions, sessions, history) = tokio::try_join!(
            store.groups_of(&user.group_ids),
            store.permissions_held(&user),
            store.sessions_of(user.id),
            store.history(&object, None, CHANGES),
        )?;
        let networks: BTreeSet<String> = sessions.iter().filter_map(network_of).collect();
        let failures = lockout::failures(store, &user.username, &networks).await?;
        let mut live = sessions;
        live.retain(|session| session.is_live(&user, now) && now < session.expires);
        live.sort_by(|a, b| (b.created, &b.sid).cmp(&(a.created, &a.sid)));
        let names = |sources: Vec<Source>| sources.iter().map(source).collect();
        Ok(Self {
            id,
            username: user.username.as_str().to_owned(),
            email: user.email.as_str().to_owned(),
            new_email: user.pending_email.map(|email| email.as_str().to_owned()),
            first_name: user.first_name.as_str().to_owned(),
            last_name: user.last_name.as_str().to_owned(),
            is_active: user.is_active,
            awaits_activation: user.awaits_activation,
            is_staff: user.is_staff,
            is_superuser: user.is_superuser,
            date_joined: rfc3339(user.date_joined),
            last_login: user.last_login.map(rfc3339),
            groups: groups
                .iter()
                .map(|group| group.name.as_str().to_owned())
                .collect(),
            permissions: permissions
                .into_iter()
                .map(|(label, sources)| (label, names(sources)))
                .collect(),
            sessions: live.into_iter().map(ShownSession::of).collect(),
            failed_logins: failures
                .into_iter()
                .map(|(count, attempts)| Failures {
                    counted: counted(count),
                    attempts: attempts.count,
                    until: rfc3339(attempts.until),
                })
                .collect(),
            changes: history.entries.into_iter().map(Change::of).collect(),
        })
    }
}

/// What attempts from a session's address are counted by.
fn network_of(session: &Session) -> Option<String> {
    let address = session.address.as_deref()?.parse().ok()?;
    Some(network(Some(address)))
}

fn source(source: &Source) -> String {
    match source {
        Source::Superuser => "superuser".to_owned(),
        Source::User => "user".to_owned(),
        Source::Group(_, name) => format!("group {}", name.as_str()),
    }
}

fn counted(count: Count) -> String {
    match count {
        Count::Username => "the username".to_owned(),
        Count::UsernameFrom(Some(network)) => format!("the username from {network}"),
        Count::UsernameFrom(None) => "the username from an address without a session".to_owned(),
        Count::From(network) => format!("any username from {network}"),
    }
}

impl ShownSession {
    fn of(session: Session) -> Self {
        Self {
            id: session.sid,
            kind: session.kind,
            address: session.address.unwrap_or_default(),
            user_agent: session.user_agent.unwrap_or_default(),
            created: rfc3339(session.created),
            last_used: rfc3339(session.last_used),
            expires: rfc3339(session.expires),
        }
    }
}

impl Change {
    fn of(entry: LogEntry) -> Self {
        Self {
            time: rfc3339(entry.action_time / 1000),
            message: entry.message(),
            by: entry.username,
        }
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let yes = |flag: bool| if flag { "yes" } else { "no" };
        let name = format!("{} {}", self.first_name, self.last_name);
        let active = match self.awaits_activation {
            true => "no, it waits for the link of a mail",
            false => yes(self.is_active),
        };
        writeln!(f, "{} (user {})", clean(&self.username), self.id)?;
        for (label, value) in [
            ("email address", self.email.as_str()),
            ("name", name.trim()),
            ("active", active),
            ("staff", yes(self.is_staff)),
            ("superuser", yes(self.is_superuser)),
            ("joined", &self.date_joined),
            (
                "last login",
                self.last_login.as_deref().unwrap_or("never noted"),
            ),
            ("groups", &self.groups.join(", ")),
        ] {
            let line = format!("  {label:<14} {}", clean(value));
            writeln!(f, "{}", line.trim_end())?;
        }
        if let Some(email) = &self.new_email {
            let waits = "waits for the link of a mail";
            writeln!(f, "  {:<14} {}, {waits}", "new address", clean(email))?;
        }
        let permissions = self.permissions.iter();
        let permissions = permissions.map(|(label, by)| format!("{label}  by {}", by.join(", ")));
        section(f, "permissions", permissions)?;
        section(f, "sessions", self.sessions.iter().map(ShownSession::line))?;
        let failures = self.failed_logins.iter();
        let failures = failures.map(|one| {
            let Failures {
                counted,
                attempts,
                until,
            } = one;
            format!("{attempts} of {counted}, until {until}")
        });
        section(f, "counted attempts to log in", failures)?;
        let changes = self.changes.iter();
        let changes =
            changes.map(|Change { time, by, message }| format!("{time}  {by}  {message}"));
        section(f, "last changes", changes)
    }
}

impl ShownSession {
    fn line(&self) -> String {
        let kind = match self.kind {
            Kind::Api => "api",
            Kind::Admin => "admin",
        };
        let Self {
            id,
            address,
            user_agent,
            created,
            last_used,
            ..
        } = self;
        format!("{id}  {kind}  {address}  since {created}, used {last_used}  {user_agent}")
    }
}

/// A heading with a line for each entry, or the word that there are none.
fn section(
    f: &mut fmt::Formatter<'_>,
    heading: &str,
    lines: impl Iterator<Item = String>,
) -> fmt::Result {
    let lines: Vec<String> = lines.collect();
    if lines.is_empty() {
        return writeln!(f, "{heading}: none");
    }
    writeln!(f, "{heading}:")?;
    lines
        .iter()
        .try_for_each(|line| writeln!(f, "  {}", clean(line).trim_end()))
}
