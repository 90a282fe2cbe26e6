//! Documents: immutable bytes by their digest.

use rubrica_core::{Timestamp, wire};
use rusqlite::{Connection, OptionalExtension, params};

use super::StoreError;
use super::row::{digest, signed, size, time, unix_ms};
use crate::hex;
use crate::ids::{DocumentId, SessionId};

/// Who asks; what others own does not exist for them.
#[derive(Debug, Clone)]
pub(crate) enum Scope {
    /// The page of one session: what it made itself.
    Session(SessionId),
    /// A client's backend: what its sessions made.
    Client(String),
}

impl Scope {
    /// Parameters of [`Scope::SQL`]: session or empty, client or empty.
    pub(super) fn parameters(&self) -> (&str, &str) {
        match self {
            Self::Session(id) => (id.as_ref(), ""),
            Self::Client(name) => ("", name),
        }
    }

    /// Condition on a row with `session_id`, for the parameters ?2 and ?3.
    pub(super) const SQL: &'static str = "(session_id = ?2 OR session_id IN (SELECT id FROM session WHERE client = ?3 AND session.id = session_id))";
}

/// A document's row.
#[derive(Debug, Clone)]
pub(crate) struct DocumentRow {
    pub(crate) id: DocumentId,
    pub(crate) session_id: SessionId,
    pub(crate) name: String,
    pub(crate) media_type: String,
    pub(crate) size_bytes: u64,
    pub(crate) sha256: [u8; 32],
    pub(crate) created_at: Timestamp,
}

impl DocumentRow {
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

/// Keeps a new document, whose bytes are already in the object store.
pub(crate) fn insert(connection: &Connection, document: &DocumentRow) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO document (id, session_id, name, media_type, size_bytes, sha256, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            document.id,
            document.session_id,
            document.name,
            document.media_type,
            signed(document.size_bytes),
            document.sha256,
            unix_ms(document.created_at),
        ])?;
    Ok(())
}

/// Finds a document that `scope` may see.
pub(crate) fn find(
    connection: &Connection,
    id: &DocumentId,
    scope: &Scope,
) -> Result<Option<DocumentRow>, StoreError> {
    let (session, client) = scope.parameters();
    read(connection, &format!("id = ?1 AND {}", Scope::SQL), params![id, session, client])
}

/// Finds a document for the engine.
pub(crate) fn load(connection: &Connection, id: &DocumentId) -> Result<Option<DocumentRow>, StoreError> {
    read(connection, "id = ?1", params![id])
}

fn read(
    connection: &Connection,
    condition: &str,
    parameters: &[&dyn rusqlite::ToSql],
) -> Result<Option<DocumentRow>, StoreError> {
    let found = connection
        .prepare_cached(&format!(
            "SELECT id, session_id, name, media_type, size_bytes, sha256, created_at FROM document WHERE {condition}"
        ))?
        .query_row(parameters, |row| {
            Ok((
                row.get(0)?,
                row.get(1)?,
                row.get(2)?,
                row.get(3)?,
                row.get::<_, i64>(4)?,
                row.get::<_, Vec<u8>>(5)?,
                row.get::<_, i64>(6)?,
            ))
        })
        .optional()?;
    found
        .map(|(id, session_id, name, media_type, size_bytes, sha256, created_at)| {
            Ok(DocumentRow {
                id,
                session_id,
                name,
                media_type,
                size_bytes: size("document.size_bytes", size_bytes)?,
                sha256: digest("document.sha256", sha256)?,
                created_at: time("document.created_at", created_at)?,
            })
        })
        .transpose()
}
