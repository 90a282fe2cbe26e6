//! An item as the signature that it is, and its artefact.

use std::sync::Arc;

use rubrica_core::ErrorCode;
use rubrica_core::wire::{Custody, Signature};

use crate::app::App;
use crate::engine::batch::Context;
use crate::engine::batch::results::artefacts;
use crate::http::download::Download;
use crate::http::problem::{ApiError, ApiResult};
use crate::ids::{BatchId, SignatureId};
use crate::store::batches::items::{self, ItemRow};
use crate::store::documents::Scope;

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
    let made = artefacts(app, &context, vec![item]).await?;
    Ok(Some(Download {
        parts: made.into_iter().filter_map(|(_, parts)| parts).flatten().collect(),
        name: artefact.name,
        media_type: artefact.media_type,
        size_bytes: artefact.size_bytes,
        sha256: artefact.sha256,
    }))
}
