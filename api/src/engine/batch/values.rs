//! Second step of a group: the key is used, and what it gave is verified.

use std::sync::Arc;
use std::time::Duration;

use rubrica_core::ErrorCode;
use rubrica_core::wire::SignatureProblem;

use super::context::Ending;
use super::prepare::Prepared;
use super::{Context, Stop};
use crate::app::App;
use crate::engine::artefact::SigningFailure;
use crate::engine::keys::{self, MOST_TRIES, Verdict};
use crate::ports::{DigestToSign, SigningKeyError};
use crate::store::batches::items::{self, Outcome};
use crate::store::tasks::Lease;

/// Before a token that does not answer is asked again within the same task.
const PAUSE: Duration = Duration::from_millis(100);

/// An item with a value that verifies.
#[derive(Debug)]
pub(super) struct Signed {
    pub(super) prepared: Prepared,
    pub(super) value: Vec<u8>,
    /// The CMS, assembled when the value was verified.
    pub(super) cms: Option<Vec<u8>>,
}

/// Uses the key for every item that has no value yet. Gives the signed items, the failed ones, and whether some are left
/// for later because the token does not answer.
pub(super) async fn sign(
    app: &Arc<App>,
    lease: &Lease,
    context: &Arc<Context>,
    items: Vec<Prepared>,
) -> Result<(Vec<Signed>, Vec<Ending>, bool), Stop> {
    let (mut signed, mut ended, mut waiting) = (Vec::new(), Vec::new(), false);
    let mut left = Vec::with_capacity(items.len());
    for prepared in items {
        match prepared.item.value.clone() {
            Some(value) => signed.push(Signed { prepared, value, cms: None }),
            None => left.push(prepared),
        }
    }
    let mut right = 0;
    for attempt in 1..=MOST_TRIES {
        if left.is_empty() {
            break;
        }
        let answers = use_key(app, context, &left).await;
        let mut verified = Vec::new();
        for (prepared, answer) in left.drain(..).zip(answers) {
            match answer {
                Ok(value) => verified.push((prepared, value)),
                // A refused PIN waits for the operator, and the items with it: a batch outlives that.
                Err(error) if error.is_transient() || error.is_about_the_pin() => waiting = true,
                Err(error) => {
                    let problem = SigningFailure::from(error).to_problem();
                    ended.push((prepared.item, Outcome::Failed(problem), None));
                }
            }
        }
        let (good, bad) = verify(app, verified).await?;
        right += good.len();
        signed.extend(good);
        left = bad;
        if !left.is_empty() {
            let verdict = Verdict::of(attempt, right, left.len());
            keys::wrong_values(app, &context.row.key_id, left.len(), verdict).await;
            tokio::time::sleep(PAUSE).await;
        }
    }
    ended.extend(left.into_iter().map(|prepared| {
        let problem = SignatureProblem {
            code: ErrorCode::SignatureValueInvalid,
            detail: format!("the token gave {MOST_TRIES} values that do not verify; nothing was released"),
        };
        (prepared.item, Outcome::Failed(problem), None)
    }));
    // Whoever else is asked after this may need time, and the key is not used for it again.
    if context.target.needs_time_stamp() || signed.iter().any(|signed| signed.prepared.plan.is_composed()) {
        keep(app, lease, &signed).await?;
    }
    Ok((signed, ended, waiting))
}

async fn use_key(app: &App, context: &Context, items: &[Prepared]) -> Vec<Result<Vec<u8>, SigningKeyError>> {
    let Some(keys) = &app.keys else {
        let none = || Err(SigningKeyError::Unavailable("no token is configured".to_owned()));
        return items.iter().map(|_| none()).collect();
    };
    let work: Vec<_> = items
        .iter()
        .map(|prepared| DigestToSign { key: context.key.clone(), sha256: prepared.plan.digest() })
        .collect();
    keys.sign_digests(&work).await
}

/// Tells apart what verifies, off the async threads. Signatures by digest are assembled on the way.
async fn verify(app: &App, values: Vec<(Prepared, Vec<u8>)>) -> Result<(Vec<Signed>, Vec<Prepared>), Stop> {
    let work = move || {
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        for (prepared, value) in values {
            let verified = if prepared.by_digest {
                prepared.plan.assemble(&value).map(Some)
            } else {
                prepared.plan.verify(&value).map(|()| None)
            };
            match verified {
                Ok(cms) => good.push(Signed { prepared, value, cms }),
                Err(_) => bad.push(prepared),
            }
        }
        (good, bad)
    };
    app.engine.compute(work).await.map_err(|_| Stop::Panicked)
}

/// Commits values that wait for a time stamp: an authority that does not answer costs time, never another use of the key.
async fn keep(app: &App, lease: &Lease, signed: &[Signed]) -> Result<(), Stop> {
    let values: Vec<_> = signed
        .iter()
        .filter(|signed| signed.prepared.item.value.is_none())
        .map(|signed| (signed.prepared.item.id.clone(), signed.value.clone()))
        .collect();
    if values.is_empty() {
        return Ok(());
    }
    let lease = lease.clone();
    app.store.write(move |connection| items::keep_values(connection, &lease, &values)).await?;
    Ok(())
}
