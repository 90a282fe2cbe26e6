//! API keys of a tenant's backends. Only the hash of a key is kept.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use rubrica_core::Timestamp;

use super::row::{time, unix_ms};
use super::{Connection, Row, Store, StoreError, params};
use crate::ids::ApiKeyId;
use crate::permission::Permission;

/// A key's row.
#[derive(Debug, Clone)]
pub(crate) struct ApiKeyRow {
    pub(crate) id: ApiKeyId,
    pub(crate) tenant: String,
    pub(crate) name: String,
    pub(crate) prefix: String,
    pub(crate) scopes: Vec<Permission>,
    /// The credential that made it, for the operator.
    pub(crate) created_by: String,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) last_used_at: Option<Timestamp>,
    pub(crate) revoked_at: Option<Timestamp>,
}

impl ApiKeyRow {
    /// Whether it opens anything at this time.
    pub(crate) fn is_good(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

/// How long a key is believed without asking the database: the longest time that one revoked at another instance still
/// works at this one.
const BELIEVED: Duration = Duration::from_secs(5);
/// Keys kept in memory at most; then all are forgotten and read again as they come.
const MOST_KNOWN: usize = 10_000;
/// How exact `last_used_at` is.
const USE_NOTED_EVERY: Duration = Duration::from_hours(1);

/// A key and when it was read.
#[derive(Debug, Clone)]
struct Known {
    read: Instant,
    row: Arc<ApiKeyRow>,
}

/// Keys by hash, as they were read a moment ago.
#[derive(Debug, Default)]
pub(crate) struct KnownApiKeys {
    known: RwLock<HashMap<[u8; 32], Known>>,
    /// Counts revocations: what was read before one is not remembered after it.
    revocations: AtomicU64,
}

impl KnownApiKeys {
    /// The key of a hash, good or not.
    pub(crate) async fn find(
        &self,
        store: &Store,
        key_sha256: [u8; 32],
        now: Timestamp,
    ) -> Result<Option<Arc<ApiKeyRow>>, StoreError> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner).get(&key_sha256).cloned();
        if let Some(known) = known
            && known.read.elapsed() < BELIEVED
        {
            return Ok(Some(known.row));
        }
        let revocations = self.revocations.load(Ordering::SeqCst);
        let read = Instant::now();
        let found = store.read(move |connection| find_by_hash(connection, &key_sha256)).await?;
        let Some(row) = found.map(Arc::new) else { return Ok(None) };
        if row.is_good(now) {
            note_use(store, &row, now);
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if self.revocations.load(Ordering::SeqCst) == revocations {
            if known.len() >= MOST_KNOWN {
                known.clear();
            }
            known.insert(key_sha256, Known { read, row: Arc::clone(&row) });
        }
        Ok(Some(row))
    }

    /// Forgets every key: one was revoked. To be called when the revocation is in the database.
    pub(crate) fn forget(&self) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        self.revocations.fetch_add(1, Ordering::SeqCst);
        known.clear();
    }
}

/// Notes that a key is in use. Nobody waits for it: when it fails, the next use notes it.
fn note_use(store: &Store, row: &ApiKeyRow, now: Timestamp) {
    if row.last_used_at.is_some_and(|last| now < last.plus(USE_NOTED_EVERY)) {
        return;
    }
    let (store, id) = (store.clone(), row.id.clone());
    tokio::spawn(async move {
        let noted = store
            .write(move |connection| {
                let at = unix_ms(now);
                connection.execute("UPDATE api_key SET last_used_at = ?2 WHERE id = ?1", params![id, at])
            })
            .await;
        if let Err(error) = noted {
            tracing::warn!(%error, "the use of an API key was not noted");
        }
    });
}

const COLUMNS: &str =
    "id, tenant, name, prefix, scopes, created_by, created_at, expires_at, last_used_at, revoked_at";

/// Keeps a new key.
pub(crate) fn insert(
    connection: &Connection,
    key: &ApiKeyRow,
    key_sha256: &[u8; 32],
) -> Result<(), StoreError> {
    let scopes: Vec<_> = key.scopes.iter().map(|scope| scope.as_str()).collect();
    connection.execute(
        "INSERT INTO api_key (id, tenant, name, prefix, key_sha256, scopes, created_by, created_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            key.id,
            key.tenant,
            key.name,
            key.prefix,
            key_sha256,
            scopes.join(" "),
            key.created_by,
            unix_ms(key.created_at),
            key.expires_at.map(unix_ms),
        ],
    )?;
    Ok(())
}

/// One key of a tenant.
pub(crate) fn find(
    connection: &Connection,
    id: &ApiKeyId,
    tenant: &str,
) -> Result<Option<ApiKeyRow>, StoreError> {
    connection.query_one(
        &format!("SELECT {COLUMNS} FROM api_key WHERE id = ?1 AND tenant = ?2"),
        params![id, tenant],
        read,
    )
}

/// Keys of a tenant, the latest first, behind `after` when it is given.
pub(crate) fn list(
    connection: &Connection,
    tenant: &str,
    after: Option<&ApiKeyId>,
    limit: i64,
) -> Result<Vec<ApiKeyRow>, StoreError> {
    connection.query(
        &format!(
            "SELECT {COLUMNS} FROM api_key
             WHERE tenant = ?1 AND (CAST(?2 AS TEXT) IS NULL
                   OR (created_at, id) < (SELECT created_at, id FROM api_key WHERE id = ?2 AND tenant = ?1))
             ORDER BY created_at DESC, id DESC LIMIT ?3"
        ),
        params![tenant, after, limit],
        read,
    )
}

/// Ends a key for good; `None` when the tenant has no such key, or it had ended before.
pub(crate) fn revoke(
    connection: &Connection,
    id: &ApiKeyId,
    tenant: &str,
    now: Timestamp,
) -> Result<Option<ApiKeyRow>, StoreError> {
    connection.query_one(
        &format!(
            "UPDATE api_key SET revoked_at = ?3 WHERE id = ?1 AND tenant = ?2 AND revoked_at IS NULL
             RETURNING {COLUMNS}"
        ),
        params![id, tenant, unix_ms(now)],
        read,
    )
}

fn find_by_hash(connection: &Connection, key_sha256: &[u8; 32]) -> Result<Option<ApiKeyRow>, StoreError> {
    connection.query_one(
        &format!("SELECT {COLUMNS} FROM api_key WHERE key_sha256 = ?1"),
        params![key_sha256],
        read,
    )
}

fn read(row: &Row<'_>) -> Result<ApiKeyRow, StoreError> {
    let optional = |column, value: Option<i64>| value.map(|at| time(column, at)).transpose();
    let scopes: String = row.get(4)?;
    Ok(ApiKeyRow {
        id: row.get(0)?,
        tenant: row.get(1)?,
        name: row.get(2)?,
        prefix: row.get(3)?,
        // A scope that this version does not know allows nothing here.
        scopes: scopes.split(' ').filter_map(|scope| scope.parse().ok()).collect(),
        created_by: row.get(5)?,
        created_at: time("api_key.created_at", row.get(6)?)?,
        expires_at: optional("api_key.expires_at", row.get(7)?)?,
        last_used_at: optional("api_key.last_used_at", row.get(8)?)?,
        revoked_at: optional("api_key.revoked_at", row.get(9)?)?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::contract;
    use super::*;

    fn key(tenant: &str, at_ms: u64) -> ApiKeyRow {
        ApiKeyRow {
            id: ApiKeyId::generate(),
            tenant: tenant.to_owned(),
            name: "TEST".to_owned(),
            prefix: "rbk_00112233".to_owned(),
            scopes: vec![Permission::OrdersRead, Permission::EventsRead],
            created_by: "command-line".to_owned(),
            created_at: Timestamp::from_unix_ms(at_ms).unwrap(),
            expires_at: Some(Timestamp::from_unix_ms(at_ms + 1000).unwrap()),
            last_used_at: None,
            revoked_at: None,
        }
    }

    #[tokio::test]
    async fn keys_are_listed_page_by_page_and_only_to_their_tenant() {
        for test in contract::both() {
            let keys: Vec<_> = [1, 2, 2, 3].map(|at| key("north", at)).into();
            let others = key("south", 2);
            let (rows, stranger) = (keys.clone(), others.clone());
            test.store
                .write(move |connection| {
                    for (index, row) in rows.iter().chain([&stranger]).enumerate() {
                        insert(connection, row, &[u8::try_from(index).unwrap(); 32])?;
                    }
                    Ok(())
                })
                .await
                .unwrap();
            let mut seen = Vec::new();
            let mut after = None;
            loop {
                let behind = after.clone();
                let page = test.store.read(move |c| list(c, "north", behind.as_ref(), 3)).await.unwrap();
                let Some(last) = page.last() else { break };
                after = Some(last.id.clone());
                seen.extend(page);
            }
            let mut expected = keys.clone();
            expected.sort_by(|a, b| (b.created_at, &b.id).cmp(&(a.created_at, &a.id)));
            let ids = |rows: &[ApiKeyRow]| rows.iter().map(|row| row.id.clone()).collect::<Vec<_>>();
            assert_eq!(ids(&seen), ids(&expected), "{}", test.name);
            assert_eq!(seen[0].scopes, [Permission::OrdersRead, Permission::EventsRead]);

            let (id, now) = (others.id.clone(), Timestamp::from_unix_ms(9).unwrap());
            let foreign = id.clone();
            assert!(test.store.write(move |c| revoke(c, &foreign, "north", now)).await.unwrap().is_none());
            let later = Timestamp::from_unix_ms(99).unwrap();
            for (at, changes) in [(now, true), (later, false)] {
                let revoked = id.clone();
                let row = test.store.write(move |c| revoke(c, &revoked, "south", at)).await.unwrap();
                assert_eq!(row.is_some(), changes, "{}", test.name);
            }
            let row = test.store.read(move |c| find(c, &id, "south")).await.unwrap().unwrap();
            assert_eq!(row.revoked_at, Some(now), "{}", test.name);
        }
    }

    #[tokio::test]
    async fn a_revoked_key_is_forgotten_at_once_and_a_use_is_noted_hourly() {
        for test in contract::both() {
            let (row, hash) = (key("north", 1), [7; 32]);
            let id = row.id.clone();
            test.store.write(move |c| insert(c, &row, &hash)).await.unwrap();
            let known = KnownApiKeys::default();
            let now = Timestamp::from_unix_ms(500).unwrap();
            let find = async || known.find(&test.store, hash, now).await.unwrap().unwrap();
            assert!(find().await.is_good(now));
            assert!(!find().await.is_good(Timestamp::from_unix_ms(1001).unwrap()));
            let revoked = id.clone();
            test.store.write(move |c| revoke(c, &revoked, "north", now)).await.unwrap();
            assert!(find().await.is_good(now), "believed for some seconds");
            known.forget();
            assert!(!find().await.is_good(now));
            assert!(known.find(&test.store, [8; 32], now).await.unwrap().is_none());
            // It is noted beside the request that used the key.
            let noted = async || {
                let id = id.clone();
                test.store.read(move |c| super::find(c, &id, "north")).await.unwrap().unwrap().last_used_at
            };
            let begun = Instant::now();
            while noted().await != Some(now) {
                assert!(begun.elapsed() < Duration::from_secs(10), "{}", test.name);
                tokio::task::yield_now().await;
            }
        }
    }
}
