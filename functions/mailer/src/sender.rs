//! How a message leaves: Amazon SES, SMTP, the terminal, or a file.

use std::{
    fmt::Display,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    time::Duration,
};

use aws_config::SdkConfig;
use aws_sdk_sesv2::{
    Client as Ses,
    error::DisplayErrorContext,
    operation::send_email::SendEmailError,
    primitives::Blob,
    types::{EmailContent, RawMessage},
};
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    transport::smtp::{
        self,
        authentication::Credentials,
        client::{Tls, TlsParameters},
        response::{Category, Code},
    },
};
use secrecy::ExposeSecret;
use shared::{
    settings::{EmailBackend, SenderSettings, SettingsError},
    telemetry::causes,
};
use thiserror::Error;

/// How messages leave.
#[derive(Clone)]
pub enum Sender {
    /// By Amazon SES.
    Ses(Ses),
    /// By a mail server.
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
    /// To standard output.
    Console,
    /// To an `.eml` file each in a directory.
    File(PathBuf),
    /// By each of these, in this order.
    All(Vec<Sender>),
}

/// A message did not leave, and why; never its text.
#[derive(Debug, Error)]
#[error("{reason}")]
pub struct SendError {
    reason: String,
    is_for_good: bool,
}

impl SendError {
    fn new(reason: impl Display) -> Self {
        Self {
            reason: reason.to_string(),
            is_for_good: false,
        }
    }

    pub(crate) fn too_slow() -> Self {
        Self::new("the mail server is too slow")
    }

    /// Whether the server refused this very message, and will again: for its addresses or its content.
    pub(crate) fn is_for_good(&self) -> bool {
        self.is_for_good
    }
}

impl From<smtp::Error> for SendError {
    fn from(error: smtp::Error) -> Self {
        // 55x (RFC 5321, section 4.2.2); other permanent failures are of the connection or the login.
        let is_of_mail = |code: Code| code.category == Category::MailSystem;
        Self {
            is_for_good: error.is_permanent() && error.status().is_some_and(is_of_mail),
            ..Self::new(causes(&error))
        }
    }
}

impl Sender {
    /// The sender of the settings; `aws` is where Amazon SES is.
    ///
    /// # Errors
    /// A setting that does not fit.
    pub fn new(settings: &SenderSettings, aws: &SdkConfig) -> Result<Self, SettingsError> {
        Ok(match settings.backend {
            EmailBackend::Ses => Self::Ses(Ses::new(aws)),
            EmailBackend::Smtp => Self::smtp(settings)?,
            EmailBackend::Console => Self::Console,
            EmailBackend::File => Self::File(PathBuf::from(
                settings.file_path.clone().unwrap_or_default(),
            )),
        })
    }

    /// A mail server, by Django's settings.
    ///
    /// # Errors
    /// `EMAIL_HOST` is no name that TLS can prove.
    pub fn smtp(settings: &SenderSettings) -> Result<Self, SettingsError> {
        let parameters = || {
            let made = TlsParameters::new(settings.host.clone());
            made.map_err(|error| SettingsError::new(format!("EMAIL_HOST: {error}")))
        };
        let tls = match (settings.use_ssl, settings.use_tls) {
            (true, _) => Tls::Wrapper(parameters()?),
            (_, true) => Tls::Required(parameters()?),
            _ => Tls::None,
        };
        let host = settings.host.as_str();
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(settings.port)
            .tls(tls)
            .timeout(Some(Duration::from_secs(settings.timeout)));
        if !settings.user.is_empty() {
            let password = settings.password.expose_secret().to_owned();
            transport = transport.credentials(Credentials::new(settings.user.clone(), password));
        }
        Ok(Self::Smtp(transport.build()))
    }

    /// Whether a message can leave this way at all: Amazon SES has no mails to names that are not
    /// ASCII (RFC 6531).
    pub fn takes(&self, message: &Message) -> bool {
        match self {
            Self::Ses(_) => message
                .envelope()
                .to()
                .iter()
                .all(|to| to.user().is_ascii()),
            Self::All(senders) => senders.iter().all(|sender| sender.takes(message)),
            Self::Smtp(_) | Self::Console | Self::File(_) => true,
        }
    }

    /// Sends a message.
    ///
    /// # Errors
    /// It did not leave. After a failure half-way it may have left all the same.
    pub async fn send(&self, message: &Message) -> Result<(), SendError> {
        match self {
            Self::Ses(client) => by_ses(client, message).await,
            Self::Smtp(transport) => {
                let sent = transport.send(message.clone()).await;
                Ok(sent.map(drop)?)
            }
            Self::Console => to_console(message),
            Self::File(directory) => to_file(directory, message),
            Self::All(senders) => {
                for sender in senders {
                    Box::pin(sender.send(message)).await?;
                }
                Ok(())
            }
        }
    }
}

async fn by_ses(client: &Ses, message: &Message) -> Result<(), SendError> {
    let raw = RawMessage::builder().data(Blob::new(message.formatted()));
    let raw = raw.build().map_err(SendError::new)?;
    // The sender and the addressee are those of the message.
    let content = EmailContent::builder().raw(raw).build();
    let sent = client.send_email().content(content).send().await;
    sent.map(drop).map_err(|error| {
        use SendEmailError::{BadRequestException, MessageRejected};
        let known = error.as_service_error();
        let is_for_good = matches!(known, Some(MessageRejected(_) | BadRequestException(_)));
        SendError {
            is_for_good,
            ..SendError::new(DisplayErrorContext(error))
        }
    })
}

fn to_console(message: &Message) -> Result<(), SendError> {
    let mut text = message.formatted();
    text.extend(format!("\r\n{}\r\n", "-".repeat(79)).bytes());
    let written = std::io::stdout().lock().write_all(&text);
    written.map_err(SendError::new)
}

/// Only the owner may read it: it holds a link.
fn to_file(directory: &Path, message: &Message) -> Result<(), SendError> {
    let write = || {
        let mut options = fs::DirBuilder::new();
        options.recursive(true);
        let mut file = fs::OpenOptions::new();
        file.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
            options.mode(0o700);
            file.mode(0o600);
        }
        options.create(directory)?;
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let now = now.unwrap_or_default().as_millis();
        let name = format!("{now}-{:08x}.eml", rand::random::<u32>());
        let mut file = file.open(directory.join(name))?;
        file.write_all(&message.formatted())
    };
    write().map_err(|error: std::io::Error| {
        SendError::new(format_args!(
            "cannot write to {}: {error}",
            directory.display()
        ))
    })
}
