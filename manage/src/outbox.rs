//! What `runserver` does in place of the function `mailer`: it sends each mail once the request that
//! owes it is done.

use std::{path::Path, sync::Arc, time::Duration};

use mailer::{From, LEASE, Mailer, Sender};
use shared::{
    app::App,
    aws::{self, LocalEndpoint},
    settings::{EmailBackend, SettingsError},
};
use tokio::{
    sync::Mutex,
    time::{sleep, timeout},
};

/// The pause after a failure; it doubles with each one more.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(300);

/// The mailer of a service on this machine; none if the service sends no mail. Without settings of
/// how, mails go to the terminal and into files in `directory`.
///
/// # Errors
/// A setting that does not fit.
pub fn mailer(
    app: &App,
    directory: Option<&Path>,
    endpoint: &LocalEndpoint,
) -> Result<Option<Mailer>, SettingsError> {
    let Some(links) = app.settings.accounts.links.clone() else {
        return Ok(None);
    };
    let settings = &app.settings.sender;
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let sender = match settings.backend {
        EmailBackend::Ses if is_set("EMAIL_BACKEND") => {
            let text = "EMAIL_BACKEND=ses is for Lambda functions only";
            return Err(SettingsError::new(text));
        }
        EmailBackend::Ses => {
            let file = directory.map(|directory| Sender::File(directory.join("mail")));
            Sender::All([Sender::Console].into_iter().chain(file).collect())
        }
        _ => Sender::new(settings, &aws::local(endpoint))?,
    };
    let from = From::parse(&settings.from)?;
    Ok(Some(Mailer::new(app.clone(), sender, from, links)))
}

/// Sends what is owed from now on, and what was left, until the process ends. While it sends, it holds
/// `busy`: who waits for that at the end leaves no mail in the hands of a process that is gone.
pub async fn send_all(app: App, mailer: Mailer, busy: Arc<Mutex<()>>) {
    let owed = app.store.table().owed();
    let mut pause = PAUSE;
    loop {
        let delivered = {
            let _busy = busy.lock().await;
            mailer.deliver_owed(0).await
        };
        match delivered {
            // There may be more than one reads at once.
            Ok(sent) if sent > 0 => pause = PAUSE,
            // One that was in the hands of a process which died is free after its lease.
            Ok(_) => {
                let _ = timeout(Duration::from_secs(LEASE.unsigned_abs()), owed.notified()).await;
            }
            Err(error) => {
                if pause == PAUSE {
                    tracing::error!(%error, "a mail is still owed");
                }
                // A new mail is tried at once, with what is left.
                let _ = timeout(pause, owed.notified()).await;
                sleep(Duration::from_millis(10)).await;
                pause = (pause * 2).min(LONGEST);
            }
        }
    }
}
