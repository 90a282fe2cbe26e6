//! Configuration: defaults compiled in, then a file, then the environment; read once into real types.

mod composer;
mod custody;
mod lacuna;
mod sections;
mod source;
mod watch;

use std::path::{Path, PathBuf};

use rubrica_core::ErrorCode;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

pub(crate) use composer::{Composer, ComposerChoice, PkiExpress};
pub(crate) use custody::Custody;
pub(crate) use lacuna::{CloudService, HashEncoding, Lacuna, ProviderKind, TokenBody};
pub(crate) use sections::{
    Client, Data, Engine, Events, Fetch, ForwardedHeader, Limits, Log, LogFormat, LogLevel, Objects,
    ObjectsKind, Oidc, Server, Sessions, Signatures, Store, Token, Trust, Tsa, Webhooks,
};
pub(crate) use watch::{Audience, Language, Smtp, SmtpTls, Watch, host_and_port};

/// Everything an instance can be told.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) server: Server,
    pub(crate) limits: Limits,
    pub(crate) data: Data,
    pub(crate) store: Store,
    pub(crate) objects: Objects,
    pub(crate) token: Token,
    pub(crate) trust: Trust,
    pub(crate) custody: Custody,
    pub(crate) sessions: Sessions,
    pub(crate) signatures: Signatures,
    pub(crate) engine: Engine,
    pub(crate) composer: Composer,
    pub(crate) pki_express: PkiExpress,
    pub(crate) fetch: Fetch,
    pub(crate) tsa: Tsa,
    pub(crate) oidc: Oidc,
    pub(crate) lacuna: Lacuna,
    pub(crate) events: Events,
    pub(crate) webhooks: Webhooks,
    pub(crate) watch: Watch,
    pub(crate) smtp: Smtp,
    pub(crate) log: Log,
    #[serde(default)]
    pub(crate) clients: Vec<Client>,
}

impl Config {
    /// Reads defaults, `file` when given, and the environment of this process.
    pub(crate) fn load(file: Option<&Path>) -> Result<Self, Failure> {
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        let table = source::merge(file, environment)?;
        let mut config: Self = table.try_into().map_err(|error: toml::de::Error| invalid(error.message()))?;
        config.resolve_paths(file.and_then(Path::parent).unwrap_or_else(|| Path::new("")));
        config.check()?;
        Ok(config)
    }

    /// The effective configuration as TOML. It holds no secret.
    pub(crate) fn to_toml(&self) -> String {
        toml::to_string(self).expect("a configuration read from TOML can be written as TOML")
    }

    fn resolve_paths(&mut self, folder: &Path) {
        let resolve = |path: &mut PathBuf| {
            if !path.as_os_str().is_empty() {
                *path = folder.join(&*path);
            }
        };
        resolve(&mut self.data.folder);
        resolve(&mut self.store.password_file);
        self.store.roots.iter_mut().for_each(resolve);
        resolve(&mut self.objects.secret_key_file);
        resolve(&mut self.token.pin_file);
        resolve(&mut self.fetch.cache_folder);
        for service in &mut self.lacuna.services {
            resolve(&mut service.api_key_file);
            resolve(&mut service.client_secret_file);
        }
        resolve(&mut self.tsa.password_file);
        resolve(&mut self.tsa.token_file);
        resolve(&mut self.tsa.client_certificate);
        resolve(&mut self.tsa.client_key_file);
        self.tsa.roots.iter_mut().for_each(resolve);
        resolve(&mut self.smtp.password_file);
        self.smtp.roots.iter_mut().for_each(resolve);
        // A name without a folder is looked for on PATH.
        if self.pki_express.program.components().count() > 1 {
            resolve(&mut self.pki_express.program);
        }
        resolve(&mut self.pki_express.folder);
        resolve(&mut self.pki_express.proxy_password_file);
        self.pki_express.trust_roots.iter_mut().for_each(resolve);
        self.trust.anchors.iter_mut().for_each(resolve);
        self.trust.intermediates.iter_mut().for_each(resolve);
    }

    fn check(&self) -> Result<(), Failure> {
        let rules = [
            (
                (60..=3600).contains(&self.sessions.default_seconds),
                "sessions.default_seconds must be 60 to 3600",
            ),
            ((1..=256).contains(&self.token.sessions), "token.sessions must be 1 to 256"),
            ((1..=8).contains(&self.token.agents), "token.agents must be 1 to 8"),
            ((1..=3600).contains(&self.token.canary_seconds), "token.canary_seconds must be 1 to 3600"),
            (self.token.call_timeout_ms >= 100, "token.call_timeout_ms must be at least 100"),
            (
                (1..=86_400).contains(&self.signatures.completion_seconds),
                "signatures.completion_seconds must be 1 to 86400",
            ),
            (self.limits.document_bytes > 0, "limits.document_bytes must not be 0"),
            (
                self.limits.memory_bytes >= self.limits.document_bytes,
                "limits.memory_bytes must be at least limits.document_bytes",
            ),
            ((100..=120_000).contains(&self.fetch.timeout_ms), "fetch.timeout_ms must be 100 to 120000"),
            ((1..=64 * 1024 * 1024).contains(&self.fetch.crl_bytes), "fetch.crl_bytes must be 1 to 67108864"),
            ((100..=120_000).contains(&self.tsa.timeout_ms), "tsa.timeout_ms must be 100 to 120000"),
            ((100..=60_000).contains(&self.webhooks.timeout_ms), "webhooks.timeout_ms must be 100 to 60000"),
            ((10..=10_000).contains(&self.events.poll_ms), "events.poll_ms must be 10 to 10000"),
            ((100..=10_000).contains(&self.events.seal_ms), "events.seal_ms must be 100 to 10000"),
            (self.tsa.retry_ms >= 100, "tsa.retry_ms must be at least 100"),
            (self.composer.retry_ms >= 100, "composer.retry_ms must be at least 100"),
            ((1..=64).contains(&self.pki_express.processes), "pki_express.processes must be 1 to 64"),
            (
                (100..=600_000).contains(&self.pki_express.timeout_ms),
                "pki_express.timeout_ms must be 100 to 600000",
            ),
            (
                !self.composer.names(ComposerChoice::PkiExpress)
                    || !self.pki_express.program.as_os_str().is_empty(),
                "pki_express.program must be named when composer names `pki_express`",
            ),
            (self.oidc.leeway_seconds <= 300, "oidc.leeway_seconds must be at most 300"),
            (self.oidc.retry_seconds > 0, "oidc.retry_seconds must not be 0"),
            (
                self.oidc.refresh_seconds >= self.oidc.retry_seconds,
                "oidc.refresh_seconds must be at least oidc.retry_seconds",
            ),
            ((100..=120_000).contains(&self.oidc.timeout_ms), "oidc.timeout_ms must be 100 to 120000"),
            (self.server.max_connections > 0, "server.max_connections must not be 0"),
            ((500..=600_000).contains(&self.engine.lease_ms), "engine.lease_ms must be 500 to 600000"),
            ((1..=64).contains(&self.store.connections), "store.connections must be 1 to 64"),
            ((100..=120_000).contains(&self.store.timeout_ms), "store.timeout_ms must be 100 to 120000"),
            (
                self.objects.kind == ObjectsKind::Folder || !self.objects.bucket.is_empty(),
                "objects.bucket must be named when objects.kind is `s3`",
            ),
            (
                self.objects.kind == ObjectsKind::Folder
                    || !(self.objects.region.is_empty() && self.objects.endpoint.is_empty()),
                "objects.region or objects.endpoint must be named when objects.kind is `s3`",
            ),
            ((100..=120_000).contains(&self.objects.timeout_ms), "objects.timeout_ms must be 100 to 120000"),
            (self.server.max_connections_per_address > 0, "server.max_connections_per_address must not be 0"),
            (
                (8192..=1 << 20).contains(&self.server.header_bytes),
                "server.header_bytes must be 8192 to 1048576",
            ),
            ((10..=1000).contains(&self.server.header_count), "server.header_count must be 10 to 1000"),
            (self.server.minimum_bytes_per_second > 0, "server.minimum_bytes_per_second must not be 0"),
            (self.limits.queue_time_ms > 0, "limits.queue_time_ms must not be 0"),
            (self.limits.token_queue_time_ms > 0, "limits.token_queue_time_ms must not be 0"),
            (
                self.limits.requests_per_second > 0
                    && self.limits.request_burst > 0
                    && self.limits.concurrent_requests > 0
                    && self.limits.address_requests_per_second > 0
                    && self.limits.address_request_burst > 0,
                "the limits of requests must not be 0",
            ),
        ];
        if let Some((_, rule)) = rules.iter().find(|(holds, _)| !holds) {
            return Err(invalid(rule));
        }
        if let Some(fault) = self.custody.fault().or_else(|| self.lacuna.fault()) {
            return Err(invalid(&fault));
        }
        if let Some(fault) = self.watch.fault(&self.smtp) {
            return Err(invalid(&fault));
        }
        if let Some(fault) = self.smtp.fault() {
            return Err(invalid(fault));
        }
        for client in &self.clients {
            if client.name.is_empty() || client.key_hash().is_none() {
                return Err(invalid(&format!(
                    "client `{}` needs a name and a key_sha256 of 64 lower-case hexadecimal digits",
                    client.name
                )));
            }
            if client.tenant.as_deref() == Some("") || client.scopes.as_deref() == Some(&[]) {
                return Err(invalid(&format!(
                    "client `{}`: leave tenant and scopes out, or give a name and at least one scope",
                    client.name
                )));
            }
        }
        Ok(())
    }
}

fn invalid(what: &str) -> Failure {
    Failure::new(ErrorCode::ConfigInvalid, what, "See `rubrica config print` for the keys and their values")
}

#[cfg(test)]
mod tests;
