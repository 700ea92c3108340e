//! The Lambda Runtime API on loopback, as much of it as a function asks for. Threads that block,
//! and no HTTP library, so that its own time hardly shows in the figures.

use std::{
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// What a function told.
pub enum Told {
    /// It asks for an event.
    Ready,
    /// It answered one.
    Answer(Answer),
    /// It reported an error, which stands on standard error.
    Failure,
}

pub struct Answer {
    pub body: Vec<u8>,
    pub arrived: Instant,
    /// Since the event was sent.
    pub took: Duration,
}

/// One function's API.
pub struct RuntimeApi {
    pub address: SocketAddr,
    pub events: Sender<String>,
    pub told: Receiver<Told>,
}

impl RuntimeApi {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (events, waiting) = channel();
        let (tell, told) = channel();
        let served = Served {
            events: Arc::new(Mutex::new(waiting)),
            sent: Arc::new(Mutex::new(Instant::now())),
            tell,
        };
        thread::spawn(move || {
            for stream in listener.incoming() {
                let served = served.clone();
                // A function's end ends its connections, in whatever state they are.
                thread::spawn(move || served.connection(stream.ok()?));
            }
        });
        Self {
            address,
            events,
            told,
        }
    }
}

#[derive(Clone)]
struct Served {
    events: Arc<Mutex<Receiver<String>>>,
    sent: Arc<Mutex<Instant>>,
    tell: Sender<Told>,
}

impl Served {
    /// Serves a connection to its end.
    fn connection(&self, mut stream: TcpStream) -> Option<()> {
        stream.set_nodelay(true).ok()?;
        let mut reader = BufReader::new(stream.try_clone().ok()?);
        loop {
            let (path, body) = read_request(&mut reader)?;
            let arrived = Instant::now();
            let response = match path.rsplit('/').next() {
                Some("next") => {
                    self.tell.send(Told::Ready).ok()?;
                    let event = self.events.lock().ok()?.recv().ok()?;
                    *self.sent.lock().ok()? = Instant::now();
                    event_response(&event)
                }
                Some("response") => {
                    let took = arrived.duration_since(*self.sent.lock().ok()?);
                    self.tell
                        .send(Told::Answer(Answer {
                            body,
                            arrived,
                            took,
                        }))
                        .ok()?;
                    ACCEPTED.to_owned()
                }
                _ => {
                    eprintln!("{path}: {}", String::from_utf8_lossy(&body));
                    self.tell.send(Told::Failure).ok()?;
                    ACCEPTED.to_owned()
                }
            };
            stream.write_all(response.as_bytes()).ok()?;
        }
    }
}

const ACCEPTED: &str = "HTTP/1.1 202 Accepted\r\n\
    Content-Type: application/json\r\nContent-Length: 16\r\n\r\n{\"status\": \"OK\"}";

fn event_response(event: &str) -> String {
    let deadline = SystemTime::now() + Duration::from_secs(15);
    let deadline = deadline.duration_since(UNIX_EPOCH).expect("a time of now");
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\
         Lambda-Runtime-Aws-Request-Id: 8476a536-e9f4-11e8-9739-2dfe598c3fcd\r\n\
         Lambda-Runtime-Deadline-Ms: {}\r\n\
         Lambda-Runtime-Invoked-Function-Arn: \
         arn:aws:lambda:us-east-1:123456789012:function:bench\r\n\
         Lambda-Runtime-Trace-Id: \
         Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0\r\n\
         Content-Length: {}\r\n\r\n{event}",
        deadline.as_millis(),
        event.len(),
    )
}

/// The path and body of the next request; `None` at the connection's end.
fn read_request(reader: &mut impl BufRead) -> Option<(String, Vec<u8>)> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut length = 0;
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.split_once(':') else {
            break;
        };
        let name = name.to_ascii_lowercase();
        assert_ne!(name, "transfer-encoding", "bodies come whole");
        if name == "content-length" {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((path, body))
}
