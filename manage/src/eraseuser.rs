//! `manage eraseuser`: deletes a user with what the logs say of them (article 17 of the GDPR).

use clap::Args;
use shared::{
    accounts::{self, Refused, lockout::forget_failures},
    domain::Actor,
};

use crate::{CommandError, account, operator::Operator, target::Target};

/// Options of `eraseuser`.
#[derive(Args)]
pub struct Options {
    /// The username of the person who is erased.
    username: String,
    #[command(flatten)]
    operator: Operator,
    #[command(flatten)]
    target: Target,
}

/// Deletes a user with their sessions, counters and mails that are owed, the entries of the log of changes about them,
/// and their name from the entries of what they did.
///
/// # Errors
/// The user does not exist, no active superuser would remain, or the table's failure.
pub async fn eraseuser(options: Options) -> Result<(), CommandError> {
    let operator = options.operator.name()?;
    let open = options.target.open_existing().await?;
    let erased = async {
        let store = &open.store;
        let user = account::named(store, &options.username).await?;
        let (id, username) = (user.id, user.username.clone());
        let mails = store.mails_of(&user).await?;
        match accounts::users::delete(store, Actor::Command(&operator), user).await {
            Err(Refused::LastSuperuser) => {
                return Err(CommandError::new("no active superuser would remain"));
            }
            deleted => deleted?,
        }
        forget_failures(store, &username).await?;
        for mail in mails {
            store.forget_mail(&mail.id).await?;
        }
        Ok(store.erase_from_log(id).await?)
    }
    .await;
    open.close().await;
    let entries = erased?;
    println!(
        "User '{}' is erased, with {entries} entries of the log of changes.",
        options.username
    );
    Ok(())
}
