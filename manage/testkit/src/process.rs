//! Processes: none outlives its test, and none can make it wait for ever.

use std::{
    io::Read,
    process::{Child, Command, Stdio},
    sync::{Arc, Condvar, Mutex},
    thread,
    time::{Duration, Instant},
};

#[cfg(unix)]
use rustix::process::{Pid, Signal, kill_process};

/// Far more than anything here takes; what hangs must fail rather than stop the run.
pub const DEADLINE: Duration = Duration::from_secs(180);

/// Everything that a process has printed so far.
#[derive(Clone)]
pub struct Output(Arc<Printed>);

struct Printed {
    text: Mutex<Text>,
    changed: Condvar,
}

#[derive(Default)]
struct Text {
    text: String,
    ended: bool,
}

impl Output {
    /// Reads a stream to its end in a thread of its own.
    pub fn of(stream: impl Read + Send + 'static) -> Self {
        Self::until(None, stream)
    }

    /// The same, but closes the stream once it has brought this text.
    fn until(last: Option<&'static str>, mut stream: impl Read + Send + 'static) -> Self {
        let printed = Arc::new(Printed {
            text: Mutex::default(),
            changed: Condvar::new(),
        });
        let output = Self(Arc::clone(&printed));
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            loop {
                // A terminal ends with an error.
                let length = stream.read(&mut buffer).unwrap_or(0);
                let mut text = printed.text.lock().expect("the text");
                text.text += &String::from_utf8_lossy(&buffer[..length]);
                text.ended = length == 0 || last.is_some_and(|last| text.text.contains(last));
                printed.changed.notify_all();
                if text.ended {
                    return;
                }
            }
        });
        output
    }

    /// Waits until `find` finds what it looks for in the text.
    pub fn wait<T>(&self, what: &str, find: impl Fn(&str) -> Option<T>) -> T {
        self.wait_for(what, |text| find(&text.text))
    }

    /// The rest of the first whole line that begins with `label`.
    pub fn line(&self, label: &str) -> String {
        self.wait(label, |text| {
            let lines = text
                .split_inclusive('\n')
                .filter(|line| line.ends_with('\n'));
            lines
                .filter_map(|line| line.strip_prefix(label))
                .map(|rest| rest.trim().to_owned())
                .next()
        })
    }

    /// What has come until now.
    pub fn so_far(&self) -> String {
        self.0.text.lock().expect("the text").text.clone()
    }

    /// Everything, when it has ended.
    pub fn whole(&self) -> String {
        self.wait_for("the end", |text| text.ended.then(|| text.text.clone()))
    }

    fn wait_for<T>(&self, what: &str, find: impl Fn(&Text) -> Option<T>) -> T {
        let deadline = Instant::now() + DEADLINE;
        let mut text = self.0.text.lock().expect("the text");
        loop {
            if let Some(found) = find(&text) {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if text.ended || left.is_zero() {
                let got = text.text.clone();
                // The thread that reads goes on.
                drop(text);
                panic!("waited for {what}, got:\n{got}");
            }
            text = self.0.changed.wait_timeout(text, left).expect("the text").0;
        }
    }
}

/// A running process, killed when it is dropped.
pub struct Process {
    child: Child,
    /// Its standard output.
    pub stdout: Output,
    /// Its standard error.
    pub stderr: Output,
}

/// How a process ended.
#[derive(Debug)]
pub struct Ended {
    /// `None` if a signal ended it.
    pub status: Option<i32>,
    /// Everything that it printed.
    pub stdout: String,
    /// Everything on its standard error.
    pub stderr: String,
}

impl Process {
    /// Starts one that reads nothing.
    pub fn start(command: &mut Command) -> Self {
        Self::start_and_read_until(None, command)
    }

    /// Starts one whose output is not read any more after this text.
    pub fn start_and_read_until(last: Option<&'static str>, command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let stdout = Output::until(last, child.stdout.take().expect("its output"));
        let stderr = Output::of(child.stderr.take().expect("its errors"));
        Self {
            child,
            stdout,
            stderr,
        }
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal.
    #[cfg(unix)]
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("a signal");
    }

    /// Ends it without a word.
    pub fn kill(&mut self) {
        self.child.kill().expect("a running process");
    }

    /// Waits for its end.
    pub fn end(mut self) -> Ended {
        let (stdout, stderr) = (self.stdout.whole(), self.stderr.whole());
        let status = self.child.wait().expect("a status").code();
        Ended {
            status,
            stdout,
            stderr,
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Ended {
    Process::start(command).end()
}

impl Ended {
    /// Asserts success, and hands on what was printed.
    #[track_caller]
    pub fn succeeded(self) -> String {
        assert_eq!(
            (self.status, self.stderr.as_str()),
            (Some(0), ""),
            "{}",
            self.stdout
        );
        self.stdout
    }

    /// Asserts that it failed with status 1 and one line, and hands on the line.
    #[track_caller]
    pub fn failed(self) -> String {
        assert_eq!(self.status, Some(1), "{self:?}");
        let line = self
            .stderr
            .strip_prefix("Error: ")
            .and_then(|text| text.strip_suffix('\n'));
        let line = line.unwrap_or_else(|| panic!("no line of an error: {self:?}"));
        assert!(
            !line.contains('\n') && !line.contains("panicked"),
            "not one line: {line}"
        );
        assert!(line.len() < 300, "not a short line: {line}");
        line.to_owned()
    }
}
