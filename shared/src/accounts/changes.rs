//! The one loop of every change: judge it, write it if nobody else wrote meanwhile, and else read,
//! judge and write again.

use super::{Gone, Refused};
use crate::{
    domain::{Actor, User},
    input::FieldErrors,
    store::{
        Refusal, Store, StoreError, Versioned, WriteError,
        table::pause,
        writes::{Write, begun},
    },
};

/// How often a change is read, judged and written before it is given up.
const TRIES: u32 = 20;

/// A model whose changes are judged.
pub(super) trait Judged: Versioned {
    /// Whether `actor` may make `after` of `before`. A new object has no `before`, a deleted one no
    /// `after`.
    fn is_allowed(
        store: &Store,
        actor: Actor<'_>,
        before: Option<&Self>,
        after: Option<&Self>,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Why `actor` can change nothing any more, if this is the actor as they are now.
    fn gone(&self, _: Actor<'_>) -> Option<Refused> {
        None
    }

    /// The field errors of what there is too much of in `after`, made of `before`: see
    /// [`crate::domain::quotas`].
    fn crowded(before: Option<&Self>, after: &Self) -> FieldErrors;

    /// The field errors of its names that belong to other objects.
    fn taken(&self, store: &Store) -> impl Future<Output = Result<FieldErrors, StoreError>> + Send;
}

/// Refuses what is too much, and what an actor may not do. Field errors come first, and the transaction
/// that would tell of a taken name is not tried, so it is looked up.
pub(super) async fn judge<T: Judged>(
    store: &Store,
    actor: Actor<'_>,
    before: Option<&T>,
    after: Option<&T>,
) -> Result<(), Refused> {
    if let Some(refused) = before.and_then(|before| before.gone(actor)) {
        return Err(refused);
    }
    if let Some(after) = after {
        let crowded = T::crowded(before, after);
        crowded.into_result().map_err(Refused::Invalid)?;
    }
    if T::is_allowed(store, actor, before, after).await? {
        return Ok(());
    }
    if let Some(after) = after {
        let taken = after.taken(store).await?;
        taken.into_result().map_err(Refused::Invalid)?;
    }
    Err(Refused::PermissionDenied)
}

/// Changes an object. `known` spares the first read.
///
/// A change that the object already has needs no write: the SDK may have sent a write again whose
/// answer was lost, and then the version alone tells nothing.
pub(super) async fn change<T: Judged>(
    store: &Store,
    actor: Actor<'_>,
    known: T,
    apply: impl Fn(&T) -> T,
) -> Result<T, Refused> {
    change_with(store, actor, known, apply, |_, _| Ok(Vec::new())).await
}

/// Changes an object, with more writes in the same transaction: `more` of what is before and after.
pub(super) async fn change_with<T: Judged>(
    store: &Store,
    actor: Actor<'_>,
    known: T,
    apply: impl Fn(&T) -> T,
    more: impl Fn(&T, &T) -> Result<Vec<Write>, StoreError>,
) -> Result<T, Refused> {
    let (apply, more) = (&apply, &more);
    write(store, actor, &known, |before: T| async move {
        let after = apply(&before);
        if after == before {
            return Ok(Ok(before));
        }
        judge(store, actor, Some(&before), Some(&after)).await?;
        let more = more(&before, &after)?;
        Ok(store.replace(&before, after, more, actor).await)
    })
    .await
}

/// Deletes an object.
pub(super) async fn delete<T: Judged>(
    store: &Store,
    actor: Actor<'_>,
    known: T,
) -> Result<(), Refused> {
    delete_with(store, actor, known, Vec::new()).await
}

/// Deletes an object, with more writes in the same transaction.
pub(super) async fn delete_with<T: Judged>(
    store: &Store,
    actor: Actor<'_>,
    known: T,
    more: Vec<Write>,
) -> Result<(), Refused> {
    let more = &more;
    write(store, actor, &known, |object: T| async move {
        judge(store, actor, Some(&object), None).await?;
        Ok(store.remove(&object, more.clone(), actor).await)
    })
    .await
}

/// Writes an object by `write`, in the loop of every change, and returns what that gives.
pub(super) async fn write<T: Judged, R, W>(
    store: &Store,
    actor: Actor<'_>,
    known: &T,
    write: impl Fn(T) -> W,
) -> Result<R, Refused>
where
    W: Future<Output = Result<Result<R, WriteError>, Refused>>,
{
    let mut object = known.clone();
    let mut tries = Tries::new(store, actor);
    loop {
        let again = match write(object.clone()).await {
            Ok(Ok(written)) => return Ok(written),
            Ok(Err(error)) => tries.read_again(&object, error).await,
            Err(refused) => Err(refused),
        };
        object = again.map_err(|refused| tries.told(refused))?;
    }
}

/// The tries of one change.
struct Tries<'a> {
    store: &'a Store,
    actor: Actor<'a>,
    failed: u32,
    /// Whether a part of the change is done.
    has_begun: bool,
}

impl<'a> Tries<'a> {
    fn new(store: &'a Store, actor: Actor<'a>) -> Self {
        Self {
            store,
            actor,
            failed: 0,
            has_begun: false,
        }
    }

    /// What the caller is told: a refusal says that nothing is done, and is not true of a change that
    /// has begun.
    fn told(&self, refused: Refused) -> Refused {
        match refused {
            Refused::Unavailable(_) => refused,
            _ if self.has_begun => begun().into(),
            _ => refused,
        }
    }

    /// The object as it is now, after a write that came too late; other failures stay.
    async fn read_again<T: Versioned>(
        &mut self,
        stale: &T,
        error: WriteError,
    ) -> Result<T, Refused> {
        let refusals = match error {
            WriteError::Refused(refusals) => refusals,
            other => return Err(other.into()),
        };
        self.has_begun |= refusals.contains(&Refusal::Begun);
        if let Actor::User(caller) = self.actor
            && refusals.contains(&Refusal::ActorChanged)
        {
            return Err(became_of(self.store, caller).await?);
        }
        // Whether another rule is broken as well, a fresh look tells better.
        if !refusals.contains(&Refusal::Stale) {
            return Err(WriteError::Refused(refusals).into());
        }
        self.wait().await?;
        let again = self.store.read_again(stale).await?;
        again.ok_or_else(|| match self.actor {
            Actor::User(caller) if caller.object() == stale.object() => {
                Refused::Gone(Gone::Deleted)
            }
            _ => Refused::NotFound,
        })
    }

    /// Many at once take turns, and are given up after a while.
    async fn wait(&mut self) -> Result<(), Refused> {
        self.failed += 1;
        match self.failed {
            1 => Ok(()),
            TRIES => Err(Refused::Conflict),
            failed => {
                pause(failed - 1).await;
                Ok(())
            }
        }
    }
}

/// What an actor is told who is no longer what they were.
async fn became_of(store: &Store, caller: &User) -> Result<Refused, StoreError> {
    let flags = |user: &User| (user.is_staff, user.is_superuser);
    Ok(match store.user(caller.id).await? {
        None => Refused::Gone(Gone::Deleted),
        Some(now) if !now.is_active => Refused::Gone(Gone::Inactive),
        Some(now) if flags(&now) < flags(caller) => Refused::PermissionDenied,
        // With more rights than before the same may be right: they try again.
        Some(_) => Refused::Conflict,
    })
}
