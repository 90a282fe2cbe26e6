//! `/v1/signatures`: begin, look, complete, download.

pub(super) mod completion;
pub(super) mod subject;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use base64ct::{Base64, Encoding};
use rubrica_core::wire::{
    Artefact, AuthorizationState, Custody, PdfOptions, Signature, SignatureFormat, SignatureRequest,
    SignatureState,
};
use rubrica_core::x509::Certificate;
use rubrica_core::{ErrorCode, Timestamp};

use super::auth::{SessionCaller, SessionOr};
use super::batches;
use super::detached::to_the_end;
use super::download::Download;
use super::idempotency::{Answer, IdempotencyKey, Kept};
use super::json::{Hashed, Json};
use super::openapi::Bytes;
use super::problem::{ApiError, ApiResult};
use crate::app::App;
use crate::engine::artefact::SigningFailure;
use crate::engine::plan::{Draft, Plan, Shape};
use crate::engine::{NewTask, Task};
use crate::ids::{AuthorizationId, KeyId, SignatureId};
use crate::objects::Part;
use crate::permission::needs;
use crate::store::documents::Scope;
use crate::store::signatures::SignatureRow;
use crate::store::{Connection, StoreError};
use crate::{hex, store};
use subject::Subject;

/// Why a signature is not begun: what is wrong with the document, the key, the certificate or what is asked for.
const OF_NEW: [ErrorCode; 23] = [
    ErrorCode::AuthorizationInvalid,
    ErrorCode::NotFound,
    ErrorCode::NotAPdf,
    ErrorCode::PdfDamaged,
    ErrorCode::PdfEncrypted,
    ErrorCode::PdfUnsupported,
    ErrorCode::PdfSigningForbidden,
    ErrorCode::PdfPasswordWrong,
    ErrorCode::SignatureFieldNotFound,
    ErrorCode::SignatureFieldUnusable,
    ErrorCode::AppearanceInvalid,
    ErrorCode::LimitExceeded,
    ErrorCode::CertificateMalformed,
    ErrorCode::CertificateExpired,
    ErrorCode::CertificateNotYetValid,
    ErrorCode::CertificateWrongUsage,
    ErrorCode::CertificateUntrusted,
    ErrorCode::CertificateWrongPerson,
    ErrorCode::KeyUnsupported,
    ErrorCode::KeyNotFound,
    ErrorCode::PolicyNotApplicable,
    ErrorCode::CertificateRevoked,
    ErrorCode::OrderStateConflict,
];

/// Between two looks at a signature that another instance may end.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// Longest wait of `?wait_ms=`.
const LONGEST_WAIT_MS: u64 = 20_000;

/// Begins a signature.
///
/// With custody `local` the answer is 201 and holds `to_sign`: what the person's key has to sign; the value comes back by
/// `complete_signature`. With custody `hsm` it is 202, and the service signs.
#[utoipa::path(
    post,
    path = "/v1/signatures",
    tag = "signatures",
    security(("session" = [])),
    request_body(content = SignatureRequest, example = json!({
        "document_id": "doc_00112233445566778899aabbccddeeff",
        "custody": "hsm",
        "format": "pades",
        "level": "t",
        "policy": "ad_rt",
    })),
    responses(
        (status = 201, description = "Prepared: the person signs", body = Signature, headers(
            ("location" = String, description = "Path of the signature"),
        )),
        (status = 202, description = "Accepted: the service signs", body = Signature, headers(
            ("location" = String, description = "Path of the signature"),
        )),
    ),
    extensions(("x-idempotent" = json!(true)), ("x-error-codes" = json!(OF_NEW))),
)]
pub(super) async fn create_signature(
    State(app): State<Arc<App>>,
    session: SessionCaller,
    key: IdempotencyKey,
    request: Hashed<SignatureRequest>,
) -> ApiResult<Answer> {
    if request.value.authorization_id.is_some() && request.value.custody != Custody::Lacuna {
        return Err(ApiError::member("/authorization_id", "only for custody `lacuna`"));
    }
    let (app, session, request, sha256) = (&app, &session, &request.value, request.sha256);
    // First of all: whoever is sent away should cost as little as possible.
    if request.custody == Custody::Hsm && app.engine.is_full() {
        return Err(ApiError::new(
            ErrorCode::Unavailable,
            "too many signatures wait for the token; try again",
        ));
    }
    let work = async |kept| {
        let subject = Subject::of(app, session, request).await?;
        match request.custody {
            Custody::Hsm => accept_for_token(app, session, request, subject, kept).await,
            Custody::Local => prepare_for_person(app, session, request, subject, kept).await,
            Custody::Lacuna => accept_for_cloud(app, session, request, subject, kept).await,
        }
    };
    key.run(app, session.principal(), "create_signature", sha256, work).await
}

/// Shows a signature, and waits for its end when asked to.
#[utoipa::path(
    get,
    path = "/v1/signatures/{id}",
    tag = "signatures",
    security(("session" = []), ("api_key" = ["signatures:read"]), ("person" = ["signatures:read"])),
    params(
        ("id" = SignatureId, Path, description = "The signature"),
        ("wait_ms" = Option<u64>, Query, maximum = 20000,
            description = "Longest time to wait for a final state, in milliseconds; 0 when absent"),
    ),
    responses((status = 200, description = "The signature", body = Signature)),
)]
pub(super) async fn show_signature(
    State(app): State<Arc<App>>,
    caller: SessionOr<needs::SignaturesRead>,
    Path(id): Path<String>,
    query: RawQuery,
) -> ApiResult<Json<Signature>> {
    let wait_ms = match super::documents::parameter(&query, "wait_ms") {
        None => 0,
        Some(text) => text.parse::<u64>().ok().filter(|ms| *ms <= LONGEST_WAIT_MS).ok_or_else(|| {
            ApiError::new(ErrorCode::InvalidRequest, format!("wait_ms is a number up to {LONGEST_WAIT_MS}"))
        })?,
    };
    let id: SignatureId = id.parse().map_err(|_| ApiError::not_found("signature"))?;
    let mut deadline = tokio::time::Instant::now() + Duration::from_millis(wait_ms);
    let mut stopping = app.stopping.subscribe();
    let waiter = app.engine.waiters.register(&id);
    loop {
        let woken = waiter.woken();
        let signature = look(&app, &id, caller.scope()).await?;
        if signature.state.is_final() || tokio::time::Instant::now() >= deadline {
            return Ok(Json(signature));
        }
        tracing::debug!(signature.id = %id, wait_ms, "a caller waits for the end");
        // Whether it ended, the time is over or the process stops: the row tells what is true.
        tokio::select! {
            () = woken => {}
            () = tokio::time::sleep_until(deadline) => {}
            // Another instance may end it, and wakes nobody here.
            () = tokio::time::sleep(LOOK_AGAIN), if app.store.is_shared() => {}
            _ = stopping.wait_for(|stopping| *stopping) => deadline = tokio::time::Instant::now(),
        }
    }
}

/// Downloads the released artefact.
#[utoipa::path(
    get,
    path = "/v1/signatures/{id}/content",
    tag = "signatures",
    security(("session" = []), ("api_key" = ["signatures:read"]), ("person" = ["signatures:read"])),
    params(("id" = SignatureId, Path, description = "The signature")),
    responses(
        (status = 200, description = "The signed PDF, or the detached CMS", headers(
            ("content-disposition" = String, description = "The name of the file (RFC 6266)"),
            ("content-digest" = String, description = "SHA-256 of the bytes (RFC 9530)"),
        ), content((Bytes = "application/pdf"), (Bytes = "application/pkcs7-signature"))),
    ),
    extensions(("x-error-codes" = json!([ErrorCode::SignatureStateConflict]))),
)]
pub(super) async fn download_signature(
    State(app): State<Arc<App>>,
    caller: SessionOr<needs::SignaturesRead>,
    Path(id): Path<String>,
) -> ApiResult<Response> {
    let id: SignatureId = id.parse().map_err(|_| ApiError::not_found("signature"))?;
    if let Some(download) = batches::item_download(&app, &id, &caller.scope()).await? {
        return download.start(&app).await;
    }
    let row = find(&app, &id, caller.scope()).await?;
    let Some(artefact) = row.artefact.clone() else {
        return Err(ApiError::new(
            ErrorCode::SignatureStateConflict,
            format!("the signature is `{}`; only a released one has content", row.state.as_str()),
        ));
    };
    let parts = match row.format {
        SignatureFormat::Cades => vec![Part::Object(artefact.tail)],
        SignatureFormat::Pades => {
            let document =
                app.store.read(move |connection| store::documents::signed_by(connection, &row)).await?;
            let document = document.ok_or_else(|| ApiError::internal("the document's row is missing"))?;
            let mut parts: Vec<_> = document.parts.into_iter().map(Part::Object).collect();
            parts.push(Part::Object(artefact.tail));
            parts
        }
    };
    let download = Download {
        parts,
        name: artefact.name,
        media_type: artefact.media_type,
        size_bytes: artefact.size_bytes,
        sha256: artefact.sha256,
    };
    download.start(&app).await
}

fn to_json(pdf: &PdfOptions) -> String {
    serde_json::to_string(pdf).expect("options have only strings and numbers")
}

/// Takes a signature for the engine. Its certificate is checked now, so that the caller hears of it at once.
async fn accept_for_token(
    app: &Arc<App>,
    session: &SessionCaller,
    request: &SignatureRequest,
    subject: Subject,
    kept: Kept,
) -> ApiResult<Answer> {
    if request.certificate.is_some() {
        return Err(ApiError::member("/certificate", "only for custody `local`: the token has its own"));
    }
    let no_key =
        || ApiError::new(ErrorCode::KeyNotFound, "this signer has no key here; use the custody `local`");
    if !app.has_token() {
        return Err(no_key());
    }
    let (signer, now) = (session.0.signer_hash, app.clock.now());
    let tenant = session.0.tenant.clone();
    let key = app
        .store
        .read(move |connection| store::keys::find_active(connection, &tenant, &signer, now))
        .await?
        .ok_or_else(no_key)?;
    accept_certificate(app, session, &key.certificate).await?;
    let row = new_row(
        app,
        session,
        request,
        &subject,
        SignatureState::Accepted,
        key.certificate,
        Some(key.id),
        None,
        None,
    );
    submit(app, row, subject, kept).await
}

/// Takes a signature by a key at a cloud service, which its person has permitted in this session and for this document.
async fn accept_for_cloud(
    app: &Arc<App>,
    session: &SessionCaller,
    request: &SignatureRequest,
    subject: Subject,
    kept: Kept,
) -> ApiResult<Answer> {
    if request.certificate.is_some() {
        return Err(ApiError::member("/certificate", "only for custody `local`: the permission has its own"));
    }
    let text = request.authorization_id.as_deref();
    let id = text.ok_or_else(|| ApiError::member("/authorization_id", "required for `lacuna`"))?;
    let id: AuthorizationId = id.parse().map_err(|_| ApiError::not_found("authorization"))?;
    let (of, session_id, document) = (id.clone(), session.0.id.clone(), subject.document.id.clone());
    let (permission, documents) = app
        .store
        .read(move |connection| {
            let permission = store::authorizations::find(connection, &of, &session_id)?;
            Ok((permission, store::authorizations::documents(connection, &of)?))
        })
        .await?;
    let permission = permission.ok_or_else(|| ApiError::not_found("authorization"))?;
    let invalid = |what: &'static str| ApiError::new(ErrorCode::AuthorizationInvalid, what);
    if !documents.contains(&document) {
        return Err(invalid("the permission is not for this document"));
    }
    let is_open = permission.state == AuthorizationState::Granted && app.clock.now() < permission.expires_at;
    let certificate = permission.certificate.filter(|_| is_open);
    let certificate = certificate.ok_or_else(|| invalid("the permission is not granted, used up or over"))?;
    accept_certificate(app, session, &certificate).await?;
    let state = SignatureState::Accepted;
    let mut row = new_row(app, session, request, &subject, state, certificate, None, None, None);
    row.authorization_id = Some(id);
    submit(app, row, subject, kept).await
}

/// Keeps a signature with its task and hands it to the engine.
async fn submit(app: &Arc<App>, row: SignatureRow, subject: Subject, kept: Kept) -> ApiResult<Answer> {
    let app = Arc::clone(app);
    // What this worker holds from the commit on, nobody else would ever work on.
    to_the_end(async move {
        let worker = app.engine.identity.id();
        let (answer, lease) = insert(&app, StatusCode::ACCEPTED, &row, kept, move |connection, row| {
            store::tasks::add(connection, &row.tenant, &row.id, worker.as_ref())
        })
        .await?;
        if let Some(lease) = lease {
            let new = NewTask { lease, row, document: subject.document, password: None };
            app.engine.submit(Task::New(Box::new(new)));
        }
        Ok(answer)
    })
    .await
}

/// Prepares a signature that a person completes with a key of their own.
async fn prepare_for_person(
    app: &Arc<App>,
    session: &SessionCaller,
    request: &SignatureRequest,
    subject: Subject,
    kept: Kept,
) -> ApiResult<Answer> {
    let text = request
        .certificate
        .as_deref()
        .ok_or_else(|| ApiError::member("/certificate", "required for `local`"))?;
    let certificate = Base64::decode_vec(text)
        .map_err(|_| ApiError::member("/certificate", "the DER of a certificate in standard base64"))?;
    let (signer, chain) = accept_certificate(app, session, &certificate).await?;
    let Subject { document, target, .. } = &subject;
    let _memory = app.engine.reserve(document.size_bytes).await;
    let bytes = app.objects.read_parts(&document.parts).await?;
    let (target, sha256, signing_time) = (*target, document.sha256, app.clock.now());
    let (pinned_signer, pdf) = (signer.clone(), request.pdf.clone().unwrap_or_default());
    let prepare = move || {
        let draft = Draft {
            target,
            document: (&bytes[..]).into(),
            document_sha256: Some(&sha256),
            signer: &pinned_signer,
            chain: &chain,
            signing_time,
            pdf: &pdf,
            shape: &Shape::Detached,
        };
        Plan::prepare(draft).map(|plan| plan.encode())
    };
    let plan = app.engine.compute(prepare).await.map_err(ApiError::internal)??;
    let row = new_row(
        app,
        session,
        request,
        &subject,
        SignatureState::Prepared,
        signer.der().to_vec(),
        None,
        Some(plan),
        Some(signing_time),
    );
    let (answer, ()) = insert(app, StatusCode::CREATED, &row, kept, |_, _| Ok(())).await?;
    Ok(answer)
}

/// Reads a certificate and checks that this session's signer may sign with it.
pub(super) async fn accept_certificate(
    app: &Arc<App>,
    session: &SessionCaller,
    der: &[u8],
) -> ApiResult<(Certificate, Arc<[Certificate]>)> {
    let certificate =
        Certificate::from_der(der).map_err(|error| ApiError::new(error.code(), error.to_string()))?;
    let known = app.trust.knows_path(&certificate, app.clock.now());
    let (worker, signer) = (Arc::clone(app), session.0.signer_hash);
    let accept = move || {
        let chain = worker
            .trust
            .accept(&certificate, &signer, &worker.lookup, worker.clock.now())
            .map_err(|refusal| ApiError::new(refusal.code(), refusal.to_string()))?;
        Ok((certificate, chain))
    };
    // Building a path verifies signatures; a known one takes microseconds.
    if known { accept() } else { app.engine.compute(accept).await.map_err(ApiError::internal)? }
}

#[expect(clippy::too_many_arguments, reason = "one place where a row is made from its request")]
fn new_row(
    app: &App,
    session: &SessionCaller,
    request: &SignatureRequest,
    Subject { document, target, in_order, deadline }: &Subject,
    state: SignatureState,
    certificate: Vec<u8>,
    key_id: Option<KeyId>,
    plan: Option<Vec<u8>>,
    signed_at: Option<Timestamp>,
) -> SignatureRow {
    let now = app.clock.now();
    let expires_at = now.plus(Duration::from_secs(app.config.signatures.completion_seconds));
    SignatureRow {
        id: SignatureId::generate(),
        tenant: session.0.tenant.clone(),
        session_id: session.0.id.clone(),
        document_id: document.id.clone(),
        document_sha256: document.sha256,
        in_order: in_order.clone(),
        signer_hash: Some(session.0.signer_hash),
        custody: request.custody,
        format: request.format,
        level: target.level,
        policy: target.policy,
        state,
        key_id,
        authorization_id: None,
        certificate,
        options: request.pdf.as_ref().map(to_json),
        plan,
        signed_at,
        value: None,
        completion_sha256: None,
        artefact: None,
        problem: None,
        created_at: now,
        expires_at: deadline.map_or(expires_at, |deadline| deadline.min(expires_at)),
    }
}

/// Keeps a new signature with its answer, and what `also` adds in the same transaction.
async fn insert<T: Send + 'static>(
    app: &App,
    status: StatusCode,
    row: &SignatureRow,
    kept: Kept,
    also: impl FnOnce(&Connection, &SignatureRow) -> Result<T, StoreError> + Send + 'static,
) -> ApiResult<(Answer, T)> {
    let answer = Answer::json(status, &view(row)?).at(format!("/v1/signatures/{}", row.id));
    let (row, kept_answer, now) = (row.clone(), answer.clone(), app.clock.now());
    let (ended, added) = app
        .store
        .write(move |connection| {
            kept.keep(connection, &kept_answer)?;
            let ended = if row.in_order.is_some() {
                store::orders::begin(connection, &row, now)?.emit(connection)?
            } else {
                store::signatures::insert(connection, &row)?;
                Vec::new()
            };
            Ok((ended, also(connection, &row)?))
        })
        .await?;
    ended.iter().for_each(|id| app.engine.waiters.wake(id));
    Ok((answer, added))
}

async fn find(app: &App, id: &SignatureId, scope: Scope) -> ApiResult<SignatureRow> {
    let id = id.clone();
    app.store
        .read(move |connection| store::signatures::find(connection, &id, &scope))
        .await?
        .ok_or_else(|| ApiError::not_found("signature"))
}

/// A signature of a session, of an order or of a batch, as the API shows it.
async fn look(app: &App, id: &SignatureId, scope: Scope) -> ApiResult<Signature> {
    match batches::item_view(app, id, &scope).await? {
        Some(signature) => Ok(signature),
        None => view(&find(app, id, scope).await?),
    }
}

/// The resource as the API shows it.
fn view(row: &SignatureRow) -> ApiResult<Signature> {
    let certificate = Certificate::from_der(&row.certificate).map_err(ApiError::internal)?;
    let to_sign = match (&row.plan, row.custody, row.state) {
        (Some(plan), Custody::Local, SignatureState::Prepared) => Plan::decode(row.format, plan)?.to_wire(),
        _ => None,
    };
    Ok(Signature {
        id: row.id.to_string(),
        document_id: Some(row.document_id.to_string()),
        order_id: row.in_order.as_ref().map(|order| order.order_id.to_string()),
        participant_id: row.in_order.as_ref().map(|order| order.participant_id.to_string()),
        batch_id: None,
        custody: row.custody,
        format: row.format,
        level: row.level,
        policy: row.policy,
        state: row.state,
        certificate: certificate.view(),
        created_at: row.created_at,
        expires_at: row.expires_at,
        to_sign,
        artefact: row.artefact.as_ref().map(|artefact| Artefact {
            name: artefact.name.clone(),
            media_type: artefact.media_type.clone(),
            size_bytes: artefact.size_bytes,
            sha256: hex::encode(artefact.sha256),
            released_at: artefact.released_at,
        }),
        problem: row.problem.clone(),
    })
}

impl From<SigningFailure> for ApiError {
    fn from(failure: SigningFailure) -> Self {
        if failure.code() == ErrorCode::Internal {
            return Self::internal(failure);
        }
        Self::new(failure.code(), failure.to_string())
    }
}
