//! A run of items of a batch: prepared together, signed in one call of the token, released in one commit.
//!
//! The steps are those of a single signature, each for a group of items: pin the data and commit the intent, use the key,
//! verify, assemble, check, release. A crash at any point leaves the items in a state from which the next worker goes on.

pub(crate) mod beside;
mod compose;
mod context;
mod group;
pub(crate) mod intake;
pub(crate) mod names;
mod prepare;
pub(crate) mod results;
mod seal;
pub(crate) mod submit;
mod values;

use std::sync::Arc;
use std::time::Duration;

use rubrica_core::ErrorCode;
use rubrica_core::wire::{BatchState, SignatureProblem, SignatureState};

use super::drive;
use crate::app::App;
use crate::ids::BatchId;
use crate::objects::ObjectError;
use crate::store::batches::items::{self, ItemRow, Outcome};
use crate::store::tasks::Lease;
use crate::store::{self, StoreError};

pub(crate) use context::Context;
use context::write_chain;
use prepare::take_up;

/// Items of one task: as many as one commit and one call of the token take.
const ITEMS_PER_TASK: i64 = 64;
/// Before items that wait for a token or an authority are tried again, at least and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(250), Duration::from_mins(1));

/// Why a run came to no end for now.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stop {
    /// Another worker has it.
    #[error("the lease of the task is lost")]
    Lost,
    /// We could not read or write.
    #[error(transparent)]
    Store(StoreError),
    /// As above.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// A task of ours panicked.
    #[error("a worker ended unexpectedly")]
    Panicked,
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        if matches!(error, StoreError::LeaseLost) { Self::Lost } else { Self::Store(error) }
    }
}

/// What becomes of the task when its items were worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// All items have ended.
    Finish,
    /// Some wait for a token or an authority.
    Later,
}

/// Works on the items of a task.
pub(super) async fn work(app: &Arc<App>, lease: Lease, run: (BatchId, i64, i64), attempts: i64) {
    let batch_id = run.0.clone();
    match sign(app, &lease, run, attempts).await {
        Ok(()) => {}
        Err(Stop::Lost) => tracing::info!(batch.id = %batch_id, "another worker took the items over"),
        Err(stop @ (Stop::Store(_) | Stop::Object(_) | Stop::Panicked)) => {
            tracing::error!(batch.id = %batch_id, error = %stop, "items of a batch stay; they are tried again");
            drive::give_back(app, &lease, pause(attempts)).await;
        }
    }
}

async fn sign(
    app: &Arc<App>,
    lease: &Lease,
    (batch_id, first, last): (BatchId, i64, i64),
    attempts: i64,
) -> Result<(), Stop> {
    let context = Context::load(app, &batch_id).await?;
    let open = app.store.read(move |connection| items::open(connection, &batch_id, first, last)).await?;
    let begun = std::time::Instant::now();
    let (ready, mut refused, held_back) = context.sort(app, open).await?;
    // After several tries without an outcome each item goes alone, so that one that our code does not survive ends alone.
    let alone = attempts >= drive::MOST_PANICS;
    let groups = group::by_memory(app, &context, ready, alone).await?;
    let mut next = if held_back { Next::Later } else { Next::Finish };
    let count = groups.len();
    for (index, group) in groups.into_iter().enumerate() {
        let (mut outcomes, left) = group::sign_or_end(app, lease, &context, group, alone).await?;
        outcomes.append(&mut refused);
        if left {
            next = Next::Later;
        }
        let last_group = index + 1 == count;
        end(app, lease, &context, outcomes, last_group.then_some((next, attempts))).await?;
    }
    if count == 0 {
        end(app, lease, &context, refused, Some((next, attempts))).await?;
    }
    tracing::debug!(
        batch.id = %context.row.id, first, last, duration_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        "items of a batch signed"
    );
    Ok(())
}

/// Ends items, and with them the task when `last` says what becomes of it.
async fn end(
    app: &Arc<App>,
    lease: &Lease,
    context: &Arc<Context>,
    outcomes: Vec<(ItemRow, Outcome, Option<crate::objects::Stored>)>,
    last: Option<(Next, i64)>,
) -> Result<(), Stop> {
    for (item, outcome, _) in &outcomes {
        if let Outcome::Failed(problem) = outcome {
            tracing::warn!(
                batch.id = %context.row.id, signature.id = %item.id, code = %problem.code, detail = problem.detail,
                "an item of a batch failed"
            );
        }
    }
    let ended: Vec<_> = outcomes.iter().map(|(item, ..)| item.id.clone()).collect();
    let (lease, held, now) = (lease.clone(), Arc::clone(context), app.clock.now());
    let next_try_at = last.map(|(_, attempts)| now.plus(pause(attempts)));
    app.store
        .write(move |connection| {
            let mut pairs = Vec::with_capacity(outcomes.len());
            for (item, outcome, stored) in outcomes {
                if let Some(stored) = stored {
                    stored.keep(connection)?;
                }
                pairs.push((item, outcome));
            }
            let signer = (&held.row, &held.signer_hash, held.certificate_sha256.as_str());
            items::end(connection, &lease, signer, &pairs, now)?;
            match (last, next_try_at) {
                (Some((Next::Finish, _)), _) if !items::any_open(connection, &lease)? => {
                    store::tasks::finish(connection, &lease)
                }
                (Some(_), Some(at)) => store::tasks::give_back(connection, &lease, at),
                _ => Ok(()),
            }
        })
        .await?;
    for id in ended {
        app.engine.waiters.wake(&id);
    }
    Ok(())
}

fn pause(attempts: i64) -> Duration {
    let doublings = u32::try_from(attempts.clamp(0, 16)).unwrap_or_default();
    (PAUSE.0 * 2_u32.pow(doublings)).min(PAUSE.1)
}

/// The problem of an item that was taken back with its batch.
fn taken_back() -> SignatureProblem {
    SignatureProblem { code: ErrorCode::Cancelled, detail: "the batch was cancelled".to_owned() }
}

/// Whether items of a batch in this state may be begun.
const fn may_begin(state: BatchState) -> bool {
    matches!(state, BatchState::Queued | BatchState::Running)
}

/// Whether the key of an item may have been used.
const fn is_begun(item: &ItemRow) -> bool {
    matches!(item.state, SignatureState::Signing)
}
