//! From a plan to a batch in the database: digests, documents, then all items.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use rubrica_core::ErrorCode;
use rubrica_core::wire::SignatureFormat;

use super::plan::{Content, Item, Plan};
use super::progress::{Phase, Progress};
use super::{of_object, of_store, of_submit};
use crate::app::App;
use crate::cli::output::unreadable;
use crate::engine::batch::intake;
use crate::engine::batch::submit::BatchKey;
use crate::engine::target::Target;
use crate::failure::Failure;
use crate::ids::{DocumentId, SignatureId};
use crate::input::Input;
use crate::objects::Stored;
use crate::store::batches::items::NewItem;
use crate::store::documents::DocumentRow;
use crate::{hex, store};

/// Documents that are kept in one transaction.
const DOCUMENTS_AT_ONCE: usize = 64;
/// Bytes that are read from a file at once.
const PIECE: usize = 256 * 1024;

/// Finds out what would refuse the whole batch.
pub(super) async fn check(app: &Arc<App>, plan: &Plan) -> Result<(), Failure> {
    let target = target(app, plan)?;
    BatchKey::find(app, None, &plan.head.batch.key_id).await.map_err(of_submit)?;
    let by_digest = plan.items.iter().find(|item| matches!(item.content, Content::Sha256(_)));
    match by_digest {
        Some(item) if target.needs_time_stamp() => Err(Failure::new(
            ErrorCode::ManifestInvalid,
            format!("{}: `sha256` is for level b only", item.reference),
            "Name the `file` instead",
        )),
        _ => Ok(()),
    }
}

/// Hands the batch over, unless that was done before.
pub(super) async fn submit(app: &Arc<App>, plan: &Plan, progress: &Progress) -> Result<(), Failure> {
    let id = plan.batch_id()?;
    let find = id.clone();
    let known = app.store.read(move |connection| store::batches::load(connection, &find)).await;
    if known.map_err(|error| of_store(&error))?.is_some() {
        return Ok(());
    }
    let target = target(app, plan)?;
    let key = BatchKey::find(app, None, &plan.head.batch.key_id).await.map_err(of_submit)?;
    let by_digest = target.format == SignatureFormat::Cades
        && !target.needs_time_stamp()
        && !key.is_composed(app, target);
    let known = known_documents(app, plan, key.tenant()).await?;
    let mut items = Vec::with_capacity(plan.items.len());
    let mut waiting = Vec::new();
    progress.begin(Phase::Reading, plan.items.len() as u64, 0);
    for (item, done) in plan.items.iter().zip(1..) {
        let (document_id, document_sha256) = match &item.content {
            Content::Sha256(text) => (None, digest_of(text).ok_or_else(|| no_document(item))?),
            Content::DocumentId(id) => {
                let sha256 = known.get(id).copied().ok_or_else(|| no_document(item))?;
                (Some(id.parse().map_err(|_| no_document(item))?), sha256)
            }
            Content::File(path) if by_digest => (None, tokio::task::block_in_place(|| digest(path))?),
            Content::File(path) => {
                let stored = read(app, path).await?;
                let row = document(app, key.tenant(), item, &stored, target.format);
                let taken = (Some(row.id.clone()), row.sha256);
                waiting.push((row, stored));
                taken
            }
        };
        if waiting.len() == DOCUMENTS_AT_ONCE {
            keep(app, std::mem::take(&mut waiting)).await?;
        }
        let (reference, name) = (item.reference.clone(), item.name.clone());
        items.push(NewItem { id: SignatureId::generate(), reference, document_id, name, document_sha256 });
        progress.at(done);
    }
    keep(app, waiting).await?;
    progress.end();
    let row = key.batch(app, id, plan.head.batch.clone(), target, items.len() as u64);
    // Of a run that was killed here. The lock of the output folder says that it is gone.
    intake::begin_anew(app, &row.id).await.map_err(|error| of_store(&error))?;
    key.take(app, row, items, |_| Ok(())).await.map_err(|error| of_store(&error))
}

fn target(app: &App, plan: &Plan) -> Result<Target, Failure> {
    let batch = &plan.head.batch;
    let target = Target::new(batch.format, batch.level, batch.policy)
        .map_err(|error| Failure::of(error.code(), error.to_string()))?;
    if target.needs_time_stamp() && app.time_stamps.is_none() {
        return Err(Failure::new(
            ErrorCode::TimeStampUnavailable,
            "the level needs a time stamp, and the instance names no time-stamping authority",
            "Set tsa.url",
        ));
    }
    if target.needs_evidence() && app.fetcher.is_none() {
        return Err(Failure::new(
            ErrorCode::RevocationUnknown,
            "the level needs revocation data, and the instance fetches none",
            "Set fetch.enabled",
        ));
    }
    Ok(target)
}

/// The digests of documents that a manifest names.
async fn known_documents(app: &App, plan: &Plan, tenant: &str) -> Result<HashMap<String, [u8; 32]>, Failure> {
    let id = |item: &Item| match &item.content {
        Content::DocumentId(id) => Some(id.clone()),
        Content::File(_) | Content::Sha256(_) => None,
    };
    let (ids, tenant) = (plan.items.iter().filter_map(id).collect::<Vec<_>>(), tenant.to_owned());
    let find = move |connection: &store::Connection| {
        let mut found = HashMap::with_capacity(ids.len());
        for some in ids.chunks(1000) {
            let some: Vec<&str> = some.iter().map(String::as_str).collect();
            found.extend(store::documents::digests(connection, &tenant, &some)?);
        }
        Ok(found)
    };
    app.store.read(find).await.map_err(|error| of_store(&error))
}

fn no_document(item: &Item) -> Failure {
    Failure::new(
        ErrorCode::ManifestInvalid,
        format!("{}: the owner of the key has no such document", item.reference),
        "Name the `file` instead, or upload the document",
    )
}

fn digest_of(text: &str) -> Option<[u8; 32]> {
    hex::decode(text)?.try_into().ok()
}

fn digest(path: &Path) -> Result<[u8; 32], Failure> {
    Input::open(path)?.sha256().map_err(|error| unreadable(path, &error))
}

/// Takes the bytes of a file into the object store, in pieces.
async fn read(app: &App, path: &Path) -> Result<Stored, Failure> {
    let mut file = std::fs::File::open(path).map_err(|error| unreadable(path, &error))?;
    let mut incoming = app.objects.receive(app.config.limits.document_bytes);
    loop {
        let mut piece = vec![0; PIECE];
        let length = tokio::task::block_in_place(|| file.read(&mut piece));
        let length = length.map_err(|error| unreadable(path, &error))?;
        if length == 0 {
            return incoming.finish(None).await.map_err(|error| of_object(&error, path));
        }
        piece.truncate(length);
        incoming.push(Bytes::from(piece)).await.map_err(|error| of_object(&error, path))?;
    }
}

fn document(app: &App, tenant: &str, item: &Item, stored: &Stored, format: SignatureFormat) -> DocumentRow {
    DocumentRow {
        id: DocumentId::generate(),
        tenant: tenant.to_owned(),
        session_id: None,
        name: item.name.clone().unwrap_or_else(|| item.reference.clone()),
        media_type: match format {
            SignatureFormat::Pades => "application/pdf",
            SignatureFormat::Cades => "application/octet-stream",
        }
        .to_owned(),
        size_bytes: stored.size_bytes(),
        sha256: stored.sha256(),
        parts: vec![stored.sha256()],
        created_at: app.clock.now(),
    }
}

async fn keep(app: &App, documents: Vec<(DocumentRow, Stored)>) -> Result<(), Failure> {
    let write = move |connection: &store::Connection| {
        for (row, stored) in &documents {
            stored.keep(connection)?;
            store::documents::insert(connection, row)?;
        }
        Ok(())
    };
    app.store.write(write).await.map_err(|error| of_store(&error))
}
