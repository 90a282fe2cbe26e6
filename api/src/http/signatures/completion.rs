//! `POST /v1/signatures/{id}/complete`: the value that the person's key made.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use base64ct::{Base64, Encoding};
use rubrica_core::ErrorCode;
use rubrica_core::wire::{CompleteSignature, Custody, Signature, SignatureLevel, SignatureState};

use super::{LOOK_AGAIN, find, view};
use crate::app::App;
use crate::engine::Task;
use crate::engine::artefact::{self, SigningFailure, seal};
use crate::engine::plan::{Plan, Shape};
use crate::http::auth::SessionCaller;
use crate::http::detached::to_the_end;
use crate::http::json::Json;
use crate::http::problem::{ApiError, ApiResult};
use crate::ids::SignatureId;
use crate::input::Input;
use crate::objects::sha256;
use crate::store::signatures::SignatureRow;
use crate::store::{self, StoreError};

/// How long the caller is kept waiting for time stamps and revocation data; then the state tells.
const HANDED_OVER: Duration = Duration::from_secs(10);

/// Completes a signature with the value that the person's key made.
///
/// A wrong value changes nothing: the person may try again until the time is over. The same value again gives the same
/// answer; another value for a released signature is a conflict.
#[utoipa::path(
    post,
    path = "/v1/signatures/{id}/complete",
    tag = "signatures",
    security(("session" = [])),
    params(("id" = SignatureId, Path, description = "The signature")),
    request_body(content = CompleteSignature, example = json!({ "signature_value": "c2lnbmF0dXJl" })),
    responses((status = 200, description = "The signature: released, or `signing` above level `b`", body = Signature)),
    extensions(("x-error-codes" = json!([
        ErrorCode::SignatureStateConflict,
        ErrorCode::OrderStateConflict,
        ErrorCode::SignatureExpired,
        ErrorCode::SignatureValueInvalid,
        ErrorCode::ContentsSlotTooSmall,
        ErrorCode::CertificateExpired,
        ErrorCode::CertificateUntrusted,
    ]))),
)]
pub(crate) async fn complete_signature(
    State(app): State<Arc<App>>,
    session: SessionCaller,
    Path(id): Path<String>,
    Json(request): Json<CompleteSignature>,
) -> ApiResult<Json<Signature>> {
    let value = Base64::decode_vec(&request.signature_value)
        .map_err(|_| ApiError::member("/signature_value", "the raw signature in standard base64"))?;
    let value_sha256 = sha256(&value);
    let id: SignatureId = id.parse().map_err(|_| ApiError::not_found("signature"))?;
    let row = find(&app, &id, session.scope()).await?;
    if let Some(answer) = settled(&app, &row, &value_sha256)? {
        return Ok(answer);
    }
    let finish = {
        let (app, row) = (Arc::clone(&app), row.clone());
        async move {
            if row.level == SignatureLevel::B {
                release(&app, &row, value, value_sha256).await
            } else {
                hand_over(&app, &row, value, value_sha256).await
            }
        }
    };
    // A value that was brought is not brought twice: it is used although its person does not wait for the end.
    match to_the_end(finish).await {
        // Another call was faster, or the time ran out meanwhile: what it left decides.
        Err(error) if error.code() == ErrorCode::SignatureStateConflict => {}
        other => other?,
    }
    app.engine.waiters.wake(&id);
    let row = find(&app, &id, session.scope()).await?;
    settled(&app, &row, &value_sha256)?
        .ok_or_else(|| ApiError::internal("a completed signature is not released"))
}

/// The answer when there is nothing to do any more; `None` when it is the person's turn.
fn settled(app: &App, row: &SignatureRow, value_sha256: &[u8; 32]) -> ApiResult<Option<Json<Signature>>> {
    let conflict = |detail: String| Err(ApiError::new(ErrorCode::SignatureStateConflict, detail));
    if row.custody != Custody::Local {
        return conflict("only a signature of custody `local` is completed by its caller".to_owned());
    }
    // Somebody else signed the same PDF of an order first.
    if let Some(problem) = row.problem.as_ref().filter(|one| one.code == ErrorCode::OrderStateConflict) {
        return Err(ApiError::new(problem.code, problem.detail.clone()));
    }
    let expired = || {
        Err(ApiError::new(
            ErrorCode::SignatureExpired,
            "the time to complete it is over; create a new signature",
        ))
    };
    match row.state {
        SignatureState::Released | SignatureState::Signing
            if row.completion_sha256.as_ref() == Some(value_sha256) =>
        {
            Ok(Some(Json(view(row)?)))
        }
        SignatureState::Released | SignatureState::Signing => {
            conflict("it was completed with another value".to_owned())
        }
        SignatureState::Expired => expired(),
        SignatureState::Prepared if row.expires_at <= app.clock.now() => expired(),
        SignatureState::Prepared => Ok(None),
        SignatureState::Accepted | SignatureState::Failed | SignatureState::Cancelled => {
            conflict(format!("it is `{}`", row.state.as_str()))
        }
    }
}

/// Verifies and keeps the value, `prepared → signing`; the engine does the rest. Waits for its end for a moment.
async fn hand_over(
    app: &Arc<App>,
    row: &SignatureRow,
    value: Vec<u8>,
    value_sha256: [u8; 32],
) -> ApiResult<()> {
    let pinned = row.plan.as_deref().ok_or(StoreError::Damaged { column: "signature.plan" })?;
    let plan = Plan::decode(row.format, pinned)?;
    let value = app
        .engine
        .compute(move || plan.verify(&value).map(|()| value))
        .await
        .map_err(ApiError::internal)??;
    let (kept, worker, now) = (row.clone(), app.engine.identity.id(), app.clock.now());
    let lease = app
        .store
        .write(move |connection| {
            store::signatures::complete(connection, &kept, &value, value_sha256, now)?;
            store::tasks::add(connection, &kept.tenant, &kept.id, worker.as_ref())
        })
        .await?;
    let waiter = app.engine.waiters.register(&row.id);
    let woken = waiter.woken();
    // Whether it ended or an authority lets it wait: the row tells what is true.
    let Some(lease) = lease else {
        // The engine is another process, which wakes nobody here.
        return tokio::time::timeout(HANDED_OVER, ended(app, &row.id)).await.unwrap_or(Ok(()));
    };
    app.engine.submit(Task::Left(lease, row.id.clone(), 0));
    let _ = tokio::time::timeout(HANDED_OVER, woken).await;
    Ok(())
}

/// Resolves once the signature has ended.
async fn ended(app: &App, id: &SignatureId) -> ApiResult<()> {
    loop {
        tokio::time::sleep(LOOK_AGAIN).await;
        let id = id.clone();
        let row = app.store.read(move |connection| store::signatures::load(connection, &id)).await?;
        if row.is_none_or(|row| row.state.is_final()) {
            return Ok(());
        }
    }
}

/// Verifies, embeds, validates, stores: `prepared → released`.
async fn release(
    app: &Arc<App>,
    row: &SignatureRow,
    value: Vec<u8>,
    value_sha256: [u8; 32],
) -> ApiResult<()> {
    let pinned = row.plan.as_deref().ok_or(StoreError::Damaged { column: "signature.plan" })?;
    let plan = Plan::decode(row.format, pinned)?;
    let signature = row.clone();
    let document = app
        .store
        .read(move |connection| store::documents::signed_by(connection, &signature))
        .await?
        .ok_or(StoreError::Damaged { column: "signature.document_id" })?;
    let _memory = app.engine.reserve(document.size_bytes).await;
    // Reading checks the digest: the document is the one that was prepared.
    let bytes = app.objects.read_parts(&document.parts).await?;
    let worker = Arc::clone(app);
    let (sealed, tail, now) = app
        .engine
        .compute(move || {
            let now = worker.clock.now();
            let context = worker.trust.context_for(plan.signer(), now).map_err(SigningFailure::from)?;
            let mut sealed = seal(&plan, &Shape::Detached, &mut Input::from(bytes), &value, &context)?;
            let tail = worker.objects.put(std::mem::take(&mut sealed.tail))?;
            Ok::<_, ApiError>((sealed, tail, now))
        })
        .await
        .map_err(ApiError::internal)??;
    let artefact = artefact::row(&sealed, row.format, &document.name, tail.sha256(), now);
    let row = row.clone();
    let ended = app
        .store
        .write(move |connection| {
            tail.keep(connection)?;
            store::signatures::release(
                connection,
                &row,
                SignatureState::Prepared,
                &artefact,
                Some(value_sha256),
            )
        })
        .await?;
    ended.iter().for_each(|id| app.engine.waiters.wake(id));
    Ok(())
}
