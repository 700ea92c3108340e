//! `manage exportuser`: everything that is kept about one user (article 15 of the GDPR).

use std::io::{self, Write};

use clap::Args;
use serde_json::{Value, json};
use shared::{clock::rfc3339, domain::log_entry::LogEntry, mail::Mail, store::sessions::Session};

use crate::{CommandError, account, target::Target};

/// Options of `exportuser`.
#[derive(Args)]
pub struct Options {
    /// The username of the person whose data are written.
    username: String,
    #[command(flatten)]
    target: Target,
}

/// Prints what is kept about a user, as JSON. The password's hash is left out: it tells a person
/// nothing, and is a secret.
///
/// # Errors
/// The user does not exist, or the table's failure.
pub async fn exportuser(options: Options) -> Result<(), CommandError> {
    let open = options.target.open_existing().await?;
    open.require_current_layout().await?;
    let exported = async {
        let store = &open.store;
        let user = account::named(store, &options.username).await?;
        let (groups, permissions, sessions, log, mails) = tokio::try_join!(
            store.groups_of(&user.group_ids),
            store.permissions_held(&user),
            store.sessions_of(user.id),
            store.log_entries_naming(user.id),
            store.mails_of(&user)
        )?;
        let groups = groups
            .iter()
            .map(|group| json!({"id": group.id, "name": group.name}));
        let is_about =
            |entry: &&LogEntry| entry.content_type.name() == "user" && entry.object_id == user.id.0;
        let log: Vec<LogEntry> = log.into_iter().map(|(_, entry)| entry).collect();
        let (about, by): (Vec<&LogEntry>, Vec<&LogEntry>) = log.iter().partition(is_about);
        Ok::<_, CommandError>(json!({
            "id": user.id,
            "username": user.username,
            "email": user.email,
            "new_email": user.pending_email,
            "first_name": user.first_name,
            "last_name": user.last_name,
            "is_active": user.is_active,
            "awaits_activation": user.awaits_activation,
            "is_staff": user.is_staff,
            "is_superuser": user.is_superuser,
            "date_joined": rfc3339(user.date_joined),
            "last_login": user.last_login.map(rfc3339),
            "extra": user.extra.0,
            "groups": groups.collect::<Value>(),
            "permissions": permissions.keys().collect::<Vec<_>>(),
            "sessions": sessions.iter().map(session).collect::<Value>(),
            "mails": mails.iter().map(mail).collect::<Value>(),
            "changes_of_the_user": about.iter().map(|one| entry(one)).collect::<Value>(),
            "changes_by_the_user": by.iter().map(|one| entry(one)).collect::<Value>(),
        }))
    }
    .await;
    open.close().await;
    writeln!(io::stdout(), "{:#}", exported?)
        .map_err(|error| CommandError::new(format!("cannot write it: {error}")))
}

fn session(session: &Session) -> Value {
    json!({
        "created": rfc3339(session.created),
        "last_used": rfc3339(session.last_used),
        "expires": rfc3339(session.expires),
        "address": session.address,
        "user_agent": session.user_agent,
    })
}

fn mail(mail: &Mail) -> Value {
    json!({
        "kind": mail.kind,
        "to": mail.to,
        "created": rfc3339(mail.created),
        "address": mail.address,
        "user_agent": mail.user_agent,
    })
}

fn entry(entry: &LogEntry) -> Value {
    json!({
        "time": rfc3339(entry.action_time.div_euclid(1000)),
        "by": entry.username,
        "model": entry.content_type.content_type(),
        "object": entry.object_repr,
        "change": entry.message(),
    })
}
