//! The outbox: events, written in the transaction of the change they tell.
//!
//! A row is the events of one transaction, serialised once. The relay moves it whole to the public log (`super::events`).

use rubrica_core::Timestamp;
use rubrica_core::event::{Event, EventData};
use rubrica_core::receipt::ReleaseRecord;
use serde::Serialize;

use super::{Connection, StoreError, params};
use crate::ids::EventId;

/// About the length of a line, which is what the event of a release takes.
const LINE_BYTES: usize = 768;

/// An event with an identifier of its own.
pub(crate) fn event(tenant: Option<&str>, time: Timestamp, data: EventData) -> Event {
    Event { id: EventId::generate().to_string(), time, tenant: tenant.map(ToOwned::to_owned), data }
}

/// Writes the events of this transaction, all of one tenant, in their order, and gives the position of their row.
///
/// Call it once, **after** the rows that the events tell about were changed: on a server the locks of those rows are what puts
/// the positions of two transactions about one subject into the order of their commits.
///
/// # Errors
/// Those of the database; also when there is no event, or when two are of different tenants.
pub(crate) fn emit(connection: &Connection, events: &[Event]) -> Result<i64, StoreError> {
    let tenant = match events {
        [] => return Err(StoreError::Statement("a transaction without events has nothing to tell".into())),
        [first, rest @ ..] if rest.iter().all(|event| event.tenant == first.tenant) => &first.tenant,
        [..] => return Err(StoreError::Statement("events of one transaction are of one tenant".into())),
    };
    // Grown step by step, the text of a run of items would be copied from one large piece of memory to the next.
    let mut lines = String::with_capacity(events.len() * LINE_BYTES);
    let (mut records, mut releases) = (String::new(), 0_i64);
    for event in events {
        let line = Line {
            id: &event.id,
            event_type: event.event_type().as_str(),
            subject: event.subject(),
            time: event.time,
            data: &event.data,
        };
        push_line(&mut lines, &serde_json::to_string(&line).map_err(unwritable)?);
        if let Some(record) = ReleaseRecord::of(event) {
            if records.is_empty() {
                records.reserve(events.len() * LINE_BYTES);
            }
            push_line(&mut records, &record.to_json());
            releases += 1;
        }
    }
    let count = i64::try_from(events.len()).map_err(unwritable)?;
    let records = (releases > 0).then_some(records);
    let position = connection.query_one(
        "INSERT INTO outbox (tenant, count, releases, events, records) VALUES (?1, ?2, ?3, ?4, ?5) RETURNING position",
        params![tenant, count, releases, lines, records],
        |row| row.get(0),
    )?;
    connection.mark_emitted();
    position.ok_or(StoreError::Damaged { column: "outbox.position" })
}

/// An event as it is kept: its envelope without what is known from elsewhere.
#[derive(Serialize)]
struct Line<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    event_type: &'static str,
    subject: &'a str,
    time: Timestamp,
    data: &'a EventData,
}

/// Lines are separated and not ended by a newline, which JSON has only between its tokens and `serde_json` not even there.
fn push_line(lines: &mut String, line: &str) {
    if !lines.is_empty() {
        lines.push('\n');
    }
    lines.push_str(line);
}

fn unwritable(error: impl std::fmt::Display) -> StoreError {
    StoreError::Statement(format!("events cannot be written: {error}"))
}

#[cfg(test)]
pub(crate) mod tests;
