//! The public log of events: rows of the outbox in the order that everybody sees, numbered without a gap.

use std::collections::HashSet;

use rubrica_core::Timestamp;
use rubrica_core::event::{Envelope, EventType};
use rubrica_core::receipt::ReleaseRecord;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::log::End;
use super::row::{signed, size, unix_ms};
use super::{Connection, StoreError, params};

/// Rows that are moved in one transaction: with 64 releases in each, some megabytes.
const MOST_MOVED: i64 = 64;

/// What one round of the relay did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moved {
    /// Events in the log now.
    pub(crate) events: u64,
    /// Rows that were moved.
    pub(crate) rows: usize,
    /// Whether more may be waiting.
    pub(crate) more: bool,
}

/// Moves rows of the outbox to the log, gives them their place and adds the leaves of their releases to the tree: one round of
/// the relay.
///
/// Only rows that are committed are seen. Two transactions that overlap may commit in the order opposite to their positions;
/// the row that appears later is then moved later, and none is ever looked for by "greater than the last".
pub(crate) fn relay(connection: &Connection, now: Timestamp) -> Result<Moved, StoreError> {
    let mut end = End::lock(connection)?;
    let waiting = connection.query(
        "SELECT position, count, records FROM outbox ORDER BY position LIMIT ?1",
        params![MOST_MOVED],
        |row| Ok((row.get::<i64>(0)?, size("outbox.count", row.get(1)?)?, row.get::<Option<String>>(2)?)),
    )?;
    if waiting.is_empty() {
        return Ok(Moved { events: end.events, rows: 0, more: false });
    }
    let mut places = Vec::with_capacity(waiting.len());
    for (position, count, records) in &waiting {
        places.push((end.events + 1, end.leaves(), *position));
        end.events += count;
        for record in records.iter().flat_map(|records| records.split('\n')) {
            end.append(ReleaseRecord::leaf_hash(record));
        }
    }
    let moved_at = unix_ms(now);
    let rows: Vec<_> = places
        .iter()
        .map(|(sequence, first_leaf, position)| {
            let numbers = [signed(*sequence), signed(*first_leaf), moved_at, *position];
            numbers.map(super::Value::Integer)
        })
        .collect();
    connection.execute_many(
        "INSERT INTO event (sequence, position, tenant, count, releases, first_leaf, events, records, written_at)
         SELECT CAST(?1 AS BIGINT), position, tenant, count, releases, CAST(?2 AS BIGINT), events, records,
                CAST(?3 AS BIGINT)
         FROM outbox WHERE position = ?4",
        &rows,
    )?;
    let positions: Vec<i64> = waiting.iter().map(|(position, ..)| *position).collect();
    connection
        .execute("DELETE FROM outbox WHERE position IN (EACH_INTEGER(?1))", params![positions.as_slice()])?;
    let moved = Moved { events: end.events, rows: rows.len(), more: rows.len() as i64 == MOST_MOVED };
    end.save(connection)?;
    Ok(moved)
}

/// Events of one transaction in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segment {
    /// Of the first event.
    sequence: u64,
    tenant: Option<String>,
    lines: String,
}

/// Transactions with events of a tenant, and of the whole instance, behind `after`, in their order.
pub(crate) fn segments(
    connection: &Connection,
    tenant: &str,
    after: u64,
    most: i64,
) -> Result<Vec<Segment>, StoreError> {
    // The first row may begin at or before `after` and reach beyond it.
    let part = |condition: &str| {
        format!(
            "SELECT * FROM (SELECT sequence, tenant, events FROM event WHERE {condition} AND sequence >=
                 coalesce((SELECT max(sequence) FROM event WHERE sequence <= ?1), 0) ORDER BY sequence LIMIT ?3) AS part"
        )
    };
    let sql = format!("{} UNION ALL {} ORDER BY 1 LIMIT ?3", part("tenant = ?2"), part("tenant IS NULL"));
    connection.query(
        &sql,
        params![signed(after.saturating_add(1).min(i64::MAX as u64)), tenant, most],
        |row| {
            Ok(Segment {
                sequence: size("event.sequence", row.get(0)?)?,
                tenant: row.get(1)?,
                lines: row.get(2)?,
            })
        },
    )
}

/// The transaction that holds the event of this place.
pub(crate) fn segment_of(connection: &Connection, sequence: u64) -> Result<Option<Segment>, StoreError> {
    connection.query_one(
        "SELECT sequence, tenant, events FROM event WHERE sequence <= ?1 ORDER BY sequence DESC LIMIT 1",
        params![signed(sequence)],
        |row| {
            Ok(Segment {
                sequence: size("event.sequence", row.get(0)?)?,
                tenant: row.get(1)?,
                lines: row.get(2)?,
            })
        },
    )
}

/// A row of the log with all that an audit compares.
#[derive(Debug, Clone)]
pub(crate) struct AuditRow {
    pub(crate) sequence: u64,
    pub(crate) position: i64,
    pub(crate) tenant: Option<String>,
    pub(crate) count: u64,
    pub(crate) releases: u64,
    pub(crate) first_leaf: u64,
    pub(crate) events: String,
    records: Option<String>,
}

impl AuditRow {
    /// Leaves of the row.
    pub(crate) fn records(&self) -> impl Iterator<Item = &str> {
        self.records.iter().flat_map(|records| records.split('\n'))
    }
}

/// Rows that begin at `first` or behind it, up to `last`.
pub(crate) fn audit_rows(
    connection: &Connection,
    first: u64,
    last: u64,
    most: i64,
) -> Result<Vec<AuditRow>, StoreError> {
    connection.query(
        "SELECT sequence, position, tenant, count, releases, first_leaf, events, records FROM event
         WHERE sequence >= ?1 AND sequence <= ?2 ORDER BY sequence LIMIT ?3",
        params![signed(first), signed(last), most],
        |row| {
            Ok(AuditRow {
                sequence: size("event.sequence", row.get(0)?)?,
                position: row.get(1)?,
                tenant: row.get(2)?,
                count: size("event.count", row.get(3)?)?,
                releases: size("event.releases", row.get(4)?)?,
                first_leaf: size("event.first_leaf", row.get(5)?)?,
                events: row.get(6)?,
                records: row.get(7)?,
            })
        },
    )
}

/// An event as it was kept.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Kept<'a> {
    pub(crate) id: &'a str,
    #[serde(rename = "type")]
    pub(crate) event_type: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) time: Timestamp,
    #[serde(borrow)]
    pub(crate) data: &'a RawValue,
}

impl<'a> Kept<'a> {
    /// Reads a line of a row.
    ///
    /// # Errors
    /// [`StoreError::Damaged`]
    pub(crate) fn parse(line: &'a str) -> Result<Self, StoreError> {
        serde_json::from_str(line).map_err(|_| StoreError::Damaged { column: "event.events" })
    }

    /// The event as it is told, in one line.
    pub(crate) fn told(&self, tenant: Option<&str>, sequence: u64) -> String {
        let envelope =
            Envelope::new(self.id, self.event_type, self.subject, self.time, tenant, sequence, self.data);
        serde_json::to_string(&envelope).expect("texts and JSON that was read")
    }
}

impl Segment {
    /// Whose events they are; `None` for those of the whole instance.
    pub(crate) fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    /// Its events with their places.
    pub(crate) fn events(&self) -> impl Iterator<Item = (u64, Result<Kept<'_>, StoreError>)> {
        (self.sequence..).zip(self.lines.split('\n').map(Kept::parse))
    }
}

/// Which events somebody wants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Wanted(Option<HashSet<EventType>>);

impl Wanted {
    /// Every type when `None`.
    pub(crate) fn new(types: Option<impl IntoIterator<Item = EventType>>) -> Self {
        Self(types.map(|types| types.into_iter().collect()))
    }

    /// Whether it is among them. A type of a later version is among all only.
    pub(crate) fn includes(&self, event_type: &str) -> bool {
        let Some(types) = &self.0 else { return true };
        event_type.parse().is_ok_and(|event_type| types.contains(&event_type))
    }
}

#[cfg(test)]
mod tests;
