//! `/v1/orders`: open, look, list, cancel, decline, download.

mod filter;
mod new;
mod view;

use std::str::FromStr;
use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use rubrica_core::ErrorCode;
use rubrica_core::wire::{CancelOrder, CreateOrder, Order, OrderList, OrderState, SignatureFormat};

use super::auth::{Granted, SessionOr};
use super::documents;
use super::download::Download;
use super::idempotency::{Answer, IdempotencyKey, Kept};
use super::json::{Hashed, Json};
use super::openapi::Bytes;
use super::page::Page;
use super::problem::{ApiError, ApiResult};
use crate::app::App;
use crate::engine::artefact::artefact_name;
use crate::ids::{DocumentId, OrderId, ParticipantId, SignatureId};
use crate::objects::Part;
use crate::permission::needs;
use crate::store::documents::Scope;
use crate::store::orders::Whole;
use crate::store::{self, outbox};

/// Longest reason to cancel or decline, in characters.
const LONGEST_REASON: usize = 500;

/// Opens an order.
///
/// The documents were uploaded before, by the backend or in sessions of the tenant. A reminder whose time has passed already
/// is never sent.
#[utoipa::path(
    post,
    path = "/v1/orders",
    tag = "orders",
    security(("api_key" = ["orders:write"]), ("person" = ["orders:write"])),
    request_body(content = CreateOrder, example = json!({
        "reference": "loan-4711",
        "title": "Loan contract",
        "documents": ["doc_00112233445566778899aabbccddeeff"],
        "participants": [
            { "signer": { "identifier": "52998224725", "name": "ANA BEATRIZ DE SOUZA TEST" }, "role": "borrower" },
            { "signer": { "identifier": "11222333000181", "name": "PADARIA FLOR DO CAMPO LTDA TEST" }, "role": "guarantor" },
        ],
        "flow": "sequence",
        "rules": { "format": "pades", "policy": "ad_rb" },
        "deadline": "2027-01-31T23:59:59Z",
        "reminders_hours": [72, 24],
        "metadata": { "branch": "0042" },
    })),
    responses((status = 201, description = "The order", body = Order, headers(
        ("location" = String, description = "Path of the order"),
    ))),
    extensions(("x-idempotent" = json!(true)), ("x-error-codes" = json!([ErrorCode::PolicyNotApplicable]))),
)]
pub(super) async fn create_order(
    State(app): State<Arc<App>>,
    granted: Granted<needs::OrdersWrite>,
    key: IdempotencyKey,
    request: Hashed<CreateOrder>,
) -> ApiResult<Answer> {
    let tenant = granted.tenant();
    let work = async |kept| open(&app, tenant, request.value, kept).await;
    key.run(&app, granted.principal(), "create_order", request.sha256, work).await
}

async fn open(app: &App, tenant: &str, request: CreateOrder, kept: Kept) -> ApiResult<Answer> {
    let new = new::order(app, tenant, request).await?;
    let order = view::order(&new.whole, None);
    let answer = Answer::json(StatusCode::CREATED, &order).at(format!("/v1/orders/{}", order.id));
    let kept_answer = answer.clone();
    app.store
        .write(move |connection| {
            kept.keep(connection, &kept_answer)?;
            let row = &new.whole.order;
            store::orders::insert(connection, &new.whole, &new.reminders_past)?;
            let events = new.events.into_iter();
            let events = events.map(|data| outbox::event(Some(&row.tenant), row.created_at, data));
            outbox::emit(connection, &events.collect::<Vec<_>>())
        })
        .await?;
    Ok(answer)
}

/// Shows an order.
///
/// A session for a participant sees the order with this participant alone, and without the notes of the backend.
#[utoipa::path(
    get,
    path = "/v1/orders/{id}",
    tag = "orders",
    security(("session" = []), ("api_key" = ["orders:read"]), ("person" = ["orders:read"])),
    params(("id" = OrderId, Path, description = "The order")),
    responses((status = 200, description = "The order", body = Order)),
)]
pub(super) async fn show_order(
    State(app): State<Arc<App>>,
    caller: SessionOr<needs::OrdersRead>,
    Path(id): Path<String>,
) -> ApiResult<Json<Order>> {
    Ok(Json(show(&app, parse("order", &id)?, caller.scope()).await?))
}

/// Lists orders, the latest first.
#[utoipa::path(
    get,
    path = "/v1/orders",
    tag = "orders",
    security(("api_key" = ["orders:read"]), ("person" = ["orders:read"])),
    params(
        ("state" = Option<OrderState>, Query, description = "Only orders in this state"),
        ("reference" = Option<String>, Query, description = "Only orders with exactly this name"),
        ("created_after" = Option<String>, Query, format = DateTime, description = "Only orders created at this time or later"),
        ("created_before" = Option<String>, Query, format = DateTime, description = "Only orders created before this time"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Orders on a page; 50 when absent"),
        ("cursor" = Option<OrderId>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "A page of orders", body = OrderList)),
)]
pub(super) async fn list_orders(
    State(app): State<Arc<App>>,
    granted: Granted<needs::OrdersRead>,
    query: RawQuery,
) -> ApiResult<Json<OrderList>> {
    let filter = filter::read(&query)?;
    let page = Page::<OrderId>::read(&query)?;
    let (tenant, after, limit) = (granted.tenant().to_owned(), page.after.clone(), page.rows());
    let mut found = app
        .store
        .read(move |connection| store::orders::page(connection, &tenant, &filter, after.as_ref(), limit))
        .await?;
    let next_cursor = page.cut(&mut found, |whole| whole.order.id.clone());
    Ok(Json(OrderList { items: found.iter().map(|whole| view::order(whole, None)).collect(), next_cursor }))
}

/// Takes an order back.
///
/// Signatures whose key was not used yet become `cancelled`. Those whose key is in use finish first: then the answer is 202
/// and shows an order that is still `open`, with its `cancellation`; nothing new can be signed, and it becomes `cancelled`
/// when the last of them ends. The same call again gives the same answer.
#[utoipa::path(
    post,
    path = "/v1/orders/{id}/cancel",
    tag = "orders",
    security(("api_key" = ["orders:write"]), ("person" = ["orders:write"])),
    params(("id" = OrderId, Path, description = "The order")),
    request_body(content = CancelOrder, example = json!({ "reason": "The loan was not granted" })),
    responses(
        (status = 200, description = "The order, cancelled", body = Order),
        (status = 202, description = "The order, which ends when its last signature under way does", body = Order),
    ),
    extensions(("x-error-codes" = json!([ErrorCode::OrderStateConflict]))),
)]
pub(super) async fn cancel_order(
    State(app): State<Arc<App>>,
    granted: Granted<needs::OrdersWrite>,
    Path(id): Path<String>,
    Json(request): Json<CancelOrder>,
) -> ApiResult<Response> {
    let reason = reason(request)?;
    let scope = Scope::Tenant(granted.tenant().to_owned());
    let id = known(&app, &id, scope.clone()).await?;
    let (order, now) = (id.clone(), app.clock.now());
    let ended = app
        .store
        .write(move |connection| {
            store::orders::cancel(connection, &order, reason.as_deref(), now)?.emit(connection)
        })
        .await?;
    wake(&app, &ended);
    let order = show(&app, id, scope).await?;
    let status = if order.state.is_final() { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, Json(order)).into_response())
}

/// Refuses to sign, for a participant.
///
/// Called by the participant's own session, or by the backend that was told so. When somebody who must sign declines, the
/// order becomes `cancelled`. The same call again gives the same answer.
#[utoipa::path(
    post,
    path = "/v1/orders/{id}/participants/{participant_id}/decline",
    tag = "orders",
    security(("session" = []), ("api_key" = ["orders:write"]), ("person" = ["orders:write"])),
    params(
        ("id" = OrderId, Path, description = "The order"),
        ("participant_id" = ParticipantId, Path, description = "The participant"),
    ),
    request_body(content = CancelOrder, example = json!({ "reason": "The loan was not granted" })),
    responses((status = 200, description = "The order", body = Order)),
    extensions(("x-error-codes" = json!([ErrorCode::OrderStateConflict]))),
)]
pub(super) async fn decline_order(
    State(app): State<Arc<App>>,
    caller: SessionOr<needs::OrdersWrite>,
    Path((id, participant)): Path<(String, String)>,
    Json(request): Json<CancelOrder>,
) -> ApiResult<Json<Order>> {
    let reason = reason(request)?;
    let scope = caller.scope();
    let participant: ParticipantId = parse("participant", &participant)?;
    if let Scope::Participant(_, own) = &scope
        && *own != participant
    {
        return Err(ApiError::not_found("participant"));
    }
    let id = known(&app, &id, scope.clone()).await?;
    let (order, now) = (id.clone(), app.clock.now());
    let ended = app
        .store
        .write(move |connection| {
            if store::orders::find_participant(connection, &order, &participant)?.is_none() {
                return Ok(None);
            }
            let moved = store::orders::decline(connection, &order, &participant, reason.as_deref(), now)?;
            moved.emit(connection).map(Some)
        })
        .await?;
    wake(&app, &ended.ok_or_else(|| ApiError::not_found("participant"))?);
    Ok(Json(show(&app, id, scope).await?))
}

/// Downloads a document of an order as it stands now.
///
/// In a `pades` order this is the PDF with the signatures released so far, over which the next one is made; once the order is
/// completed, it is the file with all of them. In a `cades` order it is the document as it was uploaded.
#[utoipa::path(
    get,
    path = "/v1/orders/{id}/documents/{document_id}/content",
    tag = "orders",
    security(("session" = []), ("api_key" = ["documents:read"]), ("person" = ["documents:read"])),
    params(
        ("id" = OrderId, Path, description = "The order"),
        ("document_id" = DocumentId, Path, description = "A document of the order"),
    ),
    responses(
        (status = 200, description = "The bytes", headers(
            ("content-disposition" = String, description = "The name of the file (RFC 6266)"),
            ("content-digest" = String, description = "SHA-256 of the bytes (RFC 9530)"),
        ), content((Bytes = "application/pdf"), (Bytes = "application/octet-stream"))),
    ),
)]
pub(super) async fn download_order_document(
    State(app): State<Arc<App>>,
    caller: SessionOr<needs::DocumentsRead>,
    Path((id, document)): Path<(String, String)>,
) -> ApiResult<Response> {
    let scope = caller.scope();
    let id: OrderId = parse("order", &id)?;
    let document_id: DocumentId = parse("document", &document)?;
    let document = documents::find(&app, &document, scope.clone()).await?;
    let found = app
        .store
        .read(move |connection| {
            let Some(order) = store::orders::find_row(connection, &id, &scope)? else { return Ok(None) };
            Ok(store::orders::revision(connection, &id, &document_id)?.map(|revision| (order, revision)))
        })
        .await?;
    let (order, revision) = found.ok_or_else(|| ApiError::not_found("document"))?;
    let is_signed = revision.number > 0;
    let name = match order.rules.format {
        SignatureFormat::Pades if is_signed => artefact_name(SignatureFormat::Pades, &document.name),
        SignatureFormat::Pades | SignatureFormat::Cades => document.name,
    };
    let download = Download {
        parts: revision.parts.into_iter().map(Part::Object).collect(),
        name,
        media_type: document.media_type,
        size_bytes: revision.size_bytes,
        sha256: revision.sha256,
    };
    download.start(&app).await
}

/// The order as this scope sees it.
async fn show(app: &App, id: OrderId, scope: Scope) -> ApiResult<Order> {
    let participant = match &scope {
        Scope::Participant(_, participant) => Some(participant.clone()),
        Scope::Session(_) | Scope::Tenant(_) => None,
    };
    let whole: Option<Whole> =
        app.store.read(move |connection| store::orders::find(connection, &id, &scope)).await?;
    let whole = whole.ok_or_else(|| ApiError::not_found("order"))?;
    Ok(view::order(&whole, participant.as_ref()))
}

/// The identifier of an order that exists for this scope.
async fn known(app: &App, id: &str, scope: Scope) -> ApiResult<OrderId> {
    let id: OrderId = parse("order", id)?;
    let order = id.clone();
    let found = app.store.read(move |connection| store::orders::find_row(connection, &order, &scope)).await?;
    found.map(|_| id).ok_or_else(|| ApiError::not_found("order"))
}

/// Wakes those who wait for signatures that a move ended.
fn wake(app: &App, ended: &[SignatureId]) {
    for id in ended {
        app.engine.waiters.wake(id);
    }
}

fn parse<T: FromStr>(what: &'static str, text: &str) -> ApiResult<T> {
    text.parse().map_err(|_| ApiError::not_found(what))
}

fn reason(request: CancelOrder) -> ApiResult<Option<String>> {
    match request.reason {
        Some(reason) if reason.chars().count() > LONGEST_REASON => {
            Err(ApiError::member("/reason", format!("at most {LONGEST_REASON} characters")))
        }
        reason => Ok(reason.filter(|reason| !reason.trim().is_empty())),
    }
}
