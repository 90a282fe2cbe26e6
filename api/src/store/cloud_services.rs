//! Cloud services as all instances see them together: away or not, as it was last told.

use rubrica_core::Timestamp;
use rubrica_core::event::{EventData, ProviderAvailable, ProviderUnavailable};

use super::row::{time, unix_ms};
use super::{Connection, StoreError, outbox, params};

/// Writes the event when this is a change: every instance sees a change, one tells it.
pub(crate) fn tell(
    connection: &Connection,
    name: &str,
    is_away: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    connection
        .execute("INSERT INTO cloud_service (name) VALUES (?1) ON CONFLICT DO NOTHING", params![name])?;
    let since = connection
        .query_one(
            "SELECT unavailable_since FROM cloud_service WHERE name = ?1 FOR UPDATE",
            params![name],
            |row| row.get::<Option<i64>>(0),
        )?
        .flatten();
    let service = name.to_owned();
    let (since, data) = match (since, is_away) {
        (None, true) => (Some(unix_ms(now)), EventData::ProviderUnavailable(ProviderUnavailable { service })),
        (Some(since), false) => {
            let since = time("cloud_service.unavailable_since", since)?;
            let unavailable_ms = now.unix_ms().saturating_sub(since.unix_ms());
            (None, EventData::ProviderAvailable(ProviderAvailable { service, unavailable_ms }))
        }
        (None, false) | (Some(_), true) => return Ok(()),
    };
    connection
        .execute("UPDATE cloud_service SET unavailable_since = ?2 WHERE name = ?1", params![name, since])?;
    outbox::emit(connection, &[outbox::event(None, now, data)])?;
    Ok(())
}
