//! The cloud services of the configuration.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::adapters::cloud::{Cloudhub, Gate, Psc};
use crate::config::{self, ProviderKind};
use crate::custody::CloudKeysSource;
use crate::failure::Failure;
use crate::hex;
use crate::ids::DocumentId;
use crate::lookup::LookupKey;
use crate::ports::CustodySource;
use crate::ports::cloud::CloudKeys;
use crate::sealing::SealingKey;
use crate::secret::Secret;
use crate::store::authorizations::AuthorizationRow;

/// Services by name, and the key under which their secrets are kept.
#[derive(Debug)]
pub(crate) struct CloudServices {
    services: BTreeMap<String, Service>,
    sealing: SealingKey,
}

#[derive(Debug)]
struct Service {
    keys: Arc<dyn CloudKeys>,
    gate: Arc<Gate>,
    tenants: Vec<String>,
}

impl CloudServices {
    /// # Errors
    /// `config_invalid`, `file_unreadable`.
    pub(crate) fn open(
        lacuna: &config::Lacuna,
        fetch: &config::Fetch,
        lookup: &LookupKey,
    ) -> Result<Self, Failure> {
        let mut services = BTreeMap::new();
        for one in &lacuna.services {
            let gate = Gate::new(one, fetch)?;
            let keys: Arc<dyn CloudKeys> = match one.kind {
                ProviderKind::Cloudhub => Arc::new(Cloudhub::new(one, Arc::clone(&gate))?),
                ProviderKind::Psc => Arc::new(Psc::new(one, Arc::clone(&gate))?),
            };
            services.insert(one.name.clone(), Service { keys, gate, tenants: one.tenants.clone() });
        }
        Ok(Self { services, sealing: lookup.sealing_key("cloud authorizations") })
    }

    /// A service that this tenant may use.
    pub(crate) fn find(&self, name: &str, tenant: &str) -> Option<&Arc<dyn CloudKeys>> {
        let service = self.services.get(name)?;
        let is_open = service.tenants.is_empty() || service.tenants.iter().any(|one| one == tenant);
        is_open.then_some(&service.keys)
    }

    /// Where the check of custody asks.
    pub(crate) fn sources(&self) -> impl Iterator<Item = Arc<dyn CustodySource>> {
        self.services.iter().map(|(name, one)| {
            let source = CloudKeysSource::new(name.clone(), one.tenants.clone(), Arc::clone(&one.keys));
            Arc::new(source) as Arc<dyn CustodySource>
        })
    }

    /// How each service does, by name.
    pub(crate) fn gates(&self) -> impl Iterator<Item = (&str, &Arc<Gate>)> {
        self.services.iter().map(|(name, one)| (name.as_str(), &one.gate))
    }

    /// Encrypts the secret of a permission for its row, its person and its documents alone.
    pub(crate) fn seal(&self, row: &AuthorizationRow, documents: &[DocumentId], secret: &Secret) -> Vec<u8> {
        self.sealing.seal(secret.expose().as_bytes(), &purpose(row, documents))
    }

    /// Reads what [`Self::seal`] wrote.
    pub(crate) fn open_secret(&self, row: &AuthorizationRow, documents: &[DocumentId]) -> Option<Secret> {
        let text = self.sealing.open(row.sealed.as_ref()?, &purpose(row, documents))?;
        String::from_utf8(text).ok().map(Secret::new)
    }
}

/// Documents in the order of the database.
fn purpose(row: &AuthorizationRow, documents: &[DocumentId]) -> Vec<u8> {
    let signer = hex::encode(row.signer_hash.0);
    let fixed = [row.id.as_ref(), row.tenant.as_str(), row.session_id.as_ref(), &signer, &row.service];
    let parts: Vec<_> = fixed.into_iter().chain(documents.iter().map(AsRef::as_ref)).collect();
    serde_json::to_vec(&parts).expect("texts are JSON")
}
