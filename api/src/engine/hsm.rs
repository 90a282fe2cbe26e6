//! One signature with a key of the token, from any state a crash may have left it in.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rubrica_core::ErrorCode;
use rubrica_core::wire::{SignatureProblem, SignatureState};
use rubrica_core::x509::Certificate;

use super::Task;
use super::artefact::{self, SigningFailure, seal};
use super::plan::{Draft, Plan};
use crate::app::App;
use crate::ids::SignatureId;
use crate::objects::ObjectError;
use crate::ports::{KeyReference, SigningKeyError};
use crate::store::documents::DocumentRow;
use crate::store::signatures::SignatureRow;
use crate::store::{self, StoreError};

const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// Why a signature did not get to its end.
#[derive(Debug, thiserror::Error)]
enum Stop {
    /// It cannot be made: the row says why and the person is told.
    #[error("{}", .problem.detail)]
    Failed { from: SignatureState, problem: SignatureProblem },
    /// Somebody else moved it. Nothing to do.
    #[error("another worker was faster")]
    Overtaken,
    /// We could not read or write. The row stays and is taken up at the next start.
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
        if matches!(error, StoreError::StateConflict { .. }) { Self::Overtaken } else { Self::Store(error) }
    }
}

impl Stop {
    fn failed(from: SignatureState, failure: &SigningFailure) -> Self {
        Self::Failed { from, problem: failure.to_problem() }
    }

    fn refused(from: SignatureState, code: ErrorCode, detail: impl Into<String>) -> Self {
        Self::Failed { from, problem: SignatureProblem { code, detail: detail.into() } }
    }
}

/// Works on one signature until it ends or cannot go on.
pub(super) async fn drive(app: &Arc<App>, task: Task) {
    let id = &task.id().clone();
    let begun = Instant::now();
    let duration_ms = || u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    match sign(app, task).await {
        Ok(()) => tracing::info!(signature.id = %id, duration_ms = duration_ms(), "signature released"),
        Err(Stop::Overtaken) => tracing::debug!(signature.id = %id, "signature is no longer ours"),
        Err(Stop::Failed { from, problem }) => {
            tracing::warn!(
                signature.id = %id, code = %problem.code, detail = problem.detail, duration_ms = duration_ms(),
                "signature failed"
            );
            let row = id.clone();
            let kept = app
                .store
                .write(move |connection| store::signatures::fail(connection, &row, from, &problem))
                .await;
            if let Err(error) = kept {
                tracing::error!(signature.id = %id, %error, "the failure could not be kept");
            }
        }
        Err(stop @ (Stop::Store(_) | Stop::Object(_) | Stop::Panicked)) => {
            tracing::error!(signature.id = %id, error = %stop, "signature stays; it is taken up at the next start");
        }
    }
    app.engine.waiters.wake(id);
}

async fn sign(app: &Arc<App>, task: Task) -> Result<(), Stop> {
    let (row, document) = match task {
        Task::New(row, document) => (*row, *document),
        Task::Left(id) => load(app, &id)?,
    };
    let key = load_key(app, &row)?;
    let _memory = app.engine.reserve(document.size_bytes).await;
    let bytes = match app.objects.read(document.sha256).await {
        Err(ObjectError::Missing(_) | ObjectError::Damaged(_)) => {
            return Err(Stop::refused(
                row.state,
                ErrorCode::Internal,
                "the document is not what was uploaded",
            ));
        }
        other => other?,
    };

    let (plan, bytes) = match &row.plan {
        Some(pinned) => {
            let plan = Plan::decode(row.format, pinned)?;
            if row.state == SignatureState::Prepared {
                let id = row.id.clone();
                app.store.write(move |connection| store::signatures::intend(connection, &id)).await?;
            }
            (Arc::new(plan), bytes)
        }
        None => prepare(app, &row, &document, bytes).await?,
    };
    let value =
        use_key(app, &key, &plan).await.map_err(|failure| Stop::failed(SignatureState::Signing, &failure))?;
    release(app, &row, &document, plan, bytes, value).await
}

fn load(app: &App, id: &SignatureId) -> Result<(SignatureRow, DocumentRow), Stop> {
    app.store
        .read(|connection| {
            let row = store::signatures::load(connection, id)?.filter(|row| !row.state.is_final());
            let Some(row) = row else { return Ok(None) };
            let document = store::documents::load(connection, &row.document_id)?;
            Ok(Some((row, document.ok_or(StoreError::Damaged { column: "signature.document_id" })?)))
        })?
        .ok_or(Stop::Overtaken)
}

/// The key, unless it was suspended while the signature waited.
fn load_key(app: &App, row: &SignatureRow) -> Result<KeyReference, Stop> {
    let key = match &row.key_id {
        Some(id) => app.store.read(|connection| store::keys::load(connection, id))?,
        None => None,
    };
    match key {
        Some(key) if key.state == store::keys::KeyState::Active => Ok(key.reference),
        _ => Err(Stop::refused(row.state, ErrorCode::KeyNotFound, "the key is not active any more")),
    }
}

/// `accepted → prepared → signing` in one commit: the data are pinned and the intent stands before the key is used.
async fn prepare(
    app: &Arc<App>,
    row: &SignatureRow,
    document: &DocumentRow,
    bytes: Vec<u8>,
) -> Result<(Arc<Plan>, Vec<u8>), Stop> {
    let (worker, format, sha256, certificate) =
        (Arc::clone(app), row.format, document.sha256, row.certificate.clone());
    let prepared = app.engine.compute(move || {
        let now = worker.clock.now();
        let refused = |code, detail: String| Stop::refused(SignatureState::Accepted, code, detail);
        let signer =
            Certificate::from_der(&certificate).map_err(|error| refused(error.code(), error.to_string()))?;
        signer.check_signer(now).map_err(|error| refused(error.code(), error.to_string()))?;
        let chain =
            worker.trust.chain(&signer, now).map_err(|error| refused(error.code(), error.to_string()))?;
        let plan = Plan::prepare(Draft {
            format,
            document: &bytes,
            document_sha256: &sha256,
            signer: &signer,
            chain: &chain,
            signing_time: now,
        })
        .map_err(|failure| Stop::failed(SignatureState::Accepted, &failure))?;
        let pinned = plan.encode();
        Ok::<_, Stop>((plan, pinned, bytes))
    });
    let (plan, pinned, bytes) = prepared.await.map_err(|_| Stop::Panicked)??;
    let id = row.id.clone();
    app.store
        .write(move |connection| {
            store::signatures::pin(connection, &id, &pinned)?;
            store::signatures::intend(connection, &id)
        })
        .await?;
    Ok((Arc::new(plan), bytes))
}

/// Uses the key; a token that does not answer is tried again for a while. Signing the same digest again is harmless:
/// at most one value is ever released.
async fn use_key(app: &App, key: &KeyReference, plan: &Plan) -> Result<Vec<u8>, SigningFailure> {
    let Some(keys) = &app.keys else {
        return Err(SigningKeyError::Unavailable("no token is configured".to_owned()).into());
    };
    let digest = plan.digest();
    let deadline = Instant::now() + Duration::from_millis(app.config.signatures.token_patience_ms);
    let mut pause = FIRST_PAUSE;
    loop {
        match keys.sign_digest(key, &digest).await {
            Ok(value) => return Ok(value),
            Err(error) if error.is_transient() && Instant::now() + pause < deadline => {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Verifies, embeds, validates, stores: `signing → released`.
async fn release(
    app: &Arc<App>,
    row: &SignatureRow,
    document: &DocumentRow,
    plan: Arc<Plan>,
    bytes: Vec<u8>,
    value: Vec<u8>,
) -> Result<(), Stop> {
    let worker = Arc::clone(app);
    let sealed = app.engine.compute(move || {
        let now = worker.clock.now();
        let mut sealed = worker
            .trust
            .context_for(plan.signer(), now)
            .map_err(SigningFailure::from)
            .and_then(|context| seal(&plan, bytes, &value, &context))
            .map_err(|failure| Stop::failed(SignatureState::Signing, &failure))?;
        let tail = worker.objects.put(std::mem::take(&mut sealed.tail))?;
        Ok::<_, Stop>((sealed, tail, now))
    });
    let (sealed, tail, now) = sealed.await.map_err(|_| Stop::Panicked)??;
    let artefact = artefact::row(&sealed, row.format, &document.name, tail.sha256(), now);
    let id = row.id.clone();
    app.store
        .write(move |connection| {
            tail.keep(connection)?;
            store::signatures::release(connection, &id, SignatureState::Signing, &artefact, None)
        })
        .await?;
    Ok(())
}
