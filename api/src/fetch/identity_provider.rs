//! The identity provider of the bank's people: its discovery document and its keys.

use serde::Deserialize;
use ureq::http::Uri;

use super::client::{Call, Client, FetchError, system_roots, tls};
use super::egress::Rules;
use super::provider::is_safe;
use crate::config;
use crate::failure::Failure;

/// Largest discovery document and largest key set.
const ANSWER_BYTES: u64 = 512 * 1024;

/// An OpenID provider.
#[derive(Debug)]
pub(crate) struct IdentityProvider {
    client: Client,
    issuer: String,
    uri: Uri,
}

/// OpenID Connect Discovery 1.0 §3, as far as we need it.
#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

impl IdentityProvider {
    /// The operator named the issuer, so that its address may be private; other hosts follow the rules of `fetch`.
    ///
    /// # Errors
    /// `config_invalid`.
    pub(crate) fn new(config: &config::Oidc, fetch: &config::Fetch) -> Result<Self, Failure> {
        let invalid = |what: &str| Failure::of(rubrica_core::ErrorCode::ConfigInvalid, what);
        let uri: Uri = config.issuer.parse().map_err(|_| invalid("oidc.issuer is not a URL"))?;
        let rules = Rules::new(&[], &fetch.private_hosts, &fetch.mirrors)?.trusting(&uri);
        rules.check(&uri).map_err(|_| invalid("oidc.issuer must be a URL without a user name"))?;
        if !is_safe(&uri) {
            return Err(invalid("oidc.issuer must be an https URL; http is taken for this machine alone"));
        }
        let client = Client::new(rules, tls(system_roots()).build(), config.timeout());
        Ok(Self { client, issuer: config.issuer.clone(), uri })
    }

    /// The key set (RFC 7517) as it is served now.
    ///
    /// # Errors
    /// The provider does not answer, or says something else than what it is asked for.
    pub(crate) fn key_set(&self) -> Result<Vec<u8>, FetchError> {
        let discovery = format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
        let malformed = |what: &str| FetchError::Malformed(format!("the discovery document {what}"));
        let found: Discovery = serde_json::from_slice(&self.get(&discovery)?)
            .map_err(|_| malformed("lacks issuer or jwks_uri"))?;
        // §4.3: a document that speaks for another issuer is not the one of ours.
        if found.issuer != self.issuer {
            return Err(malformed("is of another issuer"));
        }
        let keys: Uri = found.jwks_uri.parse().map_err(|_| malformed("has a jwks_uri that is no URL"))?;
        let same_place = (keys.scheme(), keys.authority()) == (self.uri.scheme(), self.uri.authority());
        if !same_place && keys.scheme_str() != Some("https") {
            return Err(malformed("has a jwks_uri that is not https"));
        }
        self.get(&found.jwks_uri)
    }

    fn get(&self, url: &str) -> Result<Vec<u8>, FetchError> {
        self.client.call(&Call { url, body: None, limit_bytes: ANSWER_BYTES, authorization: None })
    }
}
