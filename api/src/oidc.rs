//! People of the bank: access tokens of its identity provider (OpenID Connect), verified here.
//!
//! A token counts when one of the provider's published keys signed it, with the algorithm that belongs to the key, for this
//! API, and for now. Nothing in the token says where a key is found: `jku`, `x5u`, `jwk` and `x5c` are never looked at.

mod claims;
mod keys;

use std::sync::Arc;
use std::time::{Duration, Instant};

use jsonwebtoken::{Algorithm, Validation};
use rubrica_core::ErrorCode;
use serde_json::Value;
use tokio::sync::RwLock;

use crate::config;
use crate::failure::Failure;
use crate::fetch::{FetchError, IdentityProvider};
use crate::permission::Role;
use crate::ports::Clock;
use claims::Rules;
use keys::{KeySet, VerificationKey};

/// A token has some hundreds of bytes, with many groups some thousands.
const LONGEST_TOKEN: usize = 16 * 1024;

/// A person who may call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The bank or unit whose data they see.
    pub(crate) tenant: String,
    /// Who they are at the provider (`sub`).
    pub(crate) subject: String,
    pub(crate) roles: Vec<Role>,
}

/// Why a token does not count. For the log: a caller is told only that it does not.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    /// Not a token that is read here.
    #[error("not a signed token: {0}")]
    Malformed(&'static str),
    /// No key of the provider has this name.
    #[error("the provider has no key of this name")]
    UnknownKey,
    /// Signature, algorithm, issuer or audience.
    #[error("the token does not verify: {0}")]
    Invalid(jsonwebtoken::errors::Error),
    /// Too old or too young.
    #[error("the token is not for now: {0}")]
    Time(&'static str),
    /// Says nothing that could be used.
    #[error("the token lacks {0}")]
    Claim(&'static str),
    /// Nothing is known about the provider's keys.
    #[error("the provider gave no keys: {0}")]
    Unreachable(String),
}

/// The keys at hand, and when they were asked for.
#[derive(Debug, Default)]
struct Known {
    keys: Arc<KeySet>,
    /// Of the last attempt that succeeded.
    fetched: Option<Instant>,
    /// Of the last attempt.
    tried: Option<Instant>,
    failure: Option<String>,
}

/// Verifies tokens of one provider.
#[derive(Debug)]
pub(crate) struct Oidc {
    provider: Arc<IdentityProvider>,
    issuer: String,
    audience: String,
    rules: Rules,
    leeway_ms: u64,
    refresh: Duration,
    retry: Duration,
    clock: Arc<dyn Clock>,
    known: RwLock<Known>,
}

impl Oidc {
    /// Reads the configuration; `None` when no provider is named.
    ///
    /// # Errors
    /// `config_invalid`.
    pub(crate) fn open(
        config: &config::Oidc,
        fetch: &config::Fetch,
        clock: Arc<dyn Clock>,
    ) -> Result<Option<Self>, Failure> {
        if !config.is_configured() {
            return Ok(None);
        }
        if config.audience.is_empty() {
            return Err(invalid("oidc.audience must name this API as the provider does"));
        }
        Ok(Some(Self {
            provider: Arc::new(IdentityProvider::new(config, fetch)?),
            issuer: config.issuer.clone(),
            audience: config.audience.clone(),
            rules: Rules::new(config)?,
            leeway_ms: config.leeway_seconds * 1000,
            refresh: Duration::from_secs(config.refresh_seconds),
            retry: Duration::from_secs(config.retry_seconds),
            clock,
            known: RwLock::default(),
        }))
    }

    /// Whose token it is.
    pub(crate) async fn verify(&self, token: &str) -> Result<Identity, Refused> {
        if token.len() > LONGEST_TOKEN {
            return Err(Refused::Malformed("too long"));
        }
        let header = jsonwebtoken::decode_header(token)
            .map_err(|_| Refused::Malformed("the header cannot be read"))?;
        // RFC 7515 §4.1.11: what must be understood and is not, refuses the token.
        if header.crit.is_some() {
            return Err(Refused::Malformed("it asks for extensions"));
        }
        let kid = header.kid.as_deref().ok_or(Refused::Malformed("it names no key"))?;
        let key = self.key(kid).await?;
        let claims = self.check(token, header.alg, &key)?;
        self.rules.identity(&claims)
    }

    /// Signature, issuer, audience and times.
    fn check(&self, token: &str, algorithm: Algorithm, key: &VerificationKey) -> Result<Value, Refused> {
        // The key says what may sign with it; the token's own word is only compared.
        if !key.algorithms.contains(&algorithm) {
            return Err(Refused::Malformed("the algorithm is not the one of the key"));
        }
        let mut validation = Validation::new(algorithm);
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[&self.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // Times are compared below, with the clock of this program.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        let decoded =
            jsonwebtoken::decode::<Value>(token, &key.key, &validation).map_err(Refused::Invalid)?;
        claims::check_times(&decoded.claims, self.clock.now().unix_ms(), self.leeway_ms)?;
        Ok(decoded.claims)
    }

    /// The key of this name. A name that is not known is asked for, but not more often than the provider should bear.
    async fn key(&self, kid: &str) -> Result<Arc<VerificationKey>, Refused> {
        {
            let known = self.known.read().await;
            let fresh = known.fetched.is_some_and(|at| at.elapsed() < self.refresh);
            if let Some(key) = known.keys.find(kid)
                && fresh
            {
                return Ok(key);
            }
        }
        // One asks, the others wait here and find what it brought.
        let mut known = self.known.write().await;
        let tried_lately = known.tried.is_some_and(|at| at.elapsed() < self.retry);
        let fresh = known.fetched.is_some_and(|at| at.elapsed() < self.refresh);
        let found_meanwhile = fresh && known.keys.find(kid).is_some();
        if !tried_lately && !found_meanwhile {
            self.renew(&mut known).await;
        }
        match (known.keys.find(kid), known.fetched, &known.failure) {
            (Some(key), _, _) => Ok(key),
            (None, None, failure) => Err(Refused::Unreachable(failure.clone().unwrap_or_default())),
            (None, Some(_), _) => Err(Refused::UnknownKey),
        }
    }

    /// Asks the provider. When it does not answer, the keys at hand stay good: it may be down for longer than people can
    /// wait, and a key that it withdraws is one that it does not use any more.
    async fn renew(&self, known: &mut Known) {
        known.tried = Some(Instant::now());
        let provider = Arc::clone(&self.provider);
        let fetched = tokio::task::spawn_blocking(move || provider.key_set()).await;
        let keys = match fetched {
            Ok(Ok(bytes)) => KeySet::read(&bytes).map_err(|error| error.to_string()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        match keys {
            Ok(keys) => {
                tracing::info!(oidc.keys = keys.len(), "keys of the identity provider read");
                *known =
                    Known { keys: Arc::new(keys), fetched: known.tried, tried: known.tried, failure: None };
            }
            Err(error) => {
                tracing::warn!(error, oidc.keys = known.keys.len(), "the identity provider gave no keys");
                known.failure = Some(error);
            }
        }
    }
}

fn invalid(what: &str) -> Failure {
    Failure::of(ErrorCode::ConfigInvalid, what)
}

impl From<FetchError> for Refused {
    fn from(error: FetchError) -> Self {
        Self::Unreachable(error.to_string())
    }
}
