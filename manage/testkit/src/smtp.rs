//! A mail server on loopback (RFC 5321) that keeps what it gets, for tests of what is sent.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use tokio::{
    io::{self, AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::Notify,
    time::timeout,
};

/// How long a mail may take that is sent at once.
const WAIT: Duration = Duration::from_secs(30);
/// How long nothing may come, for it to be none.
const QUIET: Duration = Duration::from_secs(1);

/// A mail as the server got it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// `MAIL FROM`, without the angle brackets.
    pub from: String,
    /// Each `RCPT TO`, likewise.
    pub to: Vec<String>,
    /// The headers and the body, with the dots of the transport taken away. Lines end with CRLF.
    pub text: String,
}

/// The command that a server refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The greeting.
    Connect,
    /// `MAIL FROM`.
    Mail,
    /// `RCPT TO`.
    Recipient,
    /// What follows `DATA`: the mail was read, and is not kept.
    Data,
}

/// How a server answers. The default takes every mail of everybody.
#[derive(Clone, Debug, Default)]
struct Rules {
    refused: Option<(Step, u16)>,
    login: Option<(String, String)>,
}

/// A running server. It ends with the test's runtime.
#[derive(Clone)]
pub struct SmtpSink {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    rules: Mutex<Rules>,
    kept: Mutex<Vec<Message>>,
    came: Notify,
}

impl SmtpSink {
    /// A server on a free port of 127.0.0.1.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Shared::default());
        let sink = Self {
            port,
            shared: Arc::clone(&shared),
        };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&shared);
                // A client that hangs up in the middle has sent nothing.
                tokio::spawn(async move {
                    let _ = Session::new(stream, &shared).serve().await;
                });
            }
        });
        sink
    }

    /// The port of 127.0.0.1 that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// From now on refuses every such step with this code: 4xx is for now, 5xx for ever.
    pub fn refuse(&self, step: Step, code: u16) {
        lock(&self.shared.rules).refused = Some((step, code));
    }

    /// From now on offers `AUTH PLAIN LOGIN`, and takes no mail of those who do not log in so.
    pub fn ask_for_login(&self, user: &str, password: &str) {
        lock(&self.shared.rules).login = Some((user.to_owned(), password.to_owned()));
    }

    /// Takes every mail of everybody again.
    pub fn heal(&self) {
        *lock(&self.shared.rules) = Rules::default();
    }

    /// Takes the oldest mail to an address, in whatever letter case, and waits for it if need be.
    ///
    /// # Panics
    /// None comes within half a minute.
    pub async fn next(&self, address: &str) -> Message {
        let found = timeout(WAIT, self.take(address)).await;
        found.unwrap_or_else(|_| panic!("no mail to {address}"))
    }

    /// Asserts that no mail to an address is there or comes within a second.
    ///
    /// # Panics
    /// There is one.
    pub async fn none_for(&self, address: &str) {
        if let Ok(message) = timeout(QUIET, self.take(address)).await {
            panic!("a mail to {address}: {}", message.text);
        }
    }

    /// How many mails are there that were not taken.
    pub fn left(&self) -> usize {
        lock(&self.shared.kept).len()
    }

    /// Takes the oldest mail to an address, in whatever letter case, if one is there.
    pub fn taken(&self, address: &str) -> Option<Message> {
        let is_to = |message: &Message| {
            let mut to = message.to.iter();
            to.any(|to| to.to_lowercase() == address.to_lowercase())
        };
        let mut kept = lock(&self.shared.kept);
        let place = kept.iter().position(is_to)?;
        Some(kept.remove(place))
    }

    async fn take(&self, address: &str) -> Message {
        loop {
            // Listens before it looks, so that nothing comes unnoticed in between.
            let came = self.shared.came.notified();
            tokio::pin!(came);
            came.as_mut().enable();
            if let Some(message) = self.taken(address) {
                return message;
            }
            came.await;
        }
    }
}

/// A test that failed with the lock in its hands has told why already.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One connection.
struct Session<'a> {
    lines: Lines<BufReader<OwnedReadHalf>>,
    writer: OwnedWriteHalf,
    shared: &'a Shared,
    is_known: bool,
    from: Option<String>,
    to: Vec<String>,
}

impl<'a> Session<'a> {
    fn new(stream: TcpStream, shared: &'a Shared) -> Self {
        let (reader, writer) = stream.into_split();
        Self {
            lines: BufReader::new(reader).lines(),
            writer,
            shared,
            is_known: false,
            from: None,
            to: Vec::new(),
        }
    }

    async fn serve(mut self) -> io::Result<()> {
        if let Some(code) = self.refused(Step::Connect) {
            return self.say(&format!("{code} Refused.")).await;
        }
        self.say("220 localhost ESMTP").await?;
        while let Some(line) = self.lines.next_line().await? {
            let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
            match verb.to_ascii_uppercase().as_str() {
                "EHLO" => self.extensions().await?,
                "AUTH" => self.auth(rest).await?,
                "MAIL" => self.mail(rest).await?,
                "RCPT" => self.recipient(rest).await?,
                "DATA" => self.data().await?,
                "HELO" | "NOOP" => self.say("250 OK").await?,
                "RSET" => {
                    (self.from, self.to) = (None, Vec::new());
                    self.say("250 OK").await?;
                }
                "QUIT" => return self.say("221 Bye").await,
                _ => self.say("502 Not implemented").await?,
            }
        }
        Ok(())
    }

    async fn extensions(&mut self) -> io::Result<()> {
        let login = lock(&self.shared.rules).login.is_some();
        let login = if login {
            "250-AUTH PLAIN LOGIN\r\n"
        } else {
            ""
        };
        let text = format!("250-localhost\r\n{login}250-8BITMIME\r\n250 SMTPUTF8");
        self.say(&text).await
    }

    async fn auth(&mut self, given: &str) -> io::Result<()> {
        let (mechanism, first) = given.split_once(' ').unwrap_or((given, ""));
        let (user, password) = match mechanism.to_ascii_uppercase().as_str() {
            "PLAIN" => {
                let all = match first {
                    "" => self.ask("").await?,
                    first => decoded(first),
                };
                let mut parts = all.split('\0').skip(1).map(str::to_owned);
                let mut next = || parts.next().unwrap_or_default();
                (next(), next())
            }
            "LOGIN" => {
                let user = match first {
                    "" => self.ask("VXNlcm5hbWU6").await?,
                    first => decoded(first),
                };
                (user, self.ask("UGFzc3dvcmQ6").await?)
            }
            _ => return self.say("504 Unknown mechanism").await,
        };
        let wanted = lock(&self.shared.rules).login.clone();
        self.is_known = wanted == Some((user, password));
        let answer = if self.is_known { "235 OK" } else { "535 Wrong" };
        self.say(answer).await
    }

    /// Asks for one more line of a login, which comes in base64.
    async fn ask(&mut self, prompt: &str) -> io::Result<String> {
        self.say(&format!("334 {prompt}")).await?;
        let line = self.lines.next_line().await?;
        Ok(decoded(&line.unwrap_or_default()))
    }

    async fn mail(&mut self, given: &str) -> io::Result<()> {
        if !self.is_known && lock(&self.shared.rules).login.is_some() {
            return self.say("530 Log in first").await;
        }
        if let Some(code) = self.refused(Step::Mail) {
            return self.say(&format!("{code} Refused.")).await;
        }
        let Some(from) = path(given) else {
            return self.say("501 No address").await;
        };
        (self.from, self.to) = (Some(from), Vec::new());
        self.say("250 OK").await
    }

    async fn recipient(&mut self, given: &str) -> io::Result<()> {
        if let Some(code) = self.refused(Step::Recipient) {
            return self.say(&format!("{code} Refused.")).await;
        }
        match path(given) {
            _ if self.from.is_none() => self.say("503 MAIL comes first").await,
            None => self.say("501 No address").await,
            Some(to) => {
                self.to.push(to);
                self.say("250 OK").await
            }
        }
    }

    async fn data(&mut self) -> io::Result<()> {
        if self.to.is_empty() {
            return self.say("503 RCPT comes first").await;
        }
        self.say("354 Go on").await?;
        let mut text = String::new();
        loop {
            let Some(line) = self.lines.next_line().await? else {
                return Ok(());
            };
            if line == "." {
                break;
            }
            text.push_str(line.strip_prefix('.').unwrap_or(&line));
            text.push_str("\r\n");
        }
        if let Some(code) = self.refused(Step::Data) {
            return self.say(&format!("{code} Refused.")).await;
        }
        let message = Message {
            from: self.from.take().unwrap_or_default(),
            to: std::mem::take(&mut self.to),
            text,
        };
        lock(&self.shared.kept).push(message);
        self.shared.came.notify_waiters();
        self.say("250 Kept").await
    }

    fn refused(&self, step: Step) -> Option<u16> {
        let refused = lock(&self.shared.rules).refused;
        refused.and_then(|(at, code)| (at == step).then_some(code))
    }

    async fn say(&mut self, text: &str) -> io::Result<()> {
        self.writer
            .write_all(format!("{text}\r\n").as_bytes())
            .await
    }
}

/// The address between the angle brackets; the parameters behind it are not looked at.
fn path(given: &str) -> Option<String> {
    let (_, rest) = given.split_once('<')?;
    let (address, _) = rest.rsplit_once('>')?;
    Some(address.to_owned())
}

fn decoded(text: &str) -> String {
    let bytes = STANDARD.decode(text.trim()).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}
