//! Deliveries: one event on its way to one webhook.
//!
//! The log is the queue: a webhook has a place in it, and only a window of events behind that place are rows here.

use rubrica_core::Timestamp;
use rubrica_core::event::DisabledCause;
use rubrica_core::wire::{DeliveryState, WebhookDelivery};

use super::events::{self, Wanted};
use super::row::{from_text, signed, size, time, unix_ms};
use super::webhooks::{self, WebhookRow};
use super::{Connection, StoreError, log, params};
use crate::ids::WebhookId;

/// Deliveries of one webhook that wait or are tried again; above it, its place in the log stands still.
const MOST_PENDING: i64 = 10_000;
/// Clocks of instances differ by less. What waits since a time further ahead was written by a clock that has been set back
/// since: it is not waited for, or it would wait as long as the clock was ahead.
const SKEW_MS: i64 = 60_000;
/// Transactions that are looked at in one go.
const MOST_ROWS: i64 = 32;

/// Makes deliveries of the events behind a webhook's place; whether more of the log is to be looked at.
pub(crate) fn fan_out(connection: &Connection, id: &WebhookId, now: Timestamp) -> Result<bool, StoreError> {
    let head = log::standing(connection)?.events;
    let Some(webhook) = webhooks::lock(connection, id)? else { return Ok(false) };
    let pending: i64 = connection
        .query_one(
            "SELECT count(*) FROM (SELECT 1 FROM delivery WHERE webhook_id = ?1 AND state = 'pending' LIMIT ?2) AS part",
            params![id, MOST_PENDING],
            |row| row.get(0),
        )?
        .unwrap_or_default();
    if pending >= MOST_PENDING || webhook.told >= head {
        return Ok(false);
    }
    let wanted = Wanted::new(webhook.event_types.clone());
    let segments = events::segments(connection, &webhook.tenant, webhook.told, MOST_ROWS)?;
    let (mut rows, mut last) = (Vec::new(), webhook.told);
    for segment in &segments {
        for (sequence, kept) in segment.events().filter(|(sequence, _)| *sequence > webhook.told) {
            let kept = kept?;
            if wanted.includes(kept.event_type) {
                rows.push((sequence, kept.id, kept.event_type));
            }
            last = sequence;
        }
    }
    let more = last > webhook.told;
    let now = unix_ms(now);
    let rows: Vec<_> = rows
        .iter()
        .map(|(sequence, event_id, event_type)| {
            use super::Value::{Integer, Text};
            [Text(id.as_ref()), Integer(signed(*sequence)), Text(event_id), Text(event_type), Integer(now)]
        })
        .collect();
    connection.execute_many(
        "INSERT INTO delivery (webhook_id, sequence, event_id, event_type, state, next_try_at, waits_since, created_at)
         VALUES (?1, ?2, ?3, ?4, 'pending', ?5, ?5, ?5)",
        &rows,
    )?;
    webhooks::told(connection, id, if more { last } else { head })?;
    Ok(more)
}

/// A delivery that this instance tries now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claimed {
    pub(crate) webhook_id: WebhookId,
    pub(crate) sequence: u64,
    /// Attempts, this one included. No other instance has the same number: a result is only kept while it is the last.
    pub(crate) attempt: u32,
}

/// Whether a delivery is due at the time `?2` of a statement whose `?3` is [`latest_start`].
pub(super) const DUE: &str = "(next_try_at <= ?2 OR waits_since > ?3)";

/// The latest time since when a delivery can be waiting.
pub(super) fn latest_start(now: Timestamp) -> i64 {
    unix_ms(now) + SKEW_MS
}

/// Takes deliveries that are due, but for those that this process is trying. Until `until` nobody else tries them.
pub(crate) fn claim(
    connection: &Connection,
    id: &WebhookId,
    now: Timestamp,
    until: Timestamp,
    most: usize,
    trying: &[i64],
) -> Result<Vec<Claimed>, StoreError> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let sql = format!(
        "UPDATE delivery SET next_try_at = ?4, waits_since = ?2, attempts = attempts + 1
         WHERE webhook_id = ?1 AND sequence IN (SELECT sequence FROM delivery
             WHERE webhook_id = ?1 AND state = 'pending' AND {DUE} AND sequence NOT IN (EACH_INTEGER(?6))
             ORDER BY next_try_at, sequence LIMIT ?5 FOR UPDATE SKIP LOCKED)
         RETURNING sequence, attempts"
    );
    let mut claimed = connection.query(
        &sql,
        params![id, unix_ms(now), latest_start(now), unix_ms(until), most, trying],
        |row| {
            let sequence = size("delivery.sequence", row.get(0)?)?;
            Ok(Claimed { webhook_id: id.clone(), sequence, attempt: attempts(row.get(1)?)? })
        },
    )?;
    claimed.sort_by_key(|claimed| claimed.sequence);
    Ok(claimed)
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The address accepted it.
    Delivered { status: u16 },
    /// To be tried again at that time, or never.
    Failed { status: Option<u16>, error: String, again: Option<Timestamp> },
    /// The address wants no more events at all.
    Gone { status: u16 },
}

/// Keeps the outcome of an attempt. A webhook that has failed since before `patience` is disabled.
pub(crate) fn finish(
    connection: &Connection,
    webhook: &WebhookRow,
    claimed: &Claimed,
    outcome: &Outcome,
    now: Timestamp,
    patience: Timestamp,
) -> Result<(), StoreError> {
    let (state, status, error, next) = match outcome {
        Outcome::Delivered { status } => ("delivered", Some(*status), None, now),
        Outcome::Failed { status, error, again: Some(again) } => {
            ("pending", *status, Some(error.as_str()), *again)
        }
        Outcome::Failed { status, error, again: None } => ("dead", *status, Some(error.as_str()), now),
        Outcome::Gone { status } => ("dead", Some(*status), Some("the address wants no more events"), now),
    };
    let delivered_at = (state == "delivered").then(|| unix_ms(now));
    let changed = connection.execute(
        "UPDATE delivery SET state = ?4, last_status = ?5, last_error = ?6, next_try_at = ?7, delivered_at = ?8,
                             waits_since = ?9
         WHERE webhook_id = ?1 AND sequence = ?2 AND attempts = ?3 AND state = 'pending'",
        params![
            claimed.webhook_id,
            signed(claimed.sequence),
            i64::from(claimed.attempt),
            state,
            status.map(i64::from),
            error,
            unix_ms(next),
            delivered_at,
            unix_ms(now)
        ],
    )?;
    if changed == 0 {
        return Ok(());
    }
    match outcome {
        Outcome::Delivered { .. } => webhooks::works(connection, &webhook.id),
        Outcome::Gone { .. } => {
            webhooks::disable(connection, &webhook.id, &webhook.tenant, DisabledCause::Gone, now).map(drop)
        }
        Outcome::Failed { .. } => {
            let since = webhooks::fails(connection, &webhook.id, now)?;
            if since.is_some_and(|since| since <= patience) {
                webhooks::disable(connection, &webhook.id, &webhook.tenant, DisabledCause::Failing, now)?;
            }
            Ok(())
        }
    }
}

/// A page of a webhook's deliveries before the event `before`, the latest first, with the sequence of each.
pub(crate) fn list(
    connection: &Connection,
    id: &WebhookId,
    state: Option<DeliveryState>,
    before: Option<u64>,
    most: i64,
) -> Result<Vec<(u64, WebhookDelivery)>, StoreError> {
    let before = before.map_or(i64::MAX, |before| i64::try_from(before).unwrap_or(i64::MAX));
    connection.query(
        "SELECT sequence, event_id, event_type, state, attempts, last_status, last_error, next_try_at, created_at, delivered_at
         FROM delivery WHERE webhook_id = ?1 AND sequence < ?2 AND (CAST(?3 AS TEXT) IS NULL OR state = ?3)
         ORDER BY sequence DESC LIMIT ?4",
        params![id, before, state.map(DeliveryState::as_str), most],
        |row| {
            let state: DeliveryState = from_text("delivery.state", row.get(3)?)?;
            let next = time("delivery.next_try_at", row.get(7)?)?;
            let status = row.get::<Option<i64>>(5)?;
            let delivered_at = row.get::<Option<i64>>(9)?;
            let delivery = WebhookDelivery {
                event_id: row.get(1)?,
                event_type: from_text("delivery.event_type", row.get(2)?)?,
                state,
                attempts: attempts(row.get(4)?)?,
                last_status: status.and_then(|status| u16::try_from(status).ok()),
                last_error: row.get(6)?,
                next_attempt_at: (state == DeliveryState::Pending).then_some(next),
                created_at: time("delivery.created_at", row.get(8)?)?,
                delivered_at: delivered_at.map(|ms| time("delivery.delivered_at", ms)).transpose()?,
            };
            Ok((size("delivery.sequence", row.get(0)?)?, delivery))
        },
    )
}

/// Sends an event again, with all attempts before it; whether there is such a delivery.
pub(crate) fn retry(
    connection: &Connection,
    id: &WebhookId,
    event_id: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let changed = connection.execute(
        "UPDATE delivery SET state = 'pending', attempts = 0, next_try_at = ?3, waits_since = ?3, delivered_at = NULL
         WHERE webhook_id = ?1 AND event_id = ?2",
        params![id, event_id, unix_ms(now)],
    )?;
    Ok(changed > 0)
}

fn attempts(number: i64) -> Result<u32, StoreError> {
    u32::try_from(number).map_err(|_| StoreError::Damaged { column: "delivery.attempts" })
}
