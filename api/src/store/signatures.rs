//! Signatures and their states. Every change names the state it starts from and happens only there.

mod told;

use rubrica_core::event::Event;
use rubrica_core::wire::{
    Custody, PdfOptions, SignatureFormat, SignatureLevel, SignaturePolicy, SignatureProblem, SignatureState,
};
use rubrica_core::{ErrorCode, Timestamp};

use super::documents::Scope;
use super::orders::{self, InOrder, Revision};
use super::row::{from_text, signed, size, time, to_text, unix_ms};
use super::{Connection, Row, StoreError, Value, keys, outbox, params, validity};
use crate::hex;
use crate::ids::{AuthorizationId, DocumentId, KeyId, OrderId, SessionId, SignatureId};
use crate::lookup::SignerHash;
use crate::objects::sha256;

pub(crate) use told::{Facts, Release};

/// A signature's row.
#[derive(Debug, Clone)]
pub(crate) struct SignatureRow {
    pub(crate) id: SignatureId,
    pub(crate) tenant: String,
    pub(crate) session_id: SessionId,
    pub(crate) document_id: DocumentId,
    /// Digest of what is signed: of the document or, in an order, of the revision that the signature is made over.
    pub(crate) document_sha256: [u8; 32],
    pub(crate) in_order: Option<InOrder>,
    /// Who signs, unless the certificate names nobody.
    pub(crate) signer_hash: Option<SignerHash>,
    pub(crate) custody: Custody,
    pub(crate) format: SignatureFormat,
    pub(crate) level: SignatureLevel,
    pub(crate) policy: SignaturePolicy,
    pub(crate) state: SignatureState,
    /// The key that signs, for `hsm`.
    pub(crate) key_id: Option<KeyId>,
    /// The permission to use the key, for `lacuna`.
    pub(crate) authorization_id: Option<AuthorizationId>,
    /// Certificate of the signer, DER, pinned at creation.
    pub(crate) certificate: Vec<u8>,
    /// What was asked for beside level and policy, JSON.
    pub(crate) options: Option<String>,
    /// The pinned data to be signed, from `prepared` on.
    pub(crate) plan: Option<Vec<u8>>,
    /// The time that the signature claims, pinned with the plan. Written once, not read back.
    pub(crate) signed_at: Option<Timestamp>,
    /// What the key made, above level b, until the artefact is released and after.
    pub(crate) value: Option<Vec<u8>>,
    /// SHA-256 of the value that completed it, for `local`.
    pub(crate) completion_sha256: Option<[u8; 32]>,
    pub(crate) artefact: Option<ArtefactRow>,
    pub(crate) problem: Option<SignatureProblem>,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

impl SignatureRow {
    /// What its events say of it.
    pub(crate) const fn facts(&self) -> Facts<'_> {
        Facts {
            tenant: self.tenant.as_str(),
            id: &self.id,
            batch_id: None,
            in_order: self.in_order.as_ref(),
            document_id: Some(&self.document_id),
            document_sha256: &self.document_sha256,
            custody: self.custody,
            format: self.format,
            level: self.level,
            policy: self.policy,
            key_id: self.key_id.as_ref(),
            signer_hash: self.signer_hash.as_ref(),
        }
    }

    /// How the signature stands in a PDF.
    pub(crate) fn pdf_options(&self) -> Result<PdfOptions, StoreError> {
        match &self.options {
            None => Ok(PdfOptions::default()),
            Some(json) => {
                serde_json::from_str(json).map_err(|_| StoreError::Damaged { column: "signature.options" })
            }
        }
    }
}

/// What was released.
#[derive(Debug, Clone)]
pub(crate) struct ArtefactRow {
    pub(crate) name: String,
    pub(crate) media_type: String,
    /// Length of the whole artefact.
    pub(crate) size_bytes: u64,
    /// Digest of the whole artefact.
    pub(crate) sha256: [u8; 32],
    /// Object with the bytes that follow the document (PAdES), or with all of them (CAdES).
    pub(crate) tail: [u8; 32],
    pub(crate) released_at: Timestamp,
}

const COLUMNS: &str = "id, tenant, session_id, document_id, document_sha256, signer_hash, custody, format, level, policy, state, key_id, \
    certificate, options, plan, value, completion_sha256, artefact_name, artefact_media_type, artefact_size_bytes, \
    artefact_sha256, artefact_tail, released_at, problem_code, problem_detail, created_at, expires_at, \
    order_id, participant_id, base_revision, base_parts, base_size_bytes, authorization_id";

/// Keeps a new signature, `accepted` or, when it is prepared at once, `prepared`.
pub(crate) fn insert(connection: &Connection, signature: &SignatureRow) -> Result<(), StoreError> {
    let in_order = signature.in_order.as_ref();
    connection.execute(
        "INSERT INTO signature (id, tenant, session_id, document_id, document_sha256, custody, format, level, policy, state,
                                key_id, certificate, plan, created_at, expires_at, options, order_id, participant_id,
                                base_revision, base_parts, base_size_bytes, signer_hash, signed_at,
                                authorization_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24)",
        params![
            signature.id,
            signature.tenant,
            signature.session_id,
            signature.document_id,
            signature.document_sha256,
            to_text(&signature.custody),
            to_text(&signature.format),
            to_text(&signature.level),
            to_text(&signature.policy),
            signature.state.as_str(),
            signature.key_id,
            signature.certificate,
            signature.plan,
            unix_ms(signature.created_at),
            unix_ms(signature.expires_at),
            signature.options,
            in_order.map(|order| &order.order_id),
            in_order.map(|order| &order.participant_id),
            in_order.map(|order| order.base.number),
            in_order.map(|order| order.base.parts.concat()),
            in_order.map(|order| signed(order.base.size_bytes)),
            signature.signer_hash.map(|hash| hash.0),
            signature.signed_at.map(unix_ms),
            signature.authorization_id,
        ],
    )?;
    if let Some(signer) = signature.signer_hash.filter(|_| signature.custody != Custody::Hsm) {
        let (custody, now) = (signature.custody, signature.created_at);
        validity::saw_signer(connection, &signature.tenant, &signer, custody, &signature.certificate, now)?;
    }
    let facts = signature.facts();
    let told = if signature.state == SignatureState::first(Custody::Local) {
        facts.prepared(signature.created_at)
    } else {
        facts.accepted(signature.created_at)
    };
    tell(connection, told)
}

/// Finds a signature that `scope` may see.
pub(crate) fn find(
    connection: &Connection,
    id: &SignatureId,
    scope: &Scope,
) -> Result<Option<SignatureRow>, StoreError> {
    let [session, tenant, order, participant] = scope.parameters();
    connection.query_one(
        &format!(
            "SELECT {COLUMNS} FROM signature WHERE id = ?1 AND batch_id IS NULL AND {}",
            Scope::OF_SIGNATURES
        ),
        &[Value::Text(id.as_ref()), session, tenant, order, participant],
        read,
    )
}

/// Finds a signature for the engine.
pub(crate) fn load(connection: &Connection, id: &SignatureId) -> Result<Option<SignatureRow>, StoreError> {
    connection.query_one(
        &format!("SELECT {COLUMNS} FROM signature WHERE id = ?1 AND batch_id IS NULL"),
        params![id],
        read,
    )
}

/// `accepted → prepared`: pins the data to be signed.
pub(crate) fn pin(
    connection: &Connection,
    row: &SignatureRow,
    plan: &[u8],
    signed_at: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    let changed = connection.execute(
        "UPDATE signature SET state = 'prepared', plan = ?2, signed_at = ?3 WHERE id = ?1 AND state = 'accepted'",
        params![row.id, plan, unix_ms(signed_at)],
    )?;
    exactly_one(changed, SignatureState::Accepted)?;
    tell(connection, row.facts().prepared(now))
}

/// `prepared → signing`: the intent. Only after its commit may the key be used.
pub(crate) fn intend(connection: &Connection, row: &SignatureRow, now: Timestamp) -> Result<(), StoreError> {
    if let Some(key_id) = &row.key_id {
        keys::hold_active(connection, key_id)?;
    }
    let changed = connection.execute(
        "UPDATE signature SET state = 'signing' WHERE id = ?1 AND state = 'prepared'",
        params![row.id],
    )?;
    exactly_one(changed, SignatureState::Prepared)?;
    tell(connection, row.facts().signing(now))
}

/// Keeps what a key of the token or of a cloud service made, so that it is not used again while the signature goes on.
pub(crate) fn keep_value(connection: &Connection, id: &SignatureId, value: &[u8]) -> Result<(), StoreError> {
    let changed = connection.execute(
        "UPDATE signature SET value = ?2 WHERE id = ?1 AND custody <> 'local' AND state = 'signing' AND value IS NULL",
        params![id, value],
    )?;
    exactly_one(changed, SignatureState::Signing)
}

/// `prepared → signing` for `local` above level b: keeps the value that completes it. In an order it takes the document, whose
/// next revision it will make.
pub(crate) fn complete(
    connection: &Connection,
    row: &SignatureRow,
    value: &[u8],
    value_sha256: [u8; 32],
    now: Timestamp,
) -> Result<(), StoreError> {
    orders::lock_of(connection, &row.id)?;
    let changed = connection.execute(
        "UPDATE signature SET state = 'signing', value = ?2, completion_sha256 = ?3
         WHERE id = ?1 AND custody = 'local' AND state = 'prepared'",
        params![row.id, value, value_sha256],
    )?;
    exactly_one(changed, SignatureState::Prepared)?;
    orders::hold(connection, &row.id)?;
    tell(connection, row.facts().signing(now))
}

/// `signing → released`; also `prepared → released` for `local` at level b, whose completing value is remembered. Moves the
/// order of the signature. Gives other signatures that this ended.
pub(crate) fn release(
    connection: &Connection,
    row: &SignatureRow,
    from: SignatureState,
    artefact: &ArtefactRow,
    completion_sha256: Option<[u8; 32]>,
) -> Result<Vec<SignatureId>, StoreError> {
    orders::lock_of(connection, &row.id)?;
    let signed_at: Option<i64> =
        connection
            .query_one("SELECT signed_at FROM signature WHERE id = ?1", params![row.id], |row| row.get(0))?;
    let told = row.facts().released(
        artefact.released_at,
        &Release {
            artefact_sha256: &artefact.sha256,
            size_bytes: artefact.size_bytes,
            certificate_sha256: &hex::encode(sha256(&row.certificate)),
            signed_at: time("signature.signed_at", signed_at.unwrap_or_default())?,
        },
    );
    let release_position = outbox::emit(connection, &[told])?;
    let changed = connection.execute(
        "UPDATE signature SET state = 'released', artefact_name = ?3, artefact_media_type = ?4,
                artefact_size_bytes = ?5, artefact_sha256 = ?6, artefact_tail = ?7, released_at = ?8,
                completion_sha256 = coalesce(?9, completion_sha256), release_position = ?10
         WHERE id = ?1 AND state = ?2",
        params![
            row.id,
            from.as_str(),
            artefact.name,
            artefact.media_type,
            signed(artefact.size_bytes),
            artefact.sha256,
            artefact.tail,
            unix_ms(artefact.released_at),
            completion_sha256,
            release_position,
        ],
    )?;
    exactly_one(changed, from)?;
    orders::signature_moved(connection, &row.id, artefact.released_at)?.emit(connection)
}

/// Ends a signature without artefact. Moves the order of the signature. Gives other signatures that this ended.
pub(crate) fn fail(
    connection: &Connection,
    id: &SignatureId,
    from: SignatureState,
    problem: &SignatureProblem,
    now: Timestamp,
) -> Result<Vec<SignatureId>, StoreError> {
    orders::lock_of(connection, id)?;
    let row = load(connection, id)?.ok_or(StoreError::StateConflict { expected: from })?;
    let changed = connection.execute(
        "UPDATE signature SET state = 'failed', problem_code = ?3, problem_detail = ?4
         WHERE id = ?1 AND state = ?2 AND state IN ('accepted', 'prepared', 'signing')",
        params![id, from.as_str(), problem.code.as_str(), problem.detail],
    )?;
    exactly_one(changed, from)?;
    tell(connection, row.facts().failed(now, problem))?;
    orders::signature_moved(connection, id, now)?.emit(connection)
}

/// Whether [`expire`] would change anything.
pub(crate) fn any_due(connection: &Connection, now: Timestamp) -> Result<bool, StoreError> {
    connection.exists(
        "SELECT 1 FROM signature WHERE custody = 'local' AND state = 'prepared' AND expires_at <= ?1 LIMIT 1",
        params![unix_ms(now)],
    )
}

/// `prepared → expired` for the `local` signatures whose time is over, up to `most`. Gives them.
pub(crate) fn expire(
    connection: &Connection,
    now: Timestamp,
    most: i64,
) -> Result<Vec<SignatureRow>, StoreError> {
    let expired = connection.query(
        &format!(
            "UPDATE signature SET state = 'expired', problem_code = ?2, problem_detail = ?3
             WHERE id IN (SELECT id FROM signature
                          WHERE custody = 'local' AND state = 'prepared' AND expires_at <= ?1
                          LIMIT ?4 FOR UPDATE SKIP LOCKED)
             RETURNING {COLUMNS}"
        ),
        params![
            unix_ms(now),
            ErrorCode::SignatureExpired.as_str(),
            "nobody completed it in time; create a new signature",
            most,
        ],
        read,
    )?;
    for row in &expired {
        tell(connection, row.facts().expired(now))?;
    }
    Ok(expired)
}

fn tell(connection: &Connection, event: Event) -> Result<(), StoreError> {
    outbox::emit(connection, &[event]).map(drop)
}

fn exactly_one(changed: u64, expected: SignatureState) -> Result<(), StoreError> {
    if changed == 1 { Ok(()) } else { Err(StoreError::StateConflict { expected }) }
}

fn read(row: &Row<'_>) -> Result<SignatureRow, StoreError> {
    let problem_code: Option<String> = row.get(23)?;
    let problem = match problem_code {
        None => None,
        Some(code) => Some(SignatureProblem {
            code: code.parse().map_err(|_| StoreError::Damaged { column: "signature.problem_code" })?,
            detail: row.get::<Option<String>>(24)?.unwrap_or_default(),
        }),
    };
    let artefact = match row.get::<Option<[u8; 32]>>(20)? {
        None => None,
        Some(sha256) => Some(ArtefactRow {
            name: row.get(17)?,
            media_type: row.get(18)?,
            size_bytes: size("signature.artefact_size_bytes", row.get(19)?)?,
            sha256,
            tail: row.get(21)?,
            released_at: time("signature.released_at", row.get(22)?)?,
        }),
    };
    let document_sha256 = row.get(4)?;
    let in_order = match row.get::<Option<OrderId>>(27)? {
        None => None,
        Some(order_id) => Some(InOrder {
            order_id,
            participant_id: row.get(28)?,
            base: Revision {
                number: row.get(29)?,
                parts: orders::parts("signature.base_parts", &row.get::<Vec<u8>>(30)?)?,
                size_bytes: size("signature.base_size_bytes", row.get(31)?)?,
                sha256: document_sha256,
            },
        }),
    };
    Ok(SignatureRow {
        id: row.get(0)?,
        tenant: row.get(1)?,
        session_id: row.get(2)?,
        document_id: row.get(3)?,
        document_sha256,
        in_order,
        signer_hash: row.get::<Option<[u8; 32]>>(5)?.map(SignerHash),
        custody: from_text("signature.custody", row.get(6)?)?,
        format: from_text("signature.format", row.get(7)?)?,
        level: from_text("signature.level", row.get(8)?)?,
        policy: from_text("signature.policy", row.get(9)?)?,
        state: from_text("signature.state", row.get(10)?)?,
        key_id: row.get(11)?,
        authorization_id: row.get(32)?,
        certificate: row.get(12)?,
        options: row.get(13)?,
        plan: row.get(14)?,
        signed_at: None,
        value: row.get(15)?,
        completion_sha256: row.get(16)?,
        artefact,
        problem,
        created_at: time("signature.created_at", row.get(25)?)?,
        expires_at: time("signature.expires_at", row.get(26)?)?,
    })
}
