//! Django's log of changes and SimpleJWT's blacklist, where they are asked for.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicU64, Ordering},
};

use futures_util::{TryStreamExt, stream};
use shared::{
    domain::{
        ContentType, User, UserId,
        log_entry::{ActionFlag, LogEntry, Model},
    },
    store::{Store, StoreError},
};
use tokio::sync::Mutex;

use super::{
    Settings,
    collecting::Survey,
    objects::{self, DumpLogEntry, Reference},
    report::Kind,
};
use crate::{
    CommandError,
    pace::{Pace, WRITERS, patiently},
};

/// What is loaded besides accounts.
enum Extra {
    LogEntry(DumpLogEntry),
    Token(String, i64),
}

/// Loads what the options ask for. Returns how many entries of the log and of the blacklist.
///
/// # Errors
/// The table's failure.
pub async fn load(
    store: &Store,
    settings: &Settings,
    survey: &mut Survey,
) -> Result<(u64, u64), CommandError> {
    if !settings.log_entries && !settings.blacklist {
        return Ok((0, 0));
    }
    let (sender, mut incoming) = tokio::sync::mpsc::channel(256);
    let (reading, blacklisted) = (settings.clone(), survey.blacklisted.clone());
    let reader = tokio::task::spawn_blocking(move || {
        reading.read(&mut |object| {
            let extra = match object.model.as_str() {
                "admin.logentry" if reading.log_entries => {
                    let entry = objects::log_entry(&object, &reading.form).ok().flatten();
                    entry.map(Extra::LogEntry)
                }
                "token_blacklist.outstandingtoken" if reading.blacklist => {
                    let token = objects::outstanding_token(&object, &reading.form).ok();
                    let token = token.filter(|(pk, ..)| blacklisted.contains(pk));
                    token.map(|(_, jti, ends)| Extra::Token(jti, ends))
                }
                _ => return Ok(()),
            };
            match extra {
                Some(extra) => {
                    let sent = sender.blocking_send(extra);
                    sent.map_err(|_| CommandError::new("stopped"))
                }
                None => Ok(()),
            }
        })
    });
    let extras = stream::unfold(&mut incoming, async |incoming| {
        let extra = incoming.recv().await?;
        Some((Ok::<_, CommandError>(extra), incoming))
    });
    let loading = Loading {
        store,
        survey,
        pace: Pace::of(settings.write_rate),
        actors: Mutex::default(),
        entries: AtomicU64::new(0),
        tokens: AtomicU64::new(0),
        not_taken: Mutex::default(),
    };
    let loaded = extras.try_for_each_concurrent(WRITERS, |extra| loading.one(extra));
    loaded.await?;
    let counts = (loading.entries.into_inner(), loading.tokens.into_inner());
    for pk in loading.not_taken.into_inner() {
        let example = format!("admin.logentry {pk}");
        survey.report.note(Kind::NotTaken, example);
    }
    super::chunks::end(reader).await?;
    Ok(counts)
}

/// How many of those who did something are remembered.
const ACTORS: usize = 10_000;

/// Loads entries, and counts them.
struct Loading<'a> {
    store: &'a Store,
    survey: &'a Survey,
    pace: Pace,
    /// Who did something, as far as they are here.
    actors: Mutex<HashMap<Reference, Option<(UserId, String)>>>,
    entries: AtomicU64,
    tokens: AtomicU64,
    not_taken: Mutex<Vec<u64>>,
}

impl Loading<'_> {
    async fn one(&self, extra: Extra) -> Result<(), CommandError> {
        let store = self.store;
        match extra {
            Extra::Token(_, ends) if ends <= store.now() => {}
            Extra::Token(jti, ends) => {
                self.pace.wait(1).await;
                patiently(async || Ok(store.blacklist(&jti, ends).await?)).await?;
                self.tokens.fetch_add(1, Ordering::Relaxed);
            }
            Extra::LogEntry(entry) => {
                let pk = entry.pk;
                self.pace.wait(1).await;
                let is_taken = match self.log_entry(entry).await? {
                    Some(entry) => {
                        let load = async || Ok(store.load_log_entry(entry.clone(), pk).await?);
                        patiently(load).await?
                    }
                    None => false,
                };
                if is_taken {
                    self.entries.fetch_add(1, Ordering::Relaxed);
                } else {
                    self.not_taken.lock().await.push(pk);
                }
            }
        }
        Ok(())
    }

    /// An entry whose references are known here; none of objects of other applications.
    async fn log_entry(&self, entry: DumpLogEntry) -> Result<Option<LogEntry>, StoreError> {
        let content_type = self.survey.plan.content_type(&entry.content_type);
        let Some(content_type) = content_type.and_then(|model| model_of(&model)) else {
            return Ok(None);
        };
        let Some(object_id) = entry.object_id else {
            return Ok(None);
        };
        let (Some((user_id, username)), Ok(action_flag)) = (
            self.actor(entry.user).await?,
            ActionFlag::try_from(entry.action_flag),
        ) else {
            return Ok(None);
        };
        Ok(Some(LogEntry {
            action_time: entry.action_time,
            user_id,
            username,
            content_type,
            object_id,
            object_repr: entry.object_repr,
            action_flag,
            change_message: entry.change_message,
        }))
    }

    /// Who a reference of an entry means.
    async fn actor(&self, reference: Reference) -> Result<Option<(UserId, String)>, StoreError> {
        if let Some(actor) = self.actors.lock().await.get(&reference) {
            return Ok(actor.clone());
        }
        let user: Option<User> = match &reference {
            Reference::Id(id) => self.store.user(UserId(*id)).await?,
            Reference::Natural(key) => match key.as_slice() {
                [name] => self.store.user_typed(name).await?,
                _ => None,
            },
        };
        let actor = user.map(|user| (user.id, user.username.as_str().to_owned()));
        let mut actors = self.actors.lock().await;
        if actors.len() >= ACTORS {
            actors.clear();
        }
        actors.insert(reference, actor.clone());
        Ok(actor)
    }
}

fn model_of(content_type: &ContentType) -> Option<Model> {
    let models = [Model::User, Model::Group, Model::Permission];
    let name = content_type.to_string();
    models
        .into_iter()
        .find(|model| model.content_type() == name)
}
