//! Notices on their way: one row for each recipient, until the mail server has it or will never take it.

use rubrica_core::Timestamp;
use rubrica_core::event::{EventData, NoticeFailed, NoticeSent};
use rubrica_core::wire::NoticeKind;

use super::row::{from_text, to_text, unix_ms};
use super::{Connection, StoreError, outbox, params};
use crate::ids::NoticeId;

/// Clocks of instances differ by less: what waits since a time further ahead was written by a clock that was set back since.
const SKEW_MS: i64 = 60_000;

/// A notice to be sent.
#[derive(Debug, Clone)]
pub(crate) struct NewNotice {
    pub(crate) id: NoticeId,
    /// `None`: of the whole instance.
    pub(crate) tenant: Option<String>,
    pub(crate) kind: NoticeKind,
    /// What it tells about.
    pub(crate) subject: String,
    /// The address, encrypted.
    pub(crate) recipient: Vec<u8>,
    pub(crate) recipient_masked: String,
    /// `pt-BR` or `en`.
    pub(crate) language: &'static str,
    /// JSON.
    pub(crate) content: String,
}

/// Puts a notice into the queue.
pub(crate) fn insert(connection: &Connection, notice: &NewNotice, now: Timestamp) -> Result<(), StoreError> {
    connection.execute(
        "INSERT INTO notice (id, tenant, kind, subject, recipient, recipient_masked, language, content, state, next_try_at,
                             waits_since, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'pending', ?9, ?9, ?9)",
        params![
            notice.id,
            notice.tenant.as_deref().unwrap_or_default(),
            to_text(&notice.kind),
            notice.subject,
            notice.recipient,
            notice.recipient_masked,
            notice.language,
            notice.content,
            unix_ms(now),
        ],
    )?;
    Ok(())
}

/// A notice that this instance tries now.
#[derive(Debug, Clone)]
pub(crate) struct ClaimedNotice {
    pub(crate) id: NoticeId,
    pub(crate) tenant: Option<String>,
    pub(crate) kind: NoticeKind,
    pub(crate) subject: String,
    pub(crate) recipient: Vec<u8>,
    pub(crate) recipient_masked: String,
    pub(crate) language: String,
    pub(crate) content: String,
    /// Attempts, this one included. A result is only kept while it is the last.
    pub(crate) attempt: u32,
}

/// Whether any notice may be tried.
pub(crate) fn any_due(connection: &Connection, now: Timestamp) -> Result<bool, StoreError> {
    let sql =
        "SELECT 1 FROM notice WHERE state = 'pending' AND (next_try_at <= ?1 OR waits_since > ?2) LIMIT 1";
    connection.exists(sql, params![unix_ms(now), unix_ms(now) + SKEW_MS])
}

/// Takes notices that are due. Until `until` nobody else tries them.
pub(crate) fn claim(
    connection: &Connection,
    now: Timestamp,
    until: Timestamp,
    most: i64,
) -> Result<Vec<ClaimedNotice>, StoreError> {
    connection.query(
        "UPDATE notice SET next_try_at = ?3, waits_since = ?1, attempts = attempts + 1
         WHERE id IN (SELECT id FROM notice WHERE state = 'pending' AND (next_try_at <= ?1 OR waits_since > ?2)
                      ORDER BY next_try_at, id LIMIT ?4 FOR UPDATE SKIP LOCKED)
         RETURNING id, tenant, kind, subject, recipient, recipient_masked, language, content, attempts",
        params![unix_ms(now), unix_ms(now) + SKEW_MS, unix_ms(until), most],
        |row| {
            let attempt = u32::try_from(row.get::<i64>(8)?);
            Ok(ClaimedNotice {
                id: row.get(0)?,
                tenant: Some(row.get::<String>(1)?).filter(|tenant| !tenant.is_empty()),
                kind: from_text("notice.kind", row.get(2)?)?,
                subject: row.get(3)?,
                recipient: row.get(4)?,
                recipient_masked: row.get(5)?,
                language: row.get(6)?,
                content: row.get(7)?,
                attempt: attempt.map_err(|_| StoreError::Damaged { column: "notice.attempts" })?,
            })
        },
    )
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The mail server has it.
    Sent,
    /// To be tried again at that time, or never.
    Failed {
        /// Reply code of the server.
        status: Option<u16>,
        /// For the operator, without the address.
        error: String,
        again: Option<Timestamp>,
    },
}

/// Keeps the outcome of an attempt, and tells the end of a notice. The address goes with its end.
pub(crate) fn finish(
    connection: &Connection,
    notice: &ClaimedNotice,
    outcome: &Outcome,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (state, error, next) = match outcome {
        Outcome::Sent => ("sent", None, now),
        Outcome::Failed { error, again: Some(again), .. } => ("pending", Some(error.as_str()), *again),
        Outcome::Failed { error, again: None, .. } => ("dead", Some(error.as_str()), now),
    };
    let ended_at = (state != "pending").then(|| unix_ms(now));
    let changed = connection.execute(
        "UPDATE notice SET state = ?3, last_error = coalesce(?4, last_error), next_try_at = ?5, waits_since = ?6, ended_at = ?7,
                recipient = CASE WHEN ?3 = 'pending' THEN recipient END
         WHERE id = ?1 AND attempts = ?2 AND state = 'pending'",
        params![notice.id, i64::from(notice.attempt), state, error, unix_ms(next), unix_ms(now), ended_at],
    )?;
    let (notice_id, subject) = (notice.id.to_string(), notice.subject.clone());
    let (kind, attempts) = (notice.kind, notice.attempt);
    let data = match outcome {
        _ if changed == 0 => return Ok(()),
        Outcome::Failed { again: Some(_), .. } => return Ok(()),
        Outcome::Sent => EventData::NoticeSent(NoticeSent { notice_id, notice: kind, subject, attempts }),
        Outcome::Failed { again: None, status, .. } => {
            let status = *status;
            EventData::NoticeFailed(NoticeFailed { notice_id, notice: kind, subject, attempts, status })
        }
    };
    outbox::emit(connection, &[outbox::event(notice.tenant.as_deref(), now, data)])?;
    Ok(())
}

#[cfg(test)]
mod tests;
