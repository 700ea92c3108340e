//! The users of a dump, some at a time, read by a thread of their own.

use shared::store::{Store, moving::Known};
use tokio::{
    sync::mpsc::{Receiver, channel},
    task::JoinHandle,
};

use super::{
    Settings,
    objects::{self, DumpUser},
};
use crate::CommandError;

/// How many users are read from the table at once.
const CHUNK: usize = 100;

/// A reader of a dump, at work.
pub(super) type Reader = JoinHandle<Result<(), CommandError>>;

/// The users of a dump that can be read, in its order. The reader waits for who takes them.
pub(super) fn users(settings: &Settings, now: i64) -> (Receiver<Vec<DumpUser>>, Reader) {
    let (sender, receiver) = channel(2);
    let settings = settings.clone();
    let reader = tokio::task::spawn_blocking(move || {
        let mut chunk = Vec::with_capacity(CHUNK);
        let gone = |_| CommandError::new("stopped");
        settings.read(&mut |object| {
            if object.model != settings.form.user_model {
                return Ok(());
            }
            // What is wrong with others has been reported.
            chunk.extend(objects::user(&object, &settings.form, now).ok());
            if chunk.len() == CHUNK {
                let full = std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK));
                return sender.blocking_send(full).map_err(gone);
            }
            Ok(())
        })?;
        sender.blocking_send(chunk).map_err(gone)
    });
    (receiver, reader)
}

/// What the table knows of users, in their order.
///
/// # Errors
/// The table's failure.
pub(super) async fn known(store: &Store, users: &[DumpUser]) -> Result<Vec<Known>, CommandError> {
    let names = users.iter().map(|wanted| {
        let user = &wanted.user;
        (user.id, user.username.clone(), user.email.clone())
    });
    Ok(store.known_of(&names.collect::<Vec<_>>()).await?)
}

/// Waits for a reader.
///
/// # Errors
/// Its own.
pub(super) async fn end(reader: Reader) -> Result<(), CommandError> {
    reader
        .await
        .map_err(|error| CommandError::new(format!("cannot read the dump: {error}")))?
}
