//! Keys in the token: whose they are and which certificate they have.

use rubrica_core::event::{EventData, KeyMoved, KeySuspended};
use rubrica_core::wire::{Custody, Key};
use rubrica_core::x509::Certificate;
use rubrica_core::{ErrorCode, Timestamp};

use super::row::{from_text, time, to_text, unix_ms};
use super::validity::{RENEWED, flag};
use super::{Connection, Row, StoreError, consents, outbox, params};
use crate::ids::KeyId;
use crate::lookup::SignerHash;
use crate::ports::{KeyAlgorithm, KeyReference};

pub(crate) use rubrica_core::wire::KeyState;

/// What may be asked of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyMove {
    /// Not to be used for the moment.
    Suspend,
    /// To be used again.
    Resume,
    /// Never to be used again.
    Retire,
}

impl KeyMove {
    /// The state that this leads to; `None` when it is not to be had from there.
    const fn from(self, state: KeyState) -> Option<KeyState> {
        match (self, state) {
            (Self::Retire, _) => Some(KeyState::Retired),
            (Self::Suspend | Self::Resume, KeyState::Retired) => None,
            (Self::Suspend, KeyState::Active | KeyState::Suspended) => Some(KeyState::Suspended),
            (Self::Resume, KeyState::Active | KeyState::Suspended) => Some(KeyState::Active),
        }
    }
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
    /// When the state last changed.
    pub(crate) changed_at: Option<Timestamp>,
    /// Why it did, unless somebody asked for it.
    pub(crate) changed_code: Option<ErrorCode>,
}

impl KeyRow {
    /// The key as the API shows it.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when its certificate cannot be read.
    pub(crate) fn to_wire(&self) -> Result<Key, StoreError> {
        let certificate = Certificate::from_der(&self.certificate)
            .map_err(|_| StoreError::Damaged { column: "signing_key.certificate" })?;
        Ok(Key {
            id: self.id.to_string(),
            custody: Custody::Hsm,
            state: self.state,
            certificate: certificate.view(),
            created_at: self.created_at,
            changed_at: self.changed_at,
            changed_code: self.changed_code,
        })
    }
}

const COLUMNS: &str = "id, tenant, signer_hash, cka_id, algorithm, certificate, state, not_after, created_at, \
                       changed_at, changed_code";

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

/// Refuses unless the key is active, and keeps it so until the transaction ends: who suspends it waits for those that
/// are about to use it, and those that come later are refused.
///
/// # Errors
/// [`StoreError::KeyState`] when it is not.
pub(crate) fn hold_active(connection: &Connection, id: &KeyId) -> Result<(), StoreError> {
    let state: Option<String> = connection.query_one(
        "SELECT state FROM signing_key WHERE id = ?1 FOR SHARE",
        params![id],
        |row| row.get(0),
    )?;
    let state = state.ok_or(StoreError::Damaged { column: "signature.key_id" })?;
    match from_text("signing_key.state", state)? {
        KeyState::Active => Ok(()),
        state @ (KeyState::Suspended | KeyState::Retired) => Err(StoreError::KeyState { state }),
    }
}

/// Does what somebody asks of a key, for good when this commits, and tells it; the key as it is then. `None` when there is
/// none, or it is another tenant's. What is so already stays as it is, and nothing is told.
///
/// # Errors
/// [`StoreError::KeyState`] when the key is retired and something else is asked of it, [`StoreError::ConsentWithdrawn`] when
/// it is to be used again although the person took back the consent.
pub(crate) fn change(
    connection: &Connection,
    id: &KeyId,
    tenant: Option<&str>,
    to: KeyMove,
    by: &str,
    now: Timestamp,
) -> Result<Option<KeyRow>, StoreError> {
    let Some(row) = lock(connection, id)?.filter(|row| tenant.is_none_or(|tenant| row.tenant == tenant))
    else {
        return Ok(None);
    };
    let state = to.from(row.state).ok_or(StoreError::KeyState { state: row.state })?;
    if state == row.state {
        return Ok(Some(row));
    }
    if to == KeyMove::Resume && !consents::permits(connection, id)? {
        return Err(StoreError::ConsentWithdrawn);
    }
    set_state(connection, row, state, None, Some(by), now).map(Some)
}

/// `active → suspended`, for the reason of this code; whether it was. A key that is not active stays as it is.
pub(crate) fn suspend(
    connection: &Connection,
    id: &KeyId,
    code: ErrorCode,
    now: Timestamp,
) -> Result<bool, StoreError> {
    match lock(connection, id)? {
        Some(row) if row.state == KeyState::Active => {
            set_state(connection, row, KeyState::Suspended, Some(code), None, now).map(|_| true)
        }
        _ => Ok(false),
    }
}

fn lock(connection: &Connection, id: &KeyId) -> Result<Option<KeyRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM signing_key WHERE id = ?1 FOR UPDATE");
    connection.query_one(&sql, params![id], read)
}

fn set_state(
    connection: &Connection,
    mut row: KeyRow,
    state: KeyState,
    code: Option<ErrorCode>,
    by: Option<&str>,
    now: Timestamp,
) -> Result<KeyRow, StoreError> {
    connection.execute(
        "UPDATE signing_key SET state = ?2, changed_at = ?3, changed_code = ?4, changed_by = ?5 WHERE id = ?1",
        params![row.id, state.as_str(), unix_ms(now), code.map(ErrorCode::as_str), by],
    )?;
    let key_id = row.id.to_string();
    let data = match state {
        KeyState::Active => EventData::KeyResumed(KeyMoved { key_id }),
        KeyState::Suspended => EventData::KeySuspended(KeySuspended { key_id, code }),
        KeyState::Retired => EventData::KeyRetired(KeyMoved { key_id }),
    };
    outbox::emit(connection, &[outbox::event(Some(&row.tenant), now, data)])?;
    (row.state, row.changed_at, row.changed_code) = (state, Some(now), code);
    Ok(row)
}

/// Keys of a tenant, the latest first, behind `after` when it is given.
pub(crate) fn page(
    connection: &Connection,
    tenant: &str,
    state: Option<KeyState>,
    after: Option<&KeyId>,
    limit: i64,
) -> Result<Vec<KeyRow>, StoreError> {
    connection.query(
        &format!(
            "SELECT {COLUMNS} FROM signing_key
             WHERE tenant = ?1 AND (CAST(?2 AS TEXT) IS NULL OR state = ?2) AND (CAST(?3 AS TEXT) IS NULL
                   OR (created_at, id) < (SELECT created_at, id FROM signing_key WHERE id = ?3 AND tenant = ?1))
             ORDER BY created_at DESC, id DESC LIMIT ?4"
        ),
        params![tenant, state.map(KeyState::as_str), after, limit],
        read,
    )
}

/// A key, and whether its signer has another active key that lasts longer.
pub(crate) type Expiring = (KeyRow, bool);

/// Keys whose certificate ends until a time and that are not retired, the soonest first, behind `after` when it is given; of a
/// tenant, or of all.
pub(crate) fn expiring(
    connection: &Connection,
    tenant: Option<&str>,
    until: Timestamp,
    after: Option<&KeyId>,
    limit: i64,
) -> Result<Vec<Expiring>, StoreError> {
    connection.query(
        &format!(
            "SELECT {COLUMNS}, {RENEWED} FROM signing_key
             WHERE state <> 'retired' AND not_after <= ?1 AND (CAST(?2 AS TEXT) IS NULL OR tenant = ?2)
                   AND (CAST(?3 AS TEXT) IS NULL OR (not_after, id) > (SELECT k.not_after, k.id FROM signing_key k WHERE k.id = ?3))
             ORDER BY not_after, id LIMIT ?4"
        ),
        params![unix_ms(until), tenant, after, limit],
        |row| Ok((read(row)?, flag(row, 11)?)),
    )
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
        changed_at: row.get::<Option<i64>>(9)?.map(|at| time("signing_key.changed_at", at)).transpose()?,
        changed_code: row
            .get::<Option<String>>(10)?
            .map(|code| from_text("signing_key.changed_code", code))
            .transpose()?,
    })
}

#[cfg(test)]
mod tests;
