//! How mails leave: by a mail server, into files, and by Amazon SES.

use std::{fs, path::Path, sync::Arc};

use axum::{Router, body::Bytes, extract::State, http::StatusCode, routing::post};
use base64::{Engine, engine::general_purpose::STANDARD};
use mailer::{Delivery, Dropped, From, Letter, NotSent, Sender, compose};
use serde_json::{Value, json};
use shared::{
    aws::{self, LocalEndpoint},
    mail::Kind,
    settings::EmailBackend,
};
use tokio::{net::TcpListener, sync::Mutex};

use super::world::{World, mailer_by};

impl World {
    fn smtp(&self, user: &str, password: &str) -> Sender {
        let mut settings = self.app.settings.sender.clone();
        (settings.host, settings.port) = ("127.0.0.1".to_owned(), self.sink.port());
        (settings.user, settings.password) = (user.to_owned(), password.to_owned().into());
        Sender::smtp(&settings).expect("a sender")
    }
}

#[tokio::test]
async fn a_mail_server_is_logged_in_to() {
    let world = World::start().await;
    world.sink.ask_for_login("shop", "s3cret");
    let ann = world.user("ann").await;
    let owe = || world.owe(Kind::Confirmation, Some(ann.id), "ann@example.com");
    let id = owe().await;
    for (user, password) in [("", ""), ("shop", "wrong-s3cret")] {
        let mailer = mailer_by(&world.app, world.smtp(user, password));
        let failed = mailer.deliver(&id).await;
        let Err(NotSent::Refused(error)) = failed else {
            panic!("{failed:?}");
        };
        assert!(!format!("{error} {error:?}").contains("wrong-s3cret"));
    }
    let mailer = mailer_by(&world.app, world.smtp("shop", "s3cret"));
    assert_eq!(mailer.deliver(&id).await.unwrap(), Delivery::Sent);
    world.sink.next("ann@example.com").await;
}

#[tokio::test]
async fn nothing_is_said_in_clear_to_a_server_that_has_no_tls() {
    let world = World::start().await;
    let ann = world.user("ann").await;
    let id = world.owe(Kind::Confirmation, Some(ann.id), "ann@example.com");
    let id = id.await;
    let mut settings = world.app.settings.sender.clone();
    (settings.host, settings.port) = ("127.0.0.1".to_owned(), world.sink.port());
    settings.use_tls = true;
    let mailer = mailer_by(&world.app, Sender::smtp(&settings).expect("a sender"));
    assert!(mailer.deliver(&id).await.is_err());
    assert_eq!((world.sink.left(), world.owed().await), (0, 1));
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).expect("a file").permissions().mode() & 0o777
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_of_a_mail_is_read_by_its_owner_only() {
    let world = World::start().await;
    let ann = world.user("ann").await;
    let id = world.owe(Kind::PasswordReset, Some(ann.id), "ann@example.com");
    let id = id.await;
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let mails = directory.path().join("mail");
    let mailer = mailer_by(&world.app, Sender::File(mails.clone()));
    assert_eq!(mailer.deliver(&id).await.unwrap(), Delivery::Sent);
    let files: Vec<_> = fs::read_dir(&mails).unwrap().map(Result::unwrap).collect();
    let [file] = &files[..] else {
        panic!("{files:?}");
    };
    assert_eq!((mode(&mails), mode(&file.path())), (0o700, 0o600));
    let text = fs::read_to_string(file.path()).unwrap();
    assert!(file.file_name().to_string_lossy().ends_with(".eml"));
    assert!(text.contains("To: ann@example.com\r\n"), "{text}");
}

/// What Amazon SES is sent, and whether it takes it.
type Asked = Arc<Mutex<(StatusCode, Vec<Value>)>>;

async fn outbound(State(asked): State<Asked>, body: Bytes) -> (StatusCode, String) {
    let mut asked = asked.lock().await;
    asked.1.push(serde_json::from_slice(&body).expect("JSON"));
    let answer = match asked.0 {
        StatusCode::OK => json!({"MessageId": "1"}),
        _ => json!({"__type": "MessageRejected", "message": "Email address is not verified."}),
    };
    (asked.0, answer.to_string())
}

#[tokio::test]
async fn amazon_ses_gets_the_whole_message_and_what_it_refuses_is_still_owed() {
    let asked: Asked = Arc::new(Mutex::new((StatusCode::BAD_REQUEST, Vec::new())));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let routes = Router::new().route("/v2/email/outbound-emails", post(outbound));
    let routes = routes.with_state(Arc::clone(&asked));
    tokio::spawn(async move { axum::serve(listener, routes).await });

    let world = World::start().await;
    let mut settings = world.app.settings.sender.clone();
    settings.backend = EmailBackend::Ses;
    let endpoint = LocalEndpoint {
        url,
        access_key: "tests".to_owned(),
    };
    let ses = Sender::new(&settings, &aws::local(&endpoint)).expect("a sender");
    let mailer = mailer_by(&world.app, ses.clone());
    let ann = world.user("ann").await;
    let id = world.owe(Kind::PasswordReset, Some(ann.id), "ann@example.com");
    let id = id.await;
    let failed = mailer.deliver(&id).await;
    let Err(NotSent::Refused(error)) = failed else {
        panic!("{failed:?}");
    };
    let error = error.to_string();
    assert!(error.contains("not verified"), "{error}");
    assert!(!error.contains("reset/"), "a link: {error}");
    // A message that it rejects is tried for a day.
    let rejected = world.owe(Kind::Confirmation, Some(ann.id), "ann@example.com");
    let rejected = rejected.await;
    let mut mail = world.table.mail(&rejected).await.unwrap().expect("a mail");
    mail.created -= 86_400;
    world.table.owe_mail(&mail).await.expect("a write");
    let given_up = mailer.deliver(&rejected).await.unwrap();
    assert_eq!(given_up, Delivery::Dropped(Dropped::Refused));
    *asked.lock().await = (StatusCode::OK, Vec::new());
    assert_eq!(mailer.deliver(&id).await.unwrap(), Delivery::Sent);
    let requests = std::mem::take(&mut asked.lock().await.1);
    let [request] = &requests[..] else {
        panic!("{requests:?}");
    };
    let raw = request["Content"]["Raw"]["Data"]
        .as_str()
        .expect("a message");
    let text = String::from_utf8(STANDARD.decode(raw).unwrap()).unwrap();
    assert!(text.contains("From: Shop <shop@example.com>\r\n"), "{text}");
    assert!(text.contains("To: ann@example.com\r\n"), "{text}");

    // Amazon SES has no such addresses; a dump of Django may.
    let from = From::parse("shop@example.com").expect("an address");
    for (to, taken) in [("é@example.com", false), ("ann@example.com", true)] {
        let letter = Letter {
            subject: "S".to_owned(),
            text: "T".to_owned(),
            html: "H".to_owned(),
        };
        let message = compose(&from, to, letter).expect("a message");
        assert_eq!(ses.takes(&message), taken, "{to}");
        assert!(Sender::Console.takes(&message));
    }
}
