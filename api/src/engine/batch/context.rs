//! What holds for all items of a batch, read once for each run.

use std::sync::Arc;

use base64ct::{Base64, Encoding};
use rubrica_core::ErrorCode;
use rubrica_core::wire::{BatchState, PdfOptions, SignatureFormat, SignatureProblem};
use rubrica_core::x509::Certificate;

use super::{Stop, is_begun, may_begin, taken_back};
use crate::app::App;
use crate::engine::composed::ComposedPlan;
use crate::engine::target::Target;
use crate::ids::BatchId;
use crate::lookup::SignerHash;
use crate::objects::Stored;
use crate::ports::KeyReference;
use crate::store::batches::BatchRow;
use crate::store::batches::items::{ItemRow, Outcome};
use crate::store::keys::KeyState;
use crate::store::{self, StoreError};

/// A batch with its key, parsed.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) row: BatchRow,
    pub(crate) target: Target,
    pub(crate) signer: Certificate,
    /// Lower-case hexadecimal.
    pub(crate) certificate_sha256: String,
    pub(crate) chain: Vec<Certificate>,
    pub(crate) signer_hash: SignerHash,
    pub(crate) key: KeyReference,
    key_is_active: bool,
    /// Whether another one makes the signatures.
    is_composed: bool,
}

/// An item, how it ends, and the object that goes with it.
pub(super) type Ending = (ItemRow, Outcome, Option<Stored>);

impl Context {
    /// Reads the batch and its key.
    pub(crate) async fn load(app: &App, id: &BatchId) -> Result<Arc<Self>, StoreError> {
        let id = id.clone();
        let (row, key) = app
            .store
            .read(move |connection| {
                let row = store::batches::load(connection, &id)?
                    .ok_or(StoreError::Damaged { column: "task.batch_id" })?;
                let key = store::keys::load(connection, &row.key_id)?
                    .ok_or(StoreError::Damaged { column: "batch.key_id" })?;
                Ok((row, key))
            })
            .await?;
        let damaged = |column| StoreError::Damaged { column };
        let target =
            Target::new(row.format, Some(row.level), row.policy).map_err(|_| damaged("batch.policy"))?;
        let signer = Certificate::from_der(&row.certificate).map_err(|_| damaged("batch.certificate"))?;
        let composer = app.composers.of(&row.tenant, target, &signer, &PdfOptions::default());
        Ok(Arc::new(Self {
            target,
            is_composed: composer.is_some(),
            certificate_sha256: signer.sha256().to_hex(),
            signer,
            chain: read_chain(&row.chain).ok_or_else(|| damaged("batch.chain"))?,
            signer_hash: key.signer_hash,
            key_is_active: key.state == KeyState::Active,
            key: key.reference,
            row,
        }))
    }

    /// Whether an item is signed by its digest alone, without its document. What is pinned stays what it is.
    pub(crate) fn by_digest(&self, item: &ItemRow) -> bool {
        let could_be = self.target.format == SignatureFormat::Cades && !self.target.needs_time_stamp();
        could_be
            && match &item.plan {
                Some(pinned) => !ComposedPlan::is_in(pinned),
                None => !self.is_composed || item.document_id.is_none(),
            }
    }

    /// Items to work on, and those that end at once: in a cancelled batch what is not begun; everything when the key may
    /// not sign any more. In a paused batch what is not begun is left, which the last answer tells.
    pub(super) async fn sort(
        &self,
        app: &Arc<App>,
        items: Vec<ItemRow>,
    ) -> Result<(Vec<ItemRow>, Vec<Ending>, bool), Stop> {
        let (mut ready, mut ended, mut left) = (Vec::new(), Vec::new(), false);
        let refusal = self.refusal(app).await?;
        for item in items {
            if self.row.state == BatchState::Cancelled && !is_begun(&item) {
                ended.push((item, Outcome::Cancelled(taken_back()), None));
            } else if let (Some(problem), None) = (&refusal, &item.value) {
                ended.push((item, Outcome::Failed(problem.clone()), None));
            } else if is_begun(&item) || may_begin(self.row.state) {
                ready.push(item);
            } else {
                left = true;
            }
        }
        Ok((ready, ended, left))
    }

    /// Why the key may not sign now.
    async fn refusal(&self, app: &Arc<App>) -> Result<Option<SignatureProblem>, Stop> {
        let problem = |code, detail: String| Ok(Some(SignatureProblem { code, detail }));
        if !self.key_is_active {
            return problem(ErrorCode::KeyNotFound, "the key is not active any more".to_owned());
        }
        let now = app.clock.now();
        if let Err(error) = self.signer.check_signer(now) {
            return problem(error.code(), error.to_string());
        }
        let chain = if app.trust.knows_path(&self.signer, now) {
            app.trust.chain(&self.signer, now)
        } else {
            let (worker, signer) = (Arc::clone(app), self.signer.clone());
            let build = move || worker.trust.chain(&signer, now);
            app.engine.compute(build).await.map_err(|_| Stop::Panicked)?
        };
        match chain {
            Ok(_) => Ok(None),
            Err(error) => problem(error.code(), error.to_string()),
        }
    }
}

/// The stored form of a chain: a JSON list of DER in standard base64.
pub(super) fn write_chain(chain: &[Certificate]) -> String {
    let list: Vec<_> = chain.iter().map(|certificate| Base64::encode_string(certificate.der())).collect();
    serde_json::to_string(&list).expect("a list of texts is JSON")
}

fn read_chain(text: &str) -> Option<Vec<Certificate>> {
    let list: Vec<String> = serde_json::from_str(text).ok()?;
    list.iter().map(|item| Certificate::from_der(&Base64::decode_vec(item).ok()?).ok()).collect()
}
