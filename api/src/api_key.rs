//! Making API keys: the same for the API and the command line.

use rubrica_core::Timestamp;
use rubrica_core::event::{self, EventData};
use rubrica_core::wire::{ApiKey, CreateApiKey};

use crate::hex;
use crate::ids::ApiKeyId;
use crate::objects::sha256;
use crate::permission::Permission;
use crate::random;
use crate::secret::Secret;
use crate::store::api_keys::ApiKeyRow;
use crate::store::{self, Connection, StoreError, outbox};

/// Every key that we make begins with this, so that scanners of source code recognise one that was left there.
pub(crate) const SECRET_PREFIX: &str = "rbk_";

/// Digits of a key that are shown later, to tell keys apart: 32 bits of 256.
const SHOWN_DIGITS: usize = 8;
const LONGEST_NAME: usize = 100;

/// A key that was made, with its only copy.
#[derive(Debug)]
pub(crate) struct NewApiKey {
    pub(crate) row: ApiKeyRow,
    pub(crate) secret: Secret,
    pub(crate) sha256: [u8; 32],
}

/// What is wrong with a request for a key: the member and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    /// JSON Pointer.
    pub(crate) member: String,
    pub(crate) why: String,
}

/// Makes a key of 256 random bits.
///
/// # Errors
/// A name, a scope or an end that cannot be.
pub(crate) fn make(
    request: &CreateApiKey,
    tenant: &str,
    created_by: String,
    now: Timestamp,
) -> Result<NewApiKey, Refused> {
    let refused = |member: &str, why: String| Refused { member: member.to_owned(), why };
    let name = request.name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(refused("/name", format!("1 to {LONGEST_NAME} characters")));
    }
    let mut scopes = Vec::new();
    for (index, text) in request.scopes.iter().enumerate() {
        let member = format!("/scopes/{index}");
        let scope: Permission = text.parse().map_err(|_| {
            let all: Vec<_> = Permission::ALL.iter().map(|scope| scope.as_str()).collect();
            refused(&member, format!("one of {}", all.join(", ")))
        })?;
        if scopes.contains(&scope) {
            return Err(refused(&member, "each scope once".to_owned()));
        }
        scopes.push(scope);
    }
    if scopes.is_empty() {
        return Err(refused("/scopes", "at least one scope".to_owned()));
    }
    if request.expires_at.is_some_and(|end| end <= now) {
        return Err(refused("/expires_at", "a time to come".to_owned()));
    }
    let secret = format!("{SECRET_PREFIX}{}", hex::encode(random::bytes::<32>()));
    let row = ApiKeyRow {
        id: ApiKeyId::generate(),
        tenant: tenant.to_owned(),
        name: name.to_owned(),
        prefix: secret[..SECRET_PREFIX.len() + SHOWN_DIGITS].to_owned(),
        scopes,
        created_by,
        created_at: now,
        expires_at: request.expires_at,
        last_used_at: None,
        revoked_at: None,
    };
    Ok(NewApiKey { row, sha256: sha256(secret.as_bytes()), secret: Secret::new(secret) })
}

/// Keeps a new key and tells of it.
pub(crate) fn keep(connection: &Connection, row: &ApiKeyRow, sha256: &[u8; 32]) -> Result<(), StoreError> {
    store::api_keys::insert(connection, row, sha256)?;
    let data = EventData::ApiKeyCreated(event::ApiKeyCreated {
        api_key_id: row.id.to_string(),
        scopes: row.scopes.iter().map(ToString::to_string).collect(),
        expires_at: row.expires_at,
    });
    outbox::emit(connection, &[outbox::event(Some(&row.tenant), row.created_at, data)])?;
    Ok(())
}

/// Ends a key for good and tells of it; one that had ended before keeps its time. `None` when the tenant has no such key.
pub(crate) fn revoke(
    connection: &Connection,
    id: &ApiKeyId,
    tenant: &str,
    now: Timestamp,
) -> Result<Option<ApiKeyRow>, StoreError> {
    let Some(row) = store::api_keys::revoke(connection, id, tenant, now)? else {
        return store::api_keys::find(connection, id, tenant);
    };
    let data = EventData::ApiKeyRevoked(event::ApiKeyRevoked { api_key_id: row.id.to_string() });
    outbox::emit(connection, &[outbox::event(Some(tenant), now, data)])?;
    Ok(Some(row))
}

impl ApiKeyRow {
    /// As the API shows it; the secret only to whoever made it.
    pub(crate) fn to_wire(&self, secret: Option<&Secret>) -> ApiKey {
        ApiKey {
            id: self.id.to_string(),
            name: self.name.clone(),
            prefix: self.prefix.clone(),
            scopes: self.scopes.iter().map(ToString::to_string).collect(),
            secret: secret.map(|secret| secret.expose().to_owned()),
            created_at: self.created_at,
            expires_at: self.expires_at,
            last_used_at: self.last_used_at,
            revoked_at: self.revoked_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(name: &str, scopes: &[&str], expires_at: Option<u64>) -> CreateApiKey {
        CreateApiKey {
            name: name.to_owned(),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            expires_at: expires_at.map(|ms| Timestamp::from_unix_ms(ms).unwrap()),
        }
    }

    fn made(request: &CreateApiKey) -> Result<NewApiKey, String> {
        let now = Timestamp::from_unix_ms(1000).unwrap();
        make(request, "north", "command-line".to_owned(), now).map_err(|refused| refused.member)
    }

    #[test]
    fn a_key_is_random_and_only_its_beginning_is_kept() {
        let [a, b] = [0; 2].map(|_| made(&request(" TEST ", &["orders:read"], Some(1001))).unwrap());
        assert_ne!(a.secret.expose(), b.secret.expose());
        assert_eq!(a.secret.expose().len(), 4 + 64);
        assert_eq!(a.sha256, sha256(a.secret.expose().as_bytes()));
        assert_eq!((a.row.name.as_str(), a.row.prefix.len()), ("TEST", 12));
        assert!(a.secret.expose().starts_with(&a.row.prefix));
        assert!(!format!("{a:?}").contains(a.secret.expose()));
    }

    #[test]
    fn what_cannot_be_is_named() {
        for (request, member) in [
            (request(" ", &["orders:read"], None), "/name"),
            (request("a\nb", &["orders:read"], None), "/name"),
            (request(&"x".repeat(101), &["orders:read"], None), "/name"),
            (request("x", &[], None), "/scopes"),
            (request("x", &["orders:read", "all"], None), "/scopes/1"),
            (request("x", &["orders:read", "orders:read"], None), "/scopes/1"),
            (request("x", &["orders:read"], Some(1000)), "/expires_at"),
        ] {
            assert_eq!(made(&request).unwrap_err(), member);
        }
    }
}
