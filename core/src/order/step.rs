//! The transitions, each with its event.

use super::OrderStep;
use crate::Timestamp;
use crate::event::{EventData, OrderCancelled, OrderCompleted, OrderExpired, ParticipantMoved};
use crate::wire::{CancellationCause, OrderState, ParticipantState};

impl OrderStep {
    pub(super) fn sign(&mut self, index: usize, document_id: &str) {
        let documents = self.progress.documents.len();
        let participant = &mut self.progress.participants[index];
        participant.signed.insert(document_id.to_owned());
        if participant.signed.len() < documents {
            return;
        }
        let moved = self.move_to(index, ParticipantState::Signed);
        self.events.push(EventData::ParticipantSigned(moved));
        if self.progress.missing().next().is_some() {
            self.call_up();
        } else {
            self.complete();
        }
    }

    pub(super) fn decline(&mut self, index: usize) {
        let moved = self.move_to(index, ParticipantState::Declined);
        let (must_sign, id) = (moved.must_sign, moved.participant_id.clone());
        self.events.push(EventData::ParticipantDeclined(moved));
        if must_sign {
            self.cancel(CancellationCause::Declined, Some(id));
        }
    }

    fn complete(&mut self) {
        self.end(OrderState::Completed);
        let count = |state| {
            self.progress.participants.iter().filter(|participant| participant.state == state).count()
        };
        self.events.push(EventData::OrderCompleted(OrderCompleted {
            order_id: self.progress.id.clone(),
            reference: self.progress.reference.clone(),
            signed: count(ParticipantState::Signed),
            skipped: count(ParticipantState::Skipped),
        }));
    }

    pub(super) fn cancel(&mut self, cause: CancellationCause, participant_id: Option<String>) {
        self.end(OrderState::Cancelled);
        self.events.push(EventData::OrderCancelled(OrderCancelled {
            order_id: self.progress.id.clone(),
            reference: self.progress.reference.clone(),
            cause,
            participant_id,
        }));
    }

    pub(super) fn expire(&mut self, deadline: Timestamp) {
        let missing = self.progress.missing().map(|participant| participant.id.clone()).collect();
        self.end(OrderState::Expired);
        self.events.push(EventData::OrderExpired(OrderExpired {
            order_id: self.progress.id.clone(),
            reference: self.progress.reference.clone(),
            deadline,
            missing,
        }));
    }

    /// Tells those whose turn has come.
    pub(super) fn call_up(&mut self) {
        let first = self.progress.missing().map(|participant| participant.position).min();
        for index in 0..self.progress.participants.len() {
            let participant = &self.progress.participants[index];
            let has_turn = first.is_some_and(|first| participant.position <= first);
            if participant.state == ParticipantState::Waiting && has_turn {
                let moved = self.move_to(index, ParticipantState::Ready);
                self.events.push(EventData::ParticipantReady(moved));
            }
        }
    }

    /// Ends the order, and passes over those who had not ended.
    fn end(&mut self, state: OrderState) {
        self.progress.state = state;
        for index in 0..self.progress.participants.len() {
            if !self.progress.participants[index].state.is_final() {
                self.move_to(index, ParticipantState::Skipped);
            }
        }
    }

    fn move_to(&mut self, index: usize, state: ParticipantState) -> ParticipantMoved {
        let participant = &mut self.progress.participants[index];
        participant.state = state;
        self.moved.push(participant.id.clone());
        ParticipantMoved {
            order_id: self.progress.id.clone(),
            participant_id: participant.id.clone(),
            position: participant.position,
            must_sign: participant.must_sign,
            signer: participant.signer.clone(),
        }
    }
}
