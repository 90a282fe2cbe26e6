//! Small objects, kept in the database so that they share its group commits.

use rusqlite::{Connection, OptionalExtension, params};

use super::StoreError;

/// Keeps bytes under their digest; they may be there already.
pub(crate) fn insert(connection: &Connection, sha256: &[u8; 32], bytes: &[u8]) -> Result<(), StoreError> {
    connection
        .prepare_cached("INSERT INTO object (sha256, bytes) VALUES (?1, ?2) ON CONFLICT (sha256) DO NOTHING")?
        .execute(params![sha256, bytes])?;
    Ok(())
}

/// The bytes of a digest.
pub(crate) fn find(connection: &Connection, sha256: &[u8; 32]) -> Result<Option<Vec<u8>>, StoreError> {
    Ok(connection
        .prepare_cached("SELECT bytes FROM object WHERE sha256 = ?1")?
        .query_row([sha256], |row| row.get(0))
        .optional()?)
}
