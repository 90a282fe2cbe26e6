//! The end of keys, certificates and API keys: what ends when, and what was announced of it.

use rubrica_core::Timestamp;
use rubrica_core::event::EventData;
use rubrica_core::validity::{self, Step};
use rubrica_core::wire::{Custody, WatchedKind};

use super::row::{from_text, time, to_text, unix_ms};
use super::{Connection, Row, StoreError, outbox, params};
use crate::hex;
use crate::ids::{ApiKeyId, KeyId};
use crate::lookup::SignerHash;

/// One end of one thing. What is renewed has another end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ending {
    pub(crate) kind: WatchedKind,
    /// `None`: of the whole instance.
    pub(crate) tenant: Option<String>,
    /// Which one, by kind.
    pub(crate) subject: String,
    pub(crate) not_after: Timestamp,
}

/// Remembers that a step was announced and tells it, unless this one or a later one was announced before; whether it was
/// news. Whoever commits first announces, however many try.
pub(crate) fn announce(
    connection: &Connection,
    ending: &Ending,
    step: Step,
    data: EventData,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let changed = connection.execute(
        "INSERT INTO validity_step (kind, tenant, subject, not_after, days_before, announced_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (kind, tenant, subject, not_after)
             DO UPDATE SET days_before = excluded.days_before, announced_at = excluded.announced_at
             WHERE validity_step.days_before > excluded.days_before",
        params![
            ending.kind.as_str(),
            ending.tenant.as_deref().unwrap_or_default(),
            ending.subject,
            unix_ms(ending.not_after),
            i64::from(step.days()),
            unix_ms(now),
        ],
    )?;
    if changed > 0 {
        outbox::emit(connection, &[outbox::event(ending.tenant.as_deref(), now, data)])?;
    }
    Ok(changed > 0)
}

/// The last step that was announced for an end.
pub(crate) fn announced(connection: &Connection, ending: &Ending) -> Result<Option<Step>, StoreError> {
    let days = connection.query_one(
        "SELECT days_before FROM validity_step WHERE kind = ?1 AND tenant = ?2 AND subject = ?3 AND not_after = ?4",
        params![
            ending.kind.as_str(),
            ending.tenant.as_deref().unwrap_or_default(),
            ending.subject,
            unix_ms(ending.not_after)
        ],
        |row| row.get::<i64>(0),
    )?;
    days.map(|days| {
        let step = u32::try_from(days).ok().and_then(Step::from_days);
        step.ok_or(StoreError::Damaged { column: "validity_step.days_before" })
    })
    .transpose()
}

/// Forgets what was announced of ends so long ago that nothing is announced of them any more.
pub(crate) fn forget(connection: &Connection, now: Timestamp) -> Result<u64, StoreError> {
    let long_ago = unix_ms(now) - 2 * i64::try_from(validity::LATEST.as_millis()).unwrap_or(i64::MAX / 4);
    connection.execute("DELETE FROM validity_step WHERE not_after < ?1", params![long_ago])
}

/// A key in our custody.
#[derive(Debug, Clone)]
pub(crate) struct EndingKey {
    pub(crate) id: KeyId,
    pub(crate) tenant: String,
    pub(crate) signer_hash: SignerHash,
    pub(crate) not_after: Timestamp,
    pub(crate) is_active: bool,
    /// Whether its signer has another active key that lasts longer.
    pub(crate) renewed: bool,
}

/// A number: 1 when there is another active key of the same signer, of which the certificate ends later.
pub(super) const RENEWED: &str = "CAST(CASE WHEN EXISTS (SELECT 1 FROM signing_key other \
     WHERE other.signer_hash = signing_key.signer_hash AND other.state = 'active' \
           AND other.not_after > signing_key.not_after AND other.tenant = signing_key.tenant) THEN 1 ELSE 0 END AS BIGINT)";

/// Keys whose certificate ends between two times and that are not retired, behind `after`, in the order of their identifiers.
pub(crate) fn keys(
    connection: &Connection,
    from: Timestamp,
    to: Timestamp,
    after: Option<&KeyId>,
    most: i64,
) -> Result<Vec<EndingKey>, StoreError> {
    connection.query(
        &format!(
            "SELECT id, tenant, signer_hash, not_after, state, {RENEWED} FROM signing_key
             WHERE state <> 'retired' AND not_after BETWEEN ?1 AND ?2 AND (CAST(?3 AS TEXT) IS NULL OR id > ?3)
             ORDER BY id LIMIT ?4"
        ),
        params![unix_ms(from), unix_ms(to), after, most],
        |row| {
            Ok(EndingKey {
                id: row.get(0)?,
                tenant: row.get(1)?,
                signer_hash: SignerHash(row.get(2)?),
                not_after: time("signing_key.not_after", row.get(3)?)?,
                is_active: row.get::<String>(4)? == "active",
                renewed: flag(row, 5)?,
            })
        },
    )
}

pub(super) fn flag(row: &Row<'_>, index: usize) -> Result<bool, StoreError> {
    Ok(row.get::<i64>(index)? != 0)
}

/// An API key of the database.
#[derive(Debug, Clone)]
pub(crate) struct EndingApiKey {
    pub(crate) id: ApiKeyId,
    pub(crate) tenant: String,
    pub(crate) name: String,
    pub(crate) expires_at: Timestamp,
}

/// API keys that expire between two times and are not revoked, the soonest first.
pub(crate) fn api_keys(
    connection: &Connection,
    from: Timestamp,
    to: Timestamp,
    tenant: Option<&str>,
    most: i64,
) -> Result<Vec<EndingApiKey>, StoreError> {
    connection.query(
        "SELECT id, tenant, name, expires_at FROM api_key
         WHERE revoked_at IS NULL AND expires_at IS NOT NULL AND expires_at BETWEEN ?1 AND ?2
               AND (CAST(?3 AS TEXT) IS NULL OR tenant = ?3)
         ORDER BY expires_at, id LIMIT ?4",
        params![unix_ms(from), unix_ms(to), tenant, most],
        |row| {
            Ok(EndingApiKey {
                id: row.get(0)?,
                tenant: row.get(1)?,
                name: row.get(2)?,
                expires_at: time("api_key.expires_at", row.get(3)?)?,
            })
        },
    )
}

/// A certificate that is not ours to keep, as it was last seen.
#[derive(Debug, Clone)]
pub(crate) struct SeenCertificate {
    pub(crate) kind: WatchedKind,
    /// `None`: of the whole instance.
    pub(crate) tenant: Option<String>,
    pub(crate) subject: String,
    /// Where the private key is, of a signer.
    pub(crate) custody: Option<Custody>,
    /// DER.
    pub(crate) certificate: Vec<u8>,
    pub(crate) not_after: Timestamp,
}

/// Remembers a certificate; the one that was seen before under the same name, and with its key in the same place, is forgotten.
pub(crate) fn saw(connection: &Connection, seen: &SeenCertificate, now: Timestamp) -> Result<(), StoreError> {
    connection.execute(
        "INSERT INTO seen_certificate (kind, tenant, subject, custody, certificate, not_after, seen_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (kind, tenant, subject, custody) DO UPDATE SET certificate = excluded.certificate,
             not_after = excluded.not_after, seen_at = excluded.seen_at",
        params![
            seen.kind.as_str(),
            seen.tenant.as_deref().unwrap_or_default(),
            seen.subject,
            custody_text(seen.custody),
            seen.certificate,
            unix_ms(seen.not_after),
            unix_ms(now),
        ],
    )?;
    Ok(())
}

fn custody_text(custody: Option<Custody>) -> String {
    custody.map(|custody| to_text(&custody)).unwrap_or_default()
}

/// The certificate that somebody signs with, whose key is elsewhere.
pub(super) fn saw_signer(
    connection: &Connection,
    tenant: &str,
    signer: &SignerHash,
    custody: Custody,
    der: &[u8],
    now: Timestamp,
) -> Result<(), StoreError> {
    let Ok(certificate) = rubrica_core::x509::Certificate::from_der(der) else { return Ok(()) };
    let seen = SeenCertificate {
        kind: WatchedKind::Signer,
        tenant: Some(tenant.to_owned()),
        subject: hex::encode(signer.0),
        custody: Some(custody),
        certificate: der.to_vec(),
        not_after: certificate.not_after(),
    };
    saw(connection, &seen, now)
}

/// A certificate of the time-stamping authority that was not seen for this long is not in use any more.
const TSA_IN_USE_MS: i64 = 30 * 86_400_000;

/// Certificates that end between two times, the soonest first, behind `after`: with a tenant, those of the tenant and of the
/// instance.
pub(crate) fn seen(
    connection: &Connection,
    from: Timestamp,
    to: Timestamp,
    tenant: Option<&str>,
    after: Option<&SeenCertificate>,
    most: i64,
) -> Result<Vec<SeenCertificate>, StoreError> {
    connection.query(
        "SELECT kind, tenant, subject, custody, certificate, not_after FROM seen_certificate
         WHERE not_after BETWEEN ?1 AND ?2 AND (CAST(?3 AS TEXT) IS NULL OR tenant = '' OR tenant = ?3)
               AND (CAST(?4 AS BIGINT) IS NULL OR (not_after, kind, tenant, subject, custody) > (?4, ?5, ?6, ?7, ?8))
               AND (kind <> 'tsa' OR seen_at > ?1 - ?9)
         ORDER BY not_after, kind, tenant, subject, custody LIMIT ?10",
        params![
            unix_ms(from),
            unix_ms(to),
            tenant,
            after.map(|after| unix_ms(after.not_after)),
            after.map(|after| after.kind.as_str()),
            after.map(|after| after.tenant.as_deref().unwrap_or_default()),
            after.map(|after| after.subject.as_str()),
            after.map(|after| custody_text(after.custody)),
            TSA_IN_USE_MS,
            most
        ],
        |row| {
            let custody = Some(row.get::<String>(3)?).filter(|custody| !custody.is_empty());
            Ok(SeenCertificate {
                kind: from_text("seen_certificate.kind", row.get(0)?)?,
                tenant: Some(row.get::<String>(1)?).filter(|tenant| !tenant.is_empty()),
                subject: row.get(2)?,
                custody: custody.map(|custody| from_text("seen_certificate.custody", custody)).transpose()?,
                certificate: row.get(4)?,
                not_after: time("seen_certificate.not_after", row.get(5)?)?,
            })
        },
    )
}

/// Forgets the TLS endpoints that nobody names any more.
pub(crate) fn keep_endpoints(connection: &Connection, endpoints: &[String]) -> Result<u64, StoreError> {
    let endpoints: Vec<&str> = endpoints.iter().map(String::as_str).collect();
    connection.execute(
        "DELETE FROM seen_certificate WHERE kind = 'tls' AND subject NOT IN (EACH_TEXT(?1))",
        params![endpoints],
    )
}

#[cfg(test)]
mod tests;
