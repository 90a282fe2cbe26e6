//! Signing sessions and the origins that may use them.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rubrica_core::Timestamp;

use super::row::{time, unix_ms};
use super::{Connection, Store, StoreError, ToValue, params};
use crate::ids::{OrderId, ParticipantId, SessionId};
use crate::lookup::SignerHash;

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
    pub(crate) origins: Vec<String>,
    /// What it is for; `None` for documents of its own.
    pub(crate) order: Option<SessionOrder>,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
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
                              order_id, participant_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
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
        "SELECT id, tenant, signer_hash, signer_name, signer_masked, created_at, expires_at, order_id, participant_id
         FROM session WHERE token_hash = ?1",
        params![token_hash],
        |row| {
            Ok(SessionRow {
                id: row.get(0)?,
                tenant: row.get(1)?,
                signer_hash: SignerHash(row.get(2)?),
                signer_name: row.get(3)?,
                signer_masked: row.get(4)?,
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
