//! Items of batches: signatures without a session, by their position.

use rubrica_core::Timestamp;
use rubrica_core::wire::{BatchItem, Custody, SignatureProblem, SignatureState};

use super::{BatchRow, Ended, settle};
use crate::hex;
use crate::ids::{BatchId, DocumentId, SignatureId};
use crate::store::row::{from_text, signed, size, time, to_text, unix_ms};
use crate::store::signatures::{ArtefactRow, Facts, Release};
use crate::store::tasks::{self, Lease};
use crate::store::{Connection, Row, StoreError, ToValue, Value, keys, outbox, params};

/// What is known of an item before it is begun.
#[derive(Debug, Clone)]
pub(crate) struct NewItem {
    pub(crate) id: SignatureId,
    pub(crate) reference: String,
    pub(crate) document_id: Option<DocumentId>,
    pub(crate) name: Option<String>,
    pub(crate) document_sha256: [u8; 32],
}

/// An item's row.
#[derive(Debug, Clone)]
pub(crate) struct ItemRow {
    pub(crate) id: SignatureId,
    pub(crate) position: i64,
    pub(crate) reference: String,
    pub(crate) document_id: Option<DocumentId>,
    pub(crate) name: Option<String>,
    pub(crate) document_sha256: [u8; 32],
    pub(crate) state: SignatureState,
    /// The pinned data to be signed, from `signing` on.
    pub(crate) plan: Option<Vec<u8>>,
    /// The time that the signature claims, pinned with the plan.
    pub(crate) signed_at: Option<Timestamp>,
    /// What the key made.
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) artefact: Option<ItemArtefact>,
    pub(crate) problem: Option<SignatureProblem>,
}

/// What was released of an item; the tail is absent when plan and value tell it.
#[derive(Debug, Clone)]
pub(crate) struct ItemArtefact {
    pub(crate) name: String,
    pub(crate) media_type: String,
    pub(crate) size_bytes: u64,
    pub(crate) sha256: [u8; 32],
    pub(crate) tail: Option<[u8; 32]>,
    pub(crate) released_at: Timestamp,
}

impl ItemRow {
    /// What the events of the item say of it.
    pub(crate) const fn facts<'a>(&'a self, batch: &'a BatchRow, signer: &'a Signer) -> Facts<'a> {
        Facts {
            tenant: batch.tenant.as_str(),
            id: &self.id,
            batch_id: Some(&batch.id),
            in_order: None,
            document_id: self.document_id.as_ref(),
            document_sha256: &self.document_sha256,
            custody: Custody::Hsm,
            format: batch.format,
            level: batch.level,
            policy: batch.policy,
            key_id: Some(&batch.key_id),
            signer_hash: Some(signer),
        }
    }

    /// The resource as the API shows it.
    pub(crate) fn to_wire(&self) -> BatchItem {
        BatchItem {
            position: u64::try_from(self.position).unwrap_or_default(),
            reference: self.reference.clone(),
            signature_id: self.id.to_string(),
            state: self.state,
            sha256: self.document_id.is_none().then(|| hex::encode(self.document_sha256)),
            document_id: self.document_id.as_ref().map(ToString::to_string),
            artefact: self.artefact.as_ref().map(|artefact| rubrica_core::wire::Artefact {
                name: artefact.name.clone(),
                media_type: artefact.media_type.clone(),
                size_bytes: artefact.size_bytes,
                sha256: hex::encode(artefact.sha256),
                released_at: artefact.released_at,
            }),
            problem: self.problem.clone(),
        }
    }
}

/// Whose key signs the batch.
pub(crate) type Signer = crate::lookup::SignerHash;

/// Keeps the items of a new batch, in their order, positions from `first` on.
pub(crate) fn insert(
    connection: &Connection,
    batch: &BatchRow,
    signer: &Signer,
    first: i64,
    items: &[NewItem],
) -> Result<(), StoreError> {
    let (format, level, policy) = (to_text(&batch.format), to_text(&batch.level), to_text(&batch.policy));
    let created_at = unix_ms(batch.created_at);
    let rows: Vec<_> = items
        .iter()
        .zip(first..)
        .map(|(item, position)| {
            [
                item.id.to_value(),
                batch.tenant.to_value(),
                item.document_id.to_value(),
                item.name.to_value(),
                item.document_sha256.to_value(),
                signer.0.to_value(),
                batch.id.to_value(),
                Value::Integer(position),
                item.reference.to_value(),
                Value::Text(&format),
                Value::Text(&level),
                Value::Text(&policy),
                batch.key_id.to_value(),
                Value::Integer(created_at),
            ]
        })
        .collect();
    connection.execute_many(
        "INSERT INTO signature (id, tenant, document_id, document_name, document_sha256, signer_hash, batch_id, position,
                                reference, custody, format, level, policy, state, key_id, created_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'hsm', ?10, ?11, ?12, 'accepted', ?13, ?14, ?14)",
        &rows,
    )?;
    Ok(())
}

const COLUMNS: &str = "id, position, reference, document_id, document_name, document_sha256, state, plan, value, artefact_name, \
    artefact_media_type, artefact_size_bytes, artefact_sha256, artefact_tail, released_at, problem_code, problem_detail, signed_at";

/// The items of a run that have not ended.
pub(crate) fn open(
    connection: &Connection,
    batch_id: &BatchId,
    first: i64,
    last: i64,
) -> Result<Vec<ItemRow>, StoreError> {
    connection.query(
        &format!(
            "SELECT {COLUMNS} FROM signature
             WHERE batch_id = ?1 AND position BETWEEN ?2 AND ?3 AND state IN ('accepted', 'prepared', 'signing')
             ORDER BY position"
        ),
        params![batch_id, first, last],
        read,
    )
}

/// Whether any item of a task has not ended.
pub(crate) fn any_open(connection: &Connection, lease: &Lease) -> Result<bool, StoreError> {
    connection.exists(
        "SELECT 1 FROM task JOIN signature ON signature.batch_id = task.batch_id
                AND signature.position BETWEEN task.first AND task.last
         WHERE task.id = ?1 AND signature.state IN ('accepted', 'prepared', 'signing') LIMIT 1",
        params![lease.task],
    )
}

/// A page of the items of a batch, after a position.
pub(crate) fn page(
    connection: &Connection,
    batch_id: &BatchId,
    after: i64,
    most: i64,
) -> Result<Vec<ItemRow>, StoreError> {
    connection.query(
        &format!(
            "SELECT {COLUMNS} FROM signature WHERE batch_id = ?1 AND position > ?2 ORDER BY position LIMIT ?3"
        ),
        params![batch_id, after, most],
        read,
    )
}

/// Positions of the items from `first` on that have ended, in order.
pub(crate) fn ended_positions(
    connection: &Connection,
    batch_id: &BatchId,
    first: i64,
) -> Result<Vec<i64>, StoreError> {
    connection.query(
        "SELECT position FROM signature
         WHERE batch_id = ?1 AND position >= ?2 AND state IN ('released', 'failed', 'cancelled') ORDER BY position",
        params![batch_id, first],
        |row| row.get(0),
    )
}

/// The items at these positions, in order.
pub(crate) fn at(
    connection: &Connection,
    batch_id: &BatchId,
    positions: &[i64],
) -> Result<Vec<ItemRow>, StoreError> {
    connection.query(
        &format!(
            "SELECT {COLUMNS} FROM signature WHERE batch_id = ?1 AND position IN (EACH_INTEGER(?2)) ORDER BY position"
        ),
        params![batch_id, positions.to_vec()],
        read,
    )
}

/// The item that is this signature, with the identifier of its batch.
pub(crate) fn find(
    connection: &Connection,
    id: &SignatureId,
    tenant: &str,
) -> Result<Option<(BatchId, ItemRow)>, StoreError> {
    connection.query_one(
        &format!(
            "SELECT {COLUMNS}, batch_id FROM signature
             WHERE id = ?1 AND tenant = ?2 AND EXISTS (SELECT 1 FROM batch WHERE batch.id = signature.batch_id AND intake = 0)"
        ),
        params![id, tenant],
        |row| Ok((row.get(18)?, read(row)?)),
    )
}

/// `accepted → prepared → signing`: pins the data of the items and commits the intent. Only after the commit may the key
/// be used. Tells which items moved: others were cancelled meanwhile.
pub(crate) fn intend(
    connection: &Connection,
    lease: &Lease,
    (batch, signer): (&BatchRow, &Signer),
    plans: &[(ItemRow, Vec<u8>, Timestamp)],
    now: Timestamp,
) -> Result<Vec<bool>, StoreError> {
    tasks::hold(connection, lease)?;
    // Refused here, the items are taken up again and fail with their reason.
    keys::hold_active(connection, &batch.key_id)?;
    super::start(connection, batch, now)?;
    let rows: Vec<_> = plans
        .iter()
        .map(|(item, plan, signed_at)| {
            [item.id.to_value(), plan.to_value(), Value::Integer(unix_ms(*signed_at))]
        })
        .collect();
    let changed = connection.execute_many(
        "UPDATE signature SET state = 'signing', plan = ?2, signed_at = ?3 WHERE id = ?1 AND state = 'accepted'",
        &rows,
    )?;
    let moved: Vec<bool> = changed.into_iter().map(|changed| changed == 1).collect();
    let mut events = Vec::with_capacity(plans.len() * 2);
    for ((item, ..), moved) in plans.iter().zip(&moved) {
        if *moved {
            let facts = item.facts(batch, signer);
            events.push(facts.prepared(now));
            events.push(facts.signing(now));
        }
    }
    if !events.is_empty() {
        outbox::emit(connection, &events)?;
    }
    Ok(moved)
}

/// Keeps the values of items that wait for their time stamp, so that the key is not used again.
pub(crate) fn keep_values(
    connection: &Connection,
    lease: &Lease,
    values: &[(SignatureId, Vec<u8>)],
) -> Result<(), StoreError> {
    tasks::hold(connection, lease)?;
    let rows: Vec<_> = values.iter().map(|(id, value)| [id.to_value(), value.to_value()]).collect();
    connection.execute_many(
        "UPDATE signature SET value = ?2 WHERE id = ?1 AND state = 'signing' AND value IS NULL",
        &rows,
    )?;
    Ok(())
}

/// How one item ends.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// With an artefact that was verified. `value` is kept when the artefact has no tail of its own.
    Released {
        /// What was released.
        artefact: ItemArtefact,
        /// The time that the signature claims.
        signed_at: Timestamp,
        /// What the key made.
        value: Option<Vec<u8>>,
    },
    /// Without.
    Failed(SignatureProblem),
    /// Taken back before its key was used.
    Cancelled(SignatureProblem),
}

/// Ends items, counts them, and ends the batch with the last one. What becomes of the task is the caller's to say in the
/// same transaction.
pub(crate) fn end(
    connection: &Connection,
    lease: &Lease,
    (batch, signer, certificate_sha256): (&BatchRow, &Signer, &str),
    items: &[(ItemRow, Outcome)],
    now: Timestamp,
) -> Result<(), StoreError> {
    tasks::hold(connection, lease)?;
    let events: Vec<_> = items
        .iter()
        .map(|(item, outcome)| {
            let facts = item.facts(batch, signer);
            match outcome {
                Outcome::Released { artefact, signed_at, .. } => facts.released(
                    now,
                    &Release {
                        artefact_sha256: &artefact.sha256,
                        size_bytes: artefact.size_bytes,
                        certificate_sha256,
                        signed_at: *signed_at,
                    },
                ),
                Outcome::Failed(problem) => facts.failed(now, problem),
                Outcome::Cancelled(_) => facts.cancelled(now),
            }
        })
        .collect();
    if events.is_empty() {
        return Ok(());
    }
    let position = outbox::emit(connection, &events)?;
    let ended = Ended {
        released: release(connection, items, position)?,
        failed: end_without_artefact(connection, items)?,
        cancelled: cancel(connection, items)?,
    };
    if ended.released + ended.failed + ended.cancelled != items.len() as u64 {
        // Under the lease nobody else moves these items: the events would tell what did not happen.
        return Err(StoreError::StateConflict { expected: SignatureState::Signing });
    }
    settle(connection, batch, ended, now)
}

fn release(connection: &Connection, items: &[(ItemRow, Outcome)], position: i64) -> Result<u64, StoreError> {
    let rows: Vec<_> = items
        .iter()
        .filter_map(|(item, outcome)| match outcome {
            Outcome::Released { artefact, value, .. } => Some([
                item.id.to_value(),
                artefact.name.to_value(),
                artefact.media_type.to_value(),
                Value::Integer(signed(artefact.size_bytes)),
                artefact.sha256.to_value(),
                artefact.tail.to_value(),
                Value::Integer(unix_ms(artefact.released_at)),
                value.to_value(),
                Value::Integer(position),
            ]),
            Outcome::Failed(_) | Outcome::Cancelled(_) => None,
        })
        .collect();
    let changed = connection.execute_many(
        "UPDATE signature SET state = 'released', artefact_name = ?2, artefact_media_type = ?3, artefact_size_bytes = ?4,
                artefact_sha256 = ?5, artefact_tail = ?6, released_at = ?7, value = coalesce(?8, value),
                release_position = ?9
         WHERE id = ?1 AND state = 'signing'",
        &rows,
    )?;
    Ok(changed.iter().sum())
}

fn end_without_artefact(connection: &Connection, items: &[(ItemRow, Outcome)]) -> Result<u64, StoreError> {
    let rows: Vec<_> = items
        .iter()
        .filter_map(|(item, outcome)| match outcome {
            Outcome::Failed(problem) => {
                Some([item.id.to_value(), Value::Text(problem.code.as_str()), problem.detail.to_value()])
            }
            Outcome::Released { .. } | Outcome::Cancelled(_) => None,
        })
        .collect();
    let changed = connection.execute_many(
        "UPDATE signature SET state = 'failed', problem_code = ?2, problem_detail = ?3
         WHERE id = ?1 AND state IN ('accepted', 'prepared', 'signing')",
        &rows,
    )?;
    Ok(changed.iter().sum())
}

fn cancel(connection: &Connection, items: &[(ItemRow, Outcome)]) -> Result<u64, StoreError> {
    let rows: Vec<_> = items
        .iter()
        .filter_map(|(item, outcome)| match outcome {
            Outcome::Cancelled(problem) => {
                Some([item.id.to_value(), Value::Text(problem.code.as_str()), problem.detail.to_value()])
            }
            Outcome::Released { .. } | Outcome::Failed(_) => None,
        })
        .collect();
    let changed = connection.execute_many(
        "UPDATE signature SET state = 'cancelled', problem_code = ?2, problem_detail = ?3
         WHERE id = ?1 AND state IN ('accepted', 'prepared')",
        &rows,
    )?;
    Ok(changed.iter().sum())
}

fn read(row: &Row<'_>) -> Result<ItemRow, StoreError> {
    let artefact = match row.get::<Option<[u8; 32]>>(12)? {
        None => None,
        Some(sha256) => Some(ItemArtefact {
            name: row.get(9)?,
            media_type: row.get(10)?,
            size_bytes: size("signature.artefact_size_bytes", row.get(11)?)?,
            sha256,
            tail: row.get(13)?,
            released_at: time("signature.released_at", row.get(14)?)?,
        }),
    };
    let problem = match row.get::<Option<String>>(15)? {
        None => None,
        Some(code) => Some(SignatureProblem {
            code: code.parse().map_err(|_| StoreError::Damaged { column: "signature.problem_code" })?,
            detail: row.get::<Option<String>>(16)?.unwrap_or_default(),
        }),
    };
    Ok(ItemRow {
        id: row.get(0)?,
        position: row.get(1)?,
        reference: row.get(2)?,
        document_id: row.get(3)?,
        name: row.get(4)?,
        document_sha256: row.get(5)?,
        state: from_text("signature.state", row.get(6)?)?,
        plan: row.get(7)?,
        signed_at: row
            .get::<Option<i64>>(17)?
            .map(|unix_ms| time("signature.signed_at", unix_ms))
            .transpose()?,
        value: row.get(8)?,
        artefact,
        problem,
    })
}

impl From<ArtefactRow> for ItemArtefact {
    fn from(row: ArtefactRow) -> Self {
        Self {
            name: row.name,
            media_type: row.media_type,
            size_bytes: row.size_bytes,
            sha256: row.sha256,
            tail: Some(row.tail),
            released_at: row.released_at,
        }
    }
}
