//! `/v1/batches`: many signatures by one key, without a person present.

pub(super) mod archive;
mod artefact;
mod manifest;
pub(super) mod progress;

use std::sync::Arc;

use axum::extract::{Path, RawQuery, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use base64ct::{Base64UrlUnpadded, Encoding};
use rubrica_core::wire::{Batch, BatchCounts, BatchHeader, BatchItemList, BatchList};
use rubrica_core::{ErrorCode, Timestamp};

use super::auth::Granted;
use super::body::Pieces;
use super::documents;
use super::idempotency::{Answer, IdempotencyKey, Kept};
use super::json::Json;
use super::openapi::Bytes;
use super::problem::{ApiError, ApiResult};
use super::signatures::subject::check_target;
use crate::app::App;
use crate::engine::batch::submit::BatchKey;
use crate::engine::target::Target;
use crate::ids::BatchId;
use crate::permission::needs;
use crate::store::batches::items;
use crate::store::batches::{self, BatchRow};
use crate::store::{self, Connection, StoreError};

pub(super) use artefact::{item_download, item_view};

/// Entries of a page when the caller does not say, and at most.
const PAGE: (i64, i64) = (100, 1000);
/// Codes of operations that move a batch.
const OF_MOVES: [ErrorCode; 1] = [ErrorCode::BatchStateConflict];

/// Takes a batch.
///
/// The body is a manifest: one JSON object per line, the first for what holds for all items, each further one for an item.
/// Either the whole manifest is taken or nothing of it. Items are signed in their order; each ends by itself.
#[utoipa::path(
    post,
    path = "/v1/batches",
    tag = "batches",
    security(("api_key" = ["batches:write"]), ("person" = ["batches:write"])),
    request_body(
        content = Bytes,
        content_type = "application/x-ndjson",
        description = "First line a `BatchHeader`, every further line a `BatchLine`; at most 100000 items",
    ),
    responses((status = 201, description = "Taken: the service signs", body = Batch, headers(
        ("location" = String, description = "Path of the batch"),
    ))),
    extensions(("x-idempotent" = json!(true)), ("x-error-codes" = json!([
        ErrorCode::ManifestInvalid, ErrorCode::KeyUnsupported, ErrorCode::KeyNotFound, ErrorCode::PolicyNotApplicable,
        ErrorCode::CertificateExpired, ErrorCode::CertificateNotYetValid, ErrorCode::CertificateUntrusted,
        ErrorCode::CertificateWrongUsage, ErrorCode::CertificateMalformed,
    ]))),
)]
pub(super) async fn create_batch(
    State(app): State<Arc<App>>,
    caller: Granted<needs::BatchesWrite>,
    key: IdempotencyKey,
    request: Request,
) -> ApiResult<Answer> {
    let media_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if media_type.is_none_or(|text| text.split(';').next() != Some("application/x-ndjson")) {
        return Err(ApiError::new(
            ErrorCode::UnsupportedMediaType,
            "send the manifest as application/x-ndjson, one JSON object per line",
        ));
    }
    let mut reader = manifest::Reader::new(Pieces::new(request.into_body()));
    let header = reader.header().await?;
    let (lines, sha256) = reader.lines(header.format).await?;
    let principal = caller.principal();
    let work = async |kept| take(&app, caller.tenant(), header, lines, kept).await;
    key.run(&app, principal, "create_batch", sha256, work).await
}

/// Checks key, level and documents, and keeps the whole manifest.
async fn take(
    app: &Arc<App>,
    tenant: &str,
    header: BatchHeader,
    lines: Vec<manifest::Line>,
    kept: Kept,
) -> ApiResult<Answer> {
    let target = target(app, &header)?;
    let key = BatchKey::find(app, Some(tenant), &header.key_id).await?;
    let documents = documents_of(app, tenant, &lines).await?;
    if target.needs_time_stamp() {
        manifest::require_documents(&lines)?;
    }
    let items = manifest::resolve(lines, &documents)?;
    let row = key.batch(app, BatchId::generate(), header, target, items.len() as u64);
    let counts = BatchCounts { accepted: row.total, ..BatchCounts::default() };
    let answer =
        Answer::json(StatusCode::CREATED, &row.to_wire(counts)).at(format!("/v1/batches/{}", row.id));
    let (id, total) = (row.id.clone(), row.total);
    let kept_answer = answer.clone();
    key.take(app, row, items, move |connection| kept.keep(connection, &kept_answer)).await?;
    tracing::info!(batch.id = %id, items = total, "batch taken");
    app.engine.wake();
    Ok(answer)
}

/// Shows a batch with its progress.
#[utoipa::path(
    get,
    path = "/v1/batches/{id}",
    tag = "batches",
    security(("api_key" = ["batches:read"]), ("person" = ["batches:read"])),
    params(("id" = BatchId, Path, description = "The batch")),
    responses((status = 200, description = "The batch", body = Batch)),
)]
pub(super) async fn show_batch(
    State(app): State<Arc<App>>,
    caller: Granted<needs::BatchesRead>,
    Path(id): Path<String>,
) -> ApiResult<Json<Batch>> {
    let row = find(&app, &id, caller.tenant()).await?;
    Ok(Json(view(&app, row).await?))
}

/// Lists the batches of the tenant, the latest first.
#[utoipa::path(
    get,
    path = "/v1/batches",
    tag = "batches",
    security(("api_key" = ["batches:read"]), ("person" = ["batches:read"])),
    params(
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 1000, description = "Entries of the page; 100 when absent"),
    ),
    responses((status = 200, description = "A page", body = BatchList)),
)]
pub(super) async fn list_batches(
    State(app): State<Arc<App>>,
    caller: Granted<needs::BatchesRead>,
    query: RawQuery,
) -> ApiResult<Json<BatchList>> {
    let limit = limit(&query)?;
    let after = documents::parameter(&query, "cursor").map(read_cursor).transpose()?;
    let tenant = caller.tenant().to_owned();
    let page = app
        .store
        .read(move |connection| {
            let rows = batches::list(connection, &tenant, after.as_ref(), limit)?;
            let rows = rows.into_iter().map(|row| Ok((batches::counts(connection, &row)?, row)));
            rows.collect::<Result<Vec<_>, StoreError>>()
        })
        .await?;
    let full = i64::try_from(page.len()).is_ok_and(|length| length == limit);
    let last = page.last().filter(|_| full);
    Ok(Json(BatchList {
        next_cursor: last.map(|(_, row)| write_cursor(row.created_at, &row.id)),
        items: page.iter().map(|(counts, row)| row.to_wire(*counts)).collect(),
    }))
}

/// Lists the items of a batch in the order of the manifest.
#[utoipa::path(
    get,
    path = "/v1/batches/{id}/items",
    tag = "batches",
    security(("api_key" = ["batches:read"]), ("person" = ["batches:read"])),
    params(
        ("id" = BatchId, Path, description = "The batch"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 1000, description = "Entries of the page; 100 when absent"),
    ),
    responses((status = 200, description = "A page", body = BatchItemList)),
)]
pub(super) async fn list_batch_items(
    State(app): State<Arc<App>>,
    caller: Granted<needs::BatchesRead>,
    Path(id): Path<String>,
    query: RawQuery,
) -> ApiResult<Json<BatchItemList>> {
    let row = find(&app, &id, caller.tenant()).await?;
    let limit = limit(&query)?;
    let after = match documents::parameter(&query, "cursor") {
        None => 0,
        Some(text) => text.parse().ok().filter(|position| *position > 0).ok_or_else(bad_cursor)?,
    };
    let page = app.store.read(move |connection| items::page(connection, &row.id, after, limit)).await?;
    let full = i64::try_from(page.len()).is_ok_and(|length| length == limit);
    Ok(Json(BatchItemList {
        next_cursor: page.last().filter(|_| full).map(|item| item.position.to_string()),
        items: page.iter().map(items::ItemRow::to_wire).collect(),
    }))
}

/// Holds a batch back: items that are begun end, no further one is begun.
#[utoipa::path(
    post,
    path = "/v1/batches/{id}/pause",
    tag = "batches",
    security(("api_key" = ["batches:write"]), ("person" = ["batches:write"])),
    params(("id" = BatchId, Path, description = "The batch")),
    responses((status = 200, description = "The batch", body = Batch)),
    extensions(("x-error-codes" = json!(OF_MOVES))),
)]
pub(super) async fn pause_batch(
    State(app): State<Arc<App>>,
    caller: Granted<needs::BatchesWrite>,
    Path(id): Path<String>,
) -> ApiResult<Json<Batch>> {
    change(&app, &id, caller.tenant().to_owned(), batches::pause).await
}

/// Goes on with a paused batch.
#[utoipa::path(
    post,
    path = "/v1/batches/{id}/resume",
    tag = "batches",
    security(("api_key" = ["batches:write"]), ("person" = ["batches:write"])),
    params(("id" = BatchId, Path, description = "The batch")),
    responses((status = 200, description = "The batch", body = Batch)),
    extensions(("x-error-codes" = json!(OF_MOVES))),
)]
pub(super) async fn resume_batch(
    State(app): State<Arc<App>>,
    caller: Granted<needs::BatchesWrite>,
    Path(id): Path<String>,
) -> ApiResult<Json<Batch>> {
    change(&app, &id, caller.tenant().to_owned(), batches::resume).await
}

/// Takes a batch back: items that are not begun are cancelled; those whose key use is committed end by themselves.
#[utoipa::path(
    post,
    path = "/v1/batches/{id}/cancel",
    tag = "batches",
    security(("api_key" = ["batches:write"]), ("person" = ["batches:write"])),
    params(("id" = BatchId, Path, description = "The batch")),
    responses((status = 200, description = "The batch", body = Batch)),
    extensions(("x-error-codes" = json!(OF_MOVES))),
)]
pub(super) async fn cancel_batch(
    State(app): State<Arc<App>>,
    caller: Granted<needs::BatchesWrite>,
    Path(id): Path<String>,
) -> ApiResult<Json<Batch>> {
    change(&app, &id, caller.tenant().to_owned(), batches::cancel).await
}

async fn change(
    app: &App,
    id: &str,
    tenant: String,
    move_it: fn(&Connection, &BatchRow, Timestamp) -> Result<(), StoreError>,
) -> ApiResult<Json<Batch>> {
    let id: BatchId = id.parse().map_err(|_| ApiError::not_found("batch"))?;
    let now = app.clock.now();
    let row = app
        .store
        .write(move |connection| {
            let Some(row) = batches::find(connection, &id, &tenant)? else { return Ok(None) };
            move_it(connection, &row, now)?;
            batches::find(connection, &id, &tenant)
        })
        .await?
        .ok_or_else(|| ApiError::not_found("batch"))?;
    app.engine.wake();
    Ok(Json(view(app, row).await?))
}

fn target(app: &App, header: &BatchHeader) -> ApiResult<Target> {
    let within = |text: &Option<String>, most| {
        text.as_ref().is_none_or(|text| (1..=most).contains(&text.chars().count()))
    };
    if !within(&header.name, 200) {
        return Err(manifest::invalid(1, "`name` must have 1 to 200 characters"));
    }
    if !within(&header.reference, 128) {
        return Err(manifest::invalid(1, "`reference` must have 1 to 128 characters"));
    }
    check_target(app, header.format, header.level, header.policy, "")
}

async fn documents_of(
    app: &App,
    tenant: &str,
    lines: &[manifest::Line],
) -> ApiResult<std::collections::HashMap<String, [u8; 32]>> {
    let ids: Vec<String> =
        lines.iter().filter_map(|line| line.document_id().map(ToOwned::to_owned)).collect();
    if ids.is_empty() {
        return Ok(std::collections::HashMap::new());
    }
    let tenant = tenant.to_owned();
    let found = app.store.read(move |connection| {
        let mut found = std::collections::HashMap::with_capacity(ids.len());
        for some in ids.chunks(1000) {
            let texts: Vec<&str> = some.iter().map(String::as_str).collect();
            found.extend(store::documents::digests(connection, &tenant, &texts)?);
        }
        Ok(found)
    });
    Ok(found.await?)
}

async fn find(app: &App, id: &str, tenant: &str) -> ApiResult<BatchRow> {
    let not_found = || ApiError::not_found("batch");
    let id: BatchId = id.parse().map_err(|_| not_found())?;
    let tenant = tenant.to_owned();
    app.store.read(move |connection| batches::find(connection, &id, &tenant)).await?.ok_or_else(not_found)
}

async fn view(app: &App, row: BatchRow) -> ApiResult<Batch> {
    Ok(app.store.read(move |connection| Ok(row.to_wire(batches::counts(connection, &row)?))).await?)
}

fn limit(query: &RawQuery) -> ApiResult<i64> {
    match documents::parameter(query, "limit") {
        None => Ok(PAGE.0),
        Some(text) => text.parse().ok().filter(|limit| (1..=PAGE.1).contains(limit)).ok_or_else(|| {
            ApiError::new(ErrorCode::InvalidRequest, format!("limit is a number from 1 to {}", PAGE.1))
        }),
    }
}

fn bad_cursor() -> ApiError {
    ApiError::new(ErrorCode::InvalidRequest, "cursor is the `next_cursor` of another page")
}

fn write_cursor(time: Timestamp, id: &BatchId) -> String {
    Base64UrlUnpadded::encode_string(format!("{} {id}", time.unix_ms()).as_bytes())
}

fn read_cursor(text: &str) -> ApiResult<(Timestamp, BatchId)> {
    let read = || {
        let bytes = Base64UrlUnpadded::decode_vec(text).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let (time, id) = text.split_once(' ')?;
        Some((Timestamp::from_unix_ms(time.parse().ok()?).ok()?, id.parse().ok()?))
    };
    read().ok_or_else(bad_cursor)
}
