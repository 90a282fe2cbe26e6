//! Orders: whose turn it is, and when an order ends.
//!
//! Pure rules. The caller loads an [`OrderProgress`], gives it one [`OrderInput`] and the time, and writes what comes back in one
//! transaction: the states that moved and the events that tell it. A refusal changes nothing.
//!
//! ```text
//! order          open ─► completed   everybody who must has signed every document
//!                     ─► cancelled   taken back, or declined by somebody who must sign
//!                     ─► expired     the deadline passed first
//! participant    waiting ─► ready ─► signed | declined      the end of the order: waiting, ready ─► skipped
//! ```
//!
//! In a sequence it is the turn of everybody at whose earlier positions nobody who must sign is missing; whoever need not sign
//! holds up nobody, and may still sign while the order is open. In parallel it is everybody's turn.
//!
//! Every transition has exactly one event, but `skipped`, which the end of the order tells.

mod faults;
mod reminders;
mod step;

use std::collections::BTreeSet;

use crate::event::{EventData, OrderCreated};
use crate::wire::{CancellationCause, CreateOrder, OrderFlow, OrderState, ParticipantState, SignatureLevel};
use crate::{ErrorCode, Timestamp};

pub use faults::{check_order, positions};

/// How far an order is.
///
/// The caller builds it from what it keeps; [`OrderProgress::open`] makes the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderProgress {
    /// `ord_…`
    pub id: String,
    /// The caller's own name for it; events carry it.
    pub reference: Option<String>,
    /// Whose turn it is.
    pub flow: OrderFlow,
    /// Where it stands.
    pub state: OrderState,
    /// Identifiers of the documents.
    pub documents: Vec<String>,
    /// Who signs.
    pub participants: Vec<ParticipantProgress>,
    /// When it expires.
    pub deadline: Option<Timestamp>,
    /// Hours before the deadline at which a reminder comes due.
    pub reminders_hours: Vec<u32>,
    /// Those that came due already.
    pub reminders_past: BTreeSet<u32>,
}

/// How far a participant is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParticipantProgress {
    /// `par_…`
    pub id: String,
    /// Keyed hash of who it is; events carry it.
    pub signer: String,
    /// Step of the sequence; 1 for everybody in parallel.
    pub position: u32,
    /// Whether the order waits for them.
    pub must_sign: bool,
    /// Where they stand.
    pub state: ParticipantState,
    /// Documents whose signature by them was released.
    pub signed: BTreeSet<String>,
}

/// What happened to an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderInput {
    /// A participant's signature on a document was released.
    DocumentSigned {
        /// `par_…`
        participant_id: String,
        /// `doc_…`
        document_id: String,
    },
    /// A participant refused to sign.
    Declined {
        /// `par_…`
        participant_id: String,
    },
    /// The tenant takes the order back.
    Cancelled,
    /// Time passed: expires the order, or a reminder comes due.
    TimePassed,
}

/// What to write after an input.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderStep {
    /// The order as it is now.
    pub progress: OrderProgress,
    /// Identifiers of the participants whose state moved.
    pub moved: Vec<String>,
    /// What to tell, in this order.
    pub events: Vec<EventData>,
}

/// Why an input is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OrderRefusal {
    /// The order ended. A signature that is released after that stands by itself; it does not change the order.
    #[error("the order is `{}`", .0.as_str())]
    Ended(OrderState),
    /// The deadline passed; the order is about to expire.
    #[error("the deadline of the order passed")]
    DeadlinePassed,
    /// Others come first, or the participant signed or declined already.
    #[error("it is not this participant's turn: they are `{}`", .0.as_str())]
    NotReady(ParticipantState),
    /// The participant has signed this document.
    #[error("the participant has signed this document already")]
    AlreadySigned,
    /// The order has no such participant.
    #[error("the order has no such participant")]
    UnknownParticipant,
    /// The order has no such document.
    #[error("the order has no such document")]
    UnknownDocument,
}

impl OrderRefusal {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Ended(_) | Self::DeadlinePassed | Self::NotReady(_) | Self::AlreadySigned => {
                ErrorCode::OrderStateConflict
            }
            Self::UnknownParticipant | Self::UnknownDocument => ErrorCode::NotFound,
        }
    }
}

impl OrderProgress {
    /// Opens an order that passed [`check_order`]. `participants` are the identifier and the keyed hash of each, in the order of
    /// the request; `level` is the one that was chosen.
    #[must_use]
    pub fn open(
        id: String,
        request: &CreateOrder,
        participants: Vec<(String, String)>,
        level: SignatureLevel,
        now: Timestamp,
    ) -> OrderStep {
        let participants = participants.into_iter().zip(&request.participants).zip(positions(request));
        let participants = participants.map(|(((id, signer), asked), position)| ParticipantProgress {
            id,
            signer,
            position,
            must_sign: asked.must_sign,
            state: ParticipantState::Waiting,
            signed: BTreeSet::new(),
        });
        let mut progress = Self {
            id,
            reference: request.reference.clone(),
            flow: request.flow,
            state: OrderState::Open,
            documents: request.documents.clone(),
            participants: participants.collect(),
            deadline: request.deadline,
            reminders_hours: request.reminders_hours.clone(),
            reminders_past: BTreeSet::new(),
        };
        // Nobody is reminded of what they have only just been asked.
        progress.reminders_past = progress.reminders_reached(now);
        let created = EventData::OrderCreated(OrderCreated {
            order_id: progress.id.clone(),
            reference: progress.reference.clone(),
            documents: progress.documents.len(),
            participants: progress.participants.len(),
            flow: progress.flow,
            format: request.rules.format,
            level,
            policy: request.rules.policy,
            deadline: progress.deadline,
        });
        let mut step = OrderStep { progress, moved: Vec::new(), events: vec![created] };
        step.call_up();
        step
    }

    /// Applies one input.
    ///
    /// A signature that comes in after the deadline counts while the order is open: its key was used in time.
    ///
    /// # Errors
    /// [`OrderRefusal`]: nothing happened.
    pub fn handle(self, input: &OrderInput, now: Timestamp) -> Result<OrderStep, OrderRefusal> {
        if self.state.is_final() {
            return Err(OrderRefusal::Ended(self.state));
        }
        let mut step = OrderStep { progress: self, moved: Vec::new(), events: Vec::new() };
        match input {
            OrderInput::DocumentSigned { participant_id, document_id } => {
                let index = step.progress.turn_of(participant_id, document_id)?;
                step.sign(index, document_id);
            }
            OrderInput::Declined { participant_id } => {
                let index = step.progress.ready(participant_id)?;
                step.decline(index);
            }
            OrderInput::Cancelled => step.cancel(CancellationCause::Requested, None),
            OrderInput::TimePassed => match step.progress.deadline {
                Some(deadline) if deadline <= now => step.expire(deadline),
                Some(deadline) => step.remind(deadline, now),
                None => {}
            },
        }
        Ok(step)
    }

    /// Whether this participant may begin to sign this document now.
    ///
    /// # Errors
    /// [`OrderRefusal`]
    pub fn may_sign(
        &self,
        participant_id: &str,
        document_id: &str,
        now: Timestamp,
    ) -> Result<(), OrderRefusal> {
        if self.state.is_final() {
            return Err(OrderRefusal::Ended(self.state));
        }
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            return Err(OrderRefusal::DeadlinePassed);
        }
        self.turn_of(participant_id, document_id).map(|_| ())
    }

    /// When [`OrderInput::TimePassed`] will next do something; `None`: never.
    #[must_use]
    pub fn next_wake(&self) -> Option<Timestamp> {
        let deadline = self.deadline.filter(|_| !self.state.is_final())?;
        let reminders = self.reminders_hours.iter().filter(|hours| !self.reminders_past.contains(hours));
        Some(reminders.map(|hours| reminders::due_at(deadline, *hours)).min().unwrap_or(deadline))
    }

    fn ready(&self, participant_id: &str) -> Result<usize, OrderRefusal> {
        let index = self.participants.iter().position(|one| one.id == participant_id);
        let index = index.ok_or(OrderRefusal::UnknownParticipant)?;
        match self.participants[index].state {
            ParticipantState::Ready => Ok(index),
            state @ (ParticipantState::Waiting
            | ParticipantState::Signed
            | ParticipantState::Declined
            | ParticipantState::Skipped) => Err(OrderRefusal::NotReady(state)),
        }
    }

    fn turn_of(&self, participant_id: &str, document_id: &str) -> Result<usize, OrderRefusal> {
        let index = self.ready(participant_id)?;
        if !self.documents.iter().any(|document| document == document_id) {
            return Err(OrderRefusal::UnknownDocument);
        }
        if self.participants[index].signed.contains(document_id) {
            return Err(OrderRefusal::AlreadySigned);
        }
        Ok(index)
    }

    /// Identifiers of those for whom the order waits.
    fn missing(&self) -> impl Iterator<Item = &ParticipantProgress> {
        self.participants.iter().filter(|one| one.must_sign && one.state != ParticipantState::Signed)
    }
}

#[cfg(test)]
mod tests;
