//! Keys in the token: whose they are and which certificate they have.

use rubrica_core::event::{Event, EventData, KeySuspended};
use rubrica_core::{ErrorCode, Timestamp};

use super::row::{from_text, time, to_text, unix_ms};
use super::{Connection, Row, StoreError, outbox, params};
use crate::ids::{EventId, KeyId};
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
    pub(crate) tenant: String,
    pub(crate) signer_hash: SignerHash,
    /// Where the adapter finds the private key.
    pub(crate) reference: KeyReference,
    /// DER.
    pub(crate) certificate: Vec<u8>,
    pub(crate) state: KeyState,
    pub(crate) not_after: Timestamp,
    pub(crate) created_at: Timestamp,
}

const COLUMNS: &str = "id, tenant, signer_hash, cka_id, algorithm, certificate, state, not_after, created_at";

/// Registers a key.
pub(crate) fn insert(connection: &Connection, key: &KeyRow) -> Result<(), StoreError> {
    connection.execute(
        "INSERT INTO signing_key (id, tenant, signer_hash, cka_id, algorithm, certificate, state, not_after, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            key.id,
            key.tenant,
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

/// The active key of a tenant's signer that is valid longest, unless its certificate has ended.
pub(crate) fn find_active(
    connection: &Connection,
    tenant: &str,
    signer: &SignerHash,
    now: Timestamp,
) -> Result<Option<KeyRow>, StoreError> {
    connection.query_one(
        &format!(
            "SELECT {COLUMNS} FROM signing_key
             WHERE signer_hash = ?1 AND state = 'active' AND not_after > ?2 AND tenant = ?3
             ORDER BY not_after DESC LIMIT 1"
        ),
        params![signer.0, unix_ms(now), tenant],
        read,
    )
}

/// The key with this identifier, whatever its state.
pub(crate) fn load(connection: &Connection, id: &KeyId) -> Result<Option<KeyRow>, StoreError> {
    connection.query_one(&format!("SELECT {COLUMNS} FROM signing_key WHERE id = ?1"), params![id], read)
}

/// `active → suspended`, for the reason of this code. A key that is not active stays as it is.
pub(crate) fn suspend(
    connection: &Connection,
    id: &KeyId,
    code: ErrorCode,
    now: Timestamp,
) -> Result<(), StoreError> {
    let tenant: Option<String> = connection.query_one(
        "UPDATE signing_key SET state = 'suspended' WHERE id = ?1 AND state = 'active' RETURNING tenant",
        params![id],
        |row| row.get(0),
    )?;
    if let Some(tenant) = tenant {
        let data = EventData::KeySuspended(KeySuspended { key_id: id.to_string(), code: Some(code) });
        let event = Event { id: EventId::generate().to_string(), time: now, tenant: Some(tenant), data };
        outbox::emit(connection, &[event])?;
    }
    Ok(())
}

/// Every key, the oldest first.
pub(crate) fn list(connection: &Connection) -> Result<Vec<KeyRow>, StoreError> {
    connection.query(&format!("SELECT {COLUMNS} FROM signing_key ORDER BY created_at, id"), &[], read)
}

fn read(row: &Row<'_>) -> Result<KeyRow, StoreError> {
    Ok(KeyRow {
        id: row.get(0)?,
        tenant: row.get(1)?,
        signer_hash: SignerHash(row.get(2)?),
        reference: KeyReference {
            id: row.get(3)?,
            algorithm: from_text::<KeyAlgorithm>("signing_key.algorithm", row.get(4)?)?,
        },
        certificate: row.get(5)?,
        state: from_text("signing_key.state", row.get(6)?)?,
        not_after: time("signing_key.not_after", row.get(7)?)?,
        created_at: time("signing_key.created_at", row.get(8)?)?,
    })
}
