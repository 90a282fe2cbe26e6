//! How an order moves: by the ends of its signatures, by a participant who declines, by its tenant and by its deadline. What
//! follows from what is for `rubrica_core::order` to say; here it is read and written, in the transaction of the change.
//!
//! A tenant's cancellation and a deadline end an order only when no key of it is in use: a signature whose intent is committed
//! finishes first and still counts.

use rubrica_core::event::{Event, EventData};
use rubrica_core::order::{OrderInput, OrderProgress, OrderRefusal};
use rubrica_core::wire::{CancellationCause, Custody, OrderState, ParticipantState, SignatureState};
use rubrica_core::{ErrorCode, Timestamp};

use super::{OrderRow, events, lock, progress, revisions};
use crate::ids::{OrderId, ParticipantId, SignatureId};
use crate::store::row::{from_text, unix_ms};
use crate::store::{Connection, StoreError, outbox, params};

/// What a move did beside the change that caused it. Its events are to be emitted in the same transaction.
#[derive(Debug, Default)]
#[must_use]
pub(crate) struct Moved {
    /// Events, in the order in which it happened.
    pub(crate) events: Vec<Event>,
    /// Other signatures that it ended: whoever waits for them has to be woken.
    pub(crate) ended: Vec<SignatureId>,
}

impl Moved {
    /// Emits the events, when there are any and the transaction has no others, and gives the signatures that were ended.
    pub(crate) fn emit(self, connection: &Connection) -> Result<Vec<SignatureId>, StoreError> {
        if !self.events.is_empty() {
            outbox::emit(connection, &self.events)?;
        }
        Ok(self.ended)
    }

    fn and(mut self, other: Self) -> Self {
        self.events.extend(other.events);
        self.ended.extend(other.ended);
        self
    }
}

/// Locks the order of a signature, if it has one, before the signature moves: locks are always taken in this order.
pub(crate) fn lock_of(connection: &Connection, id: &SignatureId) -> Result<(), StoreError> {
    connection.query(
        "SELECT id FROM signing_order WHERE id = (SELECT order_id FROM signature WHERE id = ?1) FOR UPDATE",
        params![id],
        |_| Ok(()),
    )?;
    Ok(())
}

/// Moves the order of a signature that was just released or ended without artefact. Nothing happens outside orders.
///
/// # Errors
/// [`StoreError::OrderConflict`] when another signature of the same PDF was faster: then nothing may be released.
pub(crate) fn signature_moved(
    connection: &Connection,
    id: &SignatureId,
    now: Timestamp,
) -> Result<Moved, StoreError> {
    let found = connection.query_one(
        "SELECT order_id, participant_id, document_id, state FROM signature WHERE id = ?1 AND order_id IS NOT NULL",
        params![id],
        |row| {
            let state: SignatureState = from_text("signature.state", row.get(3)?)?;
            Ok((row.get::<OrderId>(0)?, row.get(1)?, row.get(2)?, state))
        },
    )?;
    let Some((order, participant_id, document_id, state)) = found else { return Ok(Moved::default()) };
    let order = lock(connection, &order)?;
    let moved = match state {
        SignatureState::Released => {
            let outdated = revisions::advance(connection, id)?;
            let events = events::of_signatures(connection, &outdated, now)?;
            let moved = Moved { events, ended: outdated };
            moved.and(step(
                connection,
                &order,
                &OrderInput::DocumentSigned { participant_id, document_id },
                now,
            )?)
        }
        SignatureState::Failed | SignatureState::Expired | SignatureState::Cancelled => {
            revisions::let_go(connection, id, &order.id)?;
            Moved::default()
        }
        SignatureState::Accepted | SignatureState::Prepared | SignatureState::Signing => {
            return Ok(Moved::default());
        }
    };
    // The last key that a cancellation waited for may be this one.
    if order.cancellation.is_some() && !is_signing(connection, &order.id, None)? {
        return Ok(moved.and(step(connection, &order, &OrderInput::Cancelled, now)?));
    }
    Ok(moved)
}

/// A participant refuses to sign. Refusing twice is refusing once.
///
/// # Errors
/// [`StoreError::OrderConflict`] when it is not their turn, or a key of the participant is in use.
pub(crate) fn decline(
    connection: &Connection,
    order: &OrderId,
    participant: &ParticipantId,
    reason: Option<&str>,
    now: Timestamp,
) -> Result<Moved, StoreError> {
    let order = lock(connection, order)?;
    let one = super::find_participant(connection, &order.id, participant)?
        .ok_or(StoreError::Damaged { column: "participant.id" })?;
    if one.state == ParticipantState::Declined {
        return Ok(Moved::default());
    }
    check_not_taken_back(&order)?;
    if is_signing(connection, &order.id, Some(participant))? {
        return Err(conflict("a signature of the participant is being finished"));
    }
    let input = OrderInput::Declined { participant_id: participant.to_string() };
    let taken_back = take_back(connection, &order, Some(participant), TakenBack::Declined, now)?;
    let moved = taken_back.and(step_or_refuse(connection, &order, &input, now)?);
    connection
        .execute("UPDATE participant SET decline_reason = ?2 WHERE id = ?1", params![participant, reason])?;
    connection.execute(
        "UPDATE signing_order SET cancel_reason = ?2 WHERE cancel_participant_id = ?1",
        params![participant, reason],
    )?;
    Ok(moved)
}

/// The tenant takes an order back. Signatures whose key is in use finish first; the last of them ends the order, which is then
/// `completed` when nothing was missing any more. Asking twice is asking once.
///
/// # Errors
/// [`StoreError::OrderConflict`] when the order is completed, expired or declined.
pub(crate) fn cancel(
    connection: &Connection,
    order: &OrderId,
    reason: Option<&str>,
    now: Timestamp,
) -> Result<Moved, StoreError> {
    let order = lock(connection, order)?;
    if order.cancellation.as_ref().is_some_and(|known| known.cause == CancellationCause::Requested) {
        return Ok(Moved::default());
    }
    if order.state.is_final() {
        return Err(refused(&OrderRefusal::Ended(order.state)));
    }
    connection.execute(
        "UPDATE signing_order SET cancel_cause = 'requested', cancel_reason = ?2 WHERE id = ?1",
        params![order.id, reason],
    )?;
    no_more_reminders(connection, &order.id)?;
    let taken_back = take_back(connection, &order, None, TakenBack::Cancelled, now)?;
    if is_signing(connection, &order.id, None)? {
        return Ok(taken_back);
    }
    Ok(taken_back.and(step(connection, &order, &OrderInput::Cancelled, now)?))
}

/// Lets time pass for an order: its deadline ends it once no key of it is in use, or a reminder comes due.
pub(crate) fn pass_time(
    connection: &Connection,
    order: &OrderId,
    now: Timestamp,
) -> Result<Moved, StoreError> {
    let order = lock(connection, order)?;
    if order.state.is_final() || order.cancellation.is_some() {
        return Ok(Moved::default());
    }
    let mut moved = Moved::default();
    if order.deadline.is_some_and(|deadline| deadline <= now) {
        moved = take_back(connection, &order, None, TakenBack::Expired, now)?;
        if is_signing(connection, &order.id, None)? {
            return Ok(moved);
        }
    }
    Ok(moved.and(step(connection, &order, &OrderInput::TimePassed, now)?))
}

/// As [`step_or_refuse`]; an input that comes too late changes nothing: the order is read as it is now, and what was refused
/// stands by itself.
fn step(
    connection: &Connection,
    order: &OrderRow,
    input: &OrderInput,
    now: Timestamp,
) -> Result<Moved, StoreError> {
    match step_or_refuse(connection, order, input, now) {
        Err(StoreError::OrderConflict { .. }) => Ok(Moved::default()),
        other => other,
    }
}

/// Gives an order one input and writes what follows.
fn step_or_refuse(
    connection: &Connection,
    order: &OrderRow,
    input: &OrderInput,
    now: Timestamp,
) -> Result<Moved, StoreError> {
    let mut before = progress::load(connection, lock(connection, &order.id)?)?;
    if let OrderInput::DocumentSigned { participant_id, document_id } = input {
        // It is released already; the rules are told of it now.
        let signer = before.participants.iter_mut().find(|one| one.id == *participant_id);
        signer.map(|one| one.signed.remove(document_id));
    }
    let past = before.reminders_past.clone();
    let step = before.handle(input, now).map_err(|refusal| refused(&refusal))?;
    let after = &step.progress;
    for one in after.participants.iter().filter(|one| step.moved.contains(&one.id)) {
        let ended_at = one.state.is_final().then(|| unix_ms(now));
        connection.execute(
            "UPDATE participant SET state = ?2, ended_at = ?3 WHERE id = ?1",
            params![one.id, one.state.as_str(), ended_at],
        )?;
    }
    for hours in after.reminders_past.difference(&past) {
        progress::pass_reminder(connection, &order.id, *hours, &step.events, now)?;
    }
    let mut moved = Moved::default();
    if after.state.is_final() {
        moved = end(connection, order, after, &step.events, now)?;
    }
    let told = step.events.into_iter().map(|data| outbox::event(Some(&order.tenant), now, data));
    moved.events.extend(told);
    Ok(moved)
}

/// Ends an order and takes back what is open in it.
fn end(
    connection: &Connection,
    order: &OrderRow,
    after: &OrderProgress,
    events: &[EventData],
    now: Timestamp,
) -> Result<Moved, StoreError> {
    let taken_back = take_back(connection, order, None, TakenBack::by(after.state), now)?;
    let cancelled = events.iter().find_map(|event| {
        if let EventData::OrderCancelled(cancelled) = event { Some(cancelled) } else { None }
    });
    let declined_by = cancelled.and_then(|cancelled| cancelled.participant_id.as_deref());
    // A cancellation that was overtaken by the last signature is none.
    connection.execute(
        "UPDATE signing_order SET state = ?2, ended_at = ?3,
                cancel_cause = ?4, cancel_participant_id = ?5,
                cancel_reason = CASE WHEN ?4 = 'requested' THEN cancel_reason END
         WHERE id = ?1",
        params![
            order.id,
            after.state.as_str(),
            unix_ms(now),
            cancelled.map(|cancelled| cancelled.cause.as_str()),
            declined_by,
        ],
    )?;
    no_more_reminders(connection, &order.id)?;
    Ok(taken_back)
}

fn no_more_reminders(connection: &Connection, order: &OrderId) -> Result<(), StoreError> {
    connection.execute(
        "UPDATE order_reminder SET pending = 0 WHERE order_id = ?1 AND pending = 1",
        params![order],
    )?;
    Ok(())
}

/// Why open signatures are taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TakenBack {
    Cancelled,
    Declined,
    Expired,
    Completed,
}

impl TakenBack {
    const fn by(end: OrderState) -> Self {
        match end {
            OrderState::Open | OrderState::Cancelled => Self::Cancelled,
            OrderState::Completed => Self::Completed,
            OrderState::Expired => Self::Expired,
        }
    }

    const fn detail(self) -> &'static str {
        match self {
            Self::Cancelled => "the order was cancelled",
            Self::Declined => "the participant declined to sign",
            Self::Expired => "the deadline of the order passed",
            Self::Completed => "the order was completed without it",
        }
    }

    /// What a signature of this custody becomes: what waits for a device is `expired` by a deadline.
    fn outcome(self, custody: Custody) -> (SignatureState, ErrorCode) {
        if self == Self::Expired && custody == Custody::Local {
            (SignatureState::Expired, ErrorCode::SignatureExpired)
        } else {
            (SignatureState::Cancelled, ErrorCode::Cancelled)
        }
    }
}

/// Ends signatures whose key was not used yet: of a participant, or of the whole order.
fn take_back(
    connection: &Connection,
    order: &OrderRow,
    participant: Option<&ParticipantId>,
    why: TakenBack,
    now: Timestamp,
) -> Result<Moved, StoreError> {
    let mut ended: Vec<SignatureId> = Vec::new();
    for (custody, name) in [(Custody::Local, "local"), (Custody::Hsm, "hsm"), (Custody::Lacuna, "lacuna")] {
        let (state, code) = why.outcome(custody);
        ended.extend(connection.query(
            "UPDATE signature SET state = ?4, problem_code = ?5, problem_detail = ?6
             WHERE order_id = ?1 AND participant_id = coalesce(?2, participant_id) AND custody = ?3
               AND state IN ('accepted', 'prepared') RETURNING id",
            params![order.id, participant, name, state.as_str(), code.as_str(), why.detail()],
            |row| row.get::<SignatureId>(0),
        )?);
    }
    for id in &ended {
        revisions::let_go(connection, id, &order.id)?;
    }
    Ok(Moved { events: events::of_signatures(connection, &ended, now)?, ended })
}

/// Whether a key is in use for the order, or for one participant of it.
fn is_signing(
    connection: &Connection,
    order: &OrderId,
    participant: Option<&ParticipantId>,
) -> Result<bool, StoreError> {
    connection.exists(
        "SELECT 1 FROM signature WHERE order_id = ?1 AND participant_id = coalesce(?2, participant_id) AND state = 'signing'
         LIMIT 1",
        params![order, participant],
    )
}

/// Nothing new happens in an order that was cancelled and waits for its last key.
pub(super) fn check_not_taken_back(order: &OrderRow) -> Result<(), StoreError> {
    match &order.cancellation {
        Some(_) if order.state == OrderState::Open => Err(conflict("the order was cancelled")),
        _ => Ok(()),
    }
}

pub(super) fn refused(refusal: &OrderRefusal) -> StoreError {
    StoreError::OrderConflict { detail: refusal.to_string() }
}

pub(super) fn conflict(detail: &str) -> StoreError {
    StoreError::OrderConflict { detail: detail.to_owned() }
}
