//! First step of a group: what will be signed, or what was pinned before.

use std::sync::Arc;

use rubrica_core::cms::CmsPlan;
use rubrica_core::wire::{PdfOptions, SignatureProblem};
use rubrica_core::{ErrorCode, Timestamp};

use super::context::Ending;
use super::{Context, Stop};
use crate::app::App;
use crate::engine::artefact::SigningFailure;
use crate::engine::plan::{Draft, Plan, Shape};
use crate::input::Input;
use crate::objects::ObjectError;
use crate::store::StoreError;
use crate::store::batches::items::{ItemRow, Outcome};
use crate::store::documents::DocumentRow;

/// An item whose data to be signed are fixed.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) item: ItemRow,
    pub(super) plan: Plan,
    /// The time that the signature claims.
    pub(super) signed_at: Timestamp,
    /// The document, unless the item is signed by its digest.
    pub(super) input: Option<Input>,
    /// Its name, from which the artefact gets its own.
    pub(super) name: String,
    pub(super) by_digest: bool,
}

impl Prepared {
    /// The bytes to pin: of a signature by digest the signed attributes alone, for the batch has the certificates.
    pub(super) fn pinned(&self) -> Vec<u8> {
        match self.plan.signed_attributes() {
            Some(attributes) if self.by_digest => attributes.to_vec(),
            _ => self.plan.encode(),
        }
    }
}

/// Items that were pinned before, items pinned now, and those that cannot be signed.
pub(super) type Sorted = (Vec<Prepared>, Vec<Prepared>, Vec<Ending>);

/// Prepares the items of a group, off the async threads.
pub(super) async fn prepare(
    app: &Arc<App>,
    context: &Arc<Context>,
    items: Vec<(ItemRow, Option<DocumentRow>)>,
) -> Result<Sorted, Stop> {
    let mut inputs = Vec::with_capacity(items.len());
    for (item, document) in items {
        let read = match &document {
            _ if context.by_digest(&item) => None,
            Some(document) => Some(app.objects.read(document.sha256).await),
            None => Some(Err(ObjectError::Missing(crate::hex::encode(item.document_sha256)))),
        };
        inputs.push((item, document, read));
    }
    let (worker, held) = (Arc::clone(app), Arc::clone(context));
    app.engine.compute(move || sort(&held, worker.clock.now(), inputs)).await.map_err(|_| Stop::Panicked)?
}

type Read = Option<Result<Vec<u8>, ObjectError>>;

fn sort(
    context: &Context,
    now: Timestamp,
    inputs: Vec<(ItemRow, Option<DocumentRow>, Read)>,
) -> Result<Sorted, Stop> {
    let (mut pinned, mut new, mut ended) = (Vec::new(), Vec::new(), Vec::new());
    for (item, document, read) in inputs {
        let input = match read {
            None => None,
            Some(Ok(bytes)) => Some(Input::from(bytes)),
            Some(Err(ObjectError::Missing(_) | ObjectError::Damaged(_))) => {
                let problem = SignatureProblem {
                    code: ErrorCode::Internal,
                    detail: "the document is not what was uploaded".to_owned(),
                };
                ended.push((item, Outcome::Failed(problem), None));
                continue;
            }
            Some(Err(error)) => return Err(error.into()),
        };
        let name = item.name.clone().or_else(|| document.map(|document| document.name));
        let name = name.unwrap_or_else(|| item.reference.replace(['/', '\\'], "_"));
        let by_digest = context.by_digest(&item);
        let was_pinned = item.plan.is_some();
        let plan = match &item.plan {
            Some(pinned) => Ok(take_up(context, &item, pinned)?),
            None => plan(context, &item, input.as_ref(), now),
        };
        match plan {
            Ok(plan) => {
                let list = if was_pinned { &mut pinned } else { &mut new };
                let signed_at = item.signed_at.unwrap_or(now);
                list.push(Prepared { item, plan, signed_at, input, name, by_digest });
            }
            Err(failure) => ended.push((item, Outcome::Failed(failure.to_problem()), None)),
        }
    }
    Ok((pinned, new, ended))
}

/// What was pinned by this worker or another.
pub(crate) fn take_up(context: &Context, item: &ItemRow, pinned: &[u8]) -> Result<Plan, StoreError> {
    if !context.by_digest(item) {
        return Plan::decode(context.row.format, pinned);
    }
    CmsPlan::resume(pinned.to_vec(), &context.signer, &context.chain)
        .map(|plan| Plan::Cades(Box::new(plan)))
        .map_err(|_| StoreError::Damaged { column: "signature.plan" })
}

fn plan(
    context: &Context,
    item: &ItemRow,
    input: Option<&Input>,
    now: Timestamp,
) -> Result<Plan, SigningFailure> {
    let nothing = Input::from(Vec::new());
    Plan::prepare(Draft {
        target: context.target,
        document: input.unwrap_or(&nothing).file(),
        document_sha256: Some(&item.document_sha256),
        signer: &context.signer,
        chain: &context.chain,
        signing_time: now,
        pdf: &PdfOptions::default(),
        shape: &Shape::Detached,
    })
}
