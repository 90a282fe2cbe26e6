//! What people agreed to, and what they took back.

use rubrica_core::event::{ConsentGiven, ConsentWithdrawn, Event, EventData};
use rubrica_core::{ErrorCode, Timestamp};

use super::row::{time, unix_ms};
use super::{Connection, Row, StoreError, enrolments, keys, outbox, params};
use crate::hex;
use crate::ids::{ConsentId, KeyId, SessionId};
use crate::lookup::SignerHash;

/// A consent's row.
#[derive(Debug, Clone)]
pub(crate) struct ConsentRow {
    pub(crate) id: ConsentId,
    pub(crate) tenant: String,
    pub(crate) signer_hash: SignerHash,
    pub(crate) session_id: SessionId,
    pub(crate) text_version: String,
    pub(crate) language: String,
    pub(crate) text_sha256: [u8; 32],
    pub(crate) given_at: Timestamp,
    pub(crate) withdrawn_at: Option<Timestamp>,
}

const COLUMNS: &str =
    "id, tenant, signer_hash, session_id, text_version, language, text_sha256, given_at, withdrawn_at";

/// Keeps a consent and tells of it.
pub(crate) fn insert(connection: &Connection, consent: &ConsentRow) -> Result<(), StoreError> {
    connection.execute(
        "INSERT INTO consent (id, tenant, signer_hash, session_id, text_version, language, text_sha256, given_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            consent.id,
            consent.tenant,
            consent.signer_hash.0,
            consent.session_id,
            consent.text_version,
            consent.language,
            consent.text_sha256,
            unix_ms(consent.given_at),
        ],
    )?;
    let data = EventData::ConsentGiven(ConsentGiven {
        consent_id: consent.id.to_string(),
        signer: hex::encode(consent.signer_hash.0),
        text_version: consent.text_version.clone(),
        language: consent.language.clone(),
        text_sha256: hex::encode(consent.text_sha256),
    });
    outbox::emit(connection, &[outbox::event(Some(&consent.tenant), consent.given_at, data)]).map(drop)
}

/// A consent of a tenant, and of this signer when one is named.
pub(crate) fn find(
    connection: &Connection,
    id: &ConsentId,
    tenant: &str,
    signer: Option<&SignerHash>,
) -> Result<Option<ConsentRow>, StoreError> {
    let found = connection.query_one(
        &format!("SELECT {COLUMNS} FROM consent WHERE id = ?1 AND tenant = ?2"),
        params![id, tenant],
        read,
    )?;
    Ok(found.filter(|row| signer.is_none_or(|signer| row.signer_hash == *signer)))
}

/// Whether it stands, until the end of this transaction: whoever withdraws it waits for that.
pub(super) fn hold(connection: &Connection, id: &ConsentId) -> Result<bool, StoreError> {
    let held: Option<ConsentId> = connection.query_one(
        "UPDATE consent SET withdrawn_at = NULL WHERE id = ?1 AND withdrawn_at IS NULL RETURNING id",
        params![id],
        |row| row.get(0),
    )?;
    Ok(held.is_some())
}

/// Whether a key may be used as far as the person is concerned: no consent that it was kept under was withdrawn.
pub(super) fn permits(connection: &Connection, key: &KeyId) -> Result<bool, StoreError> {
    let withdrawn: Option<ConsentId> = connection.query_one(
        "SELECT consent.id FROM enrolment JOIN consent ON consent.id = enrolment.consent_id
         WHERE enrolment.key_id = ?1 AND consent.withdrawn_at IS NOT NULL LIMIT 1",
        params![key],
        |row| row.get(0),
    )?;
    Ok(withdrawn.is_none())
}

/// Takes a consent back. In the same transaction the keys that were kept under it are suspended, and enrolments that wait for
/// their certificate are cancelled. Once more changes nothing.
pub(crate) fn withdraw(connection: &Connection, id: &ConsentId, now: Timestamp) -> Result<(), StoreError> {
    let withdrawn = connection.query_one(
        &format!(
            "UPDATE consent SET withdrawn_at = ?2 WHERE id = ?1 AND withdrawn_at IS NULL RETURNING {COLUMNS}"
        ),
        params![id, unix_ms(now)],
        read,
    )?;
    let Some(consent) = withdrawn else { return Ok(()) };
    let signer = hex::encode(consent.signer_hash.0);
    let mut told =
        vec![EventData::ConsentWithdrawn(ConsentWithdrawn { consent_id: consent.id.to_string(), signer })];
    let cancelled = enrolments::cancel_of_consent(connection, id)?;
    told.extend(cancelled.iter().map(|row| EventData::EnrolmentCancelled(row.moved())));
    let events: Vec<Event> =
        told.into_iter().map(|data| outbox::event(Some(&consent.tenant), now, data)).collect();
    outbox::emit(connection, &events)?;
    let keys: Vec<KeyId> = connection.query(
        "SELECT key_id FROM enrolment WHERE consent_id = ?1 AND key_id IS NOT NULL ORDER BY created_at, id",
        params![id],
        |row| row.get(0),
    )?;
    keys.iter().try_for_each(|key| keys::suspend(connection, key, ErrorCode::ConsentRequired, now).map(drop))
}

fn read(row: &Row<'_>) -> Result<ConsentRow, StoreError> {
    Ok(ConsentRow {
        id: row.get(0)?,
        tenant: row.get(1)?,
        signer_hash: SignerHash(row.get(2)?),
        session_id: row.get(3)?,
        text_version: row.get(4)?,
        language: row.get(5)?,
        text_sha256: row.get(6)?,
        given_at: time("consent.given_at", row.get(7)?)?,
        withdrawn_at: row.get::<Option<i64>>(8)?.map(|at| time("consent.withdrawn_at", at)).transpose()?,
    })
}
