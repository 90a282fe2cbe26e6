//! Calls to a provider that the operator named, told apart by whether it may have acted.

use std::fmt;
use std::io::Read;
use std::time::{Duration, SystemTime};

use ureq::Agent;
use ureq::http::header::RETRY_AFTER;
use ureq::http::{HeaderMap, Request, Uri};
use zeroize::Zeroizing;

use super::client::{agent, system_roots, tls};
use super::egress::{CheckedResolver, Rules};
use crate::config;
use crate::failure::Failure;
use crate::secret::Secret;

/// Largest answer: certificates or a signature value in JSON.
const ANSWER_BYTES: u64 = 256 * 1024;
/// How much of the body of a refusal is kept.
const REFUSAL_BYTES: u64 = 4 * 1024;
/// Longest time to connect.
const CONNECT: Duration = Duration::from_secs(3);

/// One request. Path, header and body may hold secrets.
#[derive(Clone)]
pub(crate) struct ProviderCall {
    /// Below the base, with the query.
    pub(crate) path: String,
    pub(crate) header: Option<(&'static str, Secret)>,
    /// Media type and bytes; without a body it is a GET.
    pub(crate) body: Option<(&'static str, Zeroizing<Vec<u8>>)>,
}

/// Why a call gave nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ProviderFailure {
    /// Nothing was sent: the provider cannot have acted.
    NotSent(String),
    /// The same, because it rests: it failed too often, asked to be left alone, or has enough to do.
    Resting { what: &'static str, rest: Duration },
    /// The request may have arrived; no whole answer came.
    Lost(String),
    /// An answer that is no success.
    Status { status: u16, retry_after: Option<Duration>, body: Vec<u8> },
}

/// A client for one provider. Calls block.
pub(crate) struct Provider {
    agent: Agent,
    base: String,
    timeout: Duration,
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider").field("base", &self.base).field("timeout", &self.timeout).finish()
    }
}

impl Provider {
    /// The operator named `base`, so that its address may be private; plain HTTP is for this machine alone.
    ///
    /// # Errors
    /// `config_invalid`.
    pub(crate) fn new(base: &str, timeout: Duration, fetch: &config::Fetch) -> Result<Self, Failure> {
        let invalid = |what: &str| Failure::of(rubrica_core::ErrorCode::ConfigInvalid, what);
        let uri: Uri = base.parse().map_err(|_| invalid("the url of a cloud service is not a URL"))?;
        let rules = Rules::new(&[], &fetch.private_hosts, &fetch.mirrors)?.trusting(&uri);
        rules
            .check(&uri)
            .map_err(|_| invalid("the url of a cloud service must be a URL without a user name"))?;
        if !is_safe(&uri) {
            return Err(invalid(
                "the url of a cloud service must be https; http is taken for this machine alone",
            ));
        }
        let agent = agent(tls(system_roots()).build(), CheckedResolver::new(rules));
        Ok(Self { agent, base: base.trim_end_matches('/').to_owned(), timeout })
    }

    /// Longest time of a call.
    pub(crate) const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The URL of a path, for a browser.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Calls a path below the base: GET, or POST when there is a body. Follows no redirect. Gives the body of a 200.
    pub(crate) fn call(&self, call: &ProviderCall) -> Result<Zeroizing<Vec<u8>>, ProviderFailure> {
        let not_sent = |error: &dyn fmt::Display| ProviderFailure::NotSent(error.to_string());
        // A connection that is used again may have been closed meanwhile, and then nobody knows what arrived.
        let mut request = Request::builder()
            .uri(self.url(&call.path))
            .header("accept", "application/json")
            .header("connection", "close");
        if let Some((name, value)) = &call.header {
            request = request.header(*name, value.expose());
        }
        let answered = match &call.body {
            None => {
                let request = request.method("GET").body(()).map_err(|error| not_sent(&error))?;
                self.agent.run(self.limited(request))
            }
            Some((media_type, bytes)) => {
                let request = request.method("POST").header("content-type", *media_type);
                let request = request.body(bytes.as_slice()).map_err(|error| not_sent(&error))?;
                self.agent.run(self.limited(request))
            }
        };
        let mut response = answered.map_err(|error| self.describe(&error))?;
        let status = response.status().as_u16();
        if status != 200 {
            let retry_after = retry_after(response.headers(), SystemTime::now());
            let mut body = Vec::new();
            // Whether it says well why it refuses changes nothing.
            let _ = response.body_mut().as_reader().take(REFUSAL_BYTES).read_to_end(&mut body);
            return Err(ProviderFailure::Status { status, retry_after, body });
        }
        let mut bytes = Zeroizing::new(Vec::new());
        let read = response.body_mut().as_reader().take(ANSWER_BYTES + 1).read_to_end(&mut bytes);
        read.map_err(|_| ProviderFailure::Lost("the answer breaks off".to_owned()))?;
        if bytes.len() as u64 > ANSWER_BYTES {
            return Err(ProviderFailure::Lost(format!("the answer has more than {ANSWER_BYTES} bytes")));
        }
        Ok(bytes)
    }

    fn limited<T: ureq::AsSendBody>(&self, request: Request<T>) -> Request<T> {
        let configured = self.agent.configure_request(request).timeout_global(Some(self.timeout));
        configured.timeout_resolve(Some(CONNECT)).timeout_connect(Some(CONNECT)).build()
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "a foreign, growing enum: what is not known to have been before the request may have been after it"
    )]
    fn describe(&self, error: &ureq::Error) -> ProviderFailure {
        match error {
            ureq::Error::HostNotFound
            | ureq::Error::ConnectionFailed
            | ureq::Error::Tls(_)
            | ureq::Error::Other(_)
            | ureq::Error::Timeout(ureq::Timeout::Resolve | ureq::Timeout::Connect) => {
                ProviderFailure::NotSent(error.to_string())
            }
            ureq::Error::Io(io) if io.kind() == std::io::ErrorKind::ConnectionRefused => {
                ProviderFailure::NotSent(error.to_string())
            }
            ureq::Error::Timeout(_) => {
                ProviderFailure::Lost(format!("no answer within {} ms", self.timeout.as_millis()))
            }
            _ => ProviderFailure::Lost("the connection broke".to_owned()),
        }
    }
}

/// How long a provider asks to be left alone: seconds or a date (RFC 9110 §10.2.3).
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    match text.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => Some(httpdate::parse_http_date(text).ok()?.duration_since(now).unwrap_or_default()),
    }
}

/// HTTPS, or this machine.
pub(crate) fn is_safe(uri: &Uri) -> bool {
    match uri.scheme_str() {
        Some("https") => true,
        Some("http") => matches!(uri.host(), Some("localhost" | "127.0.0.1" | "[::1]")),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_says_when_to_come_back_in_seconds_or_by_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        for (text, expected) in [
            ("30", Some(30)),
            ("Sun, 06 Nov 1994 08:50:07 GMT", Some(30)),
            ("Sun, 06 Nov 1994 08:49:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
        ] {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
            assert_eq!(retry_after(&headers, now), expected.map(Duration::from_secs), "{text}");
        }
    }
}
