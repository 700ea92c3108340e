//! `manage logout`: ends everything that a user is logged in by.

use clap::Args;
use shared::{accounts::users::end_sessions, domain::Actor};

use crate::{CommandError, account, operator::Operator, target::Target};

/// Options of `logout`.
#[derive(Args)]
pub struct Options {
    /// The username of the account.
    username: String,
    #[command(flatten)]
    operator: Operator,
    #[command(flatten)]
    target: Target,
}

/// Ends all sessions and tokens of a user.
///
/// # Errors
/// The user does not exist, or the table's failure.
pub async fn logout(options: Options) -> Result<(), CommandError> {
    let operator = options.operator.name()?;
    let open = options.target.open_existing().await?;
    let ended = async {
        let user = account::named(&open.store, &options.username).await?;
        end_sessions(&open.store, Actor::Command(&operator), user, None).await?;
        Ok(())
    }
    .await;
    open.close().await;
    if ended.is_ok() {
        println!("All sessions of user '{}' have ended.", options.username);
    }
    ended
}
