//! Keys in the token: whose they are and which certificate they have.

use rubrica_core::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::StoreError;
use super::row::{digest, from_text, time, to_text, unix_ms};
use crate::ids::KeyId;
use crate::lookup::SignerHash;
use crate::ports::{KeyAlgorithm, KeyReference};

/// Whether a key may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum KeyState {
    /// It signs.
    Active,
    /// It does not, for the moment.
    Suspended,
    /// It never will again.
    Retired,
}

/// A key's row.
#[derive(Debug, Clone)]
pub(crate) struct KeyRow {
    pub(crate) id: KeyId,
    pub(crate) signer_hash: SignerHash,
    /// Where the adapter finds the private key.
    pub(crate) reference: KeyReference,
    /// DER.
    pub(crate) certificate: Vec<u8>,
    pub(crate) state: KeyState,
    pub(crate) not_after: Timestamp,
    pub(crate) created_at: Timestamp,
}

const COLUMNS: &str = "id, signer_hash, cka_id, algorithm, certificate, state, not_after, created_at";

/// Registers a key.
pub(crate) fn insert(connection: &Connection, key: &KeyRow) -> Result<(), StoreError> {
    connection.execute(
        "INSERT INTO signing_key (id, signer_hash, cka_id, algorithm, certificate, state, not_after, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            key.id,
            key.signer_hash.0,
            key.reference.id,
            to_text(&key.reference.algorithm),
            key.certificate,
            to_text(&key.state),
            unix_ms(key.not_after),
            unix_ms(key.created_at),
        ],
    )?;
    Ok(())
}

/// The active key of a signer that is valid longest, unless its certificate has ended.
pub(crate) fn find_active(
    connection: &Connection,
    signer: &SignerHash,
    now: Timestamp,
) -> Result<Option<KeyRow>, StoreError> {
    connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM signing_key
             WHERE signer_hash = ?1 AND state = 'active' AND not_after > ?2 ORDER BY not_after DESC LIMIT 1"
        ))?
        .query_row(params![signer.0, unix_ms(now)], |row| Ok(read(row)))
        .optional()?
        .transpose()
}

/// The key with this identifier, whatever its state.
pub(crate) fn load(connection: &Connection, id: &KeyId) -> Result<Option<KeyRow>, StoreError> {
    connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM signing_key WHERE id = ?1"))?
        .query_row([id], |row| Ok(read(row)))
        .optional()?
        .transpose()
}

/// Every key, the oldest first.
pub(crate) fn list(connection: &Connection) -> Result<Vec<KeyRow>, StoreError> {
    connection
        .prepare(&format!("SELECT {COLUMNS} FROM signing_key ORDER BY created_at, id"))?
        .query_map([], |row| Ok(read(row)))?
        .map(|row| row?)
        .collect()
}

fn read(row: &Row<'_>) -> Result<KeyRow, StoreError> {
    Ok(KeyRow {
        id: row.get(0)?,
        signer_hash: SignerHash(digest("signing_key.signer_hash", row.get(1)?)?),
        reference: KeyReference {
            id: row.get(2)?,
            algorithm: from_text::<KeyAlgorithm>("signing_key.algorithm", row.get(3)?)?,
        },
        certificate: row.get(4)?,
        state: from_text("signing_key.state", row.get(5)?)?,
        not_after: time("signing_key.not_after", row.get(6)?)?,
        created_at: time("signing_key.created_at", row.get(7)?)?,
    })
}
