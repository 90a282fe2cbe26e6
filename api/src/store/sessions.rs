//! Signing sessions and the origins that may use them.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rubrica_core::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::row::{digest, time, unix_ms};
use super::{Store, StoreError};
use crate::ids::SessionId;
use crate::lookup::SignerHash;

/// An expired session is kept this long, so that its page is told why it is refused.
const KEPT_AFTER_EXPIRY: Duration = Duration::from_hours(24);

/// A session with its signer.
#[derive(Debug, Clone)]
pub(crate) struct SessionRow {
    pub(crate) id: SessionId,
    /// Name of the API key that opened it.
    pub(crate) client: String,
    pub(crate) signer_hash: SignerHash,
    pub(crate) signer_name: String,
    pub(crate) signer_masked: String,
    pub(crate) origins: Vec<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

/// Sessions kept in memory at most; then all are forgotten and read again as they come.
const MOST_KNOWN: usize = 10_000;

/// Sessions by token hash, read once: they never change.
#[derive(Debug, Default)]
pub(crate) struct KnownSessions(RwLock<HashMap<[u8; 32], Arc<SessionRow>>>);

impl KnownSessions {
    /// As [`find_by_token`], from memory when it is there.
    pub(crate) fn find(
        &self,
        store: &Store,
        token_hash: &[u8; 32],
    ) -> Result<Option<Arc<SessionRow>>, StoreError> {
        if let Some(known) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(token_hash) {
            return Ok(Some(Arc::clone(known)));
        }
        let Some(row) = store.read(|connection| find_by_token(connection, token_hash))? else {
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
    connection
        .prepare_cached(
            "INSERT INTO session (id, client, token_hash, signer_hash, signer_name, signer_masked, created_at, expires_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            session.id,
            session.client,
            token_hash,
            session.signer_hash.0,
            session.signer_name,
            session.signer_masked,
            unix_ms(session.created_at),
            unix_ms(session.expires_at),
        ])?;
    let mut statement = connection
        .prepare_cached("INSERT INTO session_origin (origin, session_id, expires_at) VALUES (?1, ?2, ?3)")?;
    for origin in &session.origins {
        statement.execute(params![origin, session.id, unix_ms(session.expires_at)])?;
    }
    Ok(())
}

/// Finds the session of a bearer token, expired or not.
fn find_by_token(connection: &Connection, token_hash: &[u8; 32]) -> Result<Option<SessionRow>, StoreError> {
    let found = connection
        .prepare_cached(
            "SELECT id, client, signer_hash, signer_name, signer_masked, created_at, expires_at
             FROM session WHERE token_hash = ?1",
        )?
        .query_row([token_hash], |row| {
            Ok((
                row.get::<_, SessionId>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, Vec<u8>>(2)?,
                row.get::<_, String>(3)?,
                row.get::<_, String>(4)?,
                row.get::<_, i64>(5)?,
                row.get::<_, i64>(6)?,
            ))
        })
        .optional()?;
    let Some((id, client, signer_hash, signer_name, signer_masked, created_at, expires_at)) = found else {
        return Ok(None);
    };
    let origins = connection
        .prepare_cached("SELECT origin FROM session_origin WHERE session_id = ?1")?
        .query_map([&id], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(Some(SessionRow {
        id,
        client,
        signer_hash: SignerHash(digest("session.signer_hash", signer_hash)?),
        signer_name,
        signer_masked,
        origins,
        created_at: time("session.created_at", created_at)?,
        expires_at: time("session.expires_at", expires_at)?,
    }))
}

/// Whether some session, alive or ended lately, names this origin.
pub(crate) fn origin_is_known(connection: &Connection, origin: &str) -> Result<bool, StoreError> {
    Ok(connection
        .prepare_cached("SELECT 1 FROM session_origin WHERE origin = ?1 LIMIT 1")?
        .exists([origin])?)
}

/// Forgets the origins of sessions that ended long ago. The sessions stay: their signatures refer to them.
pub(crate) fn forget_origins(connection: &Connection, now: Timestamp) -> Result<usize, StoreError> {
    let kept_ms = i64::try_from(KEPT_AFTER_EXPIRY.as_millis()).expect("a day fits");
    Ok(connection
        .prepare_cached("DELETE FROM session_origin WHERE expires_at < ?1")?
        .execute([unix_ms(now) - kept_ms])?)
}
