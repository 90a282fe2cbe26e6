//! How far an order is, as `rubrica_core::order` sees it, and when time does something to it.
//!
//! A reminder is sent by whoever sets `pending` to 0 under the lock of its order. The time of a reminder decides when it may be
//! sent, never whether: what was missed while nobody ran is sent late.

use std::collections::BTreeSet;
use std::time::Duration;

use rubrica_core::Timestamp;
use rubrica_core::event::EventData;
use rubrica_core::order::{OrderProgress, ParticipantProgress};

use super::{OrderRow, Whole, complete, small};
use crate::hex;
use crate::ids::OrderId;
use crate::store::row::unix_ms;
use crate::store::{Connection, StoreError, Value, params};

/// How far an order is.
pub(super) fn load(connection: &Connection, order: OrderRow) -> Result<OrderProgress, StoreError> {
    let id = order.id.clone();
    let Some(whole) = complete(connection, vec![order])?.pop() else {
        return Err(StoreError::Damaged { column: "signing_order.id" });
    };
    let past: Vec<i64> = connection.query(
        "SELECT hours_before FROM order_reminder WHERE order_id = ?1 AND pending = 0",
        params![id],
        |row| row.get(0),
    )?;
    let past = past.into_iter().map(|hours| small("order_reminder.hours_before", hours));
    let past = past.collect::<Result<BTreeSet<u32>, _>>()?;
    Ok(of(&whole, past))
}

/// An order and its reminders that came due already, in the words of core.
fn of(whole: &Whole, reminders_past: BTreeSet<u32>) -> OrderProgress {
    let participants = whole.participants.iter().map(|one| ParticipantProgress {
        id: one.id.to_string(),
        signer: hex::encode(one.signer_hash.0),
        position: one.position,
        must_sign: one.must_sign,
        state: one.state,
        signed: whole
            .signatures
            .iter()
            .filter(|(of, signature)| *of == one.id && signature.state.is_final())
            .map(|(_, signature)| signature.document_id.clone())
            .collect(),
    });
    OrderProgress {
        id: whole.order.id.to_string(),
        reference: whole.order.reference.clone(),
        flow: whole.order.flow,
        state: whole.order.state,
        documents: whole.documents.iter().map(ToString::to_string).collect(),
        participants: participants.collect(),
        deadline: whole.order.deadline,
        reminders_hours: whole.reminders_hours.clone(),
        reminders_past,
    }
}

/// Keeps the reminders of a new order. Those in `past` are never sent.
pub(super) fn insert_reminders(
    connection: &Connection,
    order: &OrderRow,
    hours: &[u32],
    past: &BTreeSet<u32>,
) -> Result<(), StoreError> {
    let Some(deadline) = order.deadline else { return Ok(()) };
    let rows: Vec<_> = hours
        .iter()
        .map(|hours| {
            let before = Duration::from_hours((*hours).into()).as_millis();
            let due_at = unix_ms(deadline) - i64::try_from(before).expect("a year of hours fits");
            [
                Value::Text(order.id.as_ref()),
                Value::Integer((*hours).into()),
                Value::Integer(due_at),
                Value::Integer((!past.contains(hours)).into()),
            ]
        })
        .collect();
    connection.execute_many(
        "INSERT INTO order_reminder (order_id, hours_before, due_at, pending) VALUES (?1, ?2, ?3, ?4)",
        &rows,
    )?;
    Ok(())
}

/// Notes that a reminder is past; `sent_at` tells those of which there is an event from those that a later one overtook.
pub(super) fn pass_reminder(
    connection: &Connection,
    order: &OrderId,
    hours_before: u32,
    events: &[EventData],
    now: Timestamp,
) -> Result<(), StoreError> {
    let is_sent = events
        .iter()
        .any(|event| matches!(event, EventData::OrderReminderDue(due) if due.hours_before == hours_before));
    connection.execute(
        "UPDATE order_reminder SET pending = 0, sent_at = ?3 WHERE order_id = ?1 AND hours_before = ?2 AND pending = 1",
        params![order, i64::from(hours_before), is_sent.then(|| unix_ms(now))],
    )?;
    Ok(())
}

/// Orders to which time does something now, at most `limit`: a reminder is due, or the deadline passed and no key is in use.
pub(crate) fn due(connection: &Connection, now: Timestamp, limit: u32) -> Result<Vec<OrderId>, StoreError> {
    connection.query(
        &format!(
            "SELECT id FROM signing_order o WHERE state = 'open' AND deadline IS NOT NULL AND deadline <= ?1
               AND NOT EXISTS (SELECT 1 FROM signature s WHERE s.order_id = o.id AND s.state = 'signing')
             UNION SELECT r.order_id FROM order_reminder r JOIN signing_order o ON o.id = r.order_id
             WHERE r.pending = 1 AND r.due_at <= ?1 AND o.deadline > ?1
             LIMIT {limit}"
        ),
        params![unix_ms(now)],
        |row| row.get(0),
    )
}
