//! Orders as the API shows them.

use rubrica_core::wire::{Order, OrderCancellation, OrderSignature, Participant, SignerView};

use crate::ids::ParticipantId;
use crate::store::orders::{ParticipantRow, Whole};

/// The order as its tenant sees it or, with `only`, as this participant does: the others and the backend's notes are not
/// theirs to read.
pub(super) fn order(whole: &Whole, only: Option<&ParticipantId>) -> Order {
    let row = &whole.order;
    let is_tenant = only.is_none();
    let shown = whole.participants.iter().filter(|one| only.is_none_or(|only| one.id == *only));
    let cancellation = row.cancellation.as_ref().map(|known| OrderCancellation {
        cause: known.cause,
        participant_id: known
            .participant_id
            .as_ref()
            .filter(|who| only.is_none_or(|only| only == *who))
            .map(ToString::to_string),
        reason: known.reason.clone().filter(|_| is_tenant),
    });
    Order {
        id: row.id.to_string(),
        reference: row.reference.clone().filter(|_| is_tenant),
        title: row.title.clone(),
        state: row.state,
        documents: whole.documents.iter().map(ToString::to_string).collect(),
        participants: shown.map(|one| participant(one, &whole.signatures)).collect(),
        flow: row.flow,
        rules: row.rules.clone(),
        deadline: row.deadline,
        reminders_hours: if is_tenant { whole.reminders_hours.clone() } else { Vec::new() },
        metadata: if is_tenant { row.metadata.clone() } else { Default::default() },
        created_at: row.created_at,
        ended_at: row.ended_at,
        cancellation,
    }
}

fn participant(row: &ParticipantRow, signatures: &[(ParticipantId, OrderSignature)]) -> Participant {
    let own = signatures.iter().filter(|(of, _)| *of == row.id);
    Participant {
        id: row.id.to_string(),
        signer: SignerView {
            name: row.signer_name.clone(),
            identifier_masked: Some(row.signer_masked.clone()),
        },
        role: row.role.clone(),
        position: row.position,
        custodies: row.custodies.clone(),
        must_sign: row.must_sign,
        state: row.state,
        signatures: own.map(|(_, signature)| signature.clone()).collect(),
        ended_at: row.ended_at,
        decline_reason: row.decline_reason.clone(),
    }
}
