//! A proxy before a `runserver`, which can spoil answers as a gateway would.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use testkit::process::DEADLINE;

use super::process::Runserver;

/// Stands before a server as API Gateway does.
pub struct Proxy {
    pub address: SocketAddr,
    /// The first line of every request and its `Host`.
    requests: Arc<Mutex<Vec<(String, String)>>>,
}

impl Proxy {
    /// Passes everything on; `change` gets the method, the path and the server's answer.
    pub fn before(
        server: &Runserver,
        change: impl Fn(&str, &str, String) -> String + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let requests = Arc::default();
        let (noted, change) = (Arc::clone(&requests), Arc::new(change));
        let server: SocketAddr = server.address().parse().expect("an address");
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (noted, change) = (Arc::clone(&noted), Arc::clone(&change));
                thread::spawn(move || serve(stream, server, &noted, &*change));
            }
        });
        Self { address, requests }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn requests(&self) -> Vec<(String, String)> {
        self.requests.lock().expect("the requests").clone()
    }
}

/// One request of a connection: the answer ends it.
fn serve(
    mut client: TcpStream,
    server: SocketAddr,
    noted: &Mutex<Vec<(String, String)>>,
    change: &dyn Fn(&str, &str, String) -> String,
) {
    client
        .set_read_timeout(Some(DEADLINE))
        .expect("a time limit");
    let mut request = String::new();
    while !is_whole(&request) {
        let mut buffer = [0; 4096];
        match client.read(&mut buffer).expect("a request") {
            0 => return,
            length => request += std::str::from_utf8(&buffer[..length]).expect("text"),
        }
    }
    let (line, rest) = request.split_once("\r\n").expect("a line");
    let host = header(rest, "host").unwrap_or_default();
    let note = (line.to_owned(), host.to_owned());
    noted.lock().expect("the requests").push(note);

    let mut server = TcpStream::connect(server).expect("the server");
    let closing = format!("{line}\r\nConnection: close\r\n{rest}");
    server.write_all(closing.as_bytes()).expect("a request");
    let mut answer = String::new();
    server.read_to_string(&mut answer).expect("an answer");
    let mut words = line.split(' ');
    let (method, path) = (
        words.next().expect("a method"),
        words.next().expect("a path"),
    );
    let answer = change(method, path, answer);
    client.write_all(answer.as_bytes()).expect("a client");
}

fn is_whole(request: &str) -> bool {
    request.split_once("\r\n\r\n").is_some_and(|(head, body)| {
        let length = header(head, "content-length").unwrap_or("0");
        body.len() == length.parse::<usize>().expect("a length")
    })
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    lines
        .find(|(given, _)| given.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

/// The answer without a header.
pub fn without(answer: &str, name: &str) -> String {
    let begins = |line: &&str| {
        line.split_once(':')
            .is_some_and(|(given, _)| given.eq_ignore_ascii_case(name))
    };
    answer
        .split_inclusive('\n')
        .filter(|line| !begins(line))
        .collect()
}

/// A 404 with this body and no other header.
pub fn not_found(body: &str) -> String {
    format!(
        "HTTP/1.1 404 Not Found\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// The answer with one more header.
pub fn with(answer: &str, header: &str) -> String {
    answer.replacen("\r\n", &format!("\r\n{header}\r\n"), 1)
}
