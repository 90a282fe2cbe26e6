//! Signing tokens as all workers see them together: a token is available while it answers one of them.
//!
//! The row of a token is locked by whoever tells what it sees, so that each change is told once, however many see it. What a
//! worker sees stands in its own row and is gone with it.

use rubrica_core::event::{EventData, TokenAvailable, TokenUnavailable};
use rubrica_core::{ErrorCode, Timestamp};

use super::row::{time, unix_ms};
use super::{Connection, StoreError, outbox, params};
use crate::ids::WorkerId;

/// What a worker sees of its token, since when: an answer, or why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) answer: Result<(), ErrorCode>,
    pub(crate) at: Timestamp,
}

/// Keeps what a worker sees, and writes the event when the token thereby answers nobody any more, or somebody again. The same
/// told twice has no effect.
///
/// # Errors
/// [`StoreError::LeaseLost`] when others took the worker for dead.
pub(crate) fn tell(
    connection: &Connection,
    worker: &WorkerId,
    label: &str,
    view: View,
) -> Result<(), StoreError> {
    connection.execute("INSERT INTO token (label) VALUES (?1) ON CONFLICT DO NOTHING", params![label])?;
    let since = connection
        .query_one(
            "SELECT unavailable_since FROM token WHERE label = ?1 FOR UPDATE",
            params![label],
            |row| row.get::<Option<i64>>(0),
        )?
        .flatten();
    let answering = view.answer.is_ok().then_some(label);
    let changed =
        connection.execute("UPDATE worker SET token = ?2 WHERE id = ?1", params![worker, answering])?;
    if changed == 0 {
        return Err(StoreError::LeaseLost);
    }
    let answers = connection.exists("SELECT 1 FROM worker WHERE token = ?1", params![label])?;
    let token = label.to_owned();
    let (since, data) = match (since, answers, view.answer) {
        (None, false, Err(code)) => {
            (Some(unix_ms(view.at)), EventData::TokenUnavailable(TokenUnavailable { token, code }))
        }
        (Some(since), true, _) => {
            let since = time("token.unavailable_since", since)?;
            let unavailable_ms = view.at.unix_ms().saturating_sub(since.unix_ms());
            (None, EventData::TokenAvailable(TokenAvailable { token, unavailable_ms }))
        }
        _ => return Ok(()),
    };
    connection.execute("UPDATE token SET unavailable_since = ?2 WHERE label = ?1", params![label, since])?;
    outbox::emit(connection, &[outbox::event(None, view.at, data)])?;
    Ok(())
}

/// Whether [`tell`] would change anything: the worker has another row than when it told last, or one that was answered is gone.
pub(crate) fn is_untold(
    connection: &Connection,
    worker: &WorkerId,
    label: &str,
    answers: bool,
) -> Result<bool, StoreError> {
    let own = connection
        .query_one("SELECT token FROM worker WHERE id = ?1", params![worker], |row| {
            row.get::<Option<String>>(0)
        })?
        .flatten();
    if (own.as_deref() == Some(label)) != answers {
        return Ok(true);
    }
    let any = connection.exists("SELECT 1 FROM worker WHERE token = ?1", params![label])?;
    let told = connection
        .exists("SELECT 1 FROM token WHERE label = ?1 AND unavailable_since IS NOT NULL", params![label])?;
    Ok(any == told)
}

#[cfg(test)]
mod tests;
