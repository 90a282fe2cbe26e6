//! Batches: what holds for all items of one, and how many of them have ended.

pub(crate) mod intake;
pub(crate) mod items;

use rubrica_core::Timestamp;
use rubrica_core::event::{BatchCreated, BatchEnded, BatchMoved, Event, EventData};
use rubrica_core::wire::{
    Batch, BatchCounts, BatchState, SignatureFormat, SignatureLevel, SignaturePolicy, SignatureState,
};

use super::row::{from_text, time, unix_ms};
use super::{Connection, Row, StoreError, outbox, params};
use crate::ids::{BatchId, EventId, KeyId};

/// A batch's row.
#[derive(Debug, Clone)]
pub(crate) struct BatchRow {
    pub(crate) id: BatchId,
    pub(crate) tenant: String,
    pub(crate) name: Option<String>,
    pub(crate) reference: Option<String>,
    pub(crate) key_id: KeyId,
    /// Certificate of the signer, DER, pinned at creation.
    pub(crate) certificate: Vec<u8>,
    /// Certificates between signer and root: a JSON list of DER in standard base64.
    pub(crate) chain: String,
    pub(crate) format: SignatureFormat,
    pub(crate) level: SignatureLevel,
    pub(crate) policy: SignaturePolicy,
    pub(crate) state: BatchState,
    pub(crate) total: u64,
    pub(crate) released: u64,
    pub(crate) failed: u64,
    pub(crate) cancelled: u64,
    pub(crate) created_at: Timestamp,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) ended_at: Option<Timestamp>,
}

impl BatchRow {
    /// The resource as the API shows it.
    pub(crate) fn to_wire(&self, counts: BatchCounts) -> Batch {
        Batch {
            id: self.id.to_string(),
            name: self.name.clone(),
            reference: self.reference.clone(),
            state: self.state,
            total: self.total,
            counts,
            key_id: self.key_id.to_string(),
            format: self.format,
            level: self.level,
            policy: self.policy,
            created_at: self.created_at,
            started_at: self.started_at,
            ended_at: self.ended_at,
        }
    }

    /// `batch.created`.
    pub(crate) fn created(&self, now: Timestamp) -> Event {
        self.event(
            now,
            EventData::BatchCreated(BatchCreated {
                batch_id: self.id.to_string(),
                reference: self.reference.clone(),
                key_id: self.key_id.to_string(),
                format: self.format,
                level: self.level,
                policy: self.policy,
                total: self.total,
            }),
        )
    }

    fn moved(&self) -> BatchMoved {
        BatchMoved { batch_id: self.id.to_string(), reference: self.reference.clone() }
    }

    fn ended(&self, state: BatchState, counts: BatchCounts) -> BatchEnded {
        BatchEnded {
            batch_id: self.id.to_string(),
            reference: self.reference.clone(),
            state,
            total: self.total,
            counts,
        }
    }

    fn event(&self, time: Timestamp, data: EventData) -> Event {
        Event { id: EventId::generate().to_string(), time, tenant: Some(self.tenant.clone()), data }
    }
}

const COLUMNS: &str = "id, tenant, name, reference, key_id, certificate, chain, format, level, policy, state, total, released, \
    failed, cancelled, created_at, started_at, ended_at";

/// Finds a batch of a tenant.
pub(crate) fn find(
    connection: &Connection,
    id: &BatchId,
    tenant: &str,
) -> Result<Option<BatchRow>, StoreError> {
    connection.query_one(
        &format!("SELECT {COLUMNS} FROM batch WHERE id = ?1 AND tenant = ?2 AND intake = 0"),
        params![id, tenant],
        read,
    )
}

/// Finds a batch for the engine.
pub(crate) fn load(connection: &Connection, id: &BatchId) -> Result<Option<BatchRow>, StoreError> {
    connection.query_one(
        &format!("SELECT {COLUMNS} FROM batch WHERE id = ?1 AND intake = 0"),
        params![id],
        read,
    )
}

/// A page of a tenant's batches, the latest first, after the one of the cursor.
pub(crate) fn list(
    connection: &Connection,
    tenant: &str,
    after: Option<&(Timestamp, BatchId)>,
    most: i64,
) -> Result<Vec<BatchRow>, StoreError> {
    let (time, id) = match after {
        Some((time, id)) => (unix_ms(*time), id.as_ref()),
        None => (i64::MAX, ""),
    };
    connection.query(
        &format!(
            "SELECT {COLUMNS} FROM batch
             WHERE tenant = ?1 AND intake = 0 AND (created_at < ?2 OR (created_at = ?2 AND id < ?3))
             ORDER BY created_at DESC, id DESC LIMIT ?4"
        ),
        params![tenant, time, id, most],
        read,
    )
}

/// Items by state.
pub(crate) fn counts(connection: &Connection, batch: &BatchRow) -> Result<BatchCounts, StoreError> {
    let mut counts = BatchCounts {
        released: batch.released,
        failed: batch.failed,
        cancelled: batch.cancelled,
        ..BatchCounts::default()
    };
    let open = batch.total - counts.total();
    if open == 0 {
        return Ok(counts);
    }
    // The few whose key use is committed and not ended; the rest waits. They are looked for where somebody was ever at work, so that
    // a look at a large batch does not read all of it.
    let signing = connection.query_one(
        "SELECT count(*) FROM task JOIN signature ON signature.batch_id = task.batch_id
                AND signature.position BETWEEN task.first AND task.last
         WHERE task.batch_id = ?1 AND task.lease_epoch > 0 AND signature.state = 'signing'",
        params![batch.id],
        |row| row.get(0),
    )?;
    let signing = count_from_sql("signature.state", signing.unwrap_or_default())?.min(open);
    counts.add(SignatureState::Signing, signing);
    counts.add(SignatureState::Accepted, open - signing);
    Ok(counts)
}

/// `queued → running`, when the first item is begun. One that was paused or taken back meanwhile stays so, but has begun.
pub(crate) fn start(connection: &Connection, batch: &BatchRow, now: Timestamp) -> Result<(), StoreError> {
    let changed = connection.execute(
        "UPDATE batch SET state = CASE WHEN state = 'queued' THEN 'running' ELSE state END, started_at = ?2
         WHERE id = ?1 AND started_at IS NULL",
        params![batch.id, unix_ms(now)],
    )?;
    if changed == 1 {
        outbox::emit(connection, &[batch.event(now, EventData::BatchStarted(batch.moved()))])?;
    }
    Ok(())
}

/// Items that ended in one transaction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) released: u64,
    pub(crate) failed: u64,
    pub(crate) cancelled: u64,
}

/// Counts items that ended; with the last one the batch ends.
///
/// The row is locked until the transaction ends, so the last of several workers sees the counts of all.
pub(crate) fn settle(
    connection: &Connection,
    batch: &BatchRow,
    ended: Ended,
    now: Timestamp,
) -> Result<(), StoreError> {
    let row = connection
        .query_one(
            &format!(
                "UPDATE batch SET released = released + ?2, failed = failed + ?3, cancelled = cancelled + ?4
                 WHERE id = ?1 RETURNING {COLUMNS}"
            ),
            params![
                batch.id,
                count_to_sql(ended.released),
                count_to_sql(ended.failed),
                count_to_sql(ended.cancelled)
            ],
            read,
        )?
        .ok_or(StoreError::Damaged { column: "signature.batch_id" })?;
    if row.released + row.failed + row.cancelled < row.total {
        return Ok(());
    }
    let counts = counts(connection, &row)?;
    let state = match row.state {
        BatchState::Cancelled => BatchState::Cancelled,
        BatchState::Queued
        | BatchState::Running
        | BatchState::Paused
        | BatchState::Completed
        | BatchState::CompletedWithErrors => {
            counts.outcome().ok_or(StoreError::Damaged { column: "batch.total" })?
        }
    };
    connection.execute(
        "UPDATE batch SET state = ?2, ended_at = ?3 WHERE id = ?1",
        params![row.id, state.as_str(), unix_ms(now)],
    )?;
    // The cancellation was told when it was asked for.
    if state != BatchState::Cancelled {
        let event = row.event(now, EventData::BatchCompleted(row.ended(state, counts)));
        outbox::emit(connection, &[event])?;
    }
    Ok(())
}

/// Holds the batch back: what is begun ends, nothing more is begun.
///
/// # Errors
/// [`StoreError::BatchState`] when it has ended or is paused.
pub(crate) fn pause(connection: &Connection, batch: &BatchRow, now: Timestamp) -> Result<(), StoreError> {
    let from = [BatchState::Queued, BatchState::Running];
    move_to(connection, batch, &from, BatchState::Paused, now)?;
    connection.execute("UPDATE task SET held = 1 WHERE batch_id = ?1", params![batch.id])?;
    outbox::emit(connection, &[batch.event(now, EventData::BatchPaused(batch.moved()))])?;
    Ok(())
}

/// Goes on with a paused batch.
///
/// # Errors
/// [`StoreError::BatchState`] when it is not paused.
pub(crate) fn resume(connection: &Connection, batch: &BatchRow, now: Timestamp) -> Result<(), StoreError> {
    let to = if batch.started_at.is_some() { BatchState::Running } else { BatchState::Queued };
    move_to(connection, batch, &[BatchState::Paused], to, now)?;
    connection.execute("UPDATE task SET held = 0, next_try_at = 0 WHERE batch_id = ?1", params![batch.id])?;
    outbox::emit(connection, &[batch.event(now, EventData::BatchResumed(batch.moved()))])?;
    Ok(())
}

/// Takes the batch back. The engine cancels the items that are not begun; those whose key use is committed end by
/// themselves, and with the last of them the batch.
///
/// # Errors
/// [`StoreError::BatchState`] when it has ended.
pub(crate) fn cancel(connection: &Connection, batch: &BatchRow, now: Timestamp) -> Result<(), StoreError> {
    let from = [BatchState::Queued, BatchState::Running, BatchState::Paused];
    move_to(connection, batch, &from, BatchState::Cancelled, now)?;
    connection.execute("UPDATE task SET held = 0, next_try_at = 0 WHERE batch_id = ?1", params![batch.id])?;
    let counts = counts(connection, batch)?;
    let event = batch.event(now, EventData::BatchCancelled(batch.ended(BatchState::Cancelled, counts)));
    outbox::emit(connection, &[event])?;
    Ok(())
}

fn move_to(
    connection: &Connection,
    batch: &BatchRow,
    from: &[BatchState],
    to: BatchState,
    now: Timestamp,
) -> Result<(), StoreError> {
    debug_assert!(from.iter().all(|from| from.may_become(to)));
    let states: Vec<&str> = from.iter().map(|state| state.as_str()).collect();
    let changed = connection.execute(
        "UPDATE batch SET state = ?2, ended_at = CASE WHEN ?2 = 'cancelled' AND released + failed + cancelled = total THEN CAST(?4 AS BIGINT) END
         WHERE id = ?1 AND state IN (EACH_TEXT(?3))",
        params![batch.id, to.as_str(), states, unix_ms(now)],
    )?;
    if changed == 1 { Ok(()) } else { Err(StoreError::BatchState { state: batch.state }) }
}

fn read(row: &Row<'_>) -> Result<BatchRow, StoreError> {
    let optional_time =
        |index, column| row.get::<Option<i64>>(index)?.map(|unix_ms| time(column, unix_ms)).transpose();
    Ok(BatchRow {
        id: row.get(0)?,
        tenant: row.get(1)?,
        name: row.get(2)?,
        reference: row.get(3)?,
        key_id: row.get(4)?,
        certificate: row.get(5)?,
        chain: row.get(6)?,
        format: from_text("batch.format", row.get(7)?)?,
        level: from_text("batch.level", row.get(8)?)?,
        policy: from_text("batch.policy", row.get(9)?)?,
        state: from_text("batch.state", row.get(10)?)?,
        total: count_from_sql("batch.total", row.get(11)?)?,
        released: count_from_sql("batch.released", row.get(12)?)?,
        failed: count_from_sql("batch.failed", row.get(13)?)?,
        cancelled: count_from_sql("batch.cancelled", row.get(14)?)?,
        created_at: time("batch.created_at", row.get(15)?)?,
        started_at: optional_time(16, "batch.started_at")?,
        ended_at: optional_time(17, "batch.ended_at")?,
    })
}

fn count_to_sql(count: u64) -> i64 {
    i64::try_from(count).expect("no batch has 2^63 items")
}

fn count_from_sql(column: &'static str, count: i64) -> Result<u64, StoreError> {
    u64::try_from(count).map_err(|_| StoreError::Damaged { column })
}

#[cfg(test)]
mod model;
