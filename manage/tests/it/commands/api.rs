//! Requests to a `runserver`, each on its own connection.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
};

use serde_json::{Value, json};

use super::process::DEADLINE;

/// The API at an address.
#[derive(Clone, Copy)]
pub struct Api {
    pub address: SocketAddr,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    head: String,
    /// `Null` if there is no body.
    pub body: Value,
}

impl Api {
    pub fn at(address: SocketAddr) -> Self {
        Self { address }
    }

    /// One request, or why it has no answer.
    pub fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> io::Result<Answer> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(DEADLINE))?;
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut request = format!(
            "{method} /api/auth/{path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n",
            self.address,
            body.len()
        );
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        request += "\r\n";
        request += &body;
        stream.write_all(request.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Answer::parse(&answer).ok_or_else(|| io::Error::other(format!("half an answer: {answer}")))
    }

    /// The same with a token, by somebody who expects an answer.
    pub fn ask(&self, method: &str, path: &str, token: &str, body: Value) -> Answer {
        let bearer = format!("Bearer {token}");
        let headers = [("Authorization", bearer.as_str())];
        let headers = if token.is_empty() {
            &[][..]
        } else {
            &headers[..]
        };
        self.send(method, path, headers, Some(&body))
            .expect("an answer")
    }

    pub fn login(&self, username: &str, password: &str) -> Answer {
        self.ask(
            "POST",
            "login/",
            "",
            json!({"username": username, "password": password}),
        )
    }

    /// The access token of a login that must succeed.
    #[track_caller]
    pub fn log_in(&self, username: &str, password: &str) -> String {
        let answer = self.login(username, password);
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body["access"].as_str().expect("a token").to_owned()
    }

    /// Registers a user and tells his id.
    #[track_caller]
    pub fn register(&self, username: &str, password: &str) -> u64 {
        let answer = self.ask(
            "POST",
            "users/register/",
            "",
            registration(username, password),
        );
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.body["id"].as_u64().expect("an id")
    }
}

/// The body of a registration.
pub fn registration(username: &str, password: &str) -> Value {
    json!({
        "username": username,
        "email": format!("{username}@example.com"),
        "password": password,
        "password2": password,
    })
}

impl Answer {
    fn parse(text: &str) -> Option<Self> {
        let (head, body) = text.split_once("\r\n\r\n")?;
        let answer = Self {
            status: head.split(' ').nth(1)?.parse().ok()?,
            head: head.to_owned(),
            body: if body.is_empty() {
                Value::Null
            } else {
                serde_json::from_str(body).ok()?
            },
        };
        // A process that is killed can end an answer anywhere.
        let length: usize = answer
            .header("content-length")
            .map_or(Some(0), |text| text.parse().ok())?;
        (length == body.len()).then_some(answer)
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self
            .head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(':'));
        lines
            .find(|(given, _)| given.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
    }
}
