//! How keys come into the token.
//!
//! `creating → awaiting_certificate → completed`; an import goes from `creating` to `completed`. From both states before the
//! last an enrolment may become `cancelled` or `failed`: then whatever the token has of it is destroyed, and the row is clean.

use rubrica_core::event::{EnrolmentFailed, EnrolmentMoved, EventData, KeyStored};
use rubrica_core::wire::{Custody, EnrolmentMethod, EnrolmentState};
use rubrica_core::{ErrorCode, Timestamp};

use super::keys::KeyRow;
use super::row::{from_text, time, to_text, unix_ms};
use super::{Connection, Row, StoreError, consents, keys, outbox, params};
use crate::hex;
use crate::ids::{ConsentId, EnrolmentId, KeyId, SessionId};
use crate::lookup::SignerHash;
use crate::objects::sha256;
use crate::ports::{KeyAlgorithm, KeyReference};

/// Enrolments of one answer.
const MOST_LISTED: u32 = 50;

/// An enrolment's row.
#[derive(Debug, Clone)]
pub(crate) struct EnrolmentRow {
    pub(crate) id: EnrolmentId,
    pub(crate) tenant: String,
    pub(crate) signer_hash: SignerHash,
    /// `None` at the command line.
    pub(crate) session_id: Option<SessionId>,
    /// `None` for keys of the tenant's own, which an operator enrols.
    pub(crate) consent_id: Option<ConsentId>,
    pub(crate) method: EnrolmentMethod,
    pub(crate) state: EnrolmentState,
    pub(crate) reference: KeyReference,
    /// DER of the `SubjectPublicKeyInfo`, once the key is made.
    pub(crate) public_key: Option<Vec<u8>>,
    /// DER of the PKCS#10 request.
    pub(crate) csr: Option<Vec<u8>>,
    pub(crate) key_id: Option<KeyId>,
    pub(crate) code: Option<ErrorCode>,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

impl EnrolmentRow {
    /// The data of an event about it.
    pub(super) fn moved(&self) -> EnrolmentMoved {
        EnrolmentMoved {
            enrolment_id: self.id.to_string(),
            method: self.method,
            signer: Some(hex::encode(self.signer_hash.0)),
            key_id: self.key_id.as_ref().map(ToString::to_string),
        }
    }
}

const COLUMNS: &str = "id, tenant, signer_hash, session_id, consent_id, method, state, cka_id, algorithm,
    public_key, csr, key_id, code, created_at, expires_at";

/// Begins an enrolment: from here on it is known what may be on the token. `false` when its consent does not stand any more.
pub(crate) fn insert(connection: &Connection, row: &EnrolmentRow) -> Result<bool, StoreError> {
    if !consent_stands(connection, row)? {
        return Ok(false);
    }
    connection.execute(
        "INSERT INTO enrolment (id, tenant, signer_hash, session_id, consent_id, method, state, cka_id, algorithm,
                                is_clean, created_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'creating', ?7, ?8, 0, ?9, ?10)",
        params![
            row.id,
            row.tenant,
            row.signer_hash.0,
            row.session_id,
            row.consent_id,
            to_text(&row.method),
            row.reference.id,
            to_text(&row.reference.algorithm),
            unix_ms(row.created_at),
            unix_ms(row.expires_at),
        ],
    )?;
    tell(connection, row, row.created_at, vec![EventData::EnrolmentCreated(row.moved())])?;
    Ok(true)
}

/// The key is made: `creating → awaiting_certificate`. `None` when it was not `creating`, or the consent was taken back.
pub(crate) fn made(
    connection: &Connection,
    row: &EnrolmentRow,
    public_key: &[u8],
    csr: &[u8],
) -> Result<Option<EnrolmentRow>, StoreError> {
    if !consent_stands(connection, row)? {
        return Ok(None);
    }
    connection.query_one(
        &format!(
            "UPDATE enrolment SET state = 'awaiting_certificate', public_key = ?2, csr = ?3
             WHERE id = ?1 AND state = 'creating' RETURNING {COLUMNS}"
        ),
        params![row.id, public_key, csr],
        read,
    )
}

/// The key has its certificate and may sign: registers it. `None` when the enrolment has moved on, or the consent was taken
/// back.
pub(crate) fn complete(
    connection: &Connection,
    row: &EnrolmentRow,
    key: &KeyRow,
) -> Result<Option<EnrolmentRow>, StoreError> {
    if !consent_stands(connection, row)? {
        return Ok(None);
    }
    keys::insert(connection, key)?;
    let done = connection.query_one(
        &format!(
            "UPDATE enrolment SET state = 'completed', key_id = ?3, is_clean = 1
             WHERE id = ?1 AND state = ?2 RETURNING {COLUMNS}"
        ),
        params![row.id, to_text(&row.state), key.id],
        read,
    )?;
    let Some(done) = done else {
        connection.execute("DELETE FROM signing_key WHERE id = ?1", params![key.id])?;
        return Ok(None);
    };
    let stored = EventData::KeyStored(KeyStored {
        key_id: key.id.to_string(),
        enrolment_id: done.id.to_string(),
        custody: Custody::Hsm,
        method: done.method,
        signer: hex::encode(done.signer_hash.0),
        certificate_sha256: hex::encode(sha256(&key.certificate)),
        not_after: key.not_after,
    });
    let completed = EventData::EnrolmentCompleted(done.moved());
    tell(connection, &done, key.created_at, vec![stored, completed])?;
    Ok(Some(done))
}

fn consent_stands(connection: &Connection, row: &EnrolmentRow) -> Result<bool, StoreError> {
    row.consent_id.as_ref().map_or(Ok(true), |consent| consents::hold(connection, consent))
}

/// `awaiting_certificate → cancelled`. What is `creating` is left to whoever makes the key.
pub(crate) fn cancel(connection: &Connection, id: &EnrolmentId, now: Timestamp) -> Result<(), StoreError> {
    let cancelled = connection.query_one(
        &format!(
            "UPDATE enrolment SET state = 'cancelled' WHERE id = ?1 AND state = 'awaiting_certificate'
             RETURNING {COLUMNS}"
        ),
        params![id],
        read,
    )?;
    cancelled
        .map_or(Ok(()), |row| tell(connection, &row, now, vec![EventData::EnrolmentCancelled(row.moved())]))
}

/// As [`cancel`], for all that wait under a consent; the caller tells.
pub(super) fn cancel_of_consent(
    connection: &Connection,
    consent: &ConsentId,
) -> Result<Vec<EnrolmentRow>, StoreError> {
    connection.query(
        &format!(
            "UPDATE enrolment SET state = 'cancelled' WHERE consent_id = ?1 AND state = 'awaiting_certificate'
             RETURNING {COLUMNS}"
        ),
        params![consent],
        read,
    )
}

/// Ends an enrolment that has not ended, for the reason of this code.
pub(crate) fn fail(
    connection: &Connection,
    id: &EnrolmentId,
    code: ErrorCode,
    now: Timestamp,
) -> Result<(), StoreError> {
    let failed = connection.query_one(
        &format!(
            "UPDATE enrolment SET state = 'failed', code = ?2
             WHERE id = ?1 AND state IN ('creating', 'awaiting_certificate') RETURNING {COLUMNS}"
        ),
        params![id, code.as_str()],
        read,
    )?;
    failed.map_or(Ok(()), |row| {
        let data = EnrolmentFailed {
            enrolment_id: row.id.to_string(),
            method: row.method,
            signer: Some(hex::encode(row.signer_hash.0)),
            code,
        };
        tell(connection, &row, now, vec![EventData::EnrolmentFailed(data)])
    })
}

/// An enrolment of a tenant, and of this signer when one is named.
pub(crate) fn find(
    connection: &Connection,
    id: &EnrolmentId,
    tenant: &str,
    signer: Option<&SignerHash>,
) -> Result<Option<EnrolmentRow>, StoreError> {
    let found = connection.query_one(
        &format!("SELECT {COLUMNS} FROM enrolment WHERE id = ?1 AND tenant = ?2"),
        params![id, tenant],
        read,
    )?;
    Ok(found.filter(|row| signer.is_none_or(|signer| row.signer_hash == *signer)))
}

/// The enrolment with this identifier, whoever's it is.
pub(crate) fn load(connection: &Connection, id: &EnrolmentId) -> Result<Option<EnrolmentRow>, StoreError> {
    connection.query_one(&format!("SELECT {COLUMNS} FROM enrolment WHERE id = ?1"), params![id], read)
}

/// The latest enrolments of a tenant, or of one signer there.
pub(crate) fn list(
    connection: &Connection,
    tenant: &str,
    signer: Option<&SignerHash>,
) -> Result<Vec<EnrolmentRow>, StoreError> {
    let latest = format!("ORDER BY created_at DESC, id DESC LIMIT {MOST_LISTED}");
    match signer {
        None => connection.query(
            &format!("SELECT {COLUMNS} FROM enrolment WHERE tenant = ?1 {latest}"),
            params![tenant],
            read,
        ),
        Some(signer) => connection.query(
            &format!("SELECT {COLUMNS} FROM enrolment WHERE tenant = ?1 AND signer_hash = ?2 {latest}"),
            params![tenant, signer.0],
            read,
        ),
    }
}

/// Enrolments that ended without a key and of which the token may still have something.
pub(crate) fn unclean(connection: &Connection, limit: u32) -> Result<Vec<EnrolmentRow>, StoreError> {
    connection.query(
        &format!(
            "SELECT {COLUMNS} FROM enrolment WHERE is_clean = 0 AND state IN ('cancelled', 'failed') LIMIT {limit}"
        ),
        &[],
        read,
    )
}

/// The token has nothing of it any more.
pub(crate) fn note_clean(connection: &Connection, id: &EnrolmentId) -> Result<(), StoreError> {
    connection.execute("UPDATE enrolment SET is_clean = 1 WHERE id = ?1", params![id]).map(drop)
}

/// Enrolments whose certificate did not come in time, and those that nobody can still be making: begun before `begun_before`.
pub(crate) fn overdue(
    connection: &Connection,
    now: Timestamp,
    begun_before: Timestamp,
    limit: u32,
) -> Result<Vec<EnrolmentRow>, StoreError> {
    connection.query(
        &format!(
            "SELECT {COLUMNS} FROM enrolment
             WHERE is_clean = 0 AND (state = 'awaiting_certificate' AND expires_at <= ?1
                                     OR state = 'creating' AND created_at < ?2) LIMIT {limit}"
        ),
        params![unix_ms(now), unix_ms(begun_before)],
        read,
    )
}

fn tell(
    connection: &Connection,
    row: &EnrolmentRow,
    at: Timestamp,
    data: Vec<EventData>,
) -> Result<(), StoreError> {
    let events: Vec<_> = data.into_iter().map(|data| outbox::event(Some(&row.tenant), at, data)).collect();
    outbox::emit(connection, &events).map(drop)
}

fn read(row: &Row<'_>) -> Result<EnrolmentRow, StoreError> {
    Ok(EnrolmentRow {
        id: row.get(0)?,
        tenant: row.get(1)?,
        signer_hash: SignerHash(row.get(2)?),
        session_id: row.get(3)?,
        consent_id: row.get(4)?,
        method: from_text("enrolment.method", row.get(5)?)?,
        state: from_text("enrolment.state", row.get(6)?)?,
        reference: KeyReference {
            id: row.get(7)?,
            algorithm: from_text::<KeyAlgorithm>("enrolment.algorithm", row.get(8)?)?,
        },
        public_key: row.get(9)?,
        csr: row.get(10)?,
        key_id: row.get(11)?,
        code: row
            .get::<Option<String>>(12)?
            .map(|code| code.parse().map_err(|_| StoreError::Damaged { column: "enrolment.code" }))
            .transpose()?,
        created_at: time("enrolment.created_at", row.get(13)?)?,
        expires_at: time("enrolment.expires_at", row.get(14)?)?,
    })
}
