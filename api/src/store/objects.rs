//! Small objects, kept in the database so that they share its group commits.

use super::{Connection, StoreError, params};

/// Keeps bytes under their digest; they may be there already.
pub(crate) fn insert(connection: &Connection, sha256: &[u8; 32], bytes: &[u8]) -> Result<(), StoreError> {
    connection.execute(
        "INSERT INTO object (sha256, bytes) VALUES (?1, ?2) ON CONFLICT (sha256) DO NOTHING",
        params![sha256, bytes],
    )?;
    Ok(())
}

/// The bytes of a digest.
pub(crate) fn find(connection: &Connection, sha256: &[u8; 32]) -> Result<Option<Vec<u8>>, StoreError> {
    connection.query_one("SELECT bytes FROM object WHERE sha256 = ?1", params![sha256], |row| row.get(0))
}
