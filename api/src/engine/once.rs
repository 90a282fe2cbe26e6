//! Signs one document with a key of the token, outside a request: for the command line and the demo's proof.
//!
//! The same rows and steps as for everybody else: no key is used without a committed intent.

use std::sync::Arc;

use rubrica_core::ErrorCode;
use rubrica_core::wire::{Custody, PdfOptions, SignatureFormat, SignatureState};
use rubrica_core::x509::Certificate;

use super::target::Target;
use super::worker::Command;
use super::{NewTask, Task, drive};
use crate::app::App;
use crate::failure::Failure;
use crate::ids::{DocumentId, SessionId, SignatureId};
use crate::objects::ObjectError;
use crate::secret::Secret;
use crate::store::documents::DocumentRow;
use crate::store::keys::KeyRow;
use crate::store::sessions::SessionRow;
use crate::store::signatures::{ArtefactRow, SignatureRow};
use crate::store::{self, StoreError};
use crate::{random, trust};

/// What to sign, with which key.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) key: KeyRow,
    /// File name of the document.
    pub(crate) name: String,
    pub(crate) document: Vec<u8>,
    /// Of an encrypted PDF.
    pub(crate) password: Option<Secret>,
    pub(crate) target: Target,
    /// How the signature stands in a PDF.
    pub(crate) pdf: Option<PdfOptions>,
}

/// A released artefact.
#[derive(Debug)]
pub(crate) struct Signed {
    pub(crate) artefact: ArtefactRow,
    /// What follows the document (PAdES) or stands beside it (CAdES).
    pub(crate) tail: Vec<u8>,
}

/// Signs, verifies and releases.
pub(crate) async fn sign(app: &Arc<App>, request: Request) -> Result<Signed, Failure> {
    let now = app.clock.now();
    let certificate = Certificate::from_der(&request.key.certificate)
        .map_err(|error| Failure::of(error.code(), error.to_string()))?;
    app.trust
        .accept(&certificate, &request.key.signer_hash, &app.lookup, now)
        .map_err(|refusal: trust::Refusal| Failure::of(refusal.code(), refusal.to_string()))?;
    let holder = certificate.view().holder;
    let session = SessionRow {
        id: SessionId::generate(),
        tenant: request.key.tenant.clone(),
        signer_hash: request.key.signer_hash,
        signer_name: holder.name,
        signer_masked: holder.identifier_masked.unwrap_or_default(),
        signer_sealed: None,
        origins: Vec::new(),
        order: None,
        created_at: now,
        // Nobody holds a token of it.
        expires_at: now,
    };
    let stored = app.objects.put(request.document).map_err(|error| object_failure(&error))?;
    let document = DocumentRow {
        id: DocumentId::generate(),
        tenant: session.tenant.clone(),
        session_id: Some(session.id.clone()),
        name: request.name,
        media_type: match request.target.format {
            SignatureFormat::Pades => "application/pdf",
            SignatureFormat::Cades => "application/octet-stream",
        }
        .to_owned(),
        size_bytes: stored.size_bytes(),
        sha256: stored.sha256(),
        parts: vec![stored.sha256()],
        created_at: now,
    };
    let signature = SignatureRow {
        id: SignatureId::generate(),
        tenant: session.tenant.clone(),
        session_id: session.id.clone(),
        document_id: document.id.clone(),
        document_sha256: document.sha256,
        in_order: None,
        signer_hash: Some(request.key.signer_hash),
        custody: Custody::Hsm,
        format: request.target.format,
        level: request.target.level,
        policy: request.target.policy,
        state: SignatureState::Accepted,
        key_id: Some(request.key.id),
        authorization_id: None,
        certificate: request.key.certificate,
        options: request
            .pdf
            .map(|pdf| serde_json::to_string(&pdf).expect("options have only strings and numbers")),
        plan: None,
        signed_at: None,
        value: None,
        completion_sha256: None,
        artefact: None,
        problem: None,
        created_at: now,
        expires_at: now,
    };
    let (row, kept) = (signature.clone(), document.clone());
    let command = Command::join(app).await.map_err(|error| store_failure(&error))?;
    let worker = command.id.clone();
    let lease = app
        .store
        .write(move |connection| {
            store::sessions::insert(connection, &session, &random::bytes::<32>())?;
            stored.keep(connection)?;
            store::documents::insert(connection, &document)?;
            store::signatures::insert(connection, &signature)?;
            store::tasks::add(connection, &signature.tenant, &signature.id, Some(&worker))
        })
        .await
        .map_err(|error| store_failure(&error))?;
    let id = row.id.clone();
    if let Some(lease) = lease {
        let new = NewTask { lease, row, document: kept, password: request.password };
        drive::drive(app, Task::New(Box::new(new))).await;
    }
    command.leave(app).await.map_err(|error| store_failure(&error))?;
    outcome(app, id).await
}

async fn outcome(app: &App, id: SignatureId) -> Result<Signed, Failure> {
    let row = app
        .store
        .read(move |connection| store::signatures::load(connection, &id))
        .await
        .map_err(|error| store_failure(&error))?;
    match row {
        Some(SignatureRow { artefact: Some(artefact), .. }) => {
            let tail = app.objects.read(artefact.tail).await.map_err(|error| object_failure(&error))?;
            Ok(Signed { artefact, tail })
        }
        Some(SignatureRow { problem: Some(problem), .. }) => Err(Failure::of(problem.code, problem.detail)),
        _ => Err(Failure::of(ErrorCode::Internal, "the signature came to no end")),
    }
}

fn store_failure(error: &StoreError) -> Failure {
    Failure::of(ErrorCode::DataFolderUnwritable, error.to_string())
}

fn object_failure(error: &ObjectError) -> Failure {
    Failure::of(ErrorCode::DataFolderUnwritable, error.to_string())
}
