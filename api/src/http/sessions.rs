//! `POST /v1/sessions`: a backend opens a short-lived session for one signer.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use rubrica_core::ErrorCode;
use rubrica_core::icp_brasil::{Identifier, InvalidIdentifier};
use rubrica_core::wire::{CreateSession, Session, SessionSigner, SignerView};

use super::auth::Granted;
use super::idempotency::{Answer, IdempotencyKey, Kept};
use super::json::Hashed;
use super::origin;
use super::problem::{ApiError, ApiResult};
use crate::app::App;
use crate::ids::{OrderId, ParticipantId, SessionId};
use crate::lookup::SignerHash;
use crate::objects::sha256;
use crate::permission::needs;
use crate::store::documents::Scope;
use crate::store::sessions::{SessionOrder, SessionRow};
use crate::{hex, random, store};

const MOST_ORIGINS: usize = 10;
const LONGEST_NAME: usize = 200;

/// Opens a short-lived session for one signer.
///
/// The page of the portal gets the token and nothing else of the bank's credentials. A session for a participant of an order
/// sees this order and nothing else; it may be opened before it is the participant's turn and after the order ended, to look.
#[utoipa::path(
    post,
    path = "/v1/sessions",
    tag = "sessions",
    security(("api_key" = ["sessions:write"])),
    request_body(content = CreateSession, example = json!({
        "signer": { "identifier": "52998224725", "name": "ANA BEATRIZ DE SOUZA TEST" },
        "origins": ["https://bank.example"],
    })),
    extensions(("x-idempotent" = json!(true)), ("x-error-codes" = json!([
        ErrorCode::NotFound, ErrorCode::CpfInvalid, ErrorCode::CnpjInvalid,
    ]))),
    responses((status = 201, description = "The session; its token is shown once", body = Session)),
)]
pub(super) async fn create_session(
    State(app): State<Arc<App>>,
    granted: Granted<needs::SessionsWrite>,
    key: IdempotencyKey,
    request: Hashed<CreateSession>,
) -> ApiResult<Answer> {
    let tenant = granted.tenant().to_owned();
    let work = async |kept| {
        let session = open(&app, &tenant, request.value, kept).await?;
        Ok(Answer::json(StatusCode::CREATED, &session))
    };
    key.run(&app, granted.principal(), "create_session", request.sha256, work).await
}

/// Opens a session; the token is in the answer and nowhere else.
pub(crate) async fn open(app: &App, tenant: &str, request: CreateSession, kept: Kept) -> ApiResult<Session> {
    let (identifier, name) = signer(&request.signer, "/signer")?;
    if request.origins.is_empty() || request.origins.len() > MOST_ORIGINS {
        return Err(ApiError::member("/origins", format!("1 to {MOST_ORIGINS} origins")));
    }
    for (index, text) in request.origins.iter().enumerate() {
        origin::check(text).map_err(|what| ApiError::member(format!("/origins/{index}"), what))?;
    }
    let life_seconds = request.expires_in_seconds.unwrap_or(app.config.sessions.default_seconds);
    if !(60..=3600).contains(&life_seconds) {
        return Err(ApiError::member("/expires_in_seconds", "60 to 3600"));
    }
    let signer_hash = app.lookup.hash(&identifier);
    let order = match (request.order_id, request.participant_id) {
        (None, None) => None,
        (Some(order), Some(participant)) => {
            Some(participant_of(app, tenant, &order, &participant, signer_hash).await?)
        }
        (None, Some(_)) => return Err(ApiError::member("/order_id", "required with `participant_id`")),
        (Some(_), None) => return Err(ApiError::member("/participant_id", "required with `order_id`")),
    };
    let mut origins = request.origins;
    origins.sort();
    origins.dedup();
    let token = format!("rst_{}", hex::encode(random::bytes::<32>()));
    let now = app.clock.now();
    let id = SessionId::generate();
    let signer_sealed =
        app.custody.needs_identifier(tenant).then(|| SessionRow::seal(&id, &identifier, &app.signer_sealing));
    let row = SessionRow {
        id,
        tenant: tenant.to_owned(),
        signer_hash,
        signer_name: name,
        signer_masked: identifier.masked(),
        signer_sealed,
        origins,
        order,
        created_at: now,
        expires_at: now.plus(Duration::from_secs(life_seconds.into())),
    };
    let answer = Session {
        id: row.id.to_string(),
        token: token.clone(),
        expires_at: row.expires_at,
        signer: SignerView {
            name: row.signer_name.clone(),
            identifier_masked: Some(row.signer_masked.clone()),
        },
    };
    let token_hash = sha256(token.as_bytes());
    let kept_answer = Answer::json(StatusCode::CREATED, &answer);
    app.store
        .write(move |connection| {
            kept.keep(connection, &kept_answer)?;
            store::sessions::insert(connection, &row, &token_hash)
        })
        .await?;
    Ok(answer)
}

/// Number and name of a signer; `pointer` names the member that holds them.
pub(super) fn signer(signer: &SessionSigner, pointer: &str) -> ApiResult<(Identifier, String)> {
    let identifier = signer.identifier.parse().map_err(|invalid: InvalidIdentifier| {
        ApiError::new(invalid.code(), invalid.to_string()).at(&format!("{pointer}/identifier"))
    })?;
    let name = signer.name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME {
        return Err(ApiError::member(format!("{pointer}/name"), format!("1 to {LONGEST_NAME} characters")));
    }
    Ok((identifier, name.to_owned()))
}

/// The participant of the tenant's order whose session this is to be.
async fn participant_of(
    app: &App,
    tenant: &str,
    order: &str,
    participant: &str,
    signer: SignerHash,
) -> ApiResult<SessionOrder> {
    let order_id: OrderId = order.parse().map_err(|_| ApiError::not_found("order"))?;
    let participant_id: ParticipantId =
        participant.parse().map_err(|_| ApiError::not_found("participant"))?;
    let (order, participant) = (order_id.clone(), participant_id.clone());
    let scope = Scope::Tenant(tenant.to_owned());
    let found = app
        .store
        .read(move |connection| {
            if store::orders::find_row(connection, &order, &scope)?.is_none() {
                return Ok(None);
            }
            store::orders::find_participant(connection, &order, &participant).map(Some)
        })
        .await?;
    let found = found.ok_or_else(|| ApiError::not_found("order"))?;
    let found = found.ok_or_else(|| ApiError::not_found("participant"))?;
    if found.signer_hash != signer {
        return Err(ApiError::member("/signer/identifier", "not the one of this participant"));
    }
    Ok(SessionOrder { order_id, participant_id })
}
