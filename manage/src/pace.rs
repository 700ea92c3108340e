//! How fast a table is read or written, how patiently, and what is shown meanwhile.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use shared::store::WriteError;
use tokio::{
    sync::Mutex,
    time::{Instant, sleep, sleep_until},
};

/// How many writes are under way at once.
pub(crate) const WRITERS: usize = 32;
/// How often a write is tried that the table did not take.
const TRIES: u32 = 8;

/// Writes again, more and more slowly, what a throttled or busy table did not take.
///
/// # Errors
/// That of the last try, or a refusal.
pub(crate) async fn patiently<T, F: Future<Output = Result<T, WriteError>>>(
    write: impl Fn() -> F,
) -> Result<T, WriteError> {
    let mut pause = Duration::from_millis(500);
    for _ in 1..TRIES {
        match write().await {
            Err(WriteError::Contended | WriteError::Failed(_)) => {
                sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(20));
            }
            done => return done,
        }
    }
    write().await
}

/// Shows how many of so many users are read or written, where there is a terminal.
pub(crate) fn bar(users: usize) -> ProgressBar {
    let bar = ProgressBar::new(users as u64);
    if let Ok(style) =
        ProgressStyle::with_template("Users {wide_bar} {pos}/{len}  {per_sec}  {eta} left")
    {
        bar.set_style(style);
    }
    bar
}

/// How fast objects are read or written at most.
pub(crate) struct Pace(Option<Mutex<Turns>>);

struct Turns {
    /// How long one object takes.
    each: Duration,
    /// When the next may be written.
    next: Instant,
}

impl Pace {
    /// So many objects a second; as fast as the table takes them if none.
    pub(crate) fn of(per_second: Option<u32>) -> Self {
        Self(per_second.map(|rate| Mutex::new(Turns::of(rate, Instant::now()))))
    }

    /// Waits until so many more may be read or written.
    pub(crate) async fn wait(&self, objects: usize) {
        if let Some(turns) = &self.0 {
            let turn = turns.lock().await.take(Instant::now(), objects);
            sleep_until(turn).await;
        }
    }
}

impl Turns {
    fn of(per_second: u32, now: Instant) -> Self {
        Self {
            each: Duration::from_secs(1) / per_second.max(1),
            next: now,
        }
    }

    /// When so many objects may be written. What was not used before is not made up for.
    fn take(&mut self, now: Instant, objects: usize) -> Instant {
        let turn = self.next.max(now);
        self.next = turn + self.each * u32::try_from(objects).unwrap_or(u32::MAX);
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_objects_a_second_are_written_than_asked_for() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut turns = Turns::of(50, start);
        let taken = [10, 20, 1].map(|objects| turns.take(start, objects));
        assert_eq!(taken, [at(0), at(200), at(600)]);
        // A pause is no reason to hurry afterwards.
        let taken = [10, 10].map(|objects| turns.take(at(5000), objects));
        assert_eq!(taken, [at(5000), at(5200)]);
    }
}
