//! `manage passwordresetlink`: a link to set a new password, for support.

use clap::Args;
use shared::{
    app::App,
    domain::Actor,
    mail::links::{Subject, uid},
    store::Versioned,
};

use crate::{
    CommandError, account,
    mailing::{self, LinkKey},
    operator::Operator,
    target::Target,
};

/// What the log of changes calls it.
const LINK: &str = "Link to set a password";

/// Options of `passwordresetlink`.
#[derive(Args)]
pub struct Options {
    /// The username of the account.
    username: String,
    #[command(flatten)]
    key: LinkKey,
    #[command(flatten)]
    operator: Operator,
    #[command(flatten)]
    target: Target,
}

/// Prints a link with which anybody who has it can set the password of an account once, or its parts
/// where no front end is known.
///
/// # Errors
/// The user does not exist, there is no key, a setting is malformed, or the table's failure.
pub async fn passwordresetlink(options: Options) -> Result<(), CommandError> {
    let operator = options.operator.name()?;
    let open = options.target.open_existing().await?;
    let made = async {
        let app = mailing::app(&options.target, &open, &options.key).await?;
        link(&app, Actor::Command(&operator), &options.username).await
    }
    .await;
    open.close().await;
    println!("{}", made?);
    Ok(())
}

async fn link(app: &App, actor: Actor<'_>, username: &str) -> Result<String, CommandError> {
    let user = account::named(&app.store, username).await?;
    let found = app.store.user_and_hash(user.id).await?;
    let (user, hash) = found.ok_or_else(|| account::unknown(username))?;
    let subject = Subject::of(&user, hash.as_ref());
    let token = app.keys.link_token(subject, app.clock.now()).await;
    // Logged before it is shown: nobody has a link that the log does not know.
    let name = user.username.as_str().to_owned();
    let logged = app.store.log_alone(actor, user.object(), name, LINK);
    logged.await?;
    let uid = uid(user.id);
    Ok(match &app.settings.accounts.links {
        Some(links) => links.link(&links.password_reset, &uid, &token),
        None => format!("uid    {uid}\ntoken  {token}"),
    })
}
