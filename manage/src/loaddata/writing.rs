//! Writes what has been judged: sequences first, then permissions, groups and users. Each step finds out
//! what is done already, so that a load that was stopped can be run again.

use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::{TryStreamExt, stream};
use indicatif::ProgressBar;
use shared::{
    accounts::Refused,
    domain::log_entry::Model,
    hashing::Hasher,
    store::{
        Refusal, Store, WriteError,
        keys::Sequence,
        moving::{Arrival, Known, pack},
        user_model::UserModel,
    },
};
use tokio::sync::Mutex;

use super::{
    OnConflict, Settings, chunks,
    collecting::Survey,
    compare::{Comparison, Verdict},
    objects::DumpUser,
    report::Tally,
    rights,
};
use crate::{
    CommandError,
    pace::{Pace, WRITERS, bar, patiently},
};

/// How often those who are left are dealt with in vain.
const IN_VAIN: u32 = 3;

/// What was done.
pub struct Written {
    /// For users.
    pub users: Tally,
    /// How many users and groups of an earlier load were deleted.
    pub deleted: u64,
}

/// Writes rights and users.
///
/// # Errors
/// The table's failure, or a name that was taken since the dump was judged.
pub async fn write(
    store: &Store,
    settings: &Settings,
    survey: &mut Survey,
) -> Result<Written, CommandError> {
    // Ids that the dump brings are given to nobody else from here on.
    if let Some(last) = survey.ids.last() {
        store.advance(Sequence::User, *last).await?;
    }
    if let Some(last) = survey.plan.groups.keys().last() {
        store.advance(Sequence::Group, *last).await?;
    }
    let mut deleted = 0;
    if settings.prunes {
        (deleted, survey.gone) = rights::prune(store, settings, survey).await?;
    }
    for content_type in &survey.plan.declared {
        store.declare_content_type(content_type).await?;
    }
    declare_user_model(store, settings, survey).await?;
    rights::permissions(store, settings, &mut survey.plan).await?;
    rights::groups(store, settings, &mut survey.plan).await?;
    if let Some(name) = &settings.move_user {
        rights::move_user(store, name, survey).await?;
    }
    let users = users(store, settings, survey).await?;
    if settings.prunes {
        let (late, left) = rights::prune(store, settings, survey).await?;
        if let Some(id) = left.first() {
            let text = format!("user {id} is the last active superuser, and is not deleted");
            return Err(CommandError::new(text));
        }
        deleted += late;
    }
    Ok(Written { users, deleted })
}

/// Keeps what the dump says of a custom user model, for a dump of the way back.
async fn declare_user_model(
    store: &Store,
    settings: &Settings,
    survey: &Survey,
) -> Result<(), CommandError> {
    let form = &settings.form;
    if form.user_model == Model::User.content_type() || survey.ids.is_empty() {
        return Ok(());
    }
    let model = UserModel {
        model: form.user_model.clone(),
        username_field: form.username_field.clone(),
        lacks: survey
            .lacks
            .iter()
            .map(|field| (*field).to_owned())
            .collect(),
    };
    if store.user_model().await?.as_ref() != Some(&model) {
        store.declare_user_model(&model).await?;
    }
    Ok(())
}

/// Writes users, and counts what was done.
struct Writer<'a> {
    store: &'a Store,
    settings: &'a Settings,
    survey: &'a Survey,
    hasher: Hasher,
    pace: Pace,
    bar: ProgressBar,
    new: AtomicU64,
    changed: AtomicU64,
    unchanged: AtomicU64,
    skipped: AtomicU64,
    /// Those whose names others have to give up first, or who were changed meanwhile, and what was said.
    later: Mutex<Vec<(DumpUser, CommandError)>>,
}

async fn users(store: &Store, settings: &Settings, survey: &Survey) -> Result<Tally, CommandError> {
    let writer = Writer {
        store,
        settings,
        survey,
        hasher: Hasher::default(),
        pace: Pace::of(settings.write_rate),
        bar: bar(survey.ids.len()),
        new: AtomicU64::new(0),
        changed: AtomicU64::new(0),
        unchanged: AtomicU64::new(0),
        skipped: AtomicU64::new(0),
        later: Mutex::new(Vec::new()),
    };
    let (incoming, reader) = chunks::users(settings, store.now());
    let chunks = stream::unfold(incoming, async |mut incoming| {
        let chunk = incoming.recv().await?;
        Some((Ok::<_, CommandError>(chunk), incoming))
    });
    let writer = &writer;
    let written = chunks
        .try_for_each_concurrent(WRITERS, |chunk| async move { writer.chunk(chunk).await })
        .await;
    written?;
    chunks::end(reader).await?;
    writer.rest().await?;
    writer.bar.finish_and_clear();
    let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
    Ok(Tally {
        new: count(&writer.new),
        changed: count(&writer.changed),
        unchanged: count(&writer.unchanged),
        skipped: count(&writer.skipped),
    })
}

impl Writer<'_> {
    async fn chunk(&self, chunk: Vec<DumpUser>) -> Result<(), CommandError> {
        let size = chunk.len() as u64;
        // Another load may have been there since.
        let known = if self.survey.is_first {
            vec![Known::default(); chunk.len()]
        } else {
            chunks::known(self.store, &chunk).await?
        };
        let mut arrivals = Vec::new();
        let mut wanted_by_id = std::collections::HashMap::new();
        for (wanted, known) in chunk.into_iter().zip(known) {
            if let Some(arrival) = self.one(&wanted, &known).await? {
                wanted_by_id.insert(arrival.user.id, wanted);
                arrivals.push(arrival);
            }
        }
        for pack in pack(arrivals)? {
            self.pace.wait(pack.len()).await;
            match patiently(|| self.store.insert_arrivals(&pack)).await {
                Ok(()) => self.count(&self.new, pack.len()),
                Err(WriteError::Refused(refusals)) => {
                    // One of them is there already, or has a name that another has: each by itself.
                    let wanted = pack
                        .iter()
                        .filter_map(|one| wanted_by_id.remove(&one.user.id));
                    let later = wanted.map(|wanted| {
                        let refused = WriteError::Refused(refusals.clone());
                        let said = failed(&wanted, refused);
                        (wanted, said)
                    });
                    self.later.lock().await.extend(later);
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.bar.inc(size);
        Ok(())
    }

    fn count(&self, counter: &AtomicU64, by: usize) {
        counter.fetch_add(by as u64, Ordering::Relaxed);
    }

    /// Deals with a user who is here; gives one who is not.
    async fn one(&self, wanted: &DumpUser, known: &Known) -> Result<Option<Arrival>, CommandError> {
        let comparison = Comparison {
            plan: &self.survey.plan,
            hasher: &self.hasher,
            moved: None,
        };
        let shares = self.survey.shares(&wanted.user.email);
        match comparison.verdict(wanted, known, |id| self.survey.has(id)) {
            Verdict::New => {
                let arrival = comparison.arrival(wanted, shares);
                // Every permission of the dump has been made.
                return Ok(arrival);
            }
            Verdict::Taken(..) if self.settings.on_conflict == OnConflict::Skip => {
                self.count(&self.skipped, 1);
            }
            // Since the dump was judged.
            Verdict::Taken(_, what) => return Err(CommandError::new(what)),
            // Somebody else has their address since.
            Verdict::Same(before) if shares && !before.shares_email => {
                let mut after = (*before).clone();
                after.shares_email = true;
                let arrival = Arrival {
                    user: after,
                    password: wanted.password.clone(),
                    given: None,
                };
                let written =
                    patiently(|| self.store.update_arrival(&before, arrival.clone(), false));
                self.written(wanted, written.await, &self.unchanged).await?;
            }
            Verdict::Same(_) => self.count(&self.unchanged, 1),
            Verdict::Differs {
                before,
                has_new_password,
                ..
            } if self.settings.on_conflict == OnConflict::Update => {
                let Some(mut user) = comparison.merged(&before, wanted) else {
                    return Ok(None);
                };
                user.shares_email |= shares;
                let (password, given) = comparison.password(wanted);
                let arrival = Arrival {
                    user,
                    password,
                    given,
                };
                self.pace.wait(1).await;
                let written = patiently(|| {
                    let arrival = arrival.clone();
                    self.store
                        .update_arrival(&before, arrival, has_new_password)
                });
                self.written(wanted, written.await, &self.changed).await?;
            }
            Verdict::Differs { .. } if self.settings.on_conflict == OnConflict::Skip => {
                self.count(&self.skipped, 1);
            }
            // Since the dump was judged.
            Verdict::Differs { .. } => {
                let said = "others have made or changed it since the dump was judged";
                return Err(named(wanted, said));
            }
        }
        Ok(None)
    }

    /// Counts what was written of a user who is here. What others got in the way of is done later.
    async fn written(
        &self,
        wanted: &DumpUser,
        written: Result<(), WriteError>,
        counter: &AtomicU64,
    ) -> Result<(), CommandError> {
        match written {
            Ok(()) => self.count(counter, 1),
            Err(WriteError::Refused(refusals)) if !refusals.contains(&Refusal::LastSuperuser) => {
                let said = failed(wanted, WriteError::Refused(refusals));
                self.later.lock().await.push((wanted.clone(), said));
            }
            Err(error) => return Err(failed(wanted, error)),
        }
        Ok(())
    }

    /// Deals with those who were refused, one by one, for as long as that helps.
    async fn rest(&self) -> Result<(), CommandError> {
        let mut in_vain = 0;
        loop {
            let later = std::mem::take(&mut *self.later.lock().await);
            let before = later.len();
            for (wanted, _) in later {
                let known = chunks::known(self.store, std::slice::from_ref(&wanted)).await?;
                let known = known.into_iter().next().unwrap_or_default();
                let Some(arrival) = self.one(&wanted, &known).await? else {
                    continue;
                };
                match patiently(|| self.store.insert_arrivals(std::slice::from_ref(&arrival))).await
                {
                    Ok(()) => self.count(&self.new, 1),
                    Err(error @ WriteError::Refused(_)) => {
                        let said = failed(&wanted, error);
                        self.later.lock().await.push((wanted, said));
                    }
                    Err(error) => return Err(failed(&wanted, error)),
                }
            }
            let mut later = self.later.lock().await;
            in_vain += u32::from(later.len() >= before);
            if later.is_empty() {
                return Ok(());
            }
            // Others may have been quicker; a name that nobody gives up stays taken.
            if in_vain == IN_VAIN
                && let Some((_, said)) = later.pop()
            {
                return Err(said);
            }
        }
    }
}

fn failed(wanted: &DumpUser, error: WriteError) -> CommandError {
    match error {
        WriteError::Refused(refusals) => {
            let names = refusals.iter().filter_map(|refusal| refusal.field_error());
            let names: Vec<_> = names.map(|(_, error)| error.django()).collect();
            match names.is_empty() {
                true => named(wanted, "others change it at the same time"),
                false => named(wanted, &names.join(" ")),
            }
        }
        error => named(
            wanted,
            &CommandError::from(Refused::from(error)).to_string(),
        ),
    }
}

fn named(wanted: &DumpUser, said: &str) -> CommandError {
    let (id, name) = (wanted.user.id, wanted.user.username.as_str());
    CommandError::new(format!("user {id} '{name}': {said}"))
}
