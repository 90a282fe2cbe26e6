//! `POST /v1/orders`: what is asked for, checked, and the order that comes of it.

use std::collections::BTreeSet;

use rubrica_core::event::EventData;
use rubrica_core::icp_brasil::Identifier;
use rubrica_core::order::{self, OrderProgress, ParticipantProgress};
use rubrica_core::wire::{CreateOrder, CreateParticipant, Custody, OrderRules, SignatureFormat};

use crate::app::App;
use crate::hex;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::sessions;
use crate::http::signatures::subject::check_target;
use crate::ids::{DocumentId, OrderId, ParticipantId};
use crate::lookup::SignerHash;
use crate::store;
use crate::store::documents::{DocumentRow, Scope};
use crate::store::orders::{OrderRow, ParticipantRow, Whole};

/// Custodies open to everybody when the rules name none.
const EVERY_CUSTODY: [Custody; 2] = [Custody::Local, Custody::Hsm];

/// An order to be kept.
#[derive(Debug)]
pub(super) struct NewOrder {
    pub(super) whole: Whole,
    /// Reminders whose time lies behind already.
    pub(super) reminders_past: BTreeSet<u32>,
    pub(super) events: Vec<EventData>,
}

/// The order that is asked for.
///
/// # Errors
/// `invalid_request` with every member at fault; `policy_not_applicable`.
pub(super) async fn order(app: &App, tenant: &str, request: CreateOrder) -> ApiResult<NewOrder> {
    let now = app.clock.now();
    let faults = order::check_order(&request, now);
    if !faults.is_empty() {
        return Err(ApiError::members(faults));
    }
    let rules = &request.rules;
    let level = check_target(app, rules.format, rules.level, rules.policy, "/rules")?.level;
    let documents = documents(app, tenant, &request).await?;
    let (mut ids, mut signers) = (Vec::new(), Vec::new());
    for (index, one) in request.participants.iter().enumerate() {
        let (identifier, name) = sessions::signer(&one.signer, &format!("/participants/{index}/signer"))?;
        let hash = app.lookup.hash(&identifier);
        ids.push((ParticipantId::generate().to_string(), hex::encode(hash.0)));
        signers.push((identifier, name, hash));
    }
    let id = OrderId::generate();
    let step = OrderProgress::open(id.to_string(), &request, ids, level, now);
    let open = rules.custodies.clone().unwrap_or_else(|| EVERY_CUSTODY.to_vec());
    let participants = step.progress.participants.iter().zip(&request.participants).zip(signers);
    let participants = participants
        .map(|((progress, asked), signer)| participant(&id, progress, asked, signer, &open))
        .collect::<ApiResult<_>>()?;
    let mut reminders_hours = request.reminders_hours;
    reminders_hours.sort_unstable_by(|a, b| b.cmp(a));
    let order = OrderRow {
        id,
        tenant: tenant.to_owned(),
        reference: request.reference,
        title: request.title,
        flow: request.flow,
        rules: OrderRules { level: Some(level), ..request.rules },
        level,
        metadata: request.metadata,
        deadline: request.deadline,
        state: step.progress.state,
        cancellation: None,
        created_at: now,
        ended_at: None,
    };
    Ok(NewOrder {
        whole: Whole { order, documents, participants, signatures: Vec::new(), reminders_hours },
        reminders_past: step.progress.reminders_past,
        events: step.events,
    })
}

fn participant(
    order: &OrderId,
    progress: &ParticipantProgress,
    asked: &CreateParticipant,
    (identifier, name, signer_hash): (Identifier, String, SignerHash),
    open: &[Custody],
) -> ApiResult<ParticipantRow> {
    Ok(ParticipantRow {
        id: progress.id.parse().map_err(ApiError::internal)?,
        order_id: order.clone(),
        position: progress.position,
        signer_hash,
        signer_name: name,
        signer_masked: identifier.masked(),
        role: asked.role.clone(),
        custodies: asked.custodies.clone().unwrap_or_else(|| open.to_vec()),
        must_sign: progress.must_sign,
        state: progress.state,
        ended_at: None,
        decline_reason: None,
    })
}

/// Documents of the tenant, and PDFs where they are signed as such.
async fn documents(app: &App, tenant: &str, request: &CreateOrder) -> ApiResult<Vec<DocumentId>> {
    let unknown = |index: usize| {
        ApiError::member(format!("/documents/{index}"), "there is no such document for this credential")
    };
    let ids = request.documents.iter().enumerate();
    let ids: Vec<DocumentId> =
        ids.map(|(index, text)| text.parse().map_err(|_| unknown(index))).collect::<ApiResult<_>>()?;
    let (wanted, scope) = (ids.clone(), Scope::Tenant(tenant.to_owned()));
    let found: Vec<Option<DocumentRow>> = app
        .store
        .read(move |connection| {
            wanted.iter().map(|id| store::documents::find(connection, id, &scope)).collect()
        })
        .await?;
    for (index, document) in found.iter().enumerate() {
        let document = document.as_ref().ok_or_else(|| unknown(index))?;
        if request.rules.format == SignatureFormat::Pades && document.media_type != "application/pdf" {
            return Err(ApiError::member(
                format!("/documents/{index}"),
                "not uploaded as application/pdf, which the format `pades` signs",
            ));
        }
    }
    Ok(ids)
}
