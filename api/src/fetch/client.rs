//! One HTTP call under the rules: checked hosts and addresses, few redirects, limits of size and time.

use std::fmt;
use std::io::Read;
use std::time::{Duration, Instant};

use ureq::http::header::{CONTENT_TYPE, LOCATION};
use ureq::http::{Method, Request, StatusCode, Uri};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::unversioned::resolver::Resolver;
use ureq::unversioned::transport::DefaultConnector;
use ureq::{Agent, Body};

use super::egress::{CheckedResolver, Forbidden, Rules};

/// Redirects that are followed. Each target is checked like the first URL.
const MOST_REDIRECTS: usize = 3;
/// Room for the header of an answer.
const HEADER_BYTES: usize = 16 * 1024;

/// Why a call gave nothing. The texts hold URLs and hosts: for the log and the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum FetchError {
    /// The rules do not allow it.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// Nobody answers under this name and address, or the answer breaks off.
    #[error("no answer: {0}")]
    Unreachable(String),
    /// The answer took too long.
    #[error("no answer within {} ms", .0.as_millis())]
    TimedOut(Duration),
    /// The answer is not a success.
    #[error("the server answered {0}")]
    Status(u16),
    /// The answer is larger than what may come.
    #[error("the answer has more than {limit_bytes} bytes")]
    TooLarge { limit_bytes: u64 },
    /// Redirected too often, or where a request with a body or with credentials must not follow.
    #[error("the server redirects: {0}")]
    Redirected(&'static str),
    /// The answer is not what was asked for.
    #[error("the answer cannot be used: {0}")]
    Malformed(String),
}

/// A call.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) url: &'a str,
    /// Posted when there is one.
    pub(super) body: Option<Posted<'a>>,
    pub(super) limit_bytes: u64,
    /// The value of `authorization`; such a call follows no redirect.
    pub(super) authorization: Option<&'a str>,
}

/// A body with its media type.
#[derive(Debug, Clone, Copy)]
pub(super) struct Posted<'a> {
    pub(super) media_type: &'static str,
    pub(super) bytes: &'a [u8],
}

/// A client with its rules.
pub(super) struct Client {
    agent: Agent,
    rules: Rules,
    timeout: Duration,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("rules", &self.rules).field("timeout", &self.timeout).finish()
    }
}

impl Client {
    pub(super) fn new(rules: Rules, tls: TlsConfig, timeout: Duration) -> Self {
        let resolver = CheckedResolver::new(rules.clone());
        Self::with_resolver(rules, tls, timeout, resolver)
    }

    pub(super) fn with_resolver(
        rules: Rules,
        tls: TlsConfig,
        timeout: Duration,
        resolver: CheckedResolver<impl Resolver>,
    ) -> Self {
        Self { agent: agent(tls, resolver), rules, timeout }
    }

    /// Makes the call and gives the body of a 200.
    pub(super) fn call(&self, call: &Call<'_>) -> Result<Vec<u8>, FetchError> {
        let deadline = Instant::now() + self.timeout;
        let mut uri: Uri = call.url.parse().map_err(|_| Forbidden::Url)?;
        for _ in 0..=MOST_REDIRECTS {
            self.rules.check(&uri)?;
            let mut response = self.send(call, &uri, deadline)?;
            match response.status() {
                StatusCode::OK => return self.read(response.body_mut(), call.limit_bytes),
                StatusCode::MOVED_PERMANENTLY
                | StatusCode::FOUND
                | StatusCode::SEE_OTHER
                | StatusCode::TEMPORARY_REDIRECT
                | StatusCode::PERMANENT_REDIRECT => {
                    if call.authorization.is_some() || call.body.is_some() {
                        return Err(FetchError::Redirected("a posted request does not follow"));
                    }
                    let target = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
                    uri = target.and_then(|target| resolve(&uri, target)).ok_or(Forbidden::Url)?;
                }
                other => return Err(FetchError::Status(other.as_u16())),
            }
        }
        Err(FetchError::Redirected("too often"))
    }

    fn send(
        &self,
        call: &Call<'_>,
        uri: &Uri,
        deadline: Instant,
    ) -> Result<ureq::http::Response<Body>, FetchError> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(FetchError::TimedOut(self.timeout));
        }
        let mut request = Request::builder().uri(uri.clone());
        if let Some(authorization) = call.authorization {
            request = request.header("authorization", authorization);
        }
        let failed = |error| self.error(error, call.limit_bytes);
        let unusable = |_| FetchError::Forbidden(Forbidden::Url);
        match call.body {
            None => {
                let request = request.method(Method::GET).body(()).map_err(unusable)?;
                let request = self.agent.configure_request(request).timeout_global(Some(left)).build();
                self.agent.run(request).map_err(failed)
            }
            Some(Posted { media_type, bytes }) => {
                let request = request.method(Method::POST).header(CONTENT_TYPE, media_type);
                let request = request.body(bytes).map_err(unusable)?;
                let request = self.agent.configure_request(request).timeout_global(Some(left)).build();
                self.agent.run(request).map_err(failed)
            }
        }
    }

    fn read(&self, body: &mut Body, limit_bytes: u64) -> Result<Vec<u8>, FetchError> {
        let too_large = FetchError::TooLarge { limit_bytes };
        if body.content_length().is_some_and(|length| length > limit_bytes) {
            return Err(too_large);
        }
        let mut bytes = Vec::new();
        let mut reader = body.as_reader().take(limit_bytes + 1);
        reader.read_to_end(&mut bytes).map_err(|error| self.error(ureq::Error::from(error), limit_bytes))?;
        if bytes.len() as u64 > limit_bytes { Err(too_large) } else { Ok(bytes) }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "a foreign, growing enum: what is not listed is no answer"
    )]
    fn error(&self, error: ureq::Error, limit_bytes: u64) -> FetchError {
        match error {
            ureq::Error::Timeout(_) => FetchError::TimedOut(self.timeout),
            ureq::Error::BodyExceedsLimit(_) => FetchError::TooLarge { limit_bytes },
            ureq::Error::Other(other) => match other.downcast::<Forbidden>() {
                Ok(refused) => FetchError::Forbidden(*refused),
                Err(other) => FetchError::Unreachable(other.to_string()),
            },
            other => FetchError::Unreachable(other.to_string()),
        }
    }
}

/// An agent that follows no redirect by itself and connects to what the resolver gives.
pub(super) fn agent(tls: TlsConfig, resolver: CheckedResolver<impl Resolver>) -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .max_response_header_size(HEADER_BYTES)
        .user_agent(concat!("rubrica/", env!("CARGO_PKG_VERSION")))
        // A proxy of the environment would connect for us, to addresses that nobody has checked.
        .proxy(None)
        .tls_config(tls)
        .build();
    Agent::with_parts(config, DefaultConnector::default(), resolver)
}

/// The target of a redirect: a URL, or a path on the same host.
fn resolve(from: &Uri, target: &str) -> Option<Uri> {
    if let Ok(uri) = target.parse::<Uri>()
        && uri.scheme().is_some()
    {
        return Some(uri);
    }
    // Another scheme, which does not parse as a URL with a host.
    if target.split(['/', '?', '#']).next().is_some_and(|first| first.contains(':')) {
        return None;
    }
    let scheme = from.scheme_str()?;
    if let Some(rest) = target.strip_prefix("//") {
        return format!("{scheme}://{rest}").parse().ok();
    }
    let authority = from.authority()?;
    let path = if target.starts_with('/') {
        target.to_owned()
    } else {
        let folder = from.path().rsplit_once('/').map_or("", |(folder, _)| folder);
        format!("{folder}/{target}")
    };
    format!("{scheme}://{authority}{path}").parse().ok()
}

/// TLS with the roots given, over the cryptography that the rest of the program uses.
pub(super) fn tls(roots: Vec<ureq::tls::Certificate<'static>>) -> ureq::tls::TlsConfigBuilder {
    TlsConfig::builder().root_certs(RootCerts::from(roots.into_iter())).unversioned_rustls_crypto_provider(
        std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider()),
    )
}

/// The roots that the operating system trusts. Without any, no HTTPS server is.
pub(super) fn system_roots() -> Vec<ureq::tls::Certificate<'static>> {
    let found = rustls_native_certs::load_native_certs();
    if let Some(error) = found.errors.first() {
        tracing::debug!(%error, "not every root of the operating system can be read");
    }
    found.certs.iter().map(|root| ureq::tls::Certificate::from_der(root).to_owned()).collect()
}

#[cfg(test)]
mod tests;
