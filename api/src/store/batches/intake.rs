//! The intake of a manifest: by several transactions when it is large, so that nobody else waits for all of it.
//!
//! Until the last transaction the batch is none for anybody, and it has no task. One that stays behind is removed: by its
//! count, which stands still, it is told from one that is just being taken in.

use super::{BatchRow, count_to_sql};
use crate::ids::BatchId;
use crate::store::row::{to_text, unix_ms};
use crate::store::{Connection, StoreError, outbox, params};

/// Keeps a new batch, which nobody sees before [`end`].
pub(crate) fn begin(connection: &Connection, batch: &BatchRow) -> Result<(), StoreError> {
    connection.execute(
        "INSERT INTO batch (id, tenant, name, reference, key_id, certificate, chain, format, level, policy, state, total,
                            created_at, intake)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, 1)",
        params![
            batch.id,
            batch.tenant,
            batch.name,
            batch.reference,
            batch.key_id,
            batch.certificate,
            batch.chain,
            to_text(&batch.format),
            to_text(&batch.level),
            to_text(&batch.policy),
            batch.state.as_str(),
            count_to_sql(batch.total),
            unix_ms(batch.created_at),
        ],
    )?;
    Ok(())
}

/// Counts a further transaction; nobody removes the batch before its end.
///
/// # Errors
/// [`StoreError::Unavailable`] when it stood still for so long that others gave it up.
pub(crate) fn go_on(connection: &Connection, id: &BatchId) -> Result<(), StoreError> {
    let changed = connection
        .execute("UPDATE batch SET intake = intake + 1 WHERE id = ?1 AND intake > 0", params![id])?;
    if changed == 1 { Ok(()) } else { Err(given_up()) }
}

/// Makes a batch of it, `queued`, in the transaction that keeps its last items and its tasks.
///
/// # Errors
/// As [`go_on`].
pub(crate) fn end(connection: &Connection, batch: &BatchRow) -> Result<(), StoreError> {
    let changed =
        connection.execute("UPDATE batch SET intake = 0 WHERE id = ?1 AND intake > 0", params![batch.id])?;
    if changed == 0 {
        return Err(given_up());
    }
    outbox::emit(connection, &[batch.created(batch.created_at)])?;
    Ok(())
}

fn given_up() -> StoreError {
    StoreError::Unavailable("the intake of the batch took too long and was given up".to_owned())
}

/// What has not been taken in to its end, with its count.
pub(crate) fn unfinished(connection: &Connection) -> Result<Vec<(BatchId, i64)>, StoreError> {
    connection
        .query("SELECT id, intake FROM batch WHERE intake <> 0", &[], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Gives an intake up, unless it has gone on since its count was read; whether it did.
pub(crate) fn give_up(connection: &Connection, id: &BatchId, count: i64) -> Result<bool, StoreError> {
    let changed = connection.execute(
        "UPDATE batch SET intake = -1 WHERE id = ?1 AND intake = ?2 AND intake <> 0",
        params![id, count],
    )?;
    Ok(changed == 1)
}

/// Removes up to `most` items of an intake that was given up, with the last of them the batch; whether it is gone.
pub(crate) fn remove(connection: &Connection, id: &BatchId, most: i64) -> Result<bool, StoreError> {
    connection.execute(
        "DELETE FROM signature WHERE id IN (
             SELECT signature.id FROM signature JOIN batch ON batch.id = signature.batch_id
             WHERE batch.id = ?1 AND batch.intake = -1 LIMIT ?2)",
        params![id, most],
    )?;
    // Two sentinels may be at it.
    connection.execute(
        "DELETE FROM batch WHERE id = ?1 AND intake = -1 AND NOT EXISTS (SELECT 1 FROM signature WHERE batch_id = ?1)",
        params![id],
    )?;
    Ok(!connection.exists("SELECT 1 FROM batch WHERE id = ?1 AND intake = -1", params![id])?)
}

#[cfg(test)]
mod tests;
