//! A user at a keyboard: a process on a pseudo-terminal.

use std::{
    fs::File,
    io::Write,
    os::fd::AsFd,
    process::Child,
    sync::{Arc, LazyLock, atomic::AtomicBool},
    thread,
    time::Instant,
};

use pty_process::blocking::{Command, Pty, open};
use rustix::termios::{LocalModes, tcgetattr};
use signal_hook::{SigId, consts::SIGINT, flag::register_conditional_default};
use testkit::process::{DEADLINE, Ended, Output};

use super::process::Data;

/// Makes Ctrl-C end the binary even where the shell that started the tests ignores it, as it does
/// for a job in the background: a program inherits what is ignored, but no handler. This one does
/// here what the signal does by default.
static INTERRUPTIBLE: LazyLock<SigId> = LazyLock::new(|| {
    let handler = register_conditional_default(SIGINT, Arc::new(AtomicBool::new(true)));
    handler.expect("a handler")
});

/// A command that asks, and is killed when this is dropped.
pub struct Terminal {
    child: Child,
    pty: Pty,
    screen: Output,
    /// How much of the screen has been read.
    read: usize,
}

impl Terminal {
    /// Starts the binary on an embedded database.
    pub fn start(data: &Data, line: &str) -> Self {
        LazyLock::force(&INTERRUPTIBLE);
        let (pty, child_side) = open().expect("a terminal");
        let keyboard = pty.as_fd().try_clone_to_owned().expect("a terminal");
        let child = Command::new(env!("CARGO_BIN_EXE_manage"))
            .args(line.split(' '))
            .arg("--data")
            .arg(data.path())
            .env_clear()
            .spawn(child_side)
            .expect("the binary starts");
        Self {
            child,
            pty,
            screen: Output::of(File::from(keyboard)),
            read: 0,
        }
    }

    /// Waits until the screen goes on with something that has this text in it, and hands on all
    /// that came up to its end.
    pub fn see(&mut self, text: &str) -> String {
        let read = self.read;
        let end = self.screen.wait(text, |screen| {
            screen[read..]
                .find(text)
                .map(|start| read + start + text.len())
        });
        self.read = end;
        self.screen.so_far()[read..end].to_owned()
    }

    /// Types an answer to a question.
    pub fn answer(&mut self, question: &str, answer: &str) {
        self.see(question);
        self.type_keys(&format!("{answer}\n"));
    }

    /// Types an answer that must not show.
    pub fn answer_hidden(&mut self, question: &str, answer: &str) {
        self.see(question);
        self.wait_until_hidden();
        self.type_keys(&format!("{answer}\n"));
    }

    pub fn type_keys(&mut self, keys: &str) {
        self.pty.write_all(keys.as_bytes()).expect("a keyboard");
    }

    /// A question is printed just before the echo goes off; a person is never that quick.
    pub fn wait_until_hidden(&self) {
        let deadline = Instant::now() + DEADLINE;
        while self.echoes() {
            assert!(Instant::now() < deadline, "the answer would show");
            thread::yield_now();
        }
    }

    /// Whether what is typed shows.
    pub fn echoes(&self) -> bool {
        let modes = tcgetattr(self.pty.as_fd())
            .expect("the terminal's modes")
            .local_modes;
        modes.contains(LocalModes::ECHO)
    }

    /// Waits for the end of the command.
    pub fn end(&mut self) -> Ended {
        let stdout = self.screen.whole();
        let status = self.child.wait().expect("a status").code();
        Ended {
            status,
            stdout,
            stderr: String::new(),
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
