//! A batch on its way into the queue, from whichever side it comes.

use std::sync::Arc;

use rubrica_core::ErrorCode;
use rubrica_core::cms::content_digest_algorithm;
use rubrica_core::digest::DigestAlgorithm;
use rubrica_core::wire::{BatchHeader, BatchState, PdfOptions};
use rubrica_core::x509::Certificate;

use super::{intake, write_chain};
use crate::app::App;
use crate::engine::target::Target;
use crate::ids::{BatchId, KeyId};
use crate::store::batches::BatchRow;
use crate::store::batches::items::NewItem;
use crate::store::keys::{KeyRow, KeyState};
use crate::store::{self, Connection, StoreError};

/// Why a batch is not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum SubmitError {
    /// The key or its certificate is not good for it.
    #[error("{detail}")]
    Refused {
        /// What it is about.
        code: ErrorCode,
        /// In words.
        detail: String,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A task of ours panicked.
    #[error("a worker ended unexpectedly")]
    Panicked,
}

impl SubmitError {
    fn refused(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self::Refused { code, detail: detail.into() }
    }
}

/// A key that may sign a batch.
#[derive(Debug)]
pub(crate) struct BatchKey {
    row: KeyRow,
    certificate: Certificate,
    chain: Arc<[Certificate]>,
}

impl BatchKey {
    /// Finds a key, which must be active, belong to the `tenant` when one asks, and have a certificate that is good now.
    pub(crate) async fn find(app: &Arc<App>, tenant: Option<&str>, id: &str) -> Result<Self, SubmitError> {
        let no_key = || SubmitError::refused(ErrorCode::KeyNotFound, "there is no such active key");
        if !app.has_token() {
            return Err(no_key());
        }
        let id: KeyId = id.parse().map_err(|_| no_key())?;
        let row = app
            .store
            .read(move |connection| store::keys::load(connection, &id))
            .await?
            .filter(|key| tenant.is_none_or(|tenant| key.tenant == tenant) && key.state == KeyState::Active)
            .ok_or_else(no_key)?;
        let certificate = Certificate::from_der(&row.certificate)
            .map_err(|_| StoreError::Damaged { column: "signing_key.certificate" })?;
        let (worker, signer) = (Arc::clone(app), certificate.clone());
        let check = move || {
            let now = worker.clock.now();
            signer
                .check_signer(now)
                .map_err(|error| SubmitError::refused(error.code(), error.to_string()))?;
            match content_digest_algorithm(&signer) {
                Ok(DigestAlgorithm::Sha256) => {}
                Ok(_) => {
                    let what = "batches are signed by keys that go with SHA-256: RSA and P-256";
                    return Err(SubmitError::refused(ErrorCode::KeyUnsupported, what));
                }
                Err(error) => return Err(SubmitError::refused(error.code(), error.to_string())),
            }
            let chain = worker.trust.chain(&signer, now);
            chain.map_err(|error| SubmitError::refused(error.code(), error.to_string()))
        };
        let chain = app.engine.compute(check).await.map_err(|_| SubmitError::Panicked)??;
        Ok(Self { row, certificate, chain })
    }

    /// Whether another one than our own code makes the signatures, which takes documents and not their digests.
    pub(crate) fn is_composed(&self, app: &App, target: Target) -> bool {
        let plain = PdfOptions::default();
        app.composers.of(&self.row.tenant, target, &self.certificate, &plain).is_some()
    }

    /// Whose key it is.
    pub(crate) fn tenant(&self) -> &str {
        &self.row.tenant
    }

    /// The row of a new batch of this key.
    pub(crate) fn batch(
        &self,
        app: &App,
        id: BatchId,
        header: BatchHeader,
        target: Target,
        total: u64,
    ) -> BatchRow {
        BatchRow {
            id,
            tenant: self.row.tenant.clone(),
            name: header.name,
            reference: header.reference,
            key_id: self.row.id.clone(),
            certificate: self.certificate.der().to_vec(),
            chain: write_chain(&self.chain),
            format: target.format,
            level: target.level,
            policy: target.policy,
            state: BatchState::Queued,
            total,
            released: 0,
            failed: 0,
            cancelled: 0,
            created_at: app.clock.now(),
            started_at: None,
            ended_at: None,
        }
    }

    /// Takes a batch in, whole or not at all, with what else belongs to its last transaction.
    ///
    /// # Errors
    /// Those of the store and of `with_it`.
    pub(crate) async fn take(
        &self,
        app: &App,
        batch: BatchRow,
        items: Vec<NewItem>,
        with_it: impl FnOnce(&Connection) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<(), StoreError> {
        intake::take(app, self.row.signer_hash, batch, items, with_it).await
    }
}
