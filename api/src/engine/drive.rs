//! One signature from any state a crash may have left it in: with a key of the token, or completed by a person and waiting
//! for its time stamp. Everything is written under the lease of its task.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rubrica_core::wire::{Custody, SignatureProblem, SignatureState};
use rubrica_core::x509::Certificate;
use rubrica_core::{ErrorCode, Timestamp};

use super::artefact::{self, SigningFailure, seal};
use super::plan::{Draft, Plan, Shape};
use super::raise::{self, Means};
use super::target::Target;
use super::{Task, cloud, composed, keys};
use crate::app::App;
use crate::ids::SignatureId;
use crate::input::Input;
use crate::objects::ObjectError;
use crate::ports::{DigestToSign, KeyReference, SigningKeyError};
use crate::store::documents::DocumentRow;
use crate::store::signatures::SignatureRow;
use crate::store::tasks::Lease;
use crate::store::{self, StoreError};

/// Before a token that does not answer is tried again; doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// Tries of a signature after which work that ends unexpectedly is not tried again.
pub(super) const MOST_PANICS: i64 = 3;
/// Before a signature that we could not read or write is tried again.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_millis(500);
/// Before an authority that does not answer is asked again, at most.
const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// A signature that waits for an authority or a composer.
#[derive(Debug, thiserror::Error)]
#[error("{}", .problem.detail)]
struct Pending {
    from: SignatureState,
    created_at: Timestamp,
    problem: SignatureProblem,
    /// For a cloud service, whose permission ends; `None` for an authority.
    wait: Option<cloud::Wait>,
}

/// Why a signature did not get to its end.
#[derive(Debug, thiserror::Error)]
enum Stop {
    /// It cannot be made: the row says why and the person is told.
    #[error("{}", .problem.detail)]
    Failed { from: SignatureState, problem: SignatureProblem },
    /// An authority gave nothing. The value is kept, so that the same is tried again later.
    #[error("{0}")]
    Later(Pending),
    /// Somebody else moved it, or has its task. Nothing to do.
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
        if matches!(error, StoreError::StateConflict { .. } | StoreError::LeaseLost) {
            Self::Overtaken
        } else {
            Self::Store(error)
        }
    }
}

impl Stop {
    fn failed(from: SignatureState, failure: &SigningFailure) -> Self {
        Self::Failed { from, problem: failure.to_problem() }
    }

    /// A failure before the key is used or once its value is kept: of ours, or of somebody who may answer later.
    fn unfinished(from: SignatureState, created_at: Timestamp, failure: &SigningFailure) -> Self {
        if failure.is_transient() {
            Self::Later(Pending { from, created_at, problem: failure.to_problem(), wait: None })
        } else {
            Self::failed(from, failure)
        }
    }

    fn refused(from: SignatureState, code: ErrorCode, detail: impl Into<String>) -> Self {
        Self::Failed { from, problem: SignatureProblem { code, detail: detail.into() } }
    }
}

/// Works on one signature until it ends or cannot go on.
pub(super) async fn drive(app: &Arc<App>, task: Task) {
    let (id, lease, attempts) = (&task.id().clone(), &task.lease().clone(), task.attempts());
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
            keep_failure(app, lease, id, from, problem).await;
        }
        Err(Stop::Later(pending)) => postpone(app, lease, id, pending).await,
        Err(Stop::Panicked) if attempts >= MOST_PANICS => {
            tracing::error!(signature.id = %id, attempts, "signature ends: work on it has ended unexpectedly too often");
            fail_whatever_its_state(app, lease, id).await;
        }
        Err(stop @ (Stop::Store(_) | Stop::Object(_) | Stop::Panicked)) => {
            tracing::error!(signature.id = %id, error = %stop, "signature stays; it is tried again");
            give_back(app, lease, PAUSE_AFTER_FAILURE).await;
        }
    }
    app.engine.waiters.wake(id);
}

/// A document that our code does not survive would otherwise be tried for ever.
async fn fail_whatever_its_state(app: &App, lease: &Lease, id: &SignatureId) {
    match load(app, id).await {
        Ok(Some((row, _))) => keep_failure(app, lease, id, row.state, unexpected()).await,
        _ => give_back(app, lease, PAUSE_AFTER_FAILURE).await,
    }
}

/// The problem of a signature that our own code did not survive.
pub(super) fn unexpected() -> SignatureProblem {
    SignatureProblem { code: ErrorCode::Internal, detail: "the work on it ended unexpectedly".to_owned() }
}

async fn keep_failure(
    app: &App,
    lease: &Lease,
    id: &SignatureId,
    from: SignatureState,
    problem: SignatureProblem,
) {
    let (row, held, now) = (id.clone(), lease.clone(), app.clock.now());
    let kept = app
        .store
        .write(move |connection| {
            store::tasks::finish(connection, &held)?;
            store::signatures::fail(connection, &row, from, &problem, now)
        })
        .await;
    match kept {
        Ok(ended) => ended.iter().for_each(|id| app.engine.waiters.wake(id)),
        Err(StoreError::LeaseLost | StoreError::StateConflict { .. }) => {
            tracing::debug!(signature.id = %id, "signature is no longer ours");
        }
        Err(error) => {
            tracing::error!(signature.id = %id, %error, "the failure could not be kept; it is tried again");
            give_back(app, lease, PAUSE_AFTER_FAILURE).await;
        }
    }
}

/// Frees the task, to be tried again after a pause by whoever takes it.
pub(super) async fn give_back(app: &App, lease: &Lease, pause: Duration) {
    let (held, at) = (lease.clone(), app.clock.now().plus(pause));
    match app.store.write(move |connection| store::tasks::give_back(connection, &held, at)).await {
        Ok(()) | Err(StoreError::LeaseLost) => {}
        Err(error) => {
            tracing::error!(%error, "a task could not be given back; it is freed when the database answers");
            app.engine.strays.keep(lease.clone());
        }
    }
}

/// Tries again after a pause that grows with the age of the signature, until its patience is over. A cloud service is not
/// asked when its permission would have ended by then.
async fn postpone(app: &App, lease: &Lease, id: &SignatureId, pending: Pending) {
    let Pending { from, created_at, problem, wait } = pending;
    let now = app.clock.now();
    let age = Duration::from_millis(now.unix_ms().saturating_sub(created_at.unix_ms()));
    let (retry, patience) = if problem.code == ErrorCode::ComposerUnavailable {
        (app.config.composer.retry(), app.config.composer.patience())
    } else {
        (app.config.tsa.retry(), app.config.tsa.patience())
    };
    let (pause, is_over) = match wait {
        Some(wait) => (wait.pause, now.plus(wait.pause) >= wait.until),
        None => ((age / 4).clamp(retry, LONGEST_PAUSE.max(retry)), age > patience),
    };
    if is_over {
        tracing::error!(signature.id = %id, code = %problem.code, detail = problem.detail, "signature given up");
        keep_failure(app, lease, id, from, problem).await;
        return;
    }
    tracing::warn!(
        signature.id = %id, code = %problem.code, detail = problem.detail, pause_ms = pause.as_millis(),
        "signature waits for an authority, a cloud service or a composer"
    );
    give_back(app, lease, pause).await;
}

async fn sign(app: &Arc<App>, task: Task) -> Result<(), Stop> {
    let (row, document, password, lease) = match task {
        Task::New(new) => (new.row, new.document, new.password, new.lease),
        Task::Left(lease, id, _) => match load(app, &id).await? {
            Some((row, document)) => (row, document, None, lease),
            None => {
                // It ended otherwise, so there is nothing left to do.
                app.store.write(move |connection| store::tasks::finish(connection, &lease)).await?;
                return Err(Stop::Overtaken);
            }
        },
    };
    let target = Target::new(row.format, Some(row.level), row.policy)
        .map_err(|error| Stop::refused(row.state, error.code(), error.to_string()))?;
    // A key of ours is needed as long as its value is not there.
    let needs_token = row.value.is_none() && row.custody != Custody::Lacuna;
    let key = if needs_token { Some(load_key(app, &row).await?) } else { None };
    let _memory = app.engine.reserve(document.size_bytes).await;
    let bytes = match app.objects.read_parts(&document.parts).await {
        Err(ObjectError::Missing(_) | ObjectError::Damaged(_)) => {
            return Err(Stop::refused(
                row.state,
                ErrorCode::Internal,
                "the document is not what was uploaded",
            ));
        }
        other => other?,
    };
    let input = Input::from(bytes).with_password(password);

    let (plan, input) = match &row.plan {
        Some(pinned) => {
            let plan = Plan::decode(row.format, pinned)?;
            if row.state == SignatureState::Prepared {
                let (row, held, now) = (row.clone(), lease.clone(), app.clock.now());
                app.store
                    .write(move |connection| {
                        store::tasks::hold(connection, &held)?;
                        store::signatures::intend(connection, &row, now)
                    })
                    .await
                    .map_err(|error| not_intended(error, SignatureState::Prepared))?;
            }
            (Arc::new(plan), input)
        }
        None => prepare(app, &lease, &row, target, &document, input).await?,
    };
    let value = match (&row.value, key) {
        (Some(value), _) => value.clone(),
        (None, Some(key)) => {
            let value = use_key(app, &row, &key, &plan).await?;
            // Whoever else is asked after this may need time, and the key is not used for it again.
            if target.needs_time_stamp() || plan.is_composed() {
                keep_value(app, &lease, &row, &value).await?;
            }
            value
        }
        (None, None) => cloud::sign(app, &lease, &row, &plan).await.map_err(|none| match none {
            cloud::NoValue::Later { failure, wait } => {
                let (created_at, problem) = (row.created_at, failure.to_problem());
                Stop::Later(Pending { from: SignatureState::Signing, created_at, problem, wait: Some(wait) })
            }
            cloud::NoValue::Failed(failure) => Stop::failed(SignatureState::Signing, &failure),
            cloud::NoValue::Store(error) => error.into(),
        })?,
    };
    release(app, &lease, &row, target, &document, plan, input, value).await
}

async fn load(app: &App, id: &SignatureId) -> Result<Option<(SignatureRow, DocumentRow)>, Stop> {
    let id = id.clone();
    let found = app.store.read(move |connection| {
        let row = store::signatures::load(connection, &id)?.filter(|row| !row.state.is_final());
        let Some(row) = row else { return Ok(None) };
        let document = store::documents::signed_by(connection, &row)?;
        Ok(Some((row, document.ok_or(StoreError::Damaged { column: "signature.document_id" })?)))
    });
    Ok(found.await?)
}

/// The key, unless it was suspended while the signature waited.
async fn load_key(app: &App, row: &SignatureRow) -> Result<KeyReference, Stop> {
    let key = match &row.key_id {
        Some(id) => {
            let id = id.clone();
            app.store.read(move |connection| store::keys::load(connection, &id)).await?
        }
        None => None,
    };
    match key {
        Some(key) if key.state == store::keys::KeyState::Active => Ok(key.reference),
        _ => Err(key_gone(row.state)),
    }
}

fn key_gone(from: SignatureState) -> Stop {
    Stop::refused(from, ErrorCode::KeyNotFound, "the key is not active any more")
}

/// Why an intent was not committed: the key may have been suspended since it was loaded.
fn not_intended(error: StoreError, from: SignatureState) -> Stop {
    if matches!(error, StoreError::KeyState { .. }) { key_gone(from) } else { error.into() }
}

/// `accepted → prepared → signing` in one commit: the data are pinned and the intent stands before the key is used.
async fn prepare(
    app: &Arc<App>,
    lease: &Lease,
    row: &SignatureRow,
    target: Target,
    document: &DocumentRow,
    input: Input,
) -> Result<(Arc<Plan>, Input), Stop> {
    let (worker, sha256, certificate) = (Arc::clone(app), document.sha256, row.certificate.clone());
    let pdf = row.pdf_options()?;
    let prepared = app.engine.compute(move || {
        let now = worker.clock.now();
        let refused = |code, detail: String| Stop::refused(SignatureState::Accepted, code, detail);
        let signer =
            Certificate::from_der(&certificate).map_err(|error| refused(error.code(), error.to_string()))?;
        signer.check_signer(now).map_err(|error| refused(error.code(), error.to_string()))?;
        let chain =
            worker.trust.chain(&signer, now).map_err(|error| refused(error.code(), error.to_string()))?;
        let plan = Plan::prepare(Draft {
            target,
            document: input.file(),
            document_sha256: Some(&sha256),
            signer: &signer,
            chain: &chain,
            signing_time: now,
            pdf: &pdf,
            shape: &Shape::Detached,
        })
        .map_err(|failure| Stop::failed(SignatureState::Accepted, &failure))?;
        let pinned = plan.encode();
        Ok::<_, Stop>((plan, pinned, input, now))
    });
    let (mut plan, mut pinned, input, signed_at) = prepared.await.map_err(|_| Stop::Panicked)??;
    let pdf = row.pdf_options()?;
    let composed = composed::begin(app, &row.tenant, target, &plan, (&pdf, &input)).await;
    let from = SignatureState::Accepted;
    if let Some(composed) = composed.map_err(|failure| Stop::unfinished(from, row.created_at, &failure))? {
        pinned = composed.encode();
        plan = composed;
    }
    let (row, held, now) = (row.clone(), lease.clone(), app.clock.now());
    app.store
        .write(move |connection| {
            store::tasks::hold(connection, &held)?;
            store::signatures::pin(connection, &row, &pinned, signed_at, now)?;
            store::signatures::intend(connection, &row, now)
        })
        .await
        .map_err(|error| not_intended(error, SignatureState::Accepted))?;
    Ok((Arc::new(plan), input))
}

/// Uses the key and verifies what it gave; a token that does not answer is tried again for a while. Signing the same
/// digest again is harmless: at most one value is ever released.
async fn use_key(
    app: &Arc<App>,
    row: &SignatureRow,
    key: &KeyReference,
    plan: &Arc<Plan>,
) -> Result<Vec<u8>, Stop> {
    let failed = |failure: &SigningFailure| Stop::failed(SignatureState::Signing, failure);
    for attempt in 1.. {
        let value = ask_token(app, row, key, plan).await?;
        let checked = Arc::clone(plan);
        let verified = app.engine.compute(move || checked.verify(&value).map(|()| value));
        match verified.await.map_err(|_| Stop::Panicked)? {
            Ok(value) => return Ok(value),
            Err(failure) => {
                let verdict = keys::Verdict::of(attempt, 0, 1);
                if let Some(key_id) = &row.key_id {
                    keys::wrong_values(app, key_id, 1, verdict).await;
                }
                if verdict != keys::Verdict::Again {
                    return Err(failed(&failure));
                }
            }
        }
    }
    unreachable!("the last attempt decides")
}

async fn ask_token(app: &App, row: &SignatureRow, key: &KeyReference, plan: &Plan) -> Result<Vec<u8>, Stop> {
    let failed = |error: SigningKeyError| Stop::failed(SignatureState::Signing, &error.into());
    let Some(keys) = &app.keys else {
        return Err(failed(SigningKeyError::Unavailable("no token is configured".to_owned())));
    };
    let work = [DigestToSign { key: key.clone(), sha256: plan.digest() }];
    let mut changes = keys.status_changes();
    let deadline = Instant::now() + Duration::from_millis(app.config.signatures.token_patience_ms);
    let mut pause = FIRST_PAUSE;
    loop {
        let none = || Err(SigningKeyError::Unavailable("no answer".to_owned()));
        match keys.sign_digests(&work).await.pop().unwrap_or_else(none) {
            Ok(value) => return Ok(value),
            Err(error) if error.is_transient() && Instant::now() + pause < deadline => {
                // Whatever changes about the token is worth another try.
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    Ok(()) = changes.changed() => {}
                }
                pause *= 2;
                // It may have been suspended meanwhile.
                if load_key(app, row).await.is_err_and(|stop| matches!(stop, Stop::Failed { .. })) {
                    return Err(key_gone(SignatureState::Signing));
                }
            }
            Err(error) => return Err(failed(error)),
        }
    }
}

/// Keeps a value that verifies.
async fn keep_value(app: &App, lease: &Lease, row: &SignatureRow, value: &[u8]) -> Result<(), Stop> {
    let (id, held, value) = (row.id.clone(), lease.clone(), value.to_vec());
    app.store
        .write(move |connection| {
            store::tasks::hold(connection, &held)?;
            store::signatures::keep_value(connection, &id, &value)
        })
        .await?;
    Ok(())
}

/// Verifies, embeds, raises to the level, validates, stores: `signing → released`.
#[expect(clippy::too_many_arguments, reason = "what the steps before have made")]
async fn release(
    app: &Arc<App>,
    lease: &Lease,
    row: &SignatureRow,
    target: Target,
    document: &DocumentRow,
    plan: Arc<Plan>,
    mut input: Input,
    value: Vec<u8>,
) -> Result<(), Stop> {
    let (worker, created_at) = (Arc::clone(app), row.created_at);
    let unfinished =
        move |failure: SigningFailure| Stop::unfinished(SignatureState::Signing, created_at, &failure);
    let made = composed::complete(app, &plan, &input, &value).await.map_err(unfinished)?;
    let work = move || {
        let now = worker.clock.now();
        let trusted = worker.trust.context_for(plan.signer(), now).map_err(SigningFailure::from);
        let sealed = trusted.and_then(|context| {
            if let Some(made) = made {
                made.seal(&value, target, &mut input, &context)
            } else if target.needs_time_stamp() {
                raise::seal(&Means::of(&worker), &plan, &Shape::Detached, &mut input, &value, target)
            } else {
                seal(&plan, &Shape::Detached, &mut input, &value, &context)
            }
        });
        let mut sealed = sealed.map_err(unfinished)?;
        let tail = worker.objects.put(std::mem::take(&mut sealed.tail))?;
        Ok::<_, Stop>((sealed, tail, now))
    };
    // Whoever waits for an authority keeps no core from others.
    let sealed = if target.needs_time_stamp() {
        tokio::task::spawn_blocking(work).await
    } else {
        app.engine.compute(work).await
    };
    let (sealed, tail, now) = sealed.map_err(|_| Stop::Panicked)??;
    let artefact = artefact::row(&sealed, row.format, &document.name, tail.sha256(), now);
    let (row, held) = (row.clone(), lease.clone());
    let ended = app
        .store
        .write(move |connection| {
            store::tasks::finish(connection, &held)?;
            tail.keep(connection)?;
            store::signatures::release(connection, &row, SignatureState::Signing, &artefact, None)
        })
        .await?;
    ended.iter().for_each(|id| app.engine.waiters.wake(id));
    Ok(())
}
