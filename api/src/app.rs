//! An instance: its configuration, its ports, its database.

use std::sync::Arc;
use std::time::Duration;

use rubrica_core::Timestamp;
use tokio::sync::{Semaphore, watch};

use crate::adapters::object_bucket::ObjectBucket;
use crate::adapters::object_folder::ObjectFolder;
use crate::adapters::smtp::SmtpNotifier;
use crate::cloud::CloudServices;
use crate::composers::Composers;
use crate::config::{Config, ObjectsKind};
use crate::custody::{CustodyCheck, HsmKeys};
use crate::data_folder::DataFolder;
use crate::engine::Engine;
use crate::failure::Failure;
use crate::fetch::{Fetcher, TimeStamps};
use crate::http::health::Readiness;
use crate::http::idempotency::Flights;
use crate::http::limits::ClientLimits;
use crate::lookup::{LookupKey, SignerHash};
use crate::objects::Objects;
use crate::oidc::Oidc;
use crate::permission::Permission;
use crate::ports::{Clock, CustodySource, KeyStore, LargeObjects, Notifier};
use crate::relay::{Log, LogSigner, Webhooks};
use crate::roles::Roles;
use crate::sealing::SealingKey;
use crate::store::Store;
use crate::store::api_keys::KnownApiKeys;
use crate::store::sessions::KnownSessions;
use crate::trust::Trust;
use crate::watch::{Inventory, Notices};

/// Validations at the same time.
const MOST_VALIDATIONS: usize = 16;

/// What every handler and worker has at hand.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) config: Config,
    pub(crate) clock: Arc<dyn Clock>,
    /// `None` without a token, and in a process that does not sign.
    pub(crate) keys: Option<Arc<dyn KeyStore>>,
    pub(crate) store: Store,
    pub(crate) objects: Objects,
    pub(crate) trust: Trust,
    /// `None` when nothing is fetched.
    pub(crate) fetcher: Option<Fetcher>,
    /// `None` without a time-stamping authority: then there is only level b.
    pub(crate) time_stamps: Option<TimeStamps>,
    pub(crate) lookup: LookupKey,
    /// Encrypts the numbers of signers for cloud services.
    pub(crate) signer_sealing: SealingKey,
    pub(crate) custody: CustodyCheck,
    /// Cloud services that keep keys of people.
    pub(crate) cloud: CloudServices,
    /// Who makes signatures when our own code does not.
    pub(crate) composers: Composers,
    pub(crate) sessions: KnownSessions,
    pub(crate) clients: Vec<KnownClient>,
    pub(crate) api_keys: KnownApiKeys,
    /// Requests with an idempotency key that are running.
    pub(crate) flights: Flights,
    /// `None` without an identity provider: then no people call.
    pub(crate) oidc: Option<Oidc>,
    pub(crate) engine: Engine,
    pub(crate) log: Log,
    pub(crate) webhooks: Webhooks,
    pub(crate) inventory: Inventory,
    pub(crate) notices: Notices,
    pub(crate) client_limits: ClientLimits,
    pub(crate) readiness: Readiness,
    /// Turns of validations, which wait for the network most of the time.
    pub(crate) validations: Semaphore,
    /// True from the moment the process is asked to stop: nobody is kept waiting then.
    pub(crate) stopping: watch::Sender<bool>,
}

/// A backend of the configuration.
#[derive(Debug, Clone)]
pub(crate) struct KnownClient {
    pub(crate) name: String,
    pub(crate) tenant: String,
    pub(crate) scopes: Vec<Permission>,
    pub(crate) expires_at: Option<Timestamp>,
    /// SHA-256 of its API key.
    pub(crate) key_hash: [u8; 32],
}

/// How an instance is put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The server of the data folder, which holds its lock, with what it does.
    Server(Roles),
    /// A command beside a server that may be running.
    Beside,
}

impl App {
    /// Whether there is a custody `hsm`: a process of this instance has a token.
    pub(crate) fn has_token(&self) -> bool {
        self.config.token.is_configured()
    }

    /// Whether this is one of the tenant's own companies, of which it may always keep the keys.
    pub(crate) fn is_own_company(&self, tenant: &str, signer: &SignerHash) -> bool {
        let own = self.config.custody.own_companies(tenant);
        own.iter().filter_map(|cnpj| cnpj.parse().ok()).any(|cnpj| self.lookup.hash(&cnpj) == *signer)
    }

    /// Opens store and objects and puts the parts together. The engine does not run yet.
    pub(crate) fn open(
        config: Config,
        trust: Trust,
        folder: &DataFolder,
        role: Role,
        clock: Arc<dyn Clock>,
        keys: Option<Arc<dyn KeyStore>>,
    ) -> Result<Self, Failure> {
        let queue_time = Duration::from_millis(config.limits.queue_time_ms);
        let store = Store::open(&config.store, &folder.database())?.with_queue_time(queue_time);
        let large: Arc<dyn LargeObjects> = match config.objects.kind {
            ObjectsKind::Folder => Arc::new(ObjectFolder::new(folder.objects())),
            ObjectsKind::S3 => Arc::new(ObjectBucket::new(&config.objects)?),
        };
        let objects = match role {
            Role::Server(_) => Objects::open(&folder.objects(), large, store.clone())?,
            Role::Beside => Objects::open_beside(&folder.objects(), large, store.clone()),
        };
        let clients = known_clients(&config);
        let fetcher = if config.fetch.enabled {
            Some(Fetcher::new(&config.fetch, Some(folder.cache()), Arc::clone(&clock))?)
        } else {
            None
        };
        let lookup = folder.lookup_key()?;
        // Only sentinels send: others need no password for it.
        let sends = matches!(role, Role::Server(Roles { sentinel: true, .. }));
        let mailer = if sends { SmtpNotifier::open(&config.smtp)? } else { None };
        let mailer = mailer.map(|mailer| Arc::new(mailer) as Arc<dyn Notifier>);
        let mut custodies: Vec<Arc<dyn CustodySource>> = Vec::new();
        if config.token.is_configured() {
            custodies.push(Arc::new(HsmKeys::new(store.clone(), Arc::clone(&clock))));
        }
        let cloud = CloudServices::open(&config.lacuna, &config.fetch, &lookup)?;
        custodies.extend(cloud.sources());
        Ok(Self {
            inventory: Inventory::new(&config, &trust, &clients)?,
            notices: Notices::new(
                mailer,
                lookup.sealing_key("notices"),
                config.smtp.schedule()?,
                config.smtp.timeout(),
            ),
            trust,
            fetcher,
            time_stamps: TimeStamps::open(&config.tsa)?,
            engine: Engine::new(&config.limits),
            log: Log::new(LogSigner::from_seed(&*folder.key("log-key")?)),
            webhooks: Webhooks::open(&config.webhooks, lookup.sealing_key("webhooks"))?,
            signer_sealing: lookup.sealing_key("signer"),
            custody: CustodyCheck::new(custodies),
            cloud,
            composers: Composers::open(&config, folder)?,
            lookup,
            client_limits: ClientLimits::new(&config.limits),
            readiness: Readiness::default(),
            validations: Semaphore::new(MOST_VALIDATIONS),
            stopping: watch::Sender::new(false),
            sessions: KnownSessions::default(),
            clients,
            api_keys: KnownApiKeys::default(),
            flights: Flights::default(),
            oidc: Oidc::open(&config.oidc, &config.fetch, Arc::clone(&clock))?,
            store,
            objects,
            clock,
            keys,
            config,
        })
    }
}

/// The backends of a configuration.
pub(crate) fn known_clients(config: &Config) -> Vec<KnownClient> {
    let known = config.clients.iter().filter_map(|client| {
        Some(KnownClient {
            name: client.name.clone(),
            tenant: client.tenant.clone().unwrap_or_else(|| client.name.clone()),
            scopes: client.scopes.clone().unwrap_or_else(|| Permission::ALL.to_vec()),
            expires_at: client.expires_at,
            key_hash: client.key_hash()?,
        })
    });
    known.collect()
}
