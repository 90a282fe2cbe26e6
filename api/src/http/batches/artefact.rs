//! An item as the signature that it is, and its artefact: objects, or bytes that plan, value and certificates of the batch
//! tell.

use std::sync::Arc;

use rubrica_core::ErrorCode;
use rubrica_core::wire::{Custody, Signature};

use crate::app::App;
use crate::engine::batch::{Context, take_up};
use crate::http::download::{Download, Part};
use crate::http::problem::{ApiError, ApiResult};
use crate::ids::{BatchId, SignatureId};
use crate::objects::sha256;
use crate::store::batches::items::{self, ItemArtefact, ItemRow};
use crate::store::documents::Scope;
use crate::store::{self, StoreError};

/// A signature that is an item of a batch; `None` when it is none, or not of this tenant.
pub(in crate::http) async fn item_view(
    app: &App,
    id: &SignatureId,
    scope: &Scope,
) -> ApiResult<Option<Signature>> {
    let Some((batch_id, item)) = find(app, id, scope).await? else { return Ok(None) };
    let context = Context::load(app, &batch_id).await?;
    let (batch, shown) = (&context.row, item.to_wire());
    Ok(Some(Signature {
        id: shown.signature_id,
        document_id: shown.document_id,
        order_id: None,
        participant_id: None,
        batch_id: Some(batch_id.to_string()),
        custody: Custody::Hsm,
        format: batch.format,
        level: batch.level,
        policy: batch.policy,
        state: shown.state,
        certificate: context.signer.view(),
        created_at: batch.created_at,
        expires_at: batch.created_at,
        to_sign: None,
        artefact: shown.artefact,
        problem: shown.problem,
    }))
}

/// Items of batches are seen by backends and people, never by a session.
async fn find(app: &App, id: &SignatureId, scope: &Scope) -> ApiResult<Option<(BatchId, ItemRow)>> {
    let Scope::Tenant(tenant) = scope else { return Ok(None) };
    let (id, tenant) = (id.clone(), tenant.clone());
    Ok(app.store.read(move |connection| items::find(connection, &id, &tenant)).await?)
}

/// The artefact of a signature that is an item of a batch; `None` when it is none, or not of this tenant.
pub(in crate::http) async fn item_download(
    app: &Arc<App>,
    id: &SignatureId,
    scope: &Scope,
) -> ApiResult<Option<Download>> {
    let Some((batch_id, item)) = find(app, id, scope).await? else { return Ok(None) };
    let Some(artefact) = item.artefact.clone() else {
        return Err(ApiError::new(
            ErrorCode::SignatureStateConflict,
            format!("the signature is `{}`; only a released one has content", item.state.as_str()),
        ));
    };
    let context = Context::load(app, &batch_id).await?;
    Ok(Some(Download {
        parts: parts(app, &context, item, &artefact).await?,
        name: artefact.name,
        media_type: artefact.media_type,
        size_bytes: artefact.size_bytes,
        sha256: artefact.sha256,
    }))
}

/// What the artefact of a released item is made of.
pub(super) async fn parts(
    app: &Arc<App>,
    context: &Arc<Context>,
    item: ItemRow,
    artefact: &ItemArtefact,
) -> ApiResult<Vec<Part>> {
    let Some(tail) = artefact.tail else {
        let (context, expected) = (Arc::clone(context), artefact.sha256);
        let made = app.engine.compute(move || assemble(&context, &item, &expected));
        return Ok(vec![Part::Bytes(made.await.map_err(ApiError::internal)??)]);
    };
    let Some(document_id) =
        item.document_id.filter(|_| context.target.format == rubrica_core::wire::SignatureFormat::Pades)
    else {
        return Ok(vec![Part::Object(tail)]);
    };
    let document = app
        .store
        .read(move |connection| store::documents::load(connection, &document_id))
        .await?
        .ok_or(StoreError::Damaged { column: "signature.document_id" })?;
    Ok(vec![Part::Object(document.sha256), Part::Object(tail)])
}

/// The same bytes that were verified and released: their digest is on record.
fn assemble(context: &Context, item: &ItemRow, expected: &[u8; 32]) -> ApiResult<Vec<u8>> {
    let missing = || StoreError::Damaged { column: "signature.value" };
    let plan = take_up(context, item.plan.as_deref().ok_or_else(missing)?)?;
    let cms = plan.assemble(item.value.as_deref().ok_or_else(missing)?)?;
    if sha256(&cms) != *expected {
        return Err(ApiError::internal("a released signature cannot be made again with the same bytes"));
    }
    Ok(cms)
}
