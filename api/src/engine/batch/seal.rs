//! Third step of a group: artefacts, checked as a stranger would before anybody sees them.

use std::sync::Arc;

use futures_util::StreamExt;
use rubrica_core::Timestamp;
use rubrica_core::wire::SignatureFormat;

use super::context::Ending;
use super::prepare::Prepared;
use super::values::Signed;
use super::{Context, Stop, compose};
use crate::app::App;
use crate::engine::artefact::{self, Sealed, SigningFailure};
use crate::engine::plan::{Plan, Shape};
use crate::engine::raise::{self, Means};
use crate::input::Input;
use crate::objects::sha256;
use crate::store::batches::items::{ItemArtefact, Outcome};

/// Items that wait for authorities at the same time.
const AT_ONCE: usize = 8;

/// Makes the artefacts. Gives how the items end, and whether some wait for an authority.
pub(super) async fn seal(
    app: &Arc<App>,
    context: &Arc<Context>,
    signed: Vec<Signed>,
) -> Result<(Vec<Ending>, bool), Stop> {
    if context.target.needs_time_stamp() {
        return raise_all(app, context, signed).await;
    }
    let (composed, signed): (Vec<_>, Vec<_>) =
        signed.into_iter().partition(|signed| signed.prepared.plan.is_composed());
    let (mut ended, waiting) = compose::complete(app, context, composed).await?;
    let (worker, held) = (Arc::clone(app), Arc::clone(context));
    let work = move || {
        let now = worker.clock.now();
        signed
            .into_iter()
            .map(|signed| seal_one(&worker, &held, signed, now))
            .collect::<Result<Vec<_>, Stop>>()
    };
    ended.extend(app.engine.compute(work).await.map_err(|_| Stop::Panicked)??);
    Ok((ended, waiting))
}

fn seal_one(app: &App, context: &Context, signed: Signed, now: Timestamp) -> Result<Ending, Stop> {
    let Signed { mut prepared, value, cms } = signed;
    if let Some(cms) = cms {
        let artefact = check_by_digest(&prepared.plan, &cms, &value, &prepared.item.document_sha256)
            .map(|()| by_digest(&prepared.name, &cms, now));
        let outcome = match artefact {
            Ok(artefact) => Outcome::Released { artefact, signed_at: prepared.signed_at, value: Some(value) },
            Err(failure) => Outcome::Failed(failure.to_problem()),
        };
        return Ok((prepared.item, outcome, None));
    }
    let mut input = prepared.input.take().unwrap_or_else(|| Input::from(Vec::new()));
    let sealed =
        app.trust.context_for(&context.signer, now).map_err(SigningFailure::from).and_then(|trusted| {
            artefact::seal(&prepared.plan, &Shape::Detached, &mut input, &value, &trusted)
        });
    match sealed {
        Ok(sealed) => {
            let (outcome, stored) = with_tail(app, context, sealed, &prepared, now)?;
            Ok((prepared.item, outcome, Some(stored)))
        }
        Err(failure) => Ok((prepared.item, Outcome::Failed(failure.to_problem()), None)),
    }
}

/// Reads the CMS as a stranger would; its value was verified when it was assembled, its path when the run began.
fn check_by_digest(plan: &Plan, cms: &[u8], value: &[u8], document: &[u8; 32]) -> Result<(), SigningFailure> {
    match plan {
        Plan::Cades(plan) => Ok(plan.check_assembled(cms, value, document)?),
        Plan::Pades(_) | Plan::Composed(_) => {
            Err(SigningFailure::NotValid("it was not signed by its digest".to_owned()))
        }
    }
}

/// The artefact of a signature by digest. Its bytes are plan, value and certificates of the batch in one fixed order:
/// they are not stored a second time, and made again for whoever fetches them.
fn by_digest(name: &str, cms: &[u8], now: Timestamp) -> ItemArtefact {
    ItemArtefact {
        name: artefact::artefact_name(SignatureFormat::Cades, name),
        media_type: "application/pkcs7-signature".to_owned(),
        size_bytes: cms.len() as u64,
        sha256: sha256(cms),
        tail: None,
        released_at: now,
    }
}

pub(super) fn with_tail(
    app: &App,
    context: &Context,
    mut sealed: Sealed,
    prepared: &Prepared,
    now: Timestamp,
) -> Result<(Outcome, crate::objects::Stored), Stop> {
    let stored = app.objects.put(std::mem::take(&mut sealed.tail))?;
    let row = artefact::row(&sealed, context.row.format, &prepared.name, stored.sha256(), now);
    let released = Outcome::Released { artefact: row.into(), signed_at: prepared.signed_at, value: None };
    Ok((released, stored))
}

/// Raises every item to its level; what an authority does not answer for stays.
async fn raise_all(
    app: &Arc<App>,
    context: &Arc<Context>,
    signed: Vec<Signed>,
) -> Result<(Vec<Ending>, bool), Stop> {
    let tasks = signed.into_iter().map(|signed| {
        let (worker, held) = (Arc::clone(app), Arc::clone(context));
        async move { tokio::task::spawn_blocking(move || raise_one(&worker, &held, signed)).await }
    });
    let mut raised = futures_util::stream::iter(tasks).buffer_unordered(AT_ONCE);
    let (mut ended, mut waiting) = (Vec::new(), false);
    while let Some(result) = raised.next().await {
        match result.map_err(|_| Stop::Panicked)?? {
            Some(ending) => ended.push(ending),
            None => waiting = true,
        }
    }
    Ok((ended, waiting))
}

/// `None` when an authority has to be asked again.
fn raise_one(app: &App, context: &Context, signed: Signed) -> Result<Option<Ending>, Stop> {
    let Signed { mut prepared, value, .. } = signed;
    let now = app.clock.now();
    let mut input = prepared.input.take().unwrap_or_else(|| Input::from(Vec::new()));
    let means = Means::of(app);
    let sealed = raise::seal(&means, &prepared.plan, &Shape::Detached, &mut input, &value, context.target);
    match sealed {
        Ok(sealed) => {
            let (outcome, stored) = with_tail(app, context, sealed, &prepared, now)?;
            Ok(Some((prepared.item, outcome, Some(stored))))
        }
        Err(failure) if failure.is_transient() => {
            let patience = std::time::Duration::from_secs(app.config.tsa.patience_seconds);
            let waits_until = context.row.created_at.plus(patience);
            tracing::warn!(
                batch.id = %context.row.id, signature.id = %prepared.item.id, code = %failure.code(),
                detail = %failure, "an item of a batch waits for an authority"
            );
            if now > waits_until {
                return Ok(Some((prepared.item, Outcome::Failed(failure.to_problem()), None)));
            }
            Ok(None)
        }
        Err(failure) => Ok(Some((prepared.item, Outcome::Failed(failure.to_problem()), None))),
    }
}
