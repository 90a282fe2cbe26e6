//! `[custody]`: where keys are looked for, what may be offered, on which ground keys are kept; per tenant where it differs.

use std::collections::BTreeMap;
use std::time::Duration;

use rubrica_core::custody::{Basis, Rules, SOURCES};
use rubrica_core::icp_brasil::Cnpj;
use rubrica_core::wire::{Custody as Place, CustodyOffer};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The rules of every tenant that has none of its own.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Custody {
    pub(crate) basis: Basis,
    pub(crate) own_companies: Vec<String>,
    pub(crate) offers: Vec<CustodyOffer>,
    #[serde(deserialize_with = "offer_or_none", serialize_with = "offer_or_empty")]
    pub(crate) preselected: Option<CustodyOffer>,
    pub(crate) sources: Vec<Place>,
    pub(crate) hsm_timeout_ms: u64,
    pub(crate) lacuna_timeout_ms: u64,
    pub(crate) cache_seconds: u64,
    pub(crate) tenants: BTreeMap<String, CustodyOfTenant>,
}

/// What is different for one tenant.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct CustodyOfTenant {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) basis: Option<Basis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) own_companies: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) offers: Option<Vec<CustodyOffer>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) preselected: Option<CustodyOffer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sources: Option<Vec<Place>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hsm_timeout_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lacuna_timeout_ms: Option<u64>,
}

impl Custody {
    /// The rules of a tenant's check.
    pub(crate) fn rules(&self, tenant: &str) -> Rules {
        let of_tenant = self.tenants.get(tenant).cloned().unwrap_or_default();
        let sources = of_tenant.sources.as_ref().unwrap_or(&self.sources);
        let limit = |source, limit_ms: u64| sources.contains(&source).then_some(limit_ms);
        Rules {
            basis: of_tenant.basis.unwrap_or(self.basis),
            offers: of_tenant.offers.unwrap_or_else(|| self.offers.clone()),
            preselected: of_tenant.preselected.or(self.preselected),
            hsm_limit_ms: limit(Place::Hsm, of_tenant.hsm_timeout_ms.unwrap_or(self.hsm_timeout_ms)),
            lacuna_limit_ms: limit(
                Place::Lacuna,
                of_tenant.lacuna_timeout_ms.unwrap_or(self.lacuna_timeout_ms),
            ),
        }
    }

    /// CNPJ of the tenant's own companies.
    pub(crate) fn own_companies(&self, tenant: &str) -> &[String] {
        let of_tenant = self.tenants.get(tenant).and_then(|tenant| tenant.own_companies.as_deref());
        of_tenant.unwrap_or(&self.own_companies)
    }

    /// How long an answer of others is believed.
    pub(crate) const fn cache(&self) -> Duration {
        Duration::from_secs(self.cache_seconds)
    }

    /// The first rule that is broken, as a sentence.
    pub(super) fn fault(&self) -> Option<String> {
        let tenants = self.tenants.iter().map(|(name, of_tenant)| {
            let whole = Self {
                own_companies: of_tenant.own_companies.clone().unwrap_or_default(),
                tenants: BTreeMap::new(),
                sources: of_tenant.sources.clone().unwrap_or_else(|| self.sources.clone()),
                offers: of_tenant.offers.clone().unwrap_or_else(|| self.offers.clone()),
                preselected: of_tenant.preselected.or(self.preselected),
                hsm_timeout_ms: of_tenant.hsm_timeout_ms.unwrap_or(self.hsm_timeout_ms),
                lacuna_timeout_ms: of_tenant.lacuna_timeout_ms.unwrap_or(self.lacuna_timeout_ms),
                ..*self
            };
            (format!("custody.tenants.{name}"), whole)
        });
        [("custody".to_owned(), self.clone())].into_iter().chain(tenants).find_map(|(path, one)| {
            let times = 10..=60_000;
            let rules = [
                (
                    one.own_companies.iter().all(|cnpj| cnpj.parse::<Cnpj>().is_ok()),
                    "own_companies are CNPJ with right check digits, without punctuation",
                ),
                (one.sources.iter().all(|source| SOURCES.contains(source)), "sources are `hsm` and `lacuna`"),
                (
                    one.preselected.is_none_or(|offer| one.offers.contains(&offer)),
                    "preselected must be one of offers",
                ),
                (times.contains(&one.hsm_timeout_ms), "hsm_timeout_ms must be 10 to 60000"),
                (times.contains(&one.lacuna_timeout_ms), "lacuna_timeout_ms must be 10 to 60000"),
                (one.cache_seconds <= 600, "cache_seconds must be at most 600"),
            ];
            rules.iter().find(|(holds, _)| !holds).map(|(_, rule)| format!("{path}: {rule}"))
        })
    }
}

/// An environment variable cannot leave a value out, so nothing is an empty text.
fn offer_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<CustodyOffer>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() {
        return Ok(None);
    }
    CustodyOffer::deserialize(serde::de::value::StringDeserializer::new(text)).map(Some)
}

fn offer_or_empty<S: Serializer>(offer: &Option<CustodyOffer>, serializer: S) -> Result<S::Ok, S::Error> {
    match offer {
        Some(offer) => offer.serialize(serializer),
        None => serializer.serialize_str(""),
    }
}
