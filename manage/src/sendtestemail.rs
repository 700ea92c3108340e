//! `manage sendtestemail`, named after Django's: whether mails leave.

use clap::Args;
use mailer::{Letter, compose};
use shared::settings::{EmailBackend, SenderSettings};

use crate::{CommandError, mailing, terminal::clean};

/// Options of `sendtestemail`.
#[derive(Args)]
pub struct Options {
    /// Where to send it; each address gets a mail of its own.
    #[arg(value_name = "ADDRESS", required = true)]
    addresses: Vec<String>,
}

/// Sends a mail to each address, by the settings of the environment.
///
/// # Errors
/// A setting is malformed, no mail can be sent to an address, or one did not leave.
pub async fn sendtestemail(options: Options) -> Result<(), CommandError> {
    let settings = mailing::sender_settings()?;
    let (sender, from) = mailing::sender(&settings).await?;
    let way = way(&settings);
    for address in &options.addresses {
        let message = compose(&from, address, letter()).ok_or_else(|| {
            CommandError::new(format!("no mail can be sent to the address {address}"))
        })?;
        let sent = sender.send(&message).await;
        sent.map_err(|error| {
            CommandError::new(format!(
                "the mail to {address} did not leave {way}: {error}"
            ))
        })?;
        let sent = format!("Sent a mail from {} to {address} {way}.", settings.from);
        println!("{}", clean(&sent));
    }
    Ok(())
}

fn letter() -> Letter {
    let words = "If you read this, mails leave.";
    Letter {
        subject: "A test mail".to_owned(),
        text: format!("{words}\r\n"),
        html: format!("<!DOCTYPE html>\n<title>A test mail</title>\n<p>{words}</p>\n"),
    }
}

/// How mails are sent, in words.
fn way(settings: &SenderSettings) -> String {
    match settings.backend {
        EmailBackend::Ses => "by Amazon SES".to_owned(),
        EmailBackend::Smtp => format!("by the server {}:{}", settings.host, settings.port),
        EmailBackend::Console => "to this terminal".to_owned(),
        EmailBackend::File => {
            let path = settings.file_path.as_deref().unwrap_or_default();
            format!("as a file in {path}")
        }
    }
}
