//! The queue of the engine: tasks, the workers that hold them, and the leases in between.
//!
//! A worker proves that it lives by counting up its beat. Whoever looks compares beats on a clock of its own; no time of
//! two machines is ever compared, so a clock that jumps neither takes a lease away nor keeps one alive. Everything that a
//! worker writes about a task is written under its lease: when the task was given to another, nothing of it is kept.

use std::collections::HashMap;

use rubrica_core::Timestamp;

use super::row::unix_ms;
use super::{Connection, Row, StoreError, Value, params};
use crate::ids::{BatchId, SignatureId, WorkerId};

/// No pause is longer. A time further ahead was written by a clock that has been set back since: it is not waited for.
const LONGEST_PAUSE_MS: i64 = 10 * 60 * 1000;

/// The right to work on a task, until the worker is taken for dead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lease {
    pub(crate) task: i64,
    pub(crate) worker: WorkerId,
    pub(crate) epoch: i64,
}

/// What a task is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Work {
    /// One signature.
    Signature(SignatureId),
    /// A run of items of a batch.
    Items {
        /// The batch.
        batch_id: BatchId,
        /// First position.
        first: i64,
        /// Last position.
        last: i64,
    },
}

/// A task that was claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claimed {
    pub(crate) lease: Lease,
    pub(crate) work: Work,
    /// Tries before this one that ended without an outcome.
    pub(crate) attempts: i64,
}

/// A line of free tasks: the signatures of a tenant that were asked for one by one, or one of its batches.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Queue {
    pub(crate) tenant: String,
    /// `None` for single signatures.
    pub(crate) batch_id: Option<BatchId>,
}

/// Registers a worker that starts.
pub(crate) fn register(
    connection: &Connection,
    worker: &WorkerId,
    name: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    connection.execute(
        "INSERT INTO worker (id, name, beat, started_at) VALUES (?1, ?2, 0, ?3)",
        params![worker, name, unix_ms(now)],
    )?;
    Ok(())
}

/// Counts up the beat of a worker.
///
/// # Errors
/// [`StoreError::LeaseLost`] when others took it for dead: it has lost all its tasks and needs a new name.
pub(crate) fn beat(connection: &Connection, worker: &WorkerId) -> Result<(), StoreError> {
    let changed = connection.execute("UPDATE worker SET beat = beat + 1 WHERE id = ?1", params![worker])?;
    if changed == 1 { Ok(()) } else { Err(StoreError::LeaseLost) }
}

/// The beats of all workers, by worker, with their names.
pub(crate) fn beats(connection: &Connection) -> Result<HashMap<WorkerId, (String, i64)>, StoreError> {
    let rows = connection.query("SELECT id, name, beat FROM worker", &[], |row| {
        Ok((row.get(0)?, (row.get(1)?, row.get(2)?)))
    })?;
    Ok(rows.into_iter().collect())
}

/// Takes a worker for dead, unless it has moved since its beat was read, and frees its tasks. Gives their number.
pub(crate) fn bury(connection: &Connection, worker: &WorkerId, beat: i64) -> Result<u64, StoreError> {
    let gone = connection.execute("DELETE FROM worker WHERE id = ?1 AND beat = ?2", params![worker, beat])?;
    if gone == 0 {
        return Ok(0);
    }
    connection.execute("UPDATE task SET lease_worker = NULL WHERE lease_worker = ?1", params![worker])
}

/// Frees tasks whose worker is not registered: it was taken for dead while it took them.
pub(crate) fn free_strays(connection: &Connection) -> Result<u64, StoreError> {
    connection.execute(
        "UPDATE task SET lease_worker = NULL
         WHERE lease_worker IS NOT NULL AND NOT EXISTS (SELECT 1 FROM worker WHERE worker.id = task.lease_worker)",
        &[],
    )
}

/// Ends a worker in order: what it still holds is free at once.
pub(crate) fn leave(connection: &Connection, worker: &WorkerId) -> Result<(), StoreError> {
    connection.execute("UPDATE task SET lease_worker = NULL WHERE lease_worker = ?1", params![worker])?;
    connection.execute("DELETE FROM worker WHERE id = ?1", params![worker])?;
    Ok(())
}

/// Adds the task of one signature, held by `worker` from the start when it is given.
pub(crate) fn add(
    connection: &Connection,
    tenant: &str,
    signature_id: &SignatureId,
    worker: Option<&WorkerId>,
) -> Result<Option<Lease>, StoreError> {
    let epoch = i64::from(worker.is_some());
    let task = connection.query_one(
        "INSERT INTO task (tenant, signature_id, lease_worker, lease_epoch) VALUES (?1, ?2, ?3, ?4) RETURNING id",
        params![tenant, signature_id, worker, epoch],
        |row| row.get(0),
    )?;
    let lease = |task, worker: &WorkerId| Lease { task, worker: worker.clone(), epoch };
    Ok(task.zip(worker).map(|(task, worker)| lease(task, worker)))
}

/// Adds the tasks of a batch with `total` items, `size` items each.
pub(crate) fn add_batch(
    connection: &Connection,
    tenant: &str,
    batch_id: &BatchId,
    total: i64,
    size: i64,
) -> Result<(), StoreError> {
    let runs: Vec<(i64, i64)> =
        (0..(total + size - 1) / size).map(|run| (run * size + 1, ((run + 1) * size).min(total))).collect();
    let rows: Vec<_> = runs
        .iter()
        .map(|(first, last)| {
            [
                Value::Text(tenant),
                Value::Text(batch_id.as_ref()),
                Value::Integer(*first),
                Value::Integer(*last),
            ]
        })
        .collect();
    connection
        .execute_many("INSERT INTO task (tenant, batch_id, first, last) VALUES (?1, ?2, ?3, ?4)", &rows)?;
    Ok(())
}

/// The lines in which free tasks wait.
pub(crate) fn queues(connection: &Connection, now: Timestamp) -> Result<Vec<Queue>, StoreError> {
    connection.query(
        "SELECT DISTINCT tenant, batch_id FROM task WHERE lease_worker IS NULL AND held = 0 AND next_try_at NOT BETWEEN ?1 AND ?2",
        params![unix_ms(now) + 1, unix_ms(now) + LONGEST_PAUSE_MS],
        |row| Ok(Queue { tenant: row.get(0)?, batch_id: row.get(1)? }),
    )
}

/// Takes the first free tasks of a line, up to `most`. What another worker is taking at this moment is passed over.
pub(crate) fn claim(
    connection: &Connection,
    queue: &Queue,
    worker: &WorkerId,
    most: i64,
    now: Timestamp,
) -> Result<Vec<Claimed>, StoreError> {
    // Two texts, so that each walks its part of the index in order.
    let line = match queue.batch_id {
        Some(_) => "batch_id = ?6",
        None => "batch_id IS NULL",
    };
    let sql = format!(
        "UPDATE task SET lease_worker = ?1, lease_epoch = lease_epoch + 1
         WHERE id IN (SELECT id FROM task
                      WHERE tenant = ?2 AND {line} AND lease_worker IS NULL AND held = 0
                            AND next_try_at NOT BETWEEN ?3 AND ?4
                      ORDER BY id LIMIT ?5 FOR UPDATE SKIP LOCKED)
         RETURNING id, lease_epoch, batch_id, first, last, signature_id, attempts"
    );
    let (after, until) = (unix_ms(now) + 1, unix_ms(now) + LONGEST_PAUSE_MS);
    match &queue.batch_id {
        Some(batch_id) => {
            connection.query(&sql, params![worker, queue.tenant, after, until, most, batch_id], |row| {
                read(row, worker)
            })
        }
        None => {
            connection.query(&sql, params![worker, queue.tenant, after, until, most], |row| read(row, worker))
        }
    }
}

fn read(row: &Row<'_>, worker: &WorkerId) -> Result<Claimed, StoreError> {
    let lease = Lease { task: row.get(0)?, worker: worker.clone(), epoch: row.get(1)? };
    let work = match (row.get::<Option<BatchId>>(2)?, row.get::<Option<SignatureId>>(5)?) {
        (Some(batch_id), None) => Work::Items { batch_id, first: row.get(3)?, last: row.get(4)? },
        (None, Some(signature_id)) => Work::Signature(signature_id),
        _ => return Err(StoreError::Damaged { column: "task.signature_id" }),
    };
    Ok(Claimed { lease, work, attempts: row.get(6)? })
}

/// Makes sure that the lease still holds, and that it holds until the transaction ends.
///
/// # Errors
/// [`StoreError::LeaseLost`].
pub(crate) fn hold(connection: &Connection, lease: &Lease) -> Result<(), StoreError> {
    let held = connection.exists(
        "SELECT 1 FROM task WHERE id = ?1 AND lease_worker = ?2 AND lease_epoch = ?3 FOR UPDATE",
        params![lease.task, lease.worker, lease.epoch],
    )?;
    if held { Ok(()) } else { Err(StoreError::LeaseLost) }
}

/// Ends a task.
///
/// # Errors
/// [`StoreError::LeaseLost`].
pub(crate) fn finish(connection: &Connection, lease: &Lease) -> Result<(), StoreError> {
    let changed = connection.execute(
        "DELETE FROM task WHERE id = ?1 AND lease_worker = ?2 AND lease_epoch = ?3",
        params![lease.task, lease.worker, lease.epoch],
    )?;
    if changed == 1 { Ok(()) } else { Err(StoreError::LeaseLost) }
}

/// Gives a task back, to be tried again not before `next_try_at`.
///
/// # Errors
/// [`StoreError::LeaseLost`].
pub(crate) fn give_back(
    connection: &Connection,
    lease: &Lease,
    next_try_at: Timestamp,
) -> Result<(), StoreError> {
    let changed = connection.execute(
        "UPDATE task SET lease_worker = NULL, attempts = attempts + 1, next_try_at = ?4
         WHERE id = ?1 AND lease_worker = ?2 AND lease_epoch = ?3",
        params![lease.task, lease.worker, lease.epoch, unix_ms(next_try_at)],
    )?;
    if changed == 1 { Ok(()) } else { Err(StoreError::LeaseLost) }
}

#[cfg(test)]
mod tests;
