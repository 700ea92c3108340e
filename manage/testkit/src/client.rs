//! Requests over HTTP.

use std::time::Duration;

use axum::{
    body::Bytes,
    http::{Request, header, request::Builder},
};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client as Hyper, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};
use shared::{app::App, domain::User, jwt::TokenType};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::{Answer, PASSWORD, contract, detail};

/// Far more than any answer takes; a server that hangs must fail the test rather than stop it.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Sends requests to a service. A path without a slash at its start is one of the API.
#[derive(Clone)]
pub struct Client {
    base: String,
    hyper: Hyper<HttpConnector, Full<Bytes>>,
    /// Whose keys sign the tokens of users.
    app: Option<App>,
    /// How often a request is sent again that is answered 503.
    repeats: u32,
}

/// Who sends a request.
pub trait Caller {
    /// The access token that is sent, or an empty text.
    fn token(&self, client: &Client) -> String;
}

/// The caller without a token.
pub const NOBODY: &str = "";

impl Caller for &str {
    fn token(&self, _: &Client) -> String {
        (*self).to_owned()
    }
}

impl Caller for &String {
    fn token(&self, _: &Client) -> String {
        (*self).clone()
    }
}

impl Caller for &User {
    fn token(&self, client: &Client) -> String {
        client.issue(TokenType::Access, self)
    }
}

impl Caller for Option<&User> {
    fn token(&self, client: &Client) -> String {
        self.map_or_else(String::new, |user| user.token(client))
    }
}

impl Caller for &Account {
    fn token(&self, _: &Client) -> String {
        self.access.clone()
    }
}

/// A user who has logged in.
pub struct Account {
    /// The primary key.
    pub id: u64,
    /// The access token.
    pub access: String,
    /// The refresh token.
    pub refresh: String,
}

impl Client {
    /// A client of the service at `http://…`.
    pub fn at(base: impl Into<String>) -> Self {
        // A connection for each request, so that none is one that the server is about to close.
        let hyper = Hyper::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            .build_http();
        Self {
            base: base.into(),
            hyper,
            app: None,
            repeats: 0,
        }
    }

    /// The client with tokens of that service for the users who send requests.
    #[must_use]
    pub(crate) fn with_tokens_of(mut self, app: App) -> Self {
        self.app = Some(app);
        self
    }

    /// The client that sends a request again, a few times, where the answer is to try again.
    #[must_use]
    pub(crate) fn repeating(mut self) -> Self {
        self.repeats = 5;
        self
    }

    /// The service's origin.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The service's host and port.
    pub fn address(&self) -> &str {
        let address = self.base.strip_prefix("http://");
        address.expect("plain HTTP")
    }

    /// A new token of a user.
    pub fn issue(&self, kind: TokenType, user: &User) -> String {
        let app = self.app.as_ref().expect("a service of this process");
        app.keys.at_hand().issue(kind, user, app.clock.now())
    }

    /// The start of a request.
    pub fn request(&self, who: impl Caller, method: &str, path: &str) -> Builder {
        let path = match path {
            path if path.starts_with('/') => path.to_owned(),
            path => format!("/api/auth/{path}"),
        };
        let request = Request::builder().method(method).uri(path);
        match who.token(self).as_str() {
            "" => request,
            token => request.header(header::AUTHORIZATION, format!("Bearer {token}")),
        }
    }

    /// The answer to any request for a path here, or why there is none.
    ///
    /// # Errors
    /// The request is no HTTP, or its answer does not come, breaks off or is no text.
    pub async fn try_send(
        &self,
        request: Builder,
        body: impl Into<Bytes>,
    ) -> Result<Answer, String> {
        let request = request.body(Full::new(body.into()));
        let mut request = request.map_err(|error| error.to_string())?;
        let (method, path) = (request.method().clone(), request.uri().to_string());
        let whole = format!("{}{}", self.base, request.uri());
        *request.uri_mut() = whole.parse().map_err(|_| format!("no address: {whole}"))?;
        let mut answer = self.answer(request.clone()).await?;
        for _ in 0..self.repeats {
            if is_to_be_sent_again(&answer) {
                answer = self.answer(request.clone()).await?;
                answer.is_again = true;
            }
        }
        contract::assert_allowed(method.as_str(), &path, &answer);
        Ok(answer)
    }

    async fn answer(&self, request: Request<Full<Bytes>>) -> Result<Answer, String> {
        let answer = async {
            let answer = self.hyper.request(request).await;
            let (parts, body) = answer.map_err(|error| causes(&error))?.into_parts();
            let body = body.collect().await;
            let bytes = body.map_err(|error| causes(&error))?.to_bytes();
            let text = String::from_utf8(bytes.to_vec()).map_err(|error| error.to_string())?;
            Ok(Answer::new(parts.status.as_u16(), parts.headers, text))
        };
        let answer = timeout(TIMEOUT, answer).await;
        answer.unwrap_or_else(|_| Err(format!("no answer within {TIMEOUT:?}")))
    }

    /// The answer to any request for a path here.
    pub async fn send(&self, request: Builder, body: impl Into<Bytes>) -> Answer {
        self.try_send(request, body).await.expect("an answer")
    }

    /// The answer to a request with a body in JSON, or without one if it is `Null`; or why there
    /// is none.
    ///
    /// # Errors
    /// As [`Self::try_send`].
    pub async fn try_ask(
        &self,
        who: impl Caller,
        method: &str,
        path: &str,
        body: Value,
    ) -> Result<Answer, String> {
        let request = self.request(who, method, path);
        if body.is_null() {
            return self.try_send(request, "").await;
        }
        let request = request.header(header::CONTENT_TYPE, "application/json");
        self.try_send(request, body.to_string()).await
    }

    /// The answer to a request with a body in JSON, or without one if it is `Null`.
    pub async fn ask(&self, who: impl Caller, method: &str, path: &str, body: Value) -> Answer {
        let answer = self.try_ask(who, method, path, body).await;
        answer.expect("an answer")
    }

    /// The answer to a form.
    pub async fn form(&self, who: impl Caller, method: &str, path: &str, form: &str) -> Answer {
        let kind = "application/x-www-form-urlencoded";
        let request = self.request(who, method, path);
        let request = request.header(header::CONTENT_TYPE, kind);
        self.send(request, form.to_owned()).await
    }

    /// The answer to a body of that media type.
    pub async fn send_as(
        &self,
        kind: &str,
        who: impl Caller,
        method: &str,
        path: &str,
        body: impl Into<Bytes>,
    ) -> Answer {
        let request = self.request(who, method, path);
        self.send(request.header(header::CONTENT_TYPE, kind), body)
            .await
    }

    /// GET.
    pub async fn get(&self, who: impl Caller, path: &str) -> Answer {
        self.ask(who, "GET", path, Value::Null).await
    }

    /// DELETE.
    pub async fn delete(&self, who: impl Caller, path: &str) -> Answer {
        self.ask(who, "DELETE", path, Value::Null).await
    }

    /// POST of JSON.
    pub async fn post(&self, who: impl Caller, path: &str, body: Value) -> Answer {
        self.ask(who, "POST", path, body).await
    }

    /// PUT of JSON.
    pub async fn put(&self, who: impl Caller, path: &str, body: Value) -> Answer {
        self.ask(who, "PUT", path, body).await
    }

    /// PATCH of JSON.
    pub async fn patch(&self, who: impl Caller, path: &str, body: Value) -> Answer {
        self.ask(who, "PATCH", path, body).await
    }

    /// What the server writes when it is sent these bytes, until it closes the connection: what
    /// a client library would tidy up on either way.
    pub async fn raw(&self, bytes: &[u8]) -> String {
        let stream = TcpStream::connect(self.address()).await;
        let mut stream = stream.expect("a connection");
        stream.write_all(bytes).await.expect("written");
        let mut answer = Vec::new();
        let end = timeout(TIMEOUT, stream.read_to_end(&mut answer)).await;
        end.expect("in time").expect("an answer");
        String::from_utf8(answer).expect("UTF-8")
    }

    /// The answer to a login.
    pub async fn login(&self, username: &str, password: &str) -> Answer {
        let body = json!({"username": username, "password": password});
        self.post(NOBODY, "login/", body).await
    }

    /// The access token of a login that must succeed.
    pub async fn log_in(&self, username: &str, password: &str) -> String {
        let answer = self.login(username, password).await;
        answer.assert_status(200).field("access")
    }

    /// The answer to a registration with [`PASSWORD`].
    pub async fn register(&self, username: &str) -> Answer {
        let body = registration(username, &format!("{username}@example.com"));
        self.post(NOBODY, "users/register/", body).await
    }

    /// Registers a user, who then logs in.
    pub async fn account(&self, username: &str) -> Account {
        let id = self.register(username).await.id();
        let tokens = self.login(username, PASSWORD).await;
        Account {
            id,
            access: tokens.field("access"),
            refresh: tokens.field("refresh"),
        }
    }
}

/// Whether an answer says to try again.
fn is_to_be_sent_again(answer: &Answer) -> bool {
    let text = "The object is being changed by other requests, try again.";
    answer.status == 503 || answer.parts() == (409, &detail(text))
}

/// The body of a registration with [`PASSWORD`].
pub fn registration(username: &str, email: &str) -> Value {
    json!({"username": username, "email": email, "password": PASSWORD, "password2": PASSWORD})
}

/// The path of a user.
pub fn user_path(id: impl std::fmt::Display) -> String {
    format!("users/{id}/")
}

/// An error with its causes: hyper's own text alone says little.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text += &format!(": {cause}");
        source = cause.source();
    }
    text
}
