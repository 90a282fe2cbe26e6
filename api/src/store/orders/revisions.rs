//! What a signature of an order is made over.
//!
//! In PAdES every signature of a document goes over the artefact of the one before, so that the last file carries all of
//! them: the document of the order has a revision that grows with every release. A signature remembers the revision it began
//! with and becomes the next one only if nobody else has. A key of the token is never used in vain: its signature holds the
//! document from the beginning, one of a device from the moment its value is kept. In CAdES every signature stands beside
//! the document as it was uploaded, and nobody waits for anybody.

use rubrica_core::wire::{Custody, SignatureFormat};
use rubrica_core::{ErrorCode, Timestamp};

use super::events;
use super::moves::{Moved, check_not_taken_back, conflict, refused};
use super::progress;
use super::{OrderRow, ParticipantRow, find_participant, lock};
use crate::ids::{DocumentId, OrderId, ParticipantId, SignatureId};
use crate::store::row::{signed, size};
use crate::store::sessions::SessionOrder;
use crate::store::signatures::{self, SignatureRow};
use crate::store::{Connection, Row, StoreError, ToValue, Value, params};

/// The part of a signature that belongs to an order.
#[derive(Debug, Clone)]
pub(crate) struct InOrder {
    pub(crate) order_id: OrderId,
    pub(crate) participant_id: ParticipantId,
    /// What it is made over.
    pub(crate) base: Revision,
}

/// The bytes of a document at one point of its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Revision {
    /// Releases that are inside.
    pub(crate) number: i64,
    /// Objects whose bytes make it, one after the other.
    pub(crate) parts: Vec<[u8; 32]>,
    pub(crate) size_bytes: u64,
    pub(crate) sha256: [u8; 32],
}

/// Where a participant stands before a document.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) order: OrderRow,
    pub(crate) participant: ParticipantRow,
    /// What the next signature is made over.
    pub(crate) revision: Revision,
}

/// Reads the addresses that make a revision.
pub(crate) fn parts(column: &'static str, bytes: &[u8]) -> Result<Vec<[u8; 32]>, StoreError> {
    let (parts, rest) = bytes.as_chunks::<32>();
    if parts.is_empty() || !rest.is_empty() {
        return Err(StoreError::Damaged { column });
    }
    Ok(parts.to_vec())
}

/// Keeps the documents of a new order, as they were uploaded.
pub(super) fn insert(
    connection: &Connection,
    order: &OrderRow,
    documents: &[DocumentId],
) -> Result<(), StoreError> {
    let rows: Vec<_> = documents
        .iter()
        .zip(1_i64..)
        .map(|(id, number)| {
            [order.id.to_value(), id.to_value(), Value::Integer(number), order.tenant.to_value()]
        })
        .collect();
    let kept = connection.execute_many(
        "INSERT INTO order_document (order_id, document_id, number, revision, parts, size_bytes, sha256)
         SELECT ?1, id, ?3, 0, sha256, size_bytes, sha256 FROM document WHERE id = ?2 AND tenant = ?4",
        &rows,
    )?;
    if kept.iter().any(|kept| *kept != 1) {
        return Err(StoreError::Damaged { column: "order_document.document_id" });
    }
    Ok(())
}

/// The present revision of a document of an order.
pub(crate) fn revision(
    connection: &Connection,
    order: &OrderId,
    document: &DocumentId,
) -> Result<Option<Revision>, StoreError> {
    Ok(document_row(connection, order, document)?.map(|row| row.revision))
}

/// Where a participant stands before a document, if they may sign it now.
///
/// # Errors
/// [`StoreError::OrderConflict`] when it is not their turn, or the document is being signed; `Ok(None)` when the order has no
/// such document.
pub(crate) fn place(
    connection: &Connection,
    of: &SessionOrder,
    document: &DocumentId,
    now: Timestamp,
) -> Result<Option<Place>, StoreError> {
    let order = super::load(connection, &of.order_id)?;
    let Some(row) = document_row(connection, &of.order_id, document)? else { return Ok(None) };
    let participant = find_participant(connection, &of.order_id, &of.participant_id)?
        .ok_or(StoreError::Damaged { column: "session.participant_id" })?;
    check_turn(connection, &order, &of.participant_id, document, now)?;
    check_free(&order, &row)?;
    Ok(Some(Place { order, participant, revision: row.revision }))
}

/// Keeps a new signature of an order, if the participant may still sign and the document is still at the same revision.
///
/// A signature of a device that the participant had begun before gives way.
///
/// # Errors
/// [`StoreError::OrderConflict`].
pub(crate) fn begin(
    connection: &Connection,
    signature: &SignatureRow,
    now: Timestamp,
) -> Result<Moved, StoreError> {
    let in_order = signature.in_order.as_ref().ok_or(StoreError::Damaged { column: "signature.order_id" })?;
    let order = lock(connection, &in_order.order_id)?;
    check_turn(connection, &order, &in_order.participant_id, &signature.document_id, now)?;
    let row = document_row(connection, &in_order.order_id, &signature.document_id)?
        .ok_or(StoreError::Damaged { column: "signature.document_id" })?;
    check_free(&order, &row)?;
    if row.revision != in_order.base {
        return Err(conflict(MEANWHILE));
    }
    let replaced = replace(connection, in_order, &signature.document_id)?;
    signatures::insert(connection, signature)?;
    if signature.custody != Custody::Local {
        hold(connection, &signature.id)?;
    }
    Ok(Moved { events: events::of_signatures(connection, &replaced, now)?, ended: replaced })
}

/// Reserves the document for this signature, which will make the next revision. Nothing to do in CAdES and outside orders.
///
/// # Errors
/// [`StoreError::OrderConflict`] when another signature was faster.
pub(crate) fn hold(connection: &Connection, id: &SignatureId) -> Result<(), StoreError> {
    let Some(held) = in_pades(connection, id)? else { return Ok(()) };
    let changed = connection.execute(
        "UPDATE order_document SET held_by = ?3
         WHERE order_id = ?1 AND document_id = ?2 AND revision = ?4 AND held_by IS NULL",
        params![held.order_id, held.document_id, id, held.base],
    )?;
    if changed == 1 { Ok(()) } else { Err(conflict(MEANWHILE)) }
}

/// Gives a document free that this signature holds.
pub(super) fn let_go(connection: &Connection, id: &SignatureId, order: &OrderId) -> Result<(), StoreError> {
    connection.execute(
        "UPDATE order_document SET held_by = NULL WHERE order_id = ?1 AND held_by = ?2",
        params![order, id],
    )?;
    Ok(())
}

/// Makes the artefact of a released signature the next revision of its document. Ends signatures of devices that were
/// prepared over the one before: they can be begun again. Gives their identifiers.
///
/// # Errors
/// [`StoreError::OrderConflict`] when another signature was faster: then nothing may be released.
pub(super) fn advance(connection: &Connection, id: &SignatureId) -> Result<Vec<SignatureId>, StoreError> {
    let Some(released) = in_pades(connection, id)? else { return Ok(Vec::new()) };
    let next = released.next.ok_or(StoreError::Damaged { column: "signature.artefact_tail" })?;
    let changed = connection.execute(
        "UPDATE order_document SET revision = ?4, parts = ?5, size_bytes = ?6, sha256 = ?7, held_by = NULL
         WHERE order_id = ?1 AND document_id = ?2 AND revision = ?8 AND coalesce(held_by, ?3) = ?3",
        params![
            released.order_id,
            released.document_id,
            id,
            next.number,
            next.parts.concat(),
            signed(next.size_bytes),
            next.sha256,
            released.base,
        ],
    )?;
    if changed != 1 {
        return Err(conflict(MEANWHILE));
    }
    connection.query(
        "UPDATE signature SET state = 'failed', problem_code = ?3, problem_detail = ?4
         WHERE order_id = ?1 AND document_id = ?2 AND custody = 'local' AND state = 'prepared' RETURNING id",
        params![released.order_id, released.document_id, ErrorCode::OrderStateConflict.as_str(), MEANWHILE],
        |row| row.get(0),
    )
}

/// Whether the rules give the participant the turn.
fn check_turn(
    connection: &Connection,
    order: &OrderRow,
    participant: &ParticipantId,
    document: &DocumentId,
    now: Timestamp,
) -> Result<(), StoreError> {
    check_not_taken_back(order)?;
    let progress = progress::load(connection, order.clone())?;
    progress.may_sign(participant.as_ref(), document.as_ref(), now).map_err(|refusal| refused(&refusal))
}

/// Whether no signature under way will make the next revision.
fn check_free(order: &OrderRow, row: &DocumentRow) -> Result<(), StoreError> {
    if order.rules.format == SignatureFormat::Pades && row.held_by.is_some() {
        return Err(conflict("another signature of this document is being finished; try again in a moment"));
    }
    Ok(())
}

/// Makes way for a signature of the participant: one that waits for a device is taken back, any other stands.
fn replace(
    connection: &Connection,
    of: &InOrder,
    document: &DocumentId,
) -> Result<Vec<SignatureId>, StoreError> {
    let replaced = connection.query(
        "UPDATE signature SET state = 'cancelled', problem_code = ?3, problem_detail = ?4
         WHERE participant_id = ?1 AND document_id = ?2 AND custody = 'local' AND state = 'prepared' RETURNING id",
        params![
            of.participant_id,
            document,
            ErrorCode::Cancelled.as_str(),
            "the participant began again with a new signature",
        ],
        |row| row.get(0),
    )?;
    let stands = connection.exists(
        "SELECT 1 FROM signature WHERE participant_id = ?1 AND document_id = ?2
           AND state IN ('accepted', 'prepared', 'signing', 'released')",
        params![of.participant_id, document],
    )?;
    if stands {
        return Err(conflict("the participant has signed this document, or is signing it"));
    }
    Ok(replaced)
}

/// What a signature of a PDF in an order is made over and, once it is released, makes of it.
struct InPades {
    order_id: OrderId,
    document_id: DocumentId,
    /// Number of the revision it is made over.
    base: i64,
    next: Option<Revision>,
}

fn in_pades(connection: &Connection, id: &SignatureId) -> Result<Option<InPades>, StoreError> {
    connection.query_one(
        "SELECT order_id, document_id, base_revision, base_parts, artefact_tail, artefact_size_bytes, artefact_sha256
         FROM signature WHERE id = ?1 AND order_id IS NOT NULL AND format = 'pades'",
        params![id],
        |row| {
            let base: i64 = row.get(2)?;
            let next = match row.get::<Option<[u8; 32]>>(4)? {
                None => None,
                Some(tail) => {
                    let mut parts = parts("signature.base_parts", &row.get::<Vec<u8>>(3)?)?;
                    parts.push(tail);
                    Some(Revision {
                        number: base + 1,
                        parts,
                        size_bytes: size("signature.artefact_size_bytes", row.get(5)?)?,
                        sha256: row.get(6)?,
                    })
                }
            };
            Ok(InPades { order_id: row.get(0)?, document_id: row.get(1)?, base, next })
        },
    )
}

/// Somebody else made the next revision, or is making it.
const MEANWHILE: &str = "somebody else signed the document meanwhile; begin again over their signature";

/// A document of an order.
struct DocumentRow {
    revision: Revision,
    held_by: Option<SignatureId>,
}

fn document_row(
    connection: &Connection,
    order: &OrderId,
    document: &DocumentId,
) -> Result<Option<DocumentRow>, StoreError> {
    let read = |row: &Row<'_>| {
        Ok(DocumentRow {
            revision: Revision {
                number: row.get(0)?,
                parts: parts("order_document.parts", &row.get::<Vec<u8>>(1)?)?,
                size_bytes: size("order_document.size_bytes", row.get(2)?)?,
                sha256: row.get(3)?,
            },
            held_by: row.get(4)?,
        })
    };
    connection.query_one(
        "SELECT revision, parts, size_bytes, sha256, held_by FROM order_document WHERE order_id = ?1 AND document_id = ?2",
        params![order, document],
        read,
    )
}
