//! What a validation wants, by kind: revocation data and issuer certificates.

use rubrica_core::Timestamp;
use rubrica_core::revocation::{Crl, Evidence, OcspResponse, RevocationError, Wanted, ocsp_request};
use rubrica_core::wire::NotFetched;
use rubrica_core::x509::Certificate;

use super::cache::Lifetime;
use super::client::FetchError;
use super::{Fetcher, ISSUERS_BYTES};

/// Things fetched for one question at a time; what is beyond waits for the next round.
const MOST_AT_ONCE: usize = 8;
/// Addresses of one kind that are tried for one thing. ICP-Brasil asks authorities for two.
const MOST_ADDRESSES: usize = 3;

/// What came of a round.
#[derive(Debug, Default)]
pub(crate) struct Fetched {
    pub(crate) evidence: Evidence,
    /// Addresses that gave nothing.
    pub(crate) failures: Vec<NotFetched>,
}

/// How urgent a round is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effort {
    /// What is cached will do; OCSP, which is small, before lists.
    Usual,
    /// The first answers did not settle it: ones of this time or later, and lists as well.
    Since(Timestamp),
}

impl Fetcher {
    /// Fetches what is wanted, several things at a time.
    pub(crate) fn fetch(&self, wanted: &[Wanted], effort: Effort) -> Fetched {
        let results = std::thread::scope(|scope| {
            let running: Vec<_> = wanted
                .iter()
                .take(MOST_AT_ONCE)
                .map(|one| scope.spawn(move || self.fetch_one(one, effort)))
                .collect();
            running.into_iter().map(|one| one.join().expect("fetching does not panic")).collect::<Vec<_>>()
        });
        let mut all = Fetched::default();
        for result in results {
            all.evidence.merge(result.evidence);
            all.failures.extend(result.failures);
        }
        all
    }

    fn fetch_one(&self, wanted: &Wanted, effort: Effort) -> Fetched {
        let mut fetched = Fetched::default();
        let newer_than = match effort {
            Effort::Usual => None,
            Effort::Since(time) => Some(time),
        };
        match wanted {
            Wanted::Issuer { urls, .. } => {
                let found = fetched.first(urls, |url| self.issuers(url));
                fetched.evidence.certificates = found.unwrap_or_default();
            }
            Wanted::Revocation { certificate, issuer, ocsp_urls, crl_urls } => {
                let request = ocsp_request(certificate, issuer, None);
                let answer = fetched.first(ocsp_urls, |url| self.ocsp(url, &request, newer_than));
                if answer.is_none() || effort != Effort::Usual {
                    let list = fetched.first(crl_urls, |url| self.crl(url, newer_than));
                    fetched.evidence.crls.extend(list);
                }
                fetched.evidence.ocsp_responses.extend(answer);
            }
        }
        fetched
    }

    fn crl(&self, url: &str, newer_than: Option<Timestamp>) -> Result<Crl, FetchError> {
        let lifetime = |bytes: &[u8]| {
            let crl = Crl::from_der(bytes).map_err(|error| malformed(&error))?;
            Ok(Lifetime { made: Some(crl.this_update()), next: crl.next_update() })
        };
        let bytes = self.get(b"crl", url, self.crl_bytes, newer_than, lifetime)?;
        Crl::from_der(&bytes).map_err(|error| malformed(&error))
    }

    fn ocsp(
        &self,
        url: &str,
        request: &[u8],
        newer_than: Option<Timestamp>,
    ) -> Result<OcspResponse, FetchError> {
        let lifetime = |bytes: &[u8]| {
            let answer = OcspResponse::from_der(bytes).map_err(|error| malformed(&error))?;
            Ok(Lifetime { made: Some(answer.this_update()), next: answer.next_update() })
        };
        let bytes = self.ocsp_response(url, request, newer_than, lifetime)?;
        OcspResponse::from_der(&bytes).map_err(|error| malformed(&error))
    }

    fn issuers(&self, url: &str) -> Result<Vec<Certificate>, FetchError> {
        let read = |bytes: &[u8]| {
            Certificate::bundle_from_bytes(bytes).map_err(|error| FetchError::Malformed(error.to_string()))
        };
        let lifetime = |bytes: &[u8]| read(bytes).map(|_| Lifetime { made: None, next: None });
        read(&self.get(b"issuers", url, ISSUERS_BYTES, None, lifetime)?)
    }
}

impl Fetched {
    /// The answer of the first address that gives one.
    fn first<T>(&mut self, urls: &[String], fetch: impl Fn(&str) -> Result<T, FetchError>) -> Option<T> {
        // Some authorities also name LDAP addresses, which nobody has served for years.
        let http = urls.iter().filter(|url| {
            url.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http://"))
                || url.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"))
        });
        for url in http.take(MOST_ADDRESSES) {
            match fetch(url) {
                Ok(found) => return Some(found),
                Err(error) => {
                    tracing::debug!(%error, "nothing was fetched from an address of a certificate");
                    self.failures.push(NotFetched { url: url.clone(), reason: error.to_string() });
                }
            }
        }
        None
    }
}

fn malformed(error: &RevocationError) -> FetchError {
    FetchError::Malformed(error.to_string())
}
