//! Items whose signatures another one makes: several at the same time, each for itself.

use std::sync::Arc;

use futures_util::StreamExt;
use rubrica_core::wire::PdfOptions;

use super::context::Ending;
use super::prepare::Prepared;
use super::seal::with_tail;
use super::values::Signed;
use super::{Context, Stop};
use crate::app::App;
use crate::engine::artefact::SigningFailure;
use crate::engine::composed;
use crate::input::Input;
use crate::store::batches::items::{ItemRow, Outcome};

/// Items that are with a composer at the same time. How many it works on, it says itself.
const AT_ONCE: usize = 8;

/// First step of new items, when this tenant has a composer: their plans are replaced. Gives the items, those that end, and whether
/// some wait.
pub(super) async fn begin(
    app: &App,
    context: &Context,
    new: Vec<Prepared>,
) -> (Vec<Prepared>, Vec<Ending>, bool) {
    let begun = futures_util::stream::iter(new).map(|prepared| begin_one(app, context, prepared));
    let mut begun = begun.buffered(AT_ONCE);
    let (mut ready, mut ended, mut waiting) = (Vec::new(), Vec::new(), false);
    while let Some((prepared, result)) = begun.next().await {
        match result {
            Ok(()) => ready.push(prepared),
            Err(failure) => match give_up(context, &prepared.item, &failure) {
                Some(outcome) => ended.push((prepared.item, outcome, None)),
                None => waiting = true,
            },
        }
    }
    (ready, ended, waiting)
}

async fn begin_one(
    app: &App,
    context: &Context,
    mut prepared: Prepared,
) -> (Prepared, Result<(), SigningFailure>) {
    let Some(input) = prepared.input.as_ref().filter(|_| !prepared.by_digest) else {
        return (prepared, Ok(()));
    };
    let asked = (&PdfOptions::default(), input);
    let begun = composed::begin(app, &context.row.tenant, context.target, &prepared.plan, asked).await;
    let result = begun.map(|plan| {
        if let Some(plan) = plan {
            prepared.plan = plan;
        }
    });
    (prepared, result)
}

/// Second step. Gives how the items end, and whether some wait.
pub(super) async fn complete(
    app: &Arc<App>,
    context: &Arc<Context>,
    signed: Vec<Signed>,
) -> Result<(Vec<Ending>, bool), Stop> {
    let completed = futures_util::stream::iter(signed).map(|signed| complete_one(app, context, signed));
    let mut completed = completed.buffered(AT_ONCE);
    let (mut ended, mut waiting) = (Vec::new(), false);
    while let Some(result) = completed.next().await {
        match result? {
            Some(ending) => ended.push(ending),
            None => waiting = true,
        }
    }
    Ok((ended, waiting))
}

/// `None` when the composer has to be asked again.
async fn complete_one(
    app: &Arc<App>,
    context: &Arc<Context>,
    signed: Signed,
) -> Result<Option<Ending>, Stop> {
    let Signed { mut prepared, value, .. } = signed;
    let mut input = prepared.input.take().unwrap_or_else(|| Input::from(Vec::new()));
    let made = match composed::complete(app, &prepared.plan, &input, &value).await {
        Ok(made) => made.expect("only items with a plan of a composer come here"),
        Err(failure) => {
            let outcome = give_up(context, &prepared.item, &failure);
            return Ok(outcome.map(|outcome| (prepared.item, outcome, None)));
        }
    };
    let (worker, held) = (Arc::clone(app), Arc::clone(context));
    let seal = move || {
        let now = worker.clock.now();
        let trusted = worker.trust.context_for(&held.signer, now).map_err(SigningFailure::from);
        match trusted.and_then(|trusted| made.seal(&value, held.target, &mut input, &trusted)) {
            Ok(sealed) => {
                let (outcome, stored) = with_tail(&worker, &held, sealed, &prepared, now)?;
                Ok((prepared.item, outcome, Some(stored)))
            }
            Err(failure) => Ok((prepared.item, Outcome::Failed(failure.to_problem()), None)),
        }
    };
    app.engine.compute(seal).await.map_err(|_| Stop::Panicked)?.map(Some)
}

/// How an item ends by this failure; `None` while it waits: a batch outlives a composer that does not run, as it does a token.
fn give_up(context: &Context, item: &ItemRow, failure: &SigningFailure) -> Option<Outcome> {
    if failure.is_transient() {
        tracing::warn!(
            batch.id = %context.row.id, signature.id = %item.id, code = %failure.code(), detail = %failure,
            "an item of a batch waits for a composer"
        );
        return None;
    }
    Some(Outcome::Failed(failure.to_problem()))
}
