//! `manage eraseuser`: deletes a user with what the logs say of them (article 17 of the GDPR).

use clap::Args;
use shared::{
    accounts::{self, Refused, lockout::forget_failures},
    domain::{Actor, UserId},
    store::Store,
};

use crate::{CommandError, account, operator::Operator, target::Target};

/// Options of `eraseuser`.
#[derive(Args)]
pub struct Options {
    /// The username of the person who is erased.
    #[arg(required_unless_present = "id")]
    username: Option<String>,
    /// Goes on where an erasure was interrupted that has deleted the account: the id that it told.
    #[arg(long, conflicts_with = "username")]
    id: Option<u64>,
    #[command(flatten)]
    operator: Operator,
    #[command(flatten)]
    target: Target,
}

/// Deletes a user with their sessions, counters and mails that are owed, the entries of the log of changes about them,
/// and their name from the entries of what they did.
///
/// # Errors
/// The user does not exist (or does, by `--id`), no active superuser would remain, or the table's failure.
pub async fn eraseuser(options: Options) -> Result<(), CommandError> {
    let operator = options.operator.name()?;
    let open = options.target.open_existing().await?;
    let erased = async {
        let store = &open.store;
        let id = match (&options.username, options.id) {
            (Some(username), _) => delete(store, Actor::Command(&operator), username).await?,
            (None, id) => deleted(store, UserId(id.unwrap_or_default())).await?,
        };
        Ok::<_, CommandError>((id, store.erase_from_log(id).await?))
    }
    .await;
    open.close().await;
    let (id, entries) = erased?;
    let name = options.username.unwrap_or_else(|| id.to_string());
    println!("User '{name}' is erased, with {entries} entries of the log of changes.");
    Ok(())
}

/// Deletes the account with what is kept beside it.
async fn delete(store: &Store, actor: Actor<'_>, username: &str) -> Result<UserId, CommandError> {
    let user = account::named(store, username).await?;
    let (id, username) = (user.id, user.username.clone());
    println!("Erasing user {id}. If this is interrupted: eraseuser --id {id}");
    let mails = store.mails_of(&user).await?;
    match accounts::users::delete(store, actor, user).await {
        Err(Refused::LastSuperuser) => {
            return Err(CommandError::new("no active superuser would remain"));
        }
        deleted => deleted?,
    }
    forget_failures(store, &username).await?;
    for mail in mails {
        store.forget_mail(&mail.id).await?;
    }
    Ok(id)
}

/// The id of a user who is deleted already.
async fn deleted(store: &Store, id: UserId) -> Result<UserId, CommandError> {
    match store.user(id).await? {
        None => Ok(id),
        Some(user) => {
            let name = user.username.as_str();
            Err(CommandError::new(format!(
                "user {id} exists: eraseuser {name}"
            )))
        }
    }
}
