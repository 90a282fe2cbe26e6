//! Events of signatures that an order ends. Those of the order itself are told by `rubrica_core::order`.

use rubrica_core::event::{Event, EventData, SignatureFailed, SignatureMoved};
use rubrica_core::wire::SignatureState;
use rubrica_core::{ErrorCode, Timestamp};

use super::find_participant;
use crate::hex;
use crate::ids::SignatureId;
use crate::store::signatures::{self, SignatureRow};
use crate::store::{Connection, StoreError, outbox};

/// How each of these signatures ended without artefact.
pub(super) fn of_signatures(
    connection: &Connection,
    ids: &[SignatureId],
    now: Timestamp,
) -> Result<Vec<Event>, StoreError> {
    let mut events = Vec::new();
    for id in ids {
        let Some(row) = signatures::load(connection, id)? else { continue };
        let Some(data) = data(connection, &row)? else { continue };
        events.push(outbox::event(Some(&row.tenant), now, data));
    }
    Ok(events)
}

fn data(connection: &Connection, row: &SignatureRow) -> Result<Option<EventData>, StoreError> {
    let Some(in_order) = &row.in_order else { return Ok(None) };
    let participant = find_participant(connection, &in_order.order_id, &in_order.participant_id)?;
    let signer = participant.map(|one| hex::encode(one.signer_hash.0));
    let moved = || SignatureMoved {
        signature_id: row.id.to_string(),
        order_id: Some(in_order.order_id.to_string()),
        participant_id: Some(in_order.participant_id.to_string()),
        batch_id: None,
        document_id: Some(row.document_id.to_string()),
        custody: row.custody,
        format: row.format,
        level: row.level,
        policy: row.policy,
        key_id: row.key_id.as_ref().map(ToString::to_string),
        signer: signer.clone(),
    };
    Ok(match row.state {
        SignatureState::Expired => Some(EventData::SignatureExpired(moved())),
        SignatureState::Cancelled => Some(EventData::SignatureCancelled(moved())),
        SignatureState::Failed => Some(EventData::SignatureFailed(SignatureFailed {
            signature_id: row.id.to_string(),
            order_id: Some(in_order.order_id.to_string()),
            participant_id: Some(in_order.participant_id.to_string()),
            batch_id: None,
            custody: row.custody,
            key_id: row.key_id.as_ref().map(ToString::to_string),
            signer,
            code: row.problem.as_ref().map_or(ErrorCode::Internal, |problem| problem.code),
        })),
        SignatureState::Accepted
        | SignatureState::Prepared
        | SignatureState::Signing
        | SignatureState::Released => None,
    })
}
