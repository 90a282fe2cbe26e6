//! Fetches what a validation lacks: CRLs, OCSP responses, issuer certificates; and time stamps.
//!
//! Calls block: they run on threads for that, never on those of the runtime.

mod address;
mod cache;
mod client;
mod egress;
mod evidence;
mod identity_provider;
mod poster;
mod provider;
mod tsa;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use base64ct::{Base64, Encoding};
use rubrica_core::Timestamp;

use crate::config;
use crate::failure::Failure;
use crate::ports::Clock;

use cache::{Cache, Key, Lifetime};
use client::{Call, Client, Posted, system_roots, tls};
use egress::Rules;

pub(crate) use client::FetchError;
pub(crate) use evidence::Effort;
pub(crate) use identity_provider::IdentityProvider;
pub(crate) use poster::{Answered, Poster, Refused};
pub(crate) use provider::{Provider, ProviderCall, ProviderFailure, is_safe};
pub(crate) use tsa::{StampError, TimeStamps};

/// Largest OCSP response.
const OCSP_BYTES: u64 = 1024 * 1024;
/// Largest bundle of issuer certificates.
const ISSUERS_BYTES: u64 = 1024 * 1024;
/// See [`Fetcher::moment_ago`].
const FRESH_MS: u64 = 5000;
/// An OCSP request whose URL stays below this is sent by GET, so that proxies on the way may answer (RFC 6960 §A.1).
const LONGEST_OCSP_GET: usize = 255;

/// Fetches and remembers.
#[derive(Debug)]
pub(crate) struct Fetcher {
    client: Client,
    cache: Cache,
    clock: Arc<dyn Clock>,
    crl_bytes: u64,
    /// Who fetches what at this moment: the others wait and find it in the cache.
    flights: Mutex<HashMap<Key, Arc<Mutex<()>>>>,
}

impl Fetcher {
    /// Reads the rules; the cache lives in `folder` unless the configuration names another.
    ///
    /// # Errors
    /// `config_invalid` for a host that cannot be read.
    pub(crate) fn new(
        config: &config::Fetch,
        folder: Option<PathBuf>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Failure> {
        let rules = Rules::new(&config.allowed_hosts, &config.private_hosts, &config.mirrors)?;
        let client = Client::new(rules, tls(system_roots()).build(), config.timeout());
        let named = !config.cache_folder.as_os_str().is_empty();
        let folder = if named { Some(config.cache_folder.clone()) } else { folder };
        let cache = Cache::new(folder, config.memory_bytes, config.cache_bytes);
        Ok(Self { client, cache, clock, crl_bytes: config.crl_bytes, flights: Mutex::default() })
    }

    /// What was fetched since then is as fresh as a validation needs: revocations are not published by the second.
    pub(crate) fn moment_ago(&self) -> Timestamp {
        let now = self.clock.now().unix_ms();
        Timestamp::from_unix_ms(now.saturating_sub(FRESH_MS)).unwrap_or_else(|_| self.clock.now())
    }

    /// What `url` serves, from the cache when it is good for that.
    fn get(
        &self,
        kind: &'static [u8],
        url: &str,
        limit_bytes: u64,
        newer_than: Option<Timestamp>,
        lifetime: impl Fn(&[u8]) -> Result<Lifetime, FetchError>,
    ) -> Result<Arc<[u8]>, FetchError> {
        let key = Key::new(&[kind, url.as_bytes()]);
        let call = Call { url, body: None, limit_bytes, authorization: None };
        self.once(key, newer_than, || self.client.call(&call), lifetime)
    }

    /// An OCSP response (RFC 6960 §A.1): by GET when the request is short, else or when that is not served, by POST.
    fn ocsp_response(
        &self,
        url: &str,
        request: &[u8],
        newer_than: Option<Timestamp>,
        lifetime: impl Fn(&[u8]) -> Result<Lifetime, FetchError>,
    ) -> Result<Arc<[u8]>, FetchError> {
        let key = Key::new(&[b"ocsp", url.as_bytes(), request]);
        let base64 = Base64::encode_string(request);
        let encoded = base64.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        let by_get = format!("{}/{encoded}", url.trim_end_matches('/'));
        let call =
            |url, body| self.client.call(&Call { url, body, limit_bytes: OCSP_BYTES, authorization: None });
        let fetch = || {
            if by_get.len() < LONGEST_OCSP_GET
                && let Ok(answer) = call(&by_get, None)
                && lifetime(&answer).is_ok()
            {
                return Ok(answer);
            }
            call(url, Some(Posted { media_type: "application/ocsp-request", bytes: request }))
        };
        self.once(key, newer_than, fetch, &lifetime)
    }

    /// An answer from the cache, or from one call however many ask.
    fn once(
        &self,
        key: Key,
        newer_than: Option<Timestamp>,
        fetch: impl FnOnce() -> Result<Vec<u8>, FetchError>,
        lifetime: impl Fn(&[u8]) -> Result<Lifetime, FetchError>,
    ) -> Result<Arc<[u8]>, FetchError> {
        let find = || self.cache.find(key, self.clock.now(), newer_than, |bytes| lifetime(bytes).ok());
        if let Some(found) = find() {
            return found;
        }
        let flight = Arc::clone(self.flights().entry(key).or_default());
        let _turn = flight.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = find().unwrap_or_else(|| {
            std::thread::sleep(self.cache.pause(key, self.clock.now()));
            let answer = fetch().and_then(|bytes| {
                let lifetime = lifetime(&bytes)?;
                let bytes: Arc<[u8]> = bytes.into();
                self.cache.keep(key, &bytes, lifetime, self.clock.now());
                Ok(bytes)
            });
            if let Err(failure) = &answer {
                self.cache.keep_failure(key, failure.clone());
            }
            answer
        });
        self.flights().remove(&key);
        answer
    }

    fn flights(&self) -> std::sync::MutexGuard<'_, HashMap<Key, Arc<Mutex<()>>>> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
