//! Receipts of releases, and what is signed about their tree.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use rubrica_core::ErrorCode;
use rubrica_core::merkle;
use rubrica_core::receipt::Receipt;
use rubrica_core::wire::{ConsistencyProof, ReceiptKey};

use super::auth::SessionOr;
use super::documents::parameter;
use super::json::Json;
use super::problem::{ApiError, ApiResult};
use crate::app::App;
use crate::ids::SignatureId;
use crate::permission::needs;
use crate::store::checkpoints::{self, CheckpointRow};
use crate::store::receipts::{self, Leaf};
use crate::store::{StoreError, log};

/// Shows the receipt of a signature: evidence of its release that can be checked without this service.
///
/// The tree of receipts is signed about twice a second; until a release is in it, the answer is 409 `receipt_pending`. An item of a
/// batch is a signature too. `rubrica receipt verify` checks a receipt offline, with the key of `show_receipt_key`.
#[utoipa::path(
    get,
    path = "/v1/signatures/{id}/receipt",
    tag = "receipts",
    security(("session" = []), ("api_key" = ["signatures:read"]), ("person" = ["signatures:read"])),
    params(("id" = SignatureId, Path, description = "The signature")),
    responses((status = 200, description = "The receipt", body = Receipt)),
    extensions(("x-error-codes" = json!([ErrorCode::ReceiptPending, ErrorCode::SignatureStateConflict]))),
)]
pub(super) async fn show_receipt(
    State(app): State<Arc<App>>,
    caller: SessionOr<needs::SignaturesRead>,
    Path(id): Path<String>,
) -> ApiResult<Json<Receipt>> {
    let id: SignatureId = id.parse().map_err(|_| ApiError::not_found("signature"))?;
    let scope = caller.scope();
    let found = app
        .store
        .read(move |connection| {
            Ok((receipts::leaf(connection, &id, &scope)?, checkpoints::latest(connection)?))
        })
        .await?;
    let (record, leaf_index) = match found.0.ok_or_else(|| ApiError::not_found("signature"))? {
        Leaf::NotReleased => {
            return Err(ApiError::new(
                ErrorCode::SignatureStateConflict,
                "only a released signature has a receipt; read the signature to see its state",
            ));
        }
        Leaf::Never => {
            return Err(ApiError::not_found("receipt: it was released before there were receipts,"));
        }
        Leaf::Waiting => return Err(pending()),
        Leaf::There { record, index } => (record, index),
    };
    let checkpoint = found.1.filter(|checkpoint| checkpoint.size > leaf_index).ok_or_else(pending)?;
    let size = checkpoint.size;
    let damaged = |_| StoreError::Damaged { column: "log_tile.hashes" };
    let wanted = merkle::inclusion_nodes(leaf_index, size).map_err(damaged)?;
    let nodes = app.store.read(move |connection| log::nodes(connection, &wanted)).await?;
    let inclusion_proof =
        merkle::inclusion_proof(leaf_index, size, |node| nodes.get(&node).copied()).map_err(damaged)?;
    Ok(Json(Receipt {
        version: Receipt::VERSION,
        record,
        leaf_index,
        inclusion_proof,
        checkpoint: checkpoint.note,
    }))
}

/// Shows the public key of the log of receipts.
///
/// Keep a copy outside of this service: a receipt is worth as much as the key it is checked with.
#[utoipa::path(
    get,
    path = "/v1/receipts/key",
    tag = "receipts",
    security(("session" = []), ("api_key" = ["signatures:read"]), ("person" = ["signatures:read"])),
    responses((status = 200, description = "The key", body = ReceiptKey)),
)]
pub(super) async fn show_receipt_key(
    State(app): State<Arc<App>>,
    _: SessionOr<needs::SignaturesRead>,
) -> Json<ReceiptKey> {
    let key = app.log.signer.public();
    Json(ReceiptKey { name: key.name().to_owned(), key: key.to_string() })
}

/// Shows the latest checkpoint: size and root of the tree of receipts, signed.
///
/// A signed note (C2SP tlog-checkpoint). Whoever keeps one can prove later that nothing before it was changed or left out.
#[utoipa::path(
    get,
    path = "/v1/receipts/checkpoint",
    tag = "receipts",
    security(("session" = []), ("api_key" = ["signatures:read"]), ("person" = ["signatures:read"])),
    responses((status = 200, description = "The note", body = String, content_type = "text/plain")),
    extensions(("x-error-codes" = json!([ErrorCode::ReceiptPending]))),
)]
pub(super) async fn show_checkpoint(
    State(app): State<Arc<App>>,
    _: SessionOr<needs::SignaturesRead>,
) -> ApiResult<Response> {
    let mut response = latest(&app).await?.note.into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    Ok(response)
}

/// Proves that a later tree of receipts only added leaves to an earlier one (RFC 6962 §2.1.2).
#[utoipa::path(
    get,
    path = "/v1/receipts/consistency",
    tag = "receipts",
    security(("session" = []), ("api_key" = ["signatures:read"]), ("person" = ["signatures:read"])),
    params(
        ("from" = u64, Query, description = "Leaves of the earlier tree"),
        ("to" = Option<u64>, Query, description = "Leaves of the later tree; those of the latest checkpoint when absent"),
    ),
    responses((status = 200, description = "The proof", body = ConsistencyProof)),
    extensions(("x-error-codes" = json!([ErrorCode::ReceiptPending]))),
)]
pub(super) async fn show_consistency(
    State(app): State<Arc<App>>,
    _: SessionOr<needs::SignaturesRead>,
    query: RawQuery,
) -> ApiResult<Json<ConsistencyProof>> {
    let latest = latest(&app).await?.size;
    let number =
        |name: &str| parameter(&query, name).map(|text| text.parse::<u64>().ok()).unwrap_or(Some(latest));
    let given = parameter(&query, "from").and_then(|_| number("from")).zip(number("to"));
    let (from, to) = given.filter(|(from, to)| from <= to && *to <= latest).ok_or_else(|| {
        ApiError::new(
            ErrorCode::InvalidRequest,
            format!("from and to are numbers of leaves, from up to to, and to up to {latest}"),
        )
    })?;
    let damaged = |_| StoreError::Damaged { column: "log_tile.hashes" };
    let wanted = merkle::consistency_nodes(from, to).map_err(damaged)?;
    let nodes = app.store.read(move |connection| log::nodes(connection, &wanted)).await?;
    let proof = merkle::consistency_proof(from, to, |node| nodes.get(&node).copied()).map_err(damaged)?;
    Ok(Json(ConsistencyProof { from, to, proof }))
}

async fn latest(app: &App) -> ApiResult<CheckpointRow> {
    app.store.read(checkpoints::latest).await?.ok_or_else(pending)
}

fn pending() -> ApiError {
    ApiError::new(ErrorCode::ReceiptPending, "it is sealed within about a second; ask again").retry_after(1)
}
