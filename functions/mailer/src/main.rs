//! The Lambda function `mailer`.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use mailer::{
    From, Mailer, Sender,
    stream::{self, Event},
};
use shared::{aws, lambda, settings::SettingsError};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let app = lambda::start().await?;
    let settings = &app.settings;
    let links = settings.accounts.links.clone();
    let links = links.ok_or_else(|| SettingsError::new("EMAIL_FRONTEND_DOMAIN is not set"))?;
    let from = From::parse(&settings.sender.from)?;
    let config = aws::in_lambda(&settings.aws, settings.sender.ses_endpoint.as_deref())?;
    let sender = Sender::new(&settings.sender, &config)?;
    let mailer = Mailer::new(app, sender, from, links);
    let mailer = &mailer;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Event>| {
        stream::answer(mailer, event.payload)
            .await
            .map_err(Error::from)
    }))
    .await
}
