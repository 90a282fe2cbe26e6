//! Permissions at cloud services. Every change names the state it starts from and happens only there.

use rubrica_core::event::{AuthorizationFailed, AuthorizationMoved, Event, EventData};
use rubrica_core::wire::{AuthorizationScope, AuthorizationState, Custody};
use rubrica_core::{ErrorCode, Timestamp};

use super::row::{from_text, time, to_text, unix_ms};
use super::{Connection, Row, StoreError, outbox, params, validity};
use crate::hex;
use crate::ids::{AuthorizationId, DocumentId, EventId, SessionId, SignatureId};
use crate::lookup::SignerHash;

/// A permission's row.
#[derive(Debug, Clone)]
pub(crate) struct AuthorizationRow {
    pub(crate) id: AuthorizationId,
    pub(crate) tenant: String,
    pub(crate) session_id: SessionId,
    pub(crate) signer_hash: SignerHash,
    pub(crate) service: String,
    pub(crate) scope: AuthorizationScope,
    pub(crate) state: AuthorizationState,
    pub(crate) state_sha256: [u8; 32],
    /// The secret of the service, encrypted for this row.
    pub(crate) sealed: Option<Vec<u8>>,
    pub(crate) certificate: Option<Vec<u8>>,
    /// Calls for a signature that may have reached the key.
    pub(crate) uses: i64,
    /// The signature of the last of them.
    pub(crate) signature_id: Option<SignatureId>,
    pub(crate) problem: Option<ErrorCode>,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

const COLUMNS: &str = "id, tenant, session_id, signer_hash, service, scope, state, state_sha256, sealed, certificate, uses, \
    problem_code, created_at, expires_at, signature_id";

/// Keeps a request with the documents that it is for.
pub(crate) fn insert(
    connection: &Connection,
    row: &AuthorizationRow,
    documents: &[DocumentId],
) -> Result<(), StoreError> {
    connection.execute(
        "INSERT INTO cloud_authorization (id, tenant, session_id, signer_hash, service, scope, state, state_sha256, sealed,
                                          created_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        params![
            row.id,
            row.tenant,
            row.session_id,
            row.signer_hash.0,
            row.service,
            to_text(&row.scope),
            row.state.as_str(),
            row.state_sha256,
            row.sealed,
            unix_ms(row.created_at),
            unix_ms(row.expires_at),
        ],
    )?;
    for document in documents {
        connection.execute(
            "INSERT INTO cloud_authorization_document (authorization_id, document_id) VALUES (?1, ?2)",
            params![row.id, document],
        )?;
    }
    tell(connection, row, EventData::AuthorizationRequested(moved(row)), row.created_at)
}

/// A permission of this session.
pub(crate) fn find(
    connection: &Connection,
    id: &AuthorizationId,
    session: &SessionId,
) -> Result<Option<AuthorizationRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM cloud_authorization WHERE id = ?1 AND session_id = ?2");
    connection.query_one(&sql, params![id, session], read)
}

/// A permission, for the engine.
pub(crate) fn load(
    connection: &Connection,
    id: &AuthorizationId,
) -> Result<Option<AuthorizationRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM cloud_authorization WHERE id = ?1");
    connection.query_one(&sql, params![id], read)
}

/// The documents that a permission is for, sorted.
pub(crate) fn documents(
    connection: &Connection,
    id: &AuthorizationId,
) -> Result<Vec<DocumentId>, StoreError> {
    let mut documents = connection.query(
        "SELECT document_id FROM cloud_authorization_document WHERE authorization_id = ?1",
        params![id],
        |row| row.get(0),
    )?;
    documents.sort();
    Ok(documents)
}

/// `requested → granted`. `false` when another call was faster.
pub(crate) fn grant(
    connection: &Connection,
    row: &AuthorizationRow,
    sealed: &[u8],
    certificate: &[u8],
    expires_at: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let changed = connection.execute(
        "UPDATE cloud_authorization SET state = 'granted', sealed = ?2, certificate = ?3, expires_at = ?4
         WHERE id = ?1 AND state = 'requested'",
        params![row.id, sealed, certificate, unix_ms(expires_at)],
    )?;
    if changed == 1 {
        validity::saw_signer(connection, &row.tenant, &row.signer_hash, Custody::Lacuna, certificate, now)?;
        tell(connection, row, EventData::AuthorizationGranted(moved(row)), now)?;
    }
    Ok(changed == 1)
}

/// `requested → failed`.
pub(crate) fn fail(
    connection: &Connection,
    row: &AuthorizationRow,
    code: ErrorCode,
    now: Timestamp,
) -> Result<(), StoreError> {
    let changed = connection.execute(
        "UPDATE cloud_authorization SET state = 'failed', sealed = NULL, problem_code = ?2
         WHERE id = ?1 AND state = 'requested'",
        params![row.id, code.as_str()],
    )?;
    if changed == 1 {
        let AuthorizationMoved { authorization_id, service, signer } = moved(row);
        let failed = AuthorizationFailed { authorization_id, service, signer, code };
        tell(connection, row, EventData::AuthorizationFailed(failed), now)?;
    }
    Ok(())
}

/// Counts a call for a signature. Only after its commit may the service be called; `false` when it may not.
pub(crate) fn begin_use(
    connection: &Connection,
    id: &AuthorizationId,
    signature: &SignatureId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let changed = connection.execute(
        "UPDATE cloud_authorization SET uses = uses + 1, signature_id = ?2
         WHERE id = ?1 AND state = 'granted' AND expires_at > ?3 AND (scope = 'session' OR uses = 0)",
        params![id, signature, unix_ms(now)],
    )?;
    Ok(changed == 1)
}

/// Takes a counted call back: the service certainly did not act.
pub(crate) fn undo_use(connection: &Connection, id: &AuthorizationId) -> Result<(), StoreError> {
    let sql = "UPDATE cloud_authorization SET uses = uses - 1 WHERE id = ?1 AND uses > 0";
    connection.execute(sql, params![id]).map(drop)
}

/// `granted → used` for a permission for one use, whose secret is dropped. One for a session goes on.
pub(crate) fn use_up(
    connection: &Connection,
    row: &AuthorizationRow,
    now: Timestamp,
) -> Result<(), StoreError> {
    let changed = connection.execute(
        "UPDATE cloud_authorization SET state = 'used', sealed = NULL WHERE id = ?1 AND state = 'granted' AND scope = 'one'",
        params![row.id],
    )?;
    if changed == 1 {
        tell(connection, row, EventData::AuthorizationUsed(moved(row)), now)?;
    }
    Ok(())
}

/// Whether [`expire`] would change anything.
pub(crate) fn any_due(connection: &Connection, now: Timestamp) -> Result<bool, StoreError> {
    connection.exists(
        "SELECT 1 FROM cloud_authorization WHERE sealed IS NOT NULL AND expires_at <= ?1 LIMIT 1",
        params![unix_ms(now)],
    )
}

/// Ends requests and permissions whose time is over; their secrets are dropped.
pub(crate) fn expire(connection: &Connection, now: Timestamp) -> Result<(), StoreError> {
    let ended = connection.query(
        &format!(
            "UPDATE cloud_authorization SET state = 'expired', sealed = NULL
             WHERE sealed IS NOT NULL AND expires_at <= ?1 RETURNING {COLUMNS}"
        ),
        params![unix_ms(now)],
        read,
    )?;
    for row in &ended {
        tell(connection, row, EventData::AuthorizationExpired(moved(row)), now)?;
    }
    Ok(())
}

fn moved(row: &AuthorizationRow) -> AuthorizationMoved {
    AuthorizationMoved {
        authorization_id: row.id.to_string(),
        service: row.service.clone(),
        signer: hex::encode(row.signer_hash.0),
    }
}

fn tell(
    connection: &Connection,
    row: &AuthorizationRow,
    data: EventData,
    time: Timestamp,
) -> Result<(), StoreError> {
    let tenant = Some(row.tenant.clone());
    outbox::emit(connection, &[Event { id: EventId::generate().to_string(), time, tenant, data }]).map(drop)
}

fn read(row: &Row<'_>) -> Result<AuthorizationRow, StoreError> {
    let problem: Option<String> = row.get(11)?;
    let problem = problem.map(|code| code.parse()).transpose();
    Ok(AuthorizationRow {
        id: row.get(0)?,
        tenant: row.get(1)?,
        session_id: row.get(2)?,
        signer_hash: SignerHash(row.get(3)?),
        service: row.get(4)?,
        scope: from_text("cloud_authorization.scope", row.get(5)?)?,
        state: from_text("cloud_authorization.state", row.get(6)?)?,
        state_sha256: row.get(7)?,
        sealed: row.get(8)?,
        certificate: row.get(9)?,
        uses: row.get(10)?,
        problem: problem.map_err(|_| StoreError::Damaged { column: "cloud_authorization.problem_code" })?,
        created_at: time("cloud_authorization.created_at", row.get(12)?)?,
        expires_at: time("cloud_authorization.expires_at", row.get(13)?)?,
        signature_id: row.get(14)?,
    })
}
