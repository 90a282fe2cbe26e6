//! Documents: immutable bytes by their digest.

use rubrica_core::{Timestamp, wire};

use super::row::{signed, size, time, unix_ms};
use super::{Connection, Row, StoreError, Value, params};
use crate::hex;
use crate::ids::{DocumentId, SessionId};

/// Who asks; what others own does not exist for them.
#[derive(Debug, Clone)]
pub(crate) enum Scope {
    /// The page of one session: what it made itself.
    Session(SessionId),
    /// A tenant's backend or one of its people: what belongs to the tenant.
    Tenant(String),
}

impl Scope {
    /// Condition on a row with `session_id` and `tenant`, for the parameters ?2 and ?3.
    pub(super) const SQL: &'static str = "(session_id = ?2 OR tenant = ?3)";

    /// Parameters of [`Scope::SQL`]: the session or nothing, the tenant or nothing.
    pub(super) fn parameters(&self) -> [Value<'_>; 2] {
        match self {
            Self::Session(id) => [Value::Text(id.as_ref()), Value::Null],
            Self::Tenant(name) => [Value::Null, Value::Text(name)],
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
    let [session, tenant] = scope.parameters();
    connection.query_one(
        &format!("SELECT {COLUMNS} FROM document WHERE id = ?1 AND {}", Scope::SQL),
        &[Value::Text(id.as_ref()), session, tenant],
        read,
    )
}

/// Finds a document for the engine.
pub(crate) fn load(connection: &Connection, id: &DocumentId) -> Result<Option<DocumentRow>, StoreError> {
    connection.query_one(&format!("SELECT {COLUMNS} FROM document WHERE id = ?1"), params![id], read)
}

fn read(row: &Row<'_>) -> Result<DocumentRow, StoreError> {
    Ok(DocumentRow {
        id: row.get(0)?,
        tenant: row.get(1)?,
        session_id: row.get(2)?,
        name: row.get(3)?,
        media_type: row.get(4)?,
        size_bytes: size("document.size_bytes", row.get(5)?)?,
        sha256: row.get(6)?,
        created_at: time("document.created_at", row.get(7)?)?,
    })
}
