//! The sections of the configuration; their meaning stands in `config.default.toml`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use rubrica_core::{ErrorCode, Timestamp};
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::permission::{Permission, Role};
use crate::relay::Schedule;
use crate::secret::Secret;
use crate::store::{DatabaseTls, PostgresSettings};

/// The HTTP listener.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Server {
    pub(crate) listen: SocketAddr,
    pub(crate) max_connections: usize,
    pub(crate) max_connections_per_address: usize,
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) forwarded_header: ForwardedHeader,
    pub(crate) first_byte_timeout_ms: u64,
    pub(crate) header_timeout_ms: u64,
    pub(crate) keep_alive_ms: u64,
    pub(crate) header_bytes: usize,
    pub(crate) header_count: usize,
    pub(crate) body_idle_timeout_ms: u64,
    pub(crate) body_grace_ms: u64,
    pub(crate) minimum_bytes_per_second: u32,
    pub(crate) write_timeout_ms: u64,
    pub(crate) shutdown_grace_ms: u64,
}

/// How proxies name the client they speak for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ForwardedHeader {
    /// The usual list of addresses.
    XForwardedFor,
    /// RFC 7239.
    Forwarded,
}

/// Sizes that protect memory and disk.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limits {
    pub(crate) document_bytes: u64,
    pub(crate) json_bytes: usize,
    pub(crate) memory_bytes: u64,
    pub(crate) queue_length: usize,
    pub(crate) queue_time_ms: u64,
    pub(crate) token_queue_time_ms: u64,
    pub(crate) requests_per_second: u32,
    pub(crate) request_burst: u32,
    pub(crate) concurrent_requests: u32,
    pub(crate) address_requests_per_second: u32,
    pub(crate) address_request_burst: u32,
}

/// Where the data live.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Data {
    pub(crate) folder: PathBuf,
}

/// The workers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Engine {
    pub(crate) lease_ms: u64,
}

/// The operational database.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Store {
    pub(crate) url: String,
    pub(crate) password_file: PathBuf,
    pub(crate) tls: DatabaseTls,
    pub(crate) roots: Vec<PathBuf>,
    pub(crate) connections: usize,
    pub(crate) timeout_ms: u64,
}

impl Store {
    /// The server to connect to; `None` for the file in the data folder.
    pub(crate) fn postgres(&self) -> Result<Option<PostgresSettings>, Failure> {
        if self.url.is_empty() {
            return Ok(None);
        }
        let password = match std::env::var("RUBRICA_STORE_PASSWORD") {
            Ok(password) => Some(Secret::new(password)),
            Err(_) if self.password_file.as_os_str().is_empty() => None,
            Err(_) => Some(Secret::from_file(&self.password_file)?),
        };
        let timeout = Duration::from_millis(self.timeout_ms);
        PostgresSettings::new(&self.url, password.as_ref(), self.tls, &self.roots, self.connections, timeout)
            .map(Some)
    }
}

/// Where large documents and artefacts lie.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Objects {
    pub(crate) kind: ObjectsKind,
    pub(crate) bucket: String,
    pub(crate) region: String,
    pub(crate) endpoint: String,
    pub(crate) prefix: String,
    pub(crate) access_key_id: String,
    pub(crate) secret_key_file: PathBuf,
    pub(crate) timeout_ms: u64,
}

/// The kinds of place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ObjectsKind {
    /// `objects` in the data folder.
    Folder,
    /// A bucket.
    S3,
}

impl Objects {
    /// The secret of [`Objects::access_key_id`]; `None` when credentials come from where this runs.
    pub(crate) fn secret_key(&self) -> Result<Option<Secret>, Failure> {
        if self.access_key_id.is_empty() {
            return Ok(None);
        }
        match std::env::var("RUBRICA_OBJECTS_SECRET_KEY") {
            Ok(secret) => Ok(Some(Secret::new(secret))),
            Err(_) => Secret::from_file(&self.secret_key_file).map(Some),
        }
    }
}

/// The PKCS#11 token.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Token {
    pub(crate) module: PathBuf,
    pub(crate) label: String,
    pub(crate) serial: String,
    pub(crate) pin_file: PathBuf,
    pub(crate) agents: usize,
    pub(crate) sessions: usize,
    pub(crate) call_timeout_ms: u64,
    pub(crate) canary_seconds: u64,
    pub(crate) canary_label: String,
    pub(crate) environment: BTreeMap<String, String>,
}

impl Token {
    /// Whether there is a custody `hsm` at all.
    pub(crate) fn is_configured(&self) -> bool {
        !self.label.is_empty()
    }

    pub(crate) const fn call_timeout(&self) -> Duration {
        Duration::from_millis(self.call_timeout_ms)
    }
}

/// Which certificates are trusted.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Trust {
    pub(crate) icp_brasil: bool,
    pub(crate) anchors: Vec<PathBuf>,
    pub(crate) intermediates: Vec<PathBuf>,
}

/// Session tokens.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sessions {
    pub(crate) default_seconds: u32,
}

/// Life of signatures.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Signatures {
    pub(crate) completion_seconds: u64,
    pub(crate) token_patience_ms: u64,
}

/// What is fetched from the network for a validation.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fetch {
    pub(crate) enabled: bool,
    pub(crate) allowed_hosts: Vec<String>,
    pub(crate) private_hosts: Vec<String>,
    pub(crate) mirrors: Vec<String>,
    pub(crate) timeout_ms: u64,
    pub(crate) crl_bytes: u64,
    pub(crate) cache_folder: PathBuf,
    pub(crate) cache_bytes: u64,
    pub(crate) memory_bytes: u64,
}

impl Fetch {
    pub(crate) const fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }
}

/// The public log of events and its tree of receipts.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Events {
    pub(crate) poll_ms: u64,
    pub(crate) seal_ms: u64,
}

/// Addresses of tenants that are told events.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Webhooks {
    pub(crate) private_hosts: Vec<String>,
    pub(crate) timeout_ms: u64,
    pub(crate) retries: Vec<String>,
    pub(crate) patience_seconds: u64,
    pub(crate) overlap_seconds: u64,
}

impl Webhooks {
    /// The pauses before further attempts.
    pub(crate) fn schedule(&self) -> Result<Schedule, Failure> {
        Schedule::parse(&self.retries).ok_or_else(|| {
            Failure::of(
                ErrorCode::ConfigInvalid,
                "webhooks.retries are pauses up to a week, such as \"5s\", \"30m\" or \"2h\"",
            )
        })
    }
}

/// The time-stamping authority.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tsa {
    pub(crate) url: String,
    pub(crate) policy: String,
    pub(crate) user: String,
    pub(crate) password_file: PathBuf,
    pub(crate) token_file: PathBuf,
    pub(crate) client_certificate: PathBuf,
    pub(crate) client_key_file: PathBuf,
    pub(crate) roots: Vec<PathBuf>,
    pub(crate) timeout_ms: u64,
    pub(crate) retry_ms: u64,
    pub(crate) patience_seconds: u64,
}

impl Tsa {
    /// Whether there are time stamps at all.
    pub(crate) fn is_configured(&self) -> bool {
        !self.url.is_empty()
    }

    pub(crate) const fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }

    pub(crate) const fn retry(&self) -> Duration {
        Duration::from_millis(self.retry_ms)
    }

    pub(crate) const fn patience(&self) -> Duration {
        Duration::from_secs(self.patience_seconds)
    }
}

/// The identity provider of the bank's people.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Oidc {
    pub(crate) issuer: String,
    pub(crate) audience: String,
    pub(crate) tenant: String,
    pub(crate) tenant_claim: String,
    pub(crate) roles_claim: String,
    pub(crate) leeway_seconds: u64,
    pub(crate) refresh_seconds: u64,
    pub(crate) retry_seconds: u64,
    pub(crate) timeout_ms: u64,
    pub(crate) roles: BTreeMap<String, Role>,
}

impl Oidc {
    /// Whether people call at all.
    pub(crate) fn is_configured(&self) -> bool {
        !self.issuer.is_empty()
    }

    pub(crate) const fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }
}

/// What is written to standard error.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Log {
    pub(crate) format: LogFormat,
    pub(crate) level: LogLevel,
}

/// Shape of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LogFormat {
    /// For people.
    Pretty,
    /// One JSON object a line.
    Json,
}

/// Least important lines that are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LogLevel {
    /// Failures that need an operator.
    Error,
    /// What may become one.
    Warn,
    /// One line per request and per signature.
    Info,
    /// Steps within them.
    Debug,
}

/// A backend and its API key.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Client {
    pub(crate) name: String,
    pub(crate) key_sha256: String,
    /// Its own name when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tenant: Option<String>,
    /// Everything when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) scopes: Option<Vec<Permission>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) expires_at: Option<Timestamp>,
}

impl Client {
    /// SHA-256 of the API key; `None` when the text is not 64 lower-case hexadecimal digits.
    pub(crate) fn key_hash(&self) -> Option<[u8; 32]> {
        crate::hex::decode(&self.key_sha256)?.try_into().ok()
    }
}
