//! Documents: immutable bytes by their digest.

use rubrica_core::{Timestamp, wire};

use super::orders::Revision;
use super::row::{signed, size, time, unix_ms};
use super::signatures::SignatureRow;
use super::{Connection, Row, StoreError, Value, params};
use crate::hex;
use crate::ids::{DocumentId, OrderId, ParticipantId, SessionId};

/// Who asks; what others own does not exist for them.
#[derive(Debug, Clone)]
pub(crate) enum Scope {
    /// The page of one session: what it made itself.
    Session(SessionId),
    /// The page of a participant: the documents of the order, and the participant's own signatures, whichever of their
    /// sessions made them.
    Participant(OrderId, ParticipantId),
    /// A tenant's backend or one of its people: what belongs to the tenant.
    Tenant(String),
}

impl Scope {
    /// Condition on a row of `document`, for the first three of [`Scope::parameters`] as ?2 to ?4.
    const OF_DOCUMENTS: &'static str = "(session_id = ?2 OR tenant = ?3 OR id IN (SELECT document_id FROM order_document WHERE order_id = ?4))";
    /// Condition on a row of `signature`, for the same and the fourth as ?5. The order is named too, so that every parameter
    /// has a type.
    pub(super) const OF_SIGNATURES: &'static str =
        "(session_id = ?2 OR tenant = ?3 OR (order_id = ?4 AND participant_id = ?5))";

    /// Session, tenant, order and participant; each or nothing.
    pub(super) fn parameters(&self) -> [Value<'_>; 4] {
        use Value::{Null, Text};
        match self {
            Self::Session(id) => [Text(id.as_ref()), Null, Null, Null],
            Self::Tenant(name) => [Null, Text(name), Null, Null],
            Self::Participant(order, participant) => {
                [Null, Null, Text(order.as_ref()), Text(participant.as_ref())]
            }
        }
    }
}

/// A document's row.
#[derive(Debug, Clone)]
pub(crate) struct DocumentRow {
    pub(crate) id: DocumentId,
    pub(crate) tenant: String,
    /// The session that uploaded it; `None` for a backend.
    pub(crate) session_id: Option<SessionId>,
    pub(crate) name: String,
    pub(crate) media_type: String,
    pub(crate) size_bytes: u64,
    pub(crate) sha256: [u8; 32],
    /// Objects whose bytes make the document, one after the other. One for what was uploaded; more where a signature is made
    /// over the artefact of another.
    pub(crate) parts: Vec<[u8; 32]>,
    pub(crate) created_at: Timestamp,
}

impl DocumentRow {
    /// Replaces the bytes that were uploaded by those of a revision.
    pub(crate) fn apply(&mut self, revision: &Revision) {
        self.parts.clone_from(&revision.parts);
        self.size_bytes = revision.size_bytes;
        self.sha256 = revision.sha256;
    }

    /// The resource as the API shows it.
    pub(crate) fn to_wire(&self) -> wire::Document {
        wire::Document {
            id: self.id.to_string(),
            name: self.name.clone(),
            media_type: self.media_type.clone(),
            size_bytes: self.size_bytes,
            sha256: hex::encode(self.sha256),
            created_at: self.created_at,
        }
    }
}

const COLUMNS: &str = "id, tenant, session_id, name, media_type, size_bytes, sha256, created_at";

/// Keeps a new document, whose bytes are already in the object store.
pub(crate) fn insert(connection: &Connection, document: &DocumentRow) -> Result<(), StoreError> {
    connection.execute(
        "INSERT INTO document (id, tenant, session_id, name, media_type, size_bytes, sha256, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            document.id,
            document.tenant,
            document.session_id,
            document.name,
            document.media_type,
            signed(document.size_bytes),
            document.sha256,
            unix_ms(document.created_at),
        ],
    )?;
    Ok(())
}

/// Finds a document that `scope` may see.
pub(crate) fn find(
    connection: &Connection,
    id: &DocumentId,
    scope: &Scope,
) -> Result<Option<DocumentRow>, StoreError> {
    let [session, tenant, order, _] = scope.parameters();
    connection.query_one(
        &format!("SELECT {COLUMNS} FROM document WHERE id = ?1 AND {}", Scope::OF_DOCUMENTS),
        &[Value::Text(id.as_ref()), session, tenant, order],
        read,
    )
}

/// Finds a document for the engine.
pub(crate) fn load(connection: &Connection, id: &DocumentId) -> Result<Option<DocumentRow>, StoreError> {
    connection.query_one(&format!("SELECT {COLUMNS} FROM document WHERE id = ?1"), params![id], read)
}

/// What a signature is made over: its document or, in an order, the revision that the signature began with.
pub(crate) fn signed_by(
    connection: &Connection,
    signature: &SignatureRow,
) -> Result<Option<DocumentRow>, StoreError> {
    let Some(mut document) = load(connection, &signature.document_id)? else { return Ok(None) };
    if let Some(in_order) = &signature.in_order {
        document.apply(&in_order.base);
    }
    Ok(Some(document))
}

fn read(row: &Row<'_>) -> Result<DocumentRow, StoreError> {
    let sha256 = row.get(6)?;
    Ok(DocumentRow {
        id: row.get(0)?,
        tenant: row.get(1)?,
        session_id: row.get(2)?,
        name: row.get(3)?,
        media_type: row.get(4)?,
        size_bytes: size("document.size_bytes", row.get(5)?)?,
        sha256,
        parts: vec![sha256],
        created_at: time("document.created_at", row.get(7)?)?,
    })
}

/// The digests of those documents among `ids` that a tenant has, by identifier.
pub(crate) fn digests(
    connection: &Connection,
    tenant: &str,
    ids: &[&str],
) -> Result<Vec<(String, [u8; 32])>, StoreError> {
    connection.query(
        "SELECT id, sha256 FROM document WHERE tenant = ?1 AND id IN (EACH_TEXT(?2))",
        params![tenant, ids.to_vec()],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}
