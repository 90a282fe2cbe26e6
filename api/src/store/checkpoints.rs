//! Checkpoints: what the key of the log signed about the tree of receipts.

use rubrica_core::Timestamp;

use super::row::{signed, size, unix_ms};
use super::{Connection, StoreError, params};

/// A signed note about the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CheckpointRow {
    /// Leaves of the tree.
    pub(crate) size: u64,
    /// The note.
    pub(crate) note: String,
}

/// Keeps a checkpoint. Another instance may have signed the same tree before: then its note stays.
pub(crate) fn insert(
    connection: &Connection,
    checkpoint: &CheckpointRow,
    now: Timestamp,
) -> Result<(), StoreError> {
    connection.execute(
        "INSERT INTO checkpoint (size, note, signed_at) VALUES (?1, ?2, ?3) ON CONFLICT (size) DO NOTHING",
        params![signed(checkpoint.size), checkpoint.note, unix_ms(now)],
    )?;
    Ok(())
}

/// The latest checkpoint.
pub(crate) fn latest(connection: &Connection) -> Result<Option<CheckpointRow>, StoreError> {
    let sql = "SELECT size, note FROM checkpoint ORDER BY size DESC LIMIT 1";
    connection.query_one(sql, &[], read)
}

/// Checkpoints of more than `size` leaves, the smallest first.
pub(crate) fn after(
    connection: &Connection,
    size: Option<u64>,
    most: i64,
) -> Result<Vec<CheckpointRow>, StoreError> {
    let sql = "SELECT size, note FROM checkpoint WHERE size > ?1 ORDER BY size LIMIT ?2";
    connection.query(sql, params![size.map_or(-1, signed), most], read)
}

fn read(row: &super::Row<'_>) -> Result<CheckpointRow, StoreError> {
    Ok(CheckpointRow { size: size("checkpoint.size", row.get(0)?)?, note: row.get(1)? })
}
