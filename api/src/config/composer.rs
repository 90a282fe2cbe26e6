//! `[composer]` and the programs and services that it names.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::secret::Secret;

/// Who makes signatures around the values of our keys.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Composer {
    pub(crate) default: ComposerChoice,
    pub(crate) tenants: BTreeMap<String, ComposerChoice>,
    pub(crate) retry_ms: u64,
    pub(crate) patience_seconds: u64,
}

/// A name in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ComposerChoice {
    /// Our own code.
    Own,
    /// PKI Express of Lacuna.
    PkiExpress,
}

impl Composer {
    /// Who makes the signatures of this tenant.
    pub(crate) fn of(&self, tenant: &str) -> ComposerChoice {
        self.tenants.get(tenant).copied().unwrap_or(self.default)
    }

    /// Whether anybody's signatures are made by this one.
    pub(crate) fn names(&self, choice: ComposerChoice) -> bool {
        self.default == choice || self.tenants.values().any(|of_tenant| *of_tenant == choice)
    }

    pub(crate) const fn retry(&self) -> Duration {
        Duration::from_millis(self.retry_ms)
    }

    pub(crate) const fn patience(&self) -> Duration {
        Duration::from_secs(self.patience_seconds)
    }
}

/// PKI Express of Lacuna.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PkiExpress {
    pub(crate) program: PathBuf,
    pub(crate) processes: usize,
    pub(crate) timeout_ms: u64,
    pub(crate) folder: PathBuf,
    pub(crate) transfer_bytes: u64,
    pub(crate) offline: bool,
    pub(crate) trust_roots: Vec<PathBuf>,
    pub(crate) proxy_password_file: PathBuf,
    pub(crate) environment: BTreeMap<String, String>,
}

impl PkiExpress {
    pub(crate) const fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }

    /// The password of its proxy; `None` when it needs none.
    pub(crate) fn proxy_password(&self) -> Result<Option<Secret>, Failure> {
        if self.proxy_password_file.as_os_str().is_empty() {
            return Ok(None);
        }
        Secret::from_file(&self.proxy_password_file).map(Some)
    }
}
