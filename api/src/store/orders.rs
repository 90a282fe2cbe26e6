//! Orders with their documents and participants. Whatever moves an order locks its row first, so that what is read of its
//! participants holds until the commit.

mod events;
mod moves;
mod progress;
mod revisions;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use rubrica_core::Timestamp;
use rubrica_core::wire::{
    CancellationCause, Custody, OrderFlow, OrderRules, OrderSignature, OrderState, ParticipantState,
    SignatureLevel,
};

use super::documents::Scope;
use super::row::{from_text, time, to_text, unix_ms};
use super::{Connection, Row, StoreError, ToValue, Value, params};
use crate::ids::{DocumentId, OrderId, ParticipantId};
use crate::lookup::SignerHash;

pub(crate) use moves::{cancel, decline, lock_of, pass_time, signature_moved};
pub(crate) use progress::due;
pub(crate) use revisions::{InOrder, Revision, begin, hold, parts, place, revision};

/// An order's row.
#[derive(Debug, Clone)]
pub(crate) struct OrderRow {
    pub(crate) id: OrderId,
    pub(crate) tenant: String,
    pub(crate) reference: Option<String>,
    pub(crate) title: String,
    pub(crate) flow: OrderFlow,
    /// With the level that was chosen.
    pub(crate) rules: OrderRules,
    pub(crate) level: SignatureLevel,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) deadline: Option<Timestamp>,
    pub(crate) state: OrderState,
    /// Why it is cancelled or, while it is open, will be once no key of it is in use.
    pub(crate) cancellation: Option<CancellationRow>,
    pub(crate) created_at: Timestamp,
    pub(crate) ended_at: Option<Timestamp>,
}

/// Who took an order back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CancellationRow {
    pub(crate) cause: CancellationCause,
    /// Who declined.
    pub(crate) participant_id: Option<ParticipantId>,
    pub(crate) reason: Option<String>,
}

/// A participant's row.
#[derive(Debug, Clone)]
pub(crate) struct ParticipantRow {
    pub(crate) id: ParticipantId,
    pub(crate) order_id: OrderId,
    pub(crate) position: u32,
    pub(crate) signer_hash: SignerHash,
    pub(crate) signer_name: String,
    pub(crate) signer_masked: String,
    pub(crate) role: Option<String>,
    pub(crate) custodies: Vec<Custody>,
    pub(crate) must_sign: bool,
    pub(crate) state: ParticipantState,
    pub(crate) ended_at: Option<Timestamp>,
    /// Why they declined.
    pub(crate) decline_reason: Option<String>,
}

/// An order with everything that belongs to it.
#[derive(Debug, Clone)]
pub(crate) struct Whole {
    pub(crate) order: OrderRow,
    /// In the order given.
    pub(crate) documents: Vec<DocumentId>,
    /// In the order given.
    pub(crate) participants: Vec<ParticipantRow>,
    /// Those under way or released.
    pub(crate) signatures: Vec<(ParticipantId, OrderSignature)>,
    /// The longest first.
    pub(crate) reminders_hours: Vec<u32>,
}

const COLUMNS: &str = "id, tenant, reference, title, flow, format, level, policy, custodies, metadata, deadline, state, \
    cancel_cause, cancel_participant_id, cancel_reason, created_at, ended_at";

const PARTICIPANT_COLUMNS: &str = "id, order_id, position, signer_hash, signer_name, signer_masked, role, custodies, must_sign, \
    state, ended_at, decline_reason";

/// Keeps a new order with its participants. Its documents must be the tenant's. Reminders in `past` are never sent.
pub(crate) fn insert(connection: &Connection, whole: &Whole, past: &BTreeSet<u32>) -> Result<(), StoreError> {
    let order = &whole.order;
    connection.execute(
        "INSERT INTO signing_order (id, tenant, reference, title, flow, format, level, policy, custodies, metadata, deadline,
                                    state, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        params![
            order.id,
            order.tenant,
            order.reference,
            order.title,
            order.flow.as_str(),
            to_text(&order.rules.format),
            to_text(&order.level),
            to_text(&order.rules.policy),
            order.rules.custodies.as_ref().map(to_json),
            to_json(&order.metadata),
            order.deadline.map(unix_ms),
            order.state.as_str(),
            unix_ms(order.created_at),
        ],
    )?;
    revisions::insert(connection, order, &whole.documents)?;
    insert_participants(connection, &whole.participants)?;
    progress::insert_reminders(connection, order, &whole.reminders_hours, past)
}

fn insert_participants(connection: &Connection, participants: &[ParticipantRow]) -> Result<(), StoreError> {
    let texts: Vec<_> = participants.iter().map(|one| to_json(&one.custodies)).collect();
    let rows: Vec<_> = participants
        .iter()
        .zip(&texts)
        .zip(1_i64..)
        .map(|((one, custodies), number)| {
            [
                one.id.to_value(),
                one.order_id.to_value(),
                Value::Integer(number),
                Value::Integer(one.position.into()),
                one.signer_hash.0.to_value(),
                one.signer_name.to_value(),
                one.signer_masked.to_value(),
                one.role.to_value(),
                custodies.to_value(),
                Value::Integer(one.must_sign.into()),
                Value::Text(one.state.as_str()),
            ]
        })
        .collect();
    connection.execute_many(
        "INSERT INTO participant (id, order_id, number, position, signer_hash, signer_name, signer_masked, role, custodies,
                                  must_sign, state)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        &rows,
    )?;
    Ok(())
}

/// Finds an order that `scope` may see, with everything that belongs to it.
pub(crate) fn find(
    connection: &Connection,
    id: &OrderId,
    scope: &Scope,
) -> Result<Option<Whole>, StoreError> {
    let Some(order) = find_row(connection, id, scope)? else { return Ok(None) };
    Ok(complete(connection, vec![order])?.pop())
}

/// Finds the row of an order that `scope` may see.
pub(crate) fn find_row(
    connection: &Connection,
    id: &OrderId,
    scope: &Scope,
) -> Result<Option<OrderRow>, StoreError> {
    let (tenant, order) = match scope {
        Scope::Session(_) => return Ok(None),
        Scope::Tenant(tenant) => (Some(tenant), None),
        Scope::Participant(order, _) => (None, Some(order)),
    };
    connection.query_one(
        &format!("SELECT {COLUMNS} FROM signing_order WHERE id = ?1 AND (tenant = ?2 OR id = ?3)"),
        params![id, tenant, order],
        read,
    )
}

/// Which orders of a tenant are listed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    pub(crate) state: Option<OrderState>,
    pub(crate) reference: Option<String>,
    /// Created at this time or later.
    pub(crate) created_after: Option<Timestamp>,
    /// Created before this time.
    pub(crate) created_before: Option<Timestamp>,
}

/// A page of a tenant's orders, the latest first, after the order `after`.
pub(crate) fn page(
    connection: &Connection,
    tenant: &str,
    filter: &Filter,
    after: Option<&OrderId>,
    limit: i64,
) -> Result<Vec<Whole>, StoreError> {
    let mut sql = format!("SELECT {COLUMNS} FROM signing_order WHERE tenant = ?1");
    let mut parameters = vec![Value::Text(tenant)];
    let mut also = |condition: &str, value| {
        parameters.push(value);
        sql.push_str(" AND ");
        sql.push_str(&condition.replace('?', &format!("?{}", parameters.len())));
    };
    if let Some(state) = filter.state {
        also("state = ?", Value::Text(state.as_str()));
    }
    if let Some(reference) = &filter.reference {
        also("reference = ?", Value::Text(reference));
    }
    if let Some(time) = filter.created_after {
        also("created_at >= ?", Value::Integer(unix_ms(time)));
    }
    if let Some(time) = filter.created_before {
        also("created_at < ?", Value::Integer(unix_ms(time)));
    }
    if let Some(id) = after {
        also(
            "(created_at, id) < (SELECT created_at, id FROM signing_order WHERE id = ?)",
            Value::Text(id.as_ref()),
        );
    }
    sql.push_str(&format!(" ORDER BY created_at DESC, id DESC LIMIT {limit}"));
    let orders = connection.query(&sql, &parameters, read)?;
    complete(connection, orders)
}

/// Reads what belongs to the orders.
fn complete(connection: &Connection, orders: Vec<OrderRow>) -> Result<Vec<Whole>, StoreError> {
    let ids: Vec<&str> = orders.iter().map(|order| order.id.as_ref()).collect();
    let documents: Vec<(String, DocumentId)> = connection.query(
        "SELECT order_id, document_id FROM order_document WHERE order_id IN (EACH_TEXT(?1)) ORDER BY order_id, number",
        params![ids],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let participants = connection.query(
        &format!(
            "SELECT {PARTICIPANT_COLUMNS} FROM participant WHERE order_id IN (EACH_TEXT(?1)) ORDER BY order_id, number"
        ),
        params![ids],
        read_participant,
    )?;
    let signatures: Vec<(String, ParticipantId, OrderSignature)> = connection.query(
        "SELECT order_id, participant_id, id, document_id, state FROM signature
         WHERE order_id IN (EACH_TEXT(?1)) AND state IN ('accepted', 'prepared', 'signing', 'released')
         ORDER BY order_id, created_at, id",
        params![ids],
        |row| {
            let signature = OrderSignature {
                signature_id: row.get(2)?,
                document_id: row.get(3)?,
                state: from_text("signature.state", row.get(4)?)?,
            };
            Ok((row.get(0)?, row.get(1)?, signature))
        },
    )?;
    let reminders: Vec<(String, i64)> = connection.query(
        "SELECT order_id, hours_before FROM order_reminder WHERE order_id IN (EACH_TEXT(?1))
         ORDER BY order_id, hours_before DESC",
        params![ids],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let whole = |order: OrderRow| {
        let id = order.id.as_ref();
        let reminders = reminders.iter().filter(|(of, _)| of == id);
        Ok(Whole {
            documents: documents.iter().filter(|(of, _)| of == id).map(|(_, one)| one.clone()).collect(),
            participants: participants.iter().filter(|one| one.order_id == order.id).cloned().collect(),
            signatures: signatures
                .iter()
                .filter(|(of, ..)| of == id)
                .map(|(_, participant, signature)| (participant.clone(), signature.clone()))
                .collect(),
            reminders_hours: reminders
                .map(|(_, hours)| small("order_reminder.hours_before", *hours))
                .collect::<Result<_, _>>()?,
            order,
        })
    };
    orders.into_iter().map(whole).collect()
}

/// Finds a participant of an order.
pub(crate) fn find_participant(
    connection: &Connection,
    order: &OrderId,
    id: &ParticipantId,
) -> Result<Option<ParticipantRow>, StoreError> {
    connection.query_one(
        &format!("SELECT {PARTICIPANT_COLUMNS} FROM participant WHERE id = ?1 AND order_id = ?2"),
        params![id, order],
        read_participant,
    )
}

/// Finds an order that must be there.
fn load(connection: &Connection, id: &OrderId) -> Result<OrderRow, StoreError> {
    connection
        .query_one(&format!("SELECT {COLUMNS} FROM signing_order WHERE id = ?1"), params![id], read)?
        .ok_or(StoreError::Damaged { column: "signing_order.id" })
}

/// Locks an order's row until the end of the transaction, and reads it.
fn lock(connection: &Connection, id: &OrderId) -> Result<OrderRow, StoreError> {
    connection
        .query_one(
            &format!("SELECT {COLUMNS} FROM signing_order WHERE id = ?1 FOR UPDATE"),
            params![id],
            read,
        )?
        .ok_or(StoreError::Damaged { column: "signing_order.id" })
}

fn read(row: &Row<'_>) -> Result<OrderRow, StoreError> {
    let cancellation = match row.get::<Option<String>>(12)? {
        None => None,
        Some(cause) => Some(CancellationRow {
            cause: from_text("signing_order.cancel_cause", cause)?,
            participant_id: row.get(13)?,
            reason: row.get(14)?,
        }),
    };
    let level = from_text("signing_order.level", row.get(6)?)?;
    Ok(OrderRow {
        id: row.get(0)?,
        tenant: row.get(1)?,
        reference: row.get(2)?,
        title: row.get(3)?,
        flow: from_text("signing_order.flow", row.get(4)?)?,
        rules: OrderRules {
            format: from_text("signing_order.format", row.get(5)?)?,
            level: Some(level),
            policy: from_text("signing_order.policy", row.get(7)?)?,
            custodies: row
                .get::<Option<String>>(8)?
                .map(|json| from_json("signing_order.custodies", &json))
                .transpose()?,
        },
        level,
        metadata: from_json("signing_order.metadata", &row.get::<String>(9)?)?,
        deadline: optional_time("signing_order.deadline", row.get(10)?)?,
        state: from_text("signing_order.state", row.get(11)?)?,
        cancellation,
        created_at: time("signing_order.created_at", row.get(15)?)?,
        ended_at: optional_time("signing_order.ended_at", row.get(16)?)?,
    })
}

fn read_participant(row: &Row<'_>) -> Result<ParticipantRow, StoreError> {
    Ok(ParticipantRow {
        id: row.get(0)?,
        order_id: row.get(1)?,
        position: small("participant.position", row.get(2)?)?,
        signer_hash: SignerHash(row.get(3)?),
        signer_name: row.get(4)?,
        signer_masked: row.get(5)?,
        role: row.get(6)?,
        custodies: from_json("participant.custodies", &row.get::<String>(7)?)?,
        must_sign: row.get::<i64>(8)? == 1,
        state: from_text("participant.state", row.get(9)?)?,
        ended_at: optional_time("participant.ended_at", row.get(10)?)?,
        decline_reason: row.get(11)?,
    })
}

fn to_json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("lists and maps of texts are JSON")
}

fn from_json<T: serde::de::DeserializeOwned>(column: &'static str, json: &str) -> Result<T, StoreError> {
    serde_json::from_str(json).map_err(|_| StoreError::Damaged { column })
}

fn optional_time(column: &'static str, unix_ms: Option<i64>) -> Result<Option<Timestamp>, StoreError> {
    unix_ms.map(|unix_ms| time(column, unix_ms)).transpose()
}

fn small(column: &'static str, number: i64) -> Result<u32, StoreError> {
    u32::try_from(number).map_err(|_| StoreError::Damaged { column })
}
