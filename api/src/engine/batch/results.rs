//! What became of items: their artefacts, as objects or as bytes that plan, value and certificates of the batch tell.

use std::collections::HashMap;
use std::sync::Arc;

use rubrica_core::wire::SignatureFormat;

use super::{Context, take_up};
use crate::app::App;
use crate::ids::DocumentId;
use crate::objects::{Part, sha256};
use crate::store::batches::items::{ItemArtefact, ItemRow};
use crate::store::{self, Connection, StoreError};

/// Why an artefact cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ArtefactError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is stored does not give the bytes that were released.
    #[error("a released signature cannot be made again: {0}")]
    NotTheSame(String),
    /// A task of ours panicked.
    #[error("a worker ended unexpectedly")]
    Panicked,
}

/// Gives what the artefact of each item is made of, in the order of `items`; nothing for an item without one.
///
/// Signatures by digest are put together here, all in one go off the async threads: ask for a page of items, not for a batch.
pub(crate) async fn artefacts(
    app: &Arc<App>,
    context: &Arc<Context>,
    items: Vec<ItemRow>,
) -> Result<Vec<(ItemRow, Option<Vec<Part>>)>, ArtefactError> {
    let documents = documents(app, context, &items).await?;
    let held = Arc::clone(context);
    let work = move || {
        let with_parts = |item: ItemRow| {
            let made = item.artefact.as_ref().map(|artefact| parts(&held, &item, artefact, &documents));
            let made = made.transpose()?;
            Ok((item, made))
        };
        items.into_iter().map(with_parts).collect()
    };
    app.engine.compute(work).await.map_err(|_| ArtefactError::Panicked)?
}

/// The digests of the documents that stand at the beginning of signed PDFs.
async fn documents(
    app: &App,
    context: &Context,
    items: &[ItemRow],
) -> Result<HashMap<String, [u8; 32]>, StoreError> {
    if context.target.format != SignatureFormat::Pades {
        return Ok(HashMap::new());
    }
    let ids: Vec<DocumentId> = items.iter().filter_map(|item| item.document_id.clone()).collect();
    let tenant = context.row.tenant.clone();
    let find = move |connection: &Connection| {
        let ids: Vec<&str> = ids.iter().map(AsRef::as_ref).collect();
        Ok(store::documents::digests(connection, &tenant, &ids)?.into_iter().collect())
    };
    app.store.read(find).await
}

fn parts(
    context: &Context,
    item: &ItemRow,
    artefact: &ItemArtefact,
    documents: &HashMap<String, [u8; 32]>,
) -> Result<Vec<Part>, ArtefactError> {
    let Some(tail) = artefact.tail else {
        return Ok(vec![Part::Bytes(assemble(context, item, &artefact.sha256)?)]);
    };
    if context.target.format != SignatureFormat::Pades {
        return Ok(vec![Part::Object(tail)]);
    }
    let document = item.document_id.as_ref().and_then(|id| documents.get(id.as_ref()));
    let document = document.ok_or(StoreError::Damaged { column: "signature.document_id" })?;
    Ok(vec![Part::Object(*document), Part::Object(tail)])
}

/// The same bytes that were verified and released: their digest is on record.
fn assemble(context: &Context, item: &ItemRow, expected: &[u8; 32]) -> Result<Vec<u8>, ArtefactError> {
    let missing = || StoreError::Damaged { column: "signature.value" };
    let plan = take_up(context, item, item.plan.as_deref().ok_or_else(missing)?)?;
    let cms = plan
        .assemble(item.value.as_deref().ok_or_else(missing)?)
        .map_err(|failure| ArtefactError::NotTheSame(failure.to_string()))?;
    if sha256(&cms) != *expected {
        return Err(ArtefactError::NotTheSame("its digest is another one".to_owned()));
    }
    Ok(cms)
}
