//! `/v1/authorizations`: a person permits the use of their key at a cloud service.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use rubrica_core::wire::{
    Authorization, AuthorizationScope, AuthorizationState, CompleteAuthorization, CreateAuthorization,
};
use rubrica_core::{ErrorCode, Timestamp};

use super::auth::SessionCaller;
use super::documents;
use super::idempotency::{Answer, IdempotencyKey, Kept};
use super::json::{Hashed, Json};
use super::problem::{ApiError, ApiResult};
use crate::app::App;
use crate::ids::{AuthorizationId, DocumentId};
use crate::objects::sha256;
use crate::ports::cloud::{CloudError, Permission, PermissionRequest, PermittedKey, Started};
use crate::secret::Secret;
use crate::store::authorizations::AuthorizationRow;
use crate::{hex, random, store};

const MOST_DOCUMENTS: usize = 100;
const LONGEST_URL: usize = 1024;
/// How long the person may take at the service.
const TIME_TO_COMPLETE: Duration = Duration::from_mins(10);
/// How long a permission lasts once it is given.
const LIFE: Duration = Duration::from_mins(5);

/// Asks a cloud service for the permission of the session's signer.
///
/// Without `return_url` the person is asked on their phone, where the service can: call `complete_authorization` without parameters, not
/// more than once a second, until the permission is `granted`. Otherwise send the person to `auth_url`. The service sends them back to `return_url` with parameters of its own and a `state`; hand all of
/// them to `complete_authorization`. The permission is for this session and the documents named.
#[utoipa::path(
    post,
    path = "/v1/authorizations",
    tag = "custody",
    security(("session" = [])),
    request_body(content = CreateAuthorization, example = json!({
        "service": "vidaas",
        "document_ids": ["doc_00112233445566778899aabbccddeeff"],
        "scope": "one",
        "return_url": "https://bank.example/contracts/sign",
    })),
    responses((status = 201, description = "The person may be sent to `auth_url`", body = Authorization, headers(
        ("location" = String, description = "Path of the permission"),
    ))),
    extensions(("x-idempotent" = json!(true)), ("x-error-codes" = json!([
        ErrorCode::NotFound,
        ErrorCode::ProviderUnavailable,
        ErrorCode::ProviderRefused,
        ErrorCode::ProviderAnswerInvalid,
    ]))),
)]
pub(super) async fn create_authorization(
    State(app): State<Arc<App>>,
    session: SessionCaller,
    key: IdempotencyKey,
    request: Hashed<CreateAuthorization>,
) -> ApiResult<Answer> {
    let work = async |kept| start(&app, &session, &request.value, kept).await;
    key.run(&app, session.principal(), "create_authorization", request.sha256, work).await
}

async fn start(
    app: &Arc<App>,
    session: &SessionCaller,
    request: &CreateAuthorization,
    kept: Kept,
) -> ApiResult<Answer> {
    let service = app.cloud.find(&request.service, &session.0.tenant);
    let service = service.ok_or_else(|| ApiError::member("/service", "no cloud service of this name"))?;
    match &request.return_url {
        Some(url) => check_return_url(session, url)?,
        None if service.asks_by_phone() => {}
        None => return Err(ApiError::member("/return_url", "required: this service asks nobody by phone")),
    }
    let most = if request.scope == AuthorizationScope::One { 1 } else { MOST_DOCUMENTS };
    if request.document_ids.is_empty() || request.document_ids.len() > most {
        let what = format!("1 to {MOST_DOCUMENTS} documents, and exactly 1 with scope `one`");
        return Err(ApiError::member("/document_ids", what));
    }
    let mut found = Vec::new();
    for id in &request.document_ids {
        found.push(documents::find(app, id, session.scope()).await?.id);
    }
    found.sort();
    found.dedup();
    // Nobody comes back from a phone, so nothing has to prove that they are the one who left.
    let is_left = request.return_url.is_some();
    let state = if is_left { hex::encode(random::bytes::<32>()) } else { String::new() };
    let state_sha256 = sha256(state.as_bytes());
    let asked = PermissionRequest {
        scope: request.scope,
        identifier: session.0.identifier(&app.signer_sealing),
        return_url: request.return_url.clone(),
        state,
        life: LIFE,
        binding: Secret::new(hex::encode(random::bytes::<32>())),
    };
    let Started { auth_url, kept: secret } = service.start(&asked).await?;
    let (id, now) = (AuthorizationId::generate(), app.clock.now());
    let mut row = AuthorizationRow {
        sealed: None,
        id,
        tenant: session.0.tenant.clone(),
        session_id: session.0.id.clone(),
        signer_hash: session.0.signer_hash,
        service: request.service.clone(),
        scope: request.scope,
        state: AuthorizationState::Requested,
        state_sha256,
        certificate: None,
        uses: 0,
        signature_id: None,
        problem: None,
        created_at: now,
        expires_at: now.plus(TIME_TO_COMPLETE),
    };
    row.sealed = Some(app.cloud.seal(&row, &found, &secret));
    let shown = Authorization { auth_url, ..view(&row) };
    let answer = Answer::json(StatusCode::CREATED, &shown).at(format!("/v1/authorizations/{}", row.id));
    let kept_answer = answer.clone();
    app.store
        .write(move |connection| {
            kept.keep(connection, &kept_answer)?;
            store::authorizations::insert(connection, &row, &found)
        })
        .await?;
    Ok(answer)
}

/// Shows a permission.
#[utoipa::path(
    get,
    path = "/v1/authorizations/{id}",
    tag = "custody",
    security(("session" = [])),
    params(("id" = AuthorizationId, Path, description = "The permission")),
    responses((status = 200, description = "The permission", body = Authorization)),
)]
pub(super) async fn show_authorization(
    State(app): State<Arc<App>>,
    session: SessionCaller,
    Path(id): Path<String>,
) -> ApiResult<Json<Authorization>> {
    Ok(Json(view(&find(&app, &session, &id).await?.0)))
}

/// Takes what the person came back with from the service.
///
/// The certificate at the service must be one of the session's signer. A `state` of another request changes nothing.
#[utoipa::path(
    post,
    path = "/v1/authorizations/{id}/complete",
    tag = "custody",
    security(("session" = [])),
    params(("id" = AuthorizationId, Path, description = "The permission")),
    request_body(content = CompleteAuthorization, example = json!({ "parameters": { "state": "…", "session": "…" } })),
    responses((status = 200, description = "The permission: granted, or requested while the person decides on their phone", body = Authorization)),
    extensions(("x-error-codes" = json!([
        ErrorCode::AuthorizationInvalid,
        ErrorCode::ProviderUnavailable,
        ErrorCode::ProviderRefused,
        ErrorCode::ProviderAnswerInvalid,
        ErrorCode::CertificateMalformed,
        ErrorCode::CertificateExpired,
        ErrorCode::CertificateNotYetValid,
        ErrorCode::CertificateWrongUsage,
        ErrorCode::CertificateUntrusted,
        ErrorCode::CertificateWrongPerson,
        ErrorCode::KeyUnsupported,
    ]))),
)]
pub(super) async fn complete_authorization(
    State(app): State<Arc<App>>,
    session: SessionCaller,
    Path(id): Path<String>,
    Json(request): Json<CompleteAuthorization>,
) -> ApiResult<Json<Authorization>> {
    let (row, documents) = find(&app, &session, &id).await?;
    let state = request.parameters.get("state").map_or("", String::as_str);
    // A digest is compared: how long that takes tells nothing of the text.
    if sha256(state.as_bytes()) != row.state_sha256 {
        return Err(invalid("the state is not the one of this request"));
    }
    if row.state == AuthorizationState::Granted {
        return Ok(Json(view(&row)));
    }
    let now = app.clock.now();
    if now >= row.expires_at || row.state != AuthorizationState::Requested {
        return Err(invalid("the request is over; begin a new one"));
    }
    let kept = app.cloud.open_secret(&row, &documents);
    let kept = kept.ok_or_else(|| ApiError::internal("the sealed request cannot be opened"))?;
    let service = app.cloud.find(&row.service, &row.tenant);
    let service = service.ok_or_else(|| invalid("the service is not configured any more"))?;
    let permitted = match service.complete(&kept, &request.parameters).await {
        Ok(Some(permission)) => accept(&app, &session, permission).await,
        Ok(None) => return Ok(Json(view(&row))),
        Err(error) => Err(error.into()),
    };
    match permitted {
        Ok((PermittedKey { secret, certificate }, life)) => {
            let (granted, now) = (row.clone(), app.clock.now());
            let sealed = app.cloud.seal(&row, &documents, &secret);
            let until = now.plus(life);
            app.store
                .write(move |connection| {
                    store::authorizations::grant(connection, &granted, &sealed, &certificate, until, now)
                })
                .await?;
            // Whoever asked before may have heard that there is none.
            app.custody.forget(&session.0.tenant, &session.0.signer_hash);
            Ok(Json(view(&find(&app, &session, &id).await?.0)))
        }
        // The person may come back once more with the same parameters.
        Err(error) if error.code() == ErrorCode::ProviderUnavailable => Err(error),
        Err(error) => {
            fail(&app, row, error.code(), now).await?;
            Err(error)
        }
    }
}

/// Takes the first key that the signer may sign with, and how long the permission lasts.
async fn accept(
    app: &Arc<App>,
    session: &SessionCaller,
    Permission { identified, life, keys }: Permission,
) -> ApiResult<(PermittedKey, Duration)> {
    if identified.is_some_and(|identifier| app.lookup.hash(&identifier) != session.0.signer_hash) {
        let detail = "the service identified somebody else than the signer of the session";
        return Err(ApiError::new(ErrorCode::CertificateWrongPerson, detail));
    }
    let mut refused = None;
    for key in keys {
        match super::signatures::accept_certificate(app, session, &key.certificate).await {
            Ok(_) => return Ok((key, life.map_or(LIFE, |life| life.min(LIFE)))),
            Err(error) => refused = Some(error),
        }
    }
    Err(refused.unwrap_or_else(|| CloudError::Contract("there is no certificate".to_owned()).into()))
}

async fn fail(app: &App, row: AuthorizationRow, code: ErrorCode, now: Timestamp) -> ApiResult<()> {
    tracing::warn!(authorization.id = %row.id, %code, "a permission at a cloud service was not given");
    Ok(app.store.write(move |connection| store::authorizations::fail(connection, &row, code, now)).await?)
}

async fn find(
    app: &App,
    session: &SessionCaller,
    id: &str,
) -> ApiResult<(AuthorizationRow, Vec<DocumentId>)> {
    let id: AuthorizationId = id.parse().map_err(|_| ApiError::not_found("authorization"))?;
    let of = session.0.id.clone();
    let (found, documents) = app
        .store
        .read(move |connection| {
            let found = store::authorizations::find(connection, &id, &of)?;
            Ok((found, store::authorizations::documents(connection, &id)?))
        })
        .await?;
    found.map(|row| (row, documents)).ok_or_else(|| ApiError::not_found("authorization"))
}

/// The page that the person comes back to is one of the session's.
fn check_return_url(session: &SessionCaller, url: &str) -> ApiResult<()> {
    let below = |origin: &String| {
        url.strip_prefix(origin.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
    };
    let is_plain = url.bytes().all(|byte| byte.is_ascii_graphic() && !b"#\\\"<>".contains(&byte));
    if url.len() > LONGEST_URL || !is_plain || !session.0.origins.iter().any(below) {
        let what = "a page below an origin of the session, without fragment, at most 1024 characters";
        return Err(ApiError::member("/return_url", what));
    }
    Ok(())
}

fn invalid(detail: &'static str) -> ApiError {
    ApiError::new(ErrorCode::AuthorizationInvalid, detail)
}

fn view(row: &AuthorizationRow) -> Authorization {
    Authorization {
        id: row.id.to_string(),
        service: row.service.clone(),
        scope: row.scope,
        state: row.state,
        auth_url: None,
        created_at: row.created_at,
        expires_at: row.expires_at,
        problem: row.problem,
    }
}

impl From<CloudError> for ApiError {
    fn from(error: CloudError) -> Self {
        let problem = Self::new(error.code(), error.to_string());
        match error {
            CloudError::Unavailable { rest, .. } if !rest.is_zero() => {
                problem.retry_after(u32::try_from(rest.as_secs() + 1).unwrap_or(u32::MAX))
            }
            CloudError::Unavailable { .. }
            | CloudError::Refused(_)
            | CloudError::AnswerLost(_)
            | CloudError::Contract(_)
            | CloudError::Permission(_) => problem,
        }
    }
}
