//! Whether the certificates of keys were revoked: who asks when.

use rubrica_core::{ErrorCode, Timestamp};

use super::row::unix_ms;
use super::{Connection, StoreError, keys, params};
use crate::ids::KeyId;

/// Clocks of instances differ by less: what was written further ahead is by a clock that was set back since.
const SKEW_MS: i64 = 60_000;

/// A key whose certificate is to be asked about.
#[derive(Debug, Clone)]
pub(crate) struct ToCheck {
    pub(crate) id: KeyId,
    pub(crate) tenant: String,
    /// DER.
    pub(crate) certificate: Vec<u8>,
}

/// What came of asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It is not revoked.
    Good,
    /// It is.
    Revoked,
    /// Nobody could tell, which says nothing of the certificate.
    Unknown,
}

impl Answer {
    /// The SQL string.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Revoked => "revoked",
            Self::Unknown => "unknown",
        }
    }
}

/// Whether any key is to be asked about: the cheap question before [`claim`].
pub(crate) fn any_due(connection: &Connection, now: Timestamp) -> Result<bool, StoreError> {
    connection.exists(&format!("{DUE} LIMIT 1"), params![unix_ms(now), unix_ms(now) + SKEW_MS])
}

/// Active keys that were not asked about for a while, or were resumed since. Of expired ones nobody answers any more.
const DUE: &str =
    "SELECT signing_key.id FROM signing_key LEFT JOIN revocation_check c ON c.key_id = signing_key.id
     WHERE signing_key.state = 'active' AND signing_key.not_after > ?1
           AND (c.key_id IS NULL OR c.next_at <= ?1 OR c.since > ?2
                OR (signing_key.changed_at > c.since AND c.outcome IS NOT NULL))";

/// Takes keys to ask about. Until `until` nobody else does.
pub(crate) fn claim(
    connection: &Connection,
    now: Timestamp,
    until: Timestamp,
    most: i64,
) -> Result<Vec<ToCheck>, StoreError> {
    let (at, ahead) = (unix_ms(now), unix_ms(now) + SKEW_MS);
    let sql = format!("{DUE} ORDER BY signing_key.id LIMIT ?3");
    let due = connection.query(&sql, params![at, ahead, most], |row| row.get::<KeyId>(0))?;
    let mut claimed = Vec::with_capacity(due.len());
    for id in due {
        let changed = connection.execute(
            "INSERT INTO revocation_check (key_id, next_at, since) VALUES (?1, ?2, ?3)
             ON CONFLICT (key_id) DO UPDATE SET next_at = excluded.next_at, since = excluded.since
                 WHERE revocation_check.next_at <= ?3 OR revocation_check.since > ?4
                       OR (revocation_check.outcome IS NOT NULL AND revocation_check.since < (SELECT changed_at
                           FROM signing_key WHERE id = ?1))",
            params![id, unix_ms(until), at, ahead],
        )?;
        if changed > 0
            && let Some(row) = keys::load(connection, &id)?
        {
            claimed.push(ToCheck { id: row.id, tenant: row.tenant, certificate: row.certificate });
        }
    }
    Ok(claimed)
}

/// Keeps the answer; a revoked key is suspended, which is told. Whether it was active until now.
pub(crate) fn finish(
    connection: &Connection,
    id: &KeyId,
    answer: Answer,
    again: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let answered = (answer != Answer::Unknown).then(|| unix_ms(now));
    connection.execute(
        "UPDATE revocation_check SET next_at = ?2, since = ?3, outcome = ?4, checked_at = coalesce(?5, checked_at)
         WHERE key_id = ?1",
        params![id, unix_ms(again), unix_ms(now), answer.as_str(), answered],
    )?;
    match answer {
        Answer::Revoked => keys::suspend(connection, id, ErrorCode::CertificateRevoked, now),
        Answer::Good | Answer::Unknown => Ok(false),
    }
}

#[cfg(test)]
mod tests;
