//! Receipts: the leaf of a release, and where it is in the tree.

use std::collections::HashMap;

use super::documents::Scope;
use super::row::size;
use super::{Connection, StoreError, Value, params};
use crate::ids::SignatureId;

/// What there is of the receipt of a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Leaf {
    /// The signature is not released.
    NotReleased,
    /// It was released before there were receipts.
    Never,
    /// The relay has not seen its release yet.
    Waiting,
    /// The leaf.
    There {
        /// Its text.
        record: String,
        /// Its place in the tree.
        index: u64,
    },
}

/// Finds the leaf of a signature; `None` when there is no such signature for this caller.
pub(crate) fn leaf(
    connection: &Connection,
    id: &SignatureId,
    scope: &Scope,
) -> Result<Option<Leaf>, StoreError> {
    let [session, tenant, order, participant] = scope.parameters();
    let sql = format!(
        "SELECT state, release_position, first_leaf, records
         FROM (SELECT state, release_position FROM signature WHERE id = ?1 AND {}) AS one
         LEFT JOIN event ON event.position = one.release_position",
        Scope::OF_SIGNATURES
    );
    connection.query_one(&sql, &[Value::Text(id.as_ref()), session, tenant, order, participant], |row| {
        if row.get::<String>(0)? != "released" {
            return Ok(Leaf::NotReleased);
        }
        if row.get::<Option<i64>>(1)?.is_none() {
            return Ok(Leaf::Never);
        }
        let Some(first_leaf) = row.get::<Option<i64>>(2)? else { return Ok(Leaf::Waiting) };
        let damaged = StoreError::Damaged { column: "event.records" };
        let records: String = row.get::<Option<String>>(3)?.ok_or(damaged)?;
        let found = (size("event.first_leaf", first_leaf)?..)
            .zip(records.split('\n'))
            .find(|(_, record)| is_of(record, id.as_ref()));
        let (index, record) = found.ok_or(StoreError::Damaged { column: "event.records" })?;
        Ok(Leaf::There { record: record.to_owned(), index })
    })
}

fn is_of(record: &str, signature: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Named<'a> {
        signature_id: &'a str,
    }
    serde_json::from_str::<Named<'_>>(record).is_ok_and(|named| named.signature_id == signature)
}

/// What a released signature itself says of its release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReleasedRow {
    /// In the outbox.
    pub(crate) position: Option<i64>,
    pub(crate) artefact_sha256: Option<[u8; 32]>,
}

/// Signatures among these that are still there.
pub(crate) fn released(
    connection: &Connection,
    ids: &[String],
) -> Result<HashMap<String, ReleasedRow>, StoreError> {
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let found = connection.query(
        "SELECT id, release_position, artefact_sha256 FROM signature WHERE id IN (EACH_TEXT(?1))",
        params![ids],
        |row| {
            let (position, artefact_sha256) = (row.get(1)?, row.get(2)?);
            Ok((row.get::<String>(0)?, ReleasedRow { position, artefact_sha256 }))
        },
    )?;
    Ok(found.into_iter().collect())
}

/// Some signatures whose release is neither in the log nor on its way there.
pub(crate) fn released_without_event(connection: &Connection, most: i64) -> Result<Vec<String>, StoreError> {
    connection.query(
        "SELECT id FROM signature WHERE release_position IS NOT NULL
             AND NOT EXISTS (SELECT 1 FROM outbox WHERE position = release_position)
             AND NOT EXISTS (SELECT 1 FROM event WHERE event.position = release_position)
         ORDER BY id LIMIT ?1",
        params![most],
        |row| row.get(0),
    )
}
