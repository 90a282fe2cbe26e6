//! `[lacuna]`: cloud services that keep keys of people.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Cloud services behind custody `lacuna`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lacuna {
    pub(crate) services: Vec<CloudService>,
}

/// One of them. What its kind does not use stays empty.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CloudService {
    pub(crate) name: String,
    pub(crate) kind: ProviderKind,
    pub(crate) url: String,
    #[serde(default)]
    pub(crate) tenants: Vec<String>,
    #[serde(default = "ten_seconds")]
    pub(crate) timeout_ms: u64,
    #[serde(default = "four_calls")]
    pub(crate) calls_at_once: usize,
    #[serde(default)]
    pub(crate) calls_per_second: u32,
    /// Its name at Cloudhub.
    #[serde(default)]
    pub(crate) service: String,
    #[serde(default)]
    pub(crate) api_key_file: PathBuf,
    #[serde(default)]
    pub(crate) client_id: String,
    #[serde(default)]
    pub(crate) client_secret_file: PathBuf,
    #[serde(default = "norm_path")]
    pub(crate) base_path: String,
    #[serde(default)]
    pub(crate) hash_encoding: HashEncoding,
    #[serde(default)]
    pub(crate) token_body: TokenBody,
    #[serde(default)]
    pub(crate) push_path: String,
}

/// How a cloud service is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ProviderKind {
    /// Cloudhub 2 of Lacuna.
    Cloudhub,
    /// The interface of DOC-ICP-17.01.
    Psc,
}

/// How a provider reads a hash.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HashEncoding {
    /// As the norm says.
    #[default]
    Base64,
    Hex,
}

/// How a provider reads the exchange of a code.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TokenBody {
    /// As the norm says.
    #[default]
    Form,
    Json,
}

impl Lacuna {
    /// The first rule that is broken, as a sentence.
    pub(super) fn fault(&self) -> Option<String> {
        self.services.iter().enumerate().find_map(|(position, one)| {
            let is_new = self.services[..position].iter().all(|other| other.name != one.name);
            let is_set = |file: &PathBuf| !file.as_os_str().is_empty();
            let of_kind = match one.kind {
                ProviderKind::Cloudhub => (
                    !one.service.is_empty() && is_set(&one.api_key_file),
                    "cloudhub needs service and api_key_file",
                ),
                ProviderKind::Psc => (
                    !one.client_id.is_empty() && is_set(&one.client_secret_file),
                    "psc needs client_id and client_secret_file",
                ),
            };
            let rules = [
                (!one.name.is_empty() && is_new, "each has a name of its own"),
                ((1..=64).contains(&one.calls_at_once), "calls_at_once must be 1 to 64"),
                (one.calls_per_second <= 1000, "calls_per_second must be at most 1000"),
                ((100..=120_000).contains(&one.timeout_ms), "timeout_ms must be 100 to 120000"),
                (one.base_path.starts_with('/'), "base_path begins with /"),
                (one.push_path.is_empty() || one.push_path.starts_with('/'), "push_path begins with /"),
                of_kind,
            ];
            let broken = rules.iter().find(|(holds, _)| !holds);
            broken.map(|(_, rule)| format!("lacuna.services, {:?}: {rule}", one.name))
        })
    }
}

const fn ten_seconds() -> u64 {
    10_000
}

const fn four_calls() -> usize {
    4
}

fn norm_path() -> String {
    "/v0/oauth".to_owned()
}
