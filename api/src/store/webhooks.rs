//! Webhooks: addresses of tenants that are told events.

use rubrica_core::event::{DisabledCause, EventData, EventType, WebhookDisabled};
use rubrica_core::wire::{Webhook, WebhookState};
use rubrica_core::{Timestamp, event};

use super::deliveries::{self, DUE};
use super::row::{from_text, signed, size, time, to_text, unix_ms};
use super::{Connection, Row, StoreError, outbox, params};
use crate::ids::WebhookId;

/// A webhook's row.
#[derive(Debug, Clone)]
pub(crate) struct WebhookRow {
    pub(crate) id: WebhookId,
    pub(crate) tenant: String,
    pub(crate) url: String,
    pub(crate) event_types: Option<Vec<EventType>>,
    pub(crate) description: Option<String>,
    pub(crate) state: WebhookState,
    /// Encrypted.
    pub(crate) secret: Vec<u8>,
    /// Encrypted, and until when it signs too.
    pub(crate) previous: Option<(Vec<u8>, Timestamp)>,
    /// Sequence of the last event that was looked at.
    pub(crate) told: u64,
    pub(crate) created_at: Timestamp,
    pub(crate) disabled_at: Option<Timestamp>,
}

impl WebhookRow {
    /// The resource as the API shows it, with its secret when it was just made.
    pub(crate) fn to_wire(&self, secret: Option<String>) -> Webhook {
        Webhook {
            id: self.id.to_string(),
            url: self.url.clone(),
            event_types: self.event_types.clone(),
            description: self.description.clone(),
            state: self.state,
            secret,
            created_at: self.created_at,
            disabled_at: self.disabled_at,
        }
    }
}

const COLUMNS: &str = "id, tenant, url, event_types, description, state, secret, previous_secret, previous_until, told, \
                       created_at, disabled_at";

fn read(row: &Row<'_>) -> Result<WebhookRow, StoreError> {
    let types: Option<String> = row.get(3)?;
    let damaged = |_| StoreError::Damaged { column: "webhook.event_types" };
    let optional_time = |column, index| row.get::<Option<i64>>(index)?.map(|ms| time(column, ms)).transpose();
    let until = optional_time("webhook.previous_until", 8)?;
    Ok(WebhookRow {
        id: row.get(0)?,
        tenant: row.get(1)?,
        url: row.get(2)?,
        event_types: types.map(|types| serde_json::from_str(&types).map_err(damaged)).transpose()?,
        description: row.get(4)?,
        state: from_text("webhook.state", row.get(5)?)?,
        secret: row.get(6)?,
        previous: row.get::<Option<Vec<u8>>>(7)?.zip(until),
        told: size("webhook.told", row.get(9)?)?,
        created_at: time("webhook.created_at", row.get(10)?)?,
        disabled_at: optional_time("webhook.disabled_at", 11)?,
    })
}

/// Keeps a new webhook, which is told events from now on. `None` when the tenant has `most` already.
pub(crate) fn insert(
    connection: &Connection,
    webhook: &WebhookRow,
    most: u32,
) -> Result<Option<()>, StoreError> {
    let types = webhook
        .event_types
        .as_ref()
        .map(|types| serde_json::to_string(types).expect("a list of texts is JSON"));
    let inserted = connection.execute(
        "INSERT INTO webhook (id, tenant, url, event_types, description, state, secret, told, created_at)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, log.events, CAST(?8 AS BIGINT) FROM log
         WHERE (SELECT count(*) FROM webhook WHERE tenant = ?2) < ?9",
        params![
            webhook.id,
            webhook.tenant,
            webhook.url,
            types,
            webhook.description,
            to_text(&webhook.state),
            webhook.secret,
            unix_ms(webhook.created_at),
            i64::from(most)
        ],
    )?;
    Ok((inserted == 1).then_some(()))
}

/// A webhook of this tenant.
pub(crate) fn find(
    connection: &Connection,
    id: &WebhookId,
    tenant: &str,
) -> Result<Option<WebhookRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM webhook WHERE id = ?1 AND tenant = ?2");
    connection.query_one(&sql, params![id, tenant], read)
}

/// A page of a tenant's webhooks behind `cursor`, in the order of their creation.
pub(crate) fn list(
    connection: &Connection,
    tenant: &str,
    cursor: Option<&WebhookId>,
    most: i64,
) -> Result<Vec<WebhookRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM webhook WHERE tenant = ?1 AND (CAST(?2 AS TEXT) IS NULL
             OR (created_at, id) > (SELECT created_at, id FROM webhook WHERE id = ?2 AND tenant = ?1))
         ORDER BY created_at, id LIMIT ?3"
    );
    connection.query(&sql, params![tenant, cursor, most], read)
}

/// Forgets a webhook and its deliveries; whether it was there.
pub(crate) fn delete(connection: &Connection, id: &WebhookId, tenant: &str) -> Result<bool, StoreError> {
    if find(connection, id, tenant)?.is_none() {
        return Ok(false);
    }
    connection.execute("DELETE FROM delivery WHERE webhook_id = ?1", params![id])?;
    Ok(connection.execute("DELETE FROM webhook WHERE id = ?1", params![id])? == 1)
}

/// Sets a new secret; the old one signs too until then. Whether the webhook was there.
pub(crate) fn rotate(
    connection: &Connection,
    id: &WebhookId,
    tenant: &str,
    secret: &[u8],
    until: Timestamp,
) -> Result<bool, StoreError> {
    let changed = connection.execute(
        "UPDATE webhook SET previous_secret = secret, previous_until = ?4, secret = ?3 WHERE id = ?1 AND tenant = ?2",
        params![id, tenant, secret, unix_ms(until)],
    )?;
    Ok(changed == 1)
}

/// Sends to the webhook again, from where it stood. Whether it was disabled.
pub(crate) fn enable(
    connection: &Connection,
    id: &WebhookId,
    tenant: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let changed = connection.execute(
        "UPDATE webhook SET state = 'active', disabled_at = NULL, failing_since = NULL
         WHERE id = ?1 AND tenant = ?2 AND state = 'disabled'",
        params![id, tenant],
    )?;
    if changed == 1 {
        connection.execute(
            "UPDATE delivery SET next_try_at = ?2 WHERE webhook_id = ?1 AND state = 'pending' AND next_try_at > ?2",
            params![id, unix_ms(now)],
        )?;
    }
    Ok(changed == 1)
}

/// Sends nothing any more, and tells so. Whether it was active.
pub(crate) fn disable(
    connection: &Connection,
    id: &WebhookId,
    tenant: &str,
    cause: DisabledCause,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let changed = connection.execute(
        "UPDATE webhook SET state = 'disabled', disabled_at = ?3 WHERE id = ?1 AND tenant = ?2 AND state = 'active'",
        params![id, tenant, unix_ms(now)],
    )?;
    if changed == 1 {
        let data = EventData::WebhookDisabled(WebhookDisabled { webhook_id: id.to_string(), cause });
        let told: event::Event = outbox::event(Some(tenant), now, data);
        outbox::emit(connection, &[told])?;
    }
    Ok(changed == 1)
}

/// A webhook that something may have to be sent to.
#[derive(Debug, Clone)]
pub(crate) struct Active {
    pub(crate) webhook: WebhookRow,
    /// Whether a delivery is due.
    pub(crate) due: bool,
}

/// Every active webhook.
pub(crate) fn active(connection: &Connection, now: Timestamp) -> Result<Vec<Active>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS}, CASE WHEN EXISTS (SELECT 1 FROM delivery WHERE webhook_id = webhook.id AND delivery.state = 'pending'
             AND {DUE}) THEN 1 ELSE 0 END
         FROM webhook WHERE state = ?1 ORDER BY id"
    );
    connection.query(&sql, params!["active", unix_ms(now), deliveries::latest_start(now)], |row| {
        Ok(Active { webhook: read(row)?, due: row.get::<i64>(12)? == 1 })
    })
}

/// Remembers a success.
pub(super) fn works(connection: &Connection, id: &WebhookId) -> Result<(), StoreError> {
    let sql = "UPDATE webhook SET failing_since = NULL WHERE id = ?1 AND failing_since IS NOT NULL";
    connection.execute(sql, params![id]).map(drop)
}

/// Remembers a failure, and gives the time of the first since the last success.
pub(super) fn fails(
    connection: &Connection,
    id: &WebhookId,
    now: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let since = connection.query_one(
        "UPDATE webhook SET failing_since = coalesce(failing_since, ?2) WHERE id = ?1 RETURNING failing_since",
        params![id, unix_ms(now)],
        |row| row.get::<i64>(0),
    )?;
    since.map(|since| time("webhook.failing_since", since)).transpose()
}

/// Locks a webhook for looking at further events: its tenant, types and place.
pub(super) fn lock(connection: &Connection, id: &WebhookId) -> Result<Option<WebhookRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM webhook WHERE id = ?1 AND state = 'active' FOR UPDATE");
    connection.query_one(&sql, params![id], read)
}

/// Moves the place of a webhook.
pub(super) fn told(connection: &Connection, id: &WebhookId, sequence: u64) -> Result<(), StoreError> {
    connection.execute("UPDATE webhook SET told = ?2 WHERE id = ?1", params![id, signed(sequence)]).map(drop)
}
