//! `/v1/consents`: texts, agreement, withdrawal.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use rubrica_core::ErrorCode;
use rubrica_core::wire::{Consent, ConsentTextList, CreateConsent};

use super::auth::{SessionCaller, SessionOr};
use super::idempotency::{Answer, IdempotencyKey, Kept};
use super::json::{Hashed, Json};
use super::problem::{ApiError, ApiResult};
use crate::app::App;
use crate::ids::ConsentId;
use crate::lookup::SignerHash;
use crate::permission::{Needs, needs};
use crate::store::consents::ConsentRow;
use crate::{consent, hex, store};

/// Lists the texts that people agree to before a key of theirs is kept, one for each language.
///
/// Show a text as it is: the consent names its digest.
#[utoipa::path(
    get,
    path = "/v1/consents/texts",
    tag = "consents",
    security(("session" = []), ("api_key" = ["enrolments:read"]), ("person" = ["enrolments:read"])),
    responses((status = 200, description = "The texts of this version", body = ConsentTextList)),
)]
pub(super) async fn list_consent_texts(
    _caller: SessionOr<needs::EnrolmentsRead>,
) -> ApiResult<Json<ConsentTextList>> {
    Ok(Json(ConsentTextList { items: consent::texts() }))
}

/// Records that the person of the session has read a text and agrees.
#[utoipa::path(
    post,
    path = "/v1/consents",
    tag = "consents",
    security(("session" = [])),
    request_body(content = CreateConsent, example = json!({
        "text_version": "key-custody-1",
        "language": "pt-BR",
        "text_sha256": "25b56cf3d5458a1d0000000000000000000000000000000000000000000000aa",
    })),
    extensions(("x-idempotent" = json!(true)), ("x-error-codes" = json!([ErrorCode::ConsentRequired]))),
    responses((status = 201, description = "The consent", body = Consent, headers(
        ("location" = String, description = "Path of the consent"),
    ))),
)]
pub(super) async fn create_consent(
    State(app): State<Arc<App>>,
    session: SessionCaller,
    key: IdempotencyKey,
    request: Hashed<CreateConsent>,
) -> ApiResult<Answer> {
    let work = async |kept| give(&app, &session, &request.value, kept).await;
    key.run(&app, session.principal(), "create_consent", request.sha256, work).await
}

async fn give(app: &App, session: &SessionCaller, request: &CreateConsent, kept: Kept) -> ApiResult<Answer> {
    let text = consent::shown(&request.text_version, &request.language, &request.text_sha256);
    let text = text.ok_or_else(|| {
        ApiError::new(
            ErrorCode::ConsentRequired,
            "this is not a text of this version: show one of GET /v1/consents/texts, and name its digest",
        )
    })?;
    let digest = hex::decode(&text.text_sha256).and_then(|digest| digest.try_into().ok());
    let row = ConsentRow {
        id: ConsentId::generate(),
        tenant: session.0.tenant.clone(),
        signer_hash: session.0.signer_hash,
        session_id: session.0.id.clone(),
        text_version: text.text_version,
        language: text.language,
        text_sha256: digest.ok_or_else(|| ApiError::internal("a digest of ours is not one"))?,
        given_at: app.clock.now(),
        withdrawn_at: None,
    };
    let answer = Answer::json(StatusCode::CREATED, &view(&row)).at(format!("/v1/consents/{}", row.id));
    let kept_answer = answer.clone();
    app.store
        .write(move |connection| {
            kept.keep(connection, &kept_answer)?;
            store::consents::insert(connection, &row)
        })
        .await?;
    Ok(answer)
}

/// Shows a consent.
#[utoipa::path(
    get,
    path = "/v1/consents/{id}",
    tag = "consents",
    security(("session" = []), ("api_key" = ["enrolments:read"]), ("person" = ["enrolments:read"])),
    params(("id" = ConsentId, Path, description = "The consent")),
    responses((status = 200, description = "The consent", body = Consent)),
)]
pub(super) async fn show_consent(
    State(app): State<Arc<App>>,
    caller: SessionOr<needs::EnrolmentsRead>,
    Path(id): Path<String>,
) -> ApiResult<Json<Consent>> {
    find(&app, &id, caller.tenant(), signer(&caller)).await.map(|row| Json(view(&row)))
}

/// Takes a consent back.
///
/// From this instant the keys that were kept under it sign nothing more: they are suspended, and enrolments that wait for
/// their certificate are cancelled. Signatures that exist stay. The same call again gives the same answer.
#[utoipa::path(
    post,
    path = "/v1/consents/{id}/withdraw",
    tag = "consents",
    security(("session" = []), ("api_key" = ["enrolments:write"]), ("person" = ["enrolments:write"])),
    params(("id" = ConsentId, Path, description = "The consent")),
    responses((status = 200, description = "The consent, withdrawn", body = Consent)),
)]
pub(super) async fn withdraw_consent(
    State(app): State<Arc<App>>,
    caller: SessionOr<needs::EnrolmentsWrite>,
    Path(id): Path<String>,
) -> ApiResult<Json<Consent>> {
    let row = find(&app, &id, caller.tenant(), signer(&caller)).await?;
    let (consent, now) = (row.id.clone(), app.clock.now());
    app.store.write(move |connection| store::consents::withdraw(connection, &consent, now)).await?;
    app.custody.forget(&row.tenant, &row.signer_hash);
    tracing::info!(consent.id = %row.id, "a consent was withdrawn");
    find(&app, &id, &row.tenant, None).await.map(|row| Json(view(&row)))
}

/// Whose resources a caller sees: a session those of its signer, whichever session made them.
pub(super) fn signer<N: Needs>(caller: &SessionOr<N>) -> Option<SignerHash> {
    caller.session().map(|session| session.0.signer_hash)
}

/// A consent that this caller may see.
pub(super) async fn find(
    app: &App,
    id: &str,
    tenant: &str,
    signer: Option<SignerHash>,
) -> ApiResult<ConsentRow> {
    let id: ConsentId = id.parse().map_err(|_| ApiError::not_found("consent"))?;
    let tenant = tenant.to_owned();
    let found = app
        .store
        .read(move |connection| store::consents::find(connection, &id, &tenant, signer.as_ref()))
        .await?;
    found.ok_or_else(|| ApiError::not_found("consent"))
}

fn view(row: &ConsentRow) -> Consent {
    Consent {
        id: row.id.to_string(),
        text_version: row.text_version.clone(),
        language: row.language.clone(),
        text_sha256: hex::encode(row.text_sha256),
        given_at: row.given_at,
        withdrawn_at: row.withdrawn_at,
    }
}
