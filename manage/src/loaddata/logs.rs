//! Django's log of changes and SimpleJWT's blacklist, where they are asked for.

use std::collections::HashMap;

use shared::{
    domain::{
        ContentType, User, UserId,
        log_entry::{ActionFlag, LogEntry, Model},
    },
    store::{Store, StoreError},
};

use super::{
    Settings,
    judging::Survey,
    objects::{self, DumpLogEntry, Reference},
    report::Kind,
};
use crate::CommandError;

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
    let (mut entries, mut tokens) = (0, 0);
    let mut actors = HashMap::new();
    while let Some(extra) = incoming.recv().await {
        match extra {
            Extra::Token(jti, ends) => {
                if ends > store.now() {
                    store.blacklist(&jti, ends).await?;
                    tokens += 1;
                }
            }
            Extra::LogEntry(entry) => {
                let pk = entry.pk;
                let is_taken = match log_entry(store, survey, &mut actors, entry).await? {
                    Some(entry) => store.load_log_entry(entry, pk).await?,
                    None => false,
                };
                if is_taken {
                    entries += 1;
                } else {
                    survey
                        .report
                        .note(Kind::NotTaken, format!("admin.logentry {pk}"));
                }
            }
        }
    }
    super::chunks::end(reader).await?;
    Ok((entries, tokens))
}

/// An entry whose references are known here; none of objects of other applications.
async fn log_entry(
    store: &Store,
    survey: &Survey,
    actors: &mut HashMap<Reference, Option<(UserId, String)>>,
    entry: DumpLogEntry,
) -> Result<Option<LogEntry>, StoreError> {
    let content_type = survey.plan.content_type(&entry.content_type);
    let Some(content_type) = content_type.and_then(|model| model_of(&model)) else {
        return Ok(None);
    };
    let Some(object_id) = entry.object_id else {
        return Ok(None);
    };
    if !actors.contains_key(&entry.user) {
        let user: Option<User> = match &entry.user {
            Reference::Id(id) => store.user(UserId(*id)).await?,
            Reference::Natural(key) => match key.as_slice() {
                [name] => store.user_typed(name).await?,
                _ => None,
            },
        };
        let actor = user.map(|user| (user.id, user.username.as_str().to_owned()));
        actors.insert(entry.user.clone(), actor);
    }
    let actor = actors.get(&entry.user).cloned().flatten();
    let (Some((user_id, username)), Ok(action_flag)) =
        (actor, ActionFlag::try_from(entry.action_flag))
    else {
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

fn model_of(content_type: &ContentType) -> Option<Model> {
    let models = [Model::User, Model::Group, Model::Permission];
    let name = content_type.to_string();
    models
        .into_iter()
        .find(|model| model.content_type() == name)
}
