//! A batch on its way into the queue, from whichever side it comes.

use std::sync::Arc;

use rubrica_core::ErrorCode;
use rubrica_core::cms::content_digest_algorithm;
use rubrica_core::digest::DigestAlgorithm;
use rubrica_core::wire::{BatchHeader, BatchState};
use rubrica_core::x509::Certificate;

use super::{ITEMS_PER_TASK, write_chain};
use crate::app::App;
use crate::engine::target::Target;
use crate::ids::{BatchId, KeyId};
use crate::store::batches::items::{self, NewItem};
use crate::store::batches::{self, BatchRow};
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

    /// Keeps everything of a batch; the caller's transaction makes it whole or nothing.
    pub(crate) fn insert(
        &self,
        connection: &Connection,
        batch: &BatchRow,
        list: &[NewItem],
    ) -> Result<(), StoreError> {
        batches::insert(connection, batch)?;
        items::insert(connection, batch, &self.row.signer_hash, 1, list)?;
        let total = i64::try_from(list.len()).expect("a manifest has at most 100 000 lines");
        store::tasks::add_batch(connection, &batch.tenant, &batch.id, total, ITEMS_PER_TASK)
    }
}
