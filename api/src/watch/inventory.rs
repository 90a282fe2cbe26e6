//! What ends when, beside the keys in our custody: certificates that were seen, those of the configuration, API keys.

use std::path::Path;

use rubrica_core::Timestamp;
use rubrica_core::validity;
use rubrica_core::wire::{Custody, Expiring, WatchedKind};
use rubrica_core::x509::Certificate;

use crate::app::KnownClient;
use crate::config::Config;
use crate::failure::Failure;
use crate::store::validity::{Ending, SeenCertificate};
use crate::store::{self, Store, StoreError};
use crate::trust::{Trust, read_certificates};

/// Something that ends.
#[derive(Debug, Clone)]
pub(crate) struct Watched {
    pub(crate) ending: Ending,
    /// For people: that of an authority or of an API key, the masked CPF or CNPJ of a person.
    pub(crate) name: String,
    /// Where the private key is, of a signer.
    pub(crate) custody: Option<Custody>,
    /// Of a signer, for their address.
    pub(crate) certificate: Option<Certificate>,
}

impl Watched {
    /// As the API shows it.
    pub(crate) fn to_wire(&self, now: Timestamp) -> Expiring {
        Expiring {
            kind: self.ending.kind,
            subject: self.ending.subject.clone(),
            name: self.name.clone(),
            custody: self.custody,
            not_after: self.ending.not_after,
            days_left: validity::days_left(self.ending.not_after, now),
        }
    }
}

/// Where it is read from.
#[derive(Debug)]
pub(crate) struct Inventory {
    /// Of the configuration: they change only with a start.
    configured: Vec<Watched>,
}

impl Inventory {
    /// Reads what the configuration names.
    ///
    /// # Errors
    /// `config_invalid`, `file_unreadable`.
    pub(crate) fn new(config: &Config, trust: &Trust, clients: &[KnownClient]) -> Result<Self, Failure> {
        let mut configured: Vec<_> = trust
            .intermediates()
            .iter()
            .map(|certificate| authority(WatchedKind::Intermediate, certificate))
            .chain(trust.anchors().certificates().iter().map(|root| authority(WatchedKind::Anchor, root)))
            .collect();
        configured.extend(clients.iter().filter_map(api_key));
        let file: &Path = &config.tsa.client_certificate;
        if !file.as_os_str().is_empty() {
            let certificates = read_certificates(&[file.to_owned()])?;
            configured.extend(certificates.first().map(|certificate| Watched {
                ending: Ending {
                    kind: WatchedKind::Tls,
                    tenant: None,
                    subject: "tsa.client_certificate".to_owned(),
                    not_after: certificate.not_after(),
                },
                name: certificate.subject_common_name(),
                custody: None,
                certificate: None,
            }));
        }
        Ok(Self { configured })
    }

    /// What ends between two times, the soonest first: with a tenant, what is the tenant's or the instance's. Of each source no
    /// more than `most`.
    pub(crate) async fn ending(
        &self,
        store: &Store,
        from: Timestamp,
        to: Timestamp,
        tenant: Option<&str>,
        most: i64,
    ) -> Result<Vec<Watched>, StoreError> {
        let mut found = self.kept(store, from, to, tenant, most).await?;
        let of = tenant.map(ToOwned::to_owned);
        let read =
            move |connection: &_| store::validity::seen(connection, from, to, of.as_deref(), None, most);
        found.extend(store.read(read).await?.into_iter().map(seen_certificate));
        found.sort_by_cached_key(|one| (one.ending.not_after, one.ending.kind, one.ending.subject.clone()));
        Ok(found)
    }

    /// Of that, what is configured and the API keys of the database.
    pub(super) async fn kept(
        &self,
        store: &Store,
        from: Timestamp,
        to: Timestamp,
        tenant: Option<&str>,
        most: i64,
    ) -> Result<Vec<Watched>, StoreError> {
        let is_asked_for = |watched: &&Watched| {
            let owner = watched.ending.tenant.as_deref();
            (from..=to).contains(&watched.ending.not_after)
                && (tenant.is_none() || owner.is_none() || owner == tenant)
        };
        let mut found: Vec<_> = self.configured.iter().filter(is_asked_for).cloned().collect();
        let of = tenant.map(ToOwned::to_owned);
        let read = move |connection: &_| store::validity::api_keys(connection, from, to, of.as_deref(), most);
        found.extend(store.read(read).await?.into_iter().map(|key| Watched {
            ending: Ending {
                kind: WatchedKind::ApiKey,
                tenant: Some(key.tenant),
                subject: key.id.to_string(),
                not_after: key.expires_at,
            },
            name: key.name,
            custody: None,
            certificate: None,
        }));
        Ok(found)
    }
}

fn authority(kind: WatchedKind, certificate: &Certificate) -> Watched {
    let (subject, not_after) = (certificate.sha256().to_hex(), certificate.not_after());
    Watched {
        ending: Ending { kind, tenant: None, subject, not_after },
        name: certificate.subject_common_name(),
        custody: None,
        certificate: None,
    }
}

fn api_key(client: &KnownClient) -> Option<Watched> {
    let not_after = client.expires_at?;
    let (tenant, subject) = (Some(client.tenant.clone()), client.name.clone());
    let ending = Ending { kind: WatchedKind::ApiKey, tenant, subject, not_after };
    Some(Watched { ending, name: client.name.clone(), custody: None, certificate: None })
}

/// A certificate as it was last seen.
pub(super) fn seen_certificate(row: SeenCertificate) -> Watched {
    let certificate = Certificate::from_der(&row.certificate).ok();
    let name = match (row.kind, &certificate) {
        (WatchedKind::Signer, Some(certificate)) => masked_holder(certificate),
        (_, Some(certificate)) => certificate.subject_common_name(),
        (_, None) => String::new(),
    };
    Watched {
        certificate: certificate.filter(|_| row.kind == WatchedKind::Signer),
        ending: Ending { kind: row.kind, tenant: row.tenant, subject: row.subject, not_after: row.not_after },
        name,
        custody: row.custody,
    }
}

/// Masked CPF or CNPJ of the holder; empty when the certificate names none.
pub(super) fn masked_holder(certificate: &Certificate) -> String {
    certificate.view().holder.identifier_masked.unwrap_or_default()
}
