//! Signing sessions and the origins that may use them.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rubrica_core::Timestamp;
use rubrica_core::event::Event;
use rubrica_core::icp_brasil::Identifier;

use super::row::{time, unix_ms};
use super::{Connection, Store, StoreError, ToValue, outbox, params};
use crate::ids::{OrderId, ParticipantId, SessionId};
use crate::lookup::SignerHash;
use crate::sealing::SealingKey;

/// An expired session is kept this long, so that its page is told why it is refused.
const KEPT_AFTER_EXPIRY: Duration = Duration::from_hours(24);

/// A session with its signer.
#[derive(Debug, Clone)]
pub(crate) struct SessionRow {
    pub(crate) id: SessionId,
    /// The tenant whose credential opened it.
    pub(crate) tenant: String,
    pub(crate) signer_hash: SignerHash,
    pub(crate) signer_name: String,
    pub(crate) signer_masked: String,
    /// CPF or CNPJ, encrypted; only where a cloud service of the tenant is asked by it.
    pub(crate) signer_sealed: Option<Vec<u8>>,
    pub(crate) origins: Vec<String>,
    /// What it is for; `None` for documents of its own.
    pub(crate) order: Option<SessionOrder>,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

impl SessionRow {
    /// Encrypts the number of the signer for [`Self::identifier`] of the same session.
    pub(crate) fn seal(id: &SessionId, identifier: &Identifier, key: &SealingKey) -> Vec<u8> {
        key.seal(identifier.as_str().as_bytes(), id.as_ref().as_bytes())
    }

    /// Whether the signer is a company: only the mask of a CNPJ has a slash.
    pub(crate) fn signer_is_company(&self) -> bool {
        self.signer_masked.contains('/')
    }

    /// CPF or CNPJ of the signer, when it was kept.
    pub(crate) fn identifier(&self, key: &SealingKey) -> Option<Identifier> {
        let text = key.open(self.signer_sealed.as_ref()?, self.id.as_ref().as_bytes())?;
        std::str::from_utf8(&text).ok()?.parse().ok()
    }
}

/// The part of an order that a session is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SessionOrder {
    pub(crate) order_id: OrderId,
    pub(crate) participant_id: ParticipantId,
}

/// Sessions kept in memory at most; then all are forgotten and read again as they come.
const MOST_KNOWN: usize = 10_000;

/// Sessions by token hash, read once: they never change.
#[derive(Debug, Default)]
pub(crate) struct KnownSessions(RwLock<HashMap<[u8; 32], Arc<SessionRow>>>);

impl KnownSessions {
    /// As [`find_by_token`], from memory when it is there.
    pub(crate) async fn find(
        &self,
        store: &Store,
        token_hash: &[u8; 32],
    ) -> Result<Option<Arc<SessionRow>>, StoreError> {
        if let Some(known) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(token_hash) {
            return Ok(Some(Arc::clone(known)));
        }
        let hash = *token_hash;
        let Some(row) = store.read(move |connection| find_by_token(connection, &hash)).await? else {
            return Ok(None);
        };
        let row = Arc::new(row);
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_KNOWN {
            known.clear();
        }
        known.insert(*token_hash, Arc::clone(&row));
        Ok(Some(row))
    }
}

/// Keeps a new session. Only the hash of its token is kept.
pub(crate) fn insert(
    connection: &Connection,
    session: &SessionRow,
    token_hash: &[u8; 32],
) -> Result<(), StoreError> {
    connection.execute(
        "INSERT INTO session (id, tenant, token_hash, signer_hash, signer_name, signer_masked, created_at, expires_at,
                              order_id, participant_id, signer_sealed)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        params![
            session.id,
            session.tenant,
            token_hash,
            session.signer_hash.0,
            session.signer_name,
            session.signer_masked,
            unix_ms(session.created_at),
            unix_ms(session.expires_at),
            session.order.as_ref().map(|order| &order.order_id),
            session.order.as_ref().map(|order| &order.participant_id),
            session.signer_sealed,
        ],
    )?;
    let expires_at = unix_ms(session.expires_at);
    let rows: Vec<_> = session
        .origins
        .iter()
        .map(|origin| [origin.to_value(), session.id.to_value(), expires_at.to_value()])
        .collect();
    connection.execute_many(
        "INSERT INTO session_origin (origin, session_id, expires_at) VALUES (?1, ?2, ?3)",
        &rows,
    )?;
    Ok(())
}

/// Finds the session of a bearer token, expired or not.
fn find_by_token(connection: &Connection, token_hash: &[u8; 32]) -> Result<Option<SessionRow>, StoreError> {
    let found = connection.query_one(
        "SELECT id, tenant, signer_hash, signer_name, signer_masked, created_at, expires_at, order_id, participant_id,
                signer_sealed
         FROM session WHERE token_hash = ?1",
        params![token_hash],
        |row| {
            Ok(SessionRow {
                id: row.get(0)?,
                tenant: row.get(1)?,
                signer_hash: SignerHash(row.get(2)?),
                signer_name: row.get(3)?,
                signer_masked: row.get(4)?,
                signer_sealed: row.get(9)?,
                origins: Vec::new(),
                order: row
                    .get::<Option<OrderId>>(7)?
                    .zip(row.get::<Option<ParticipantId>>(8)?)
                    .map(|(order_id, participant_id)| SessionOrder { order_id, participant_id }),
                created_at: time("session.created_at", row.get(5)?)?,
                expires_at: time("session.expires_at", row.get(6)?)?,
            })
        },
    )?;
    let Some(mut session) = found else { return Ok(None) };
    session.origins = connection.query(
        "SELECT origin FROM session_origin WHERE session_id = ?1",
        params![session.id],
        |row| row.get(0),
    )?;
    Ok(Some(session))
}

/// Whether some session, alive or ended lately, names this origin.
pub(crate) fn origin_is_known(connection: &Connection, origin: &str) -> Result<bool, StoreError> {
    connection.exists("SELECT 1 FROM session_origin WHERE origin = ?1 LIMIT 1", params![origin])
}

/// Forgets the origins of sessions that ended long ago. The sessions stay: their signatures refer to them.
pub(crate) fn forget_origins(connection: &Connection, now: Timestamp) -> Result<u64, StoreError> {
    let kept_ms = i64::try_from(KEPT_AFTER_EXPIRY.as_millis()).expect("a day fits");
    connection.execute("DELETE FROM session_origin WHERE expires_at < ?1", params![unix_ms(now) - kept_ms])
}

/// Removes the encrypted numbers of sessions that have ended.
pub(crate) fn forget_identifiers(connection: &Connection, now: Timestamp) -> Result<u64, StoreError> {
    connection.execute(
        "UPDATE session SET signer_sealed = NULL WHERE signer_sealed IS NOT NULL AND expires_at < ?1",
        params![unix_ms(now)],
    )
}

/// Whether this result of a check was told already in this session.
pub(crate) fn custody_is_told(
    connection: &Connection,
    id: &SessionId,
    result: &str,
) -> Result<bool, StoreError> {
    connection.exists("SELECT 1 FROM session WHERE id = ?1 AND custody_told = ?2", params![id, result])
}

/// Tells the result of a check, unless it is the one that was told last in this session.
pub(crate) fn tell_custody(
    connection: &Connection,
    id: &SessionId,
    result: &str,
    event: &Event,
) -> Result<(), StoreError> {
    let changed = connection.execute(
        "UPDATE session SET custody_told = ?2 WHERE id = ?1 AND coalesce(custody_told, '') <> ?2",
        params![id, result],
    )?;
    if changed > 0 {
        outbox::emit(connection, std::slice::from_ref(event))?;
    }
    Ok(())
}
