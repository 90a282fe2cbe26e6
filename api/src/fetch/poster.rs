//! Posts to addresses that others chose: webhooks.
//!
//! The same rules as for what certificates name, and stricter: `https` only, no redirect is followed, the body of an answer is
//! nobody's. Hosts that the operator named are exempt, with their addresses and with `http`.

use std::fmt;
use std::io::Read;
use std::net::{IpAddr, ToSocketAddrs};
use std::time::Duration;

use ureq::Agent;
use ureq::http::header::RETRY_AFTER;
use ureq::http::{Request, Uri};

use super::address::is_public;
use super::client::{agent, system_roots, tls};
use super::egress::{CheckedResolver, Forbidden, Rules, host_and_port};
use crate::failure::Failure;

/// An answer is read up to here, so that the connection can be used again.
const MOST_ANSWER_BYTES: u64 = 16 * 1024;
/// Longest URL.
const LONGEST_URL: usize = 2048;

/// Why a URL is not called, for whoever gave it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// Not a URL we call.
    #[error(
        "the URL must be https, with a host, without a user name and a fragment, and at most 2048 characters"
    )]
    Url,
    /// The name does not resolve.
    #[error("the host has no address at the moment")]
    Unknown,
    /// The name leads into a private network.
    #[error("the host has an address that is not public")]
    Private,
}

/// The answer to a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    /// How long the server asks to be left alone, when it says so in seconds.
    pub(crate) retry_after: Option<Duration>,
}

/// A client for posts. Calls block.
pub(crate) struct Poster {
    agent: Agent,
    rules: Rules,
    timeout: Duration,
}

impl fmt::Debug for Poster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Poster").field("rules", &self.rules).field("timeout", &self.timeout).finish()
    }
}

impl Poster {
    /// Reads the rules.
    ///
    /// # Errors
    /// `config_invalid` for a host that cannot be read.
    pub(crate) fn new(private_hosts: &[String], timeout: Duration) -> Result<Self, Failure> {
        let rules = Rules::new(&[], private_hosts, &[])?;
        let agent = agent(tls(system_roots()).build(), CheckedResolver::new(rules.clone()));
        Ok(Self { agent, rules, timeout })
    }

    /// Checks a URL before it is kept. Its addresses are checked again whenever it is called, and then those are connected to.
    pub(crate) fn check(&self, url: &str) -> Result<(), Refused> {
        let uri = self.parse(url)?;
        if self.rules.names(&uri) {
            return Ok(());
        }
        let (host, port) = host_and_port(&uri).ok_or(Refused::Url)?;
        let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        let addresses: Vec<IpAddr> = match literal {
            Ok(address) => vec![address],
            Err(_) => {
                let found = (host.as_str(), port).to_socket_addrs().map_err(|_| Refused::Unknown)?;
                found.map(|address| address.ip()).collect()
            }
        };
        match addresses.as_slice() {
            [] => Err(Refused::Unknown),
            addresses if addresses.iter().all(|address| is_public(*address)) => Ok(()),
            [..] => Err(Refused::Private),
        }
    }

    /// Posts JSON. `Err` says why there was no answer, for an operator.
    pub(crate) fn post(
        &self,
        url: &str,
        headers: &[(&str, String)],
        body: &[u8],
    ) -> Result<Answered, String> {
        let uri = self.parse(url).map_err(|refused| refused.to_string())?;
        let mut request = Request::post(uri).header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let request = request.body(body).map_err(|error| error.to_string())?;
        let request = self.agent.configure_request(request).timeout_global(Some(self.timeout)).build();
        let mut response = self.agent.run(request).map_err(|error| self.describe(error))?;
        let retry_after = response.headers().get(RETRY_AFTER);
        let retry_after = retry_after.and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let answered = Answered {
            status: response.status().as_u16(),
            retry_after: retry_after.map(Duration::from_secs),
        };
        // What it says beyond the status, and whether it says it well, changes nothing.
        let _ = response.body_mut().as_reader().take(MOST_ANSWER_BYTES).read_to_end(&mut Vec::new());
        Ok(answered)
    }

    fn parse(&self, url: &str) -> Result<Uri, Refused> {
        if url.len() > LONGEST_URL || url.contains('#') {
            return Err(Refused::Url);
        }
        let uri: Uri = url.parse().map_err(|_| Refused::Url)?;
        self.rules.check(&uri).map_err(|_| Refused::Url)?;
        let is_safe = uri.scheme_str() == Some("https") || self.rules.names(&uri);
        if is_safe { Ok(uri) } else { Err(Refused::Url) }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "a foreign, growing enum: what is not listed is no answer"
    )]
    fn describe(&self, error: ureq::Error) -> String {
        match error {
            ureq::Error::Timeout(_) => format!("no answer within {} ms", self.timeout.as_millis()),
            ureq::Error::Other(other) if other.is::<Forbidden>() => Refused::Private.to_string(),
            other => format!("no answer: {other}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{SocketAddr, TcpListener};

    use super::*;
    use crate::fetch::egress::tests::ChangingNames;

    fn poster(private: &[&str]) -> Poster {
        let private: Vec<_> = private.iter().map(|host| (*host).to_owned()).collect();
        Poster::new(&private, Duration::from_secs(2)).unwrap()
    }

    #[test]
    fn only_https_to_public_addresses_is_kept_and_what_the_operator_named() {
        let poster = poster(&["127.0.0.1:8001"]);
        for url in [
            "http://1.1.1.1/",
            "https://u:p@1.1.1.1/",
            "https://1.1.1.1/#x",
            "ftp://1.1.1.1/",
            "file:///etc/passwd",
            "/hook",
            "https://",
        ] {
            assert_eq!(poster.check(url), Err(Refused::Url), "{url}");
        }
        assert_eq!(poster.check(&format!("https://1.1.1.1/{}", "x".repeat(2048))), Err(Refused::Url));
        for url in [
            "https://127.0.0.1/",
            "https://10.0.0.1/",
            "https://169.254.169.254/latest/meta-data",
            "https://192.168.0.1:8443/",
            "https://[::1]/",
            "https://[fd00::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://[fe80::1]/",
            "https://localhost/",
        ] {
            assert_eq!(poster.check(url), Err(Refused::Private), "{url}");
        }
        assert_eq!(poster.check("https://name.invalid/"), Err(Refused::Unknown));
        for url in ["https://1.1.1.1/hook?x=1", "https://[2606:4700::1111]/", "http://127.0.0.1:8001/"] {
            assert_eq!(poster.check(url), Ok(()), "{url}");
        }
    }

    #[test]
    fn a_name_that_turns_private_after_it_was_checked_is_not_connected_to() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let names = ChangingNames::new(&[address]);
        let rules = Rules::default();
        let agent = agent(tls(Vec::new()).build(), names.checked(rules.clone()));
        let poster = Poster { agent, rules, timeout: Duration::from_secs(2) };
        let refused = poster.post("https://turns.example/", &[], b"{}");
        assert_eq!(refused, Err(Refused::Private.to_string()));
        assert_eq!(names.asked(), 1);
        assert!(listener.accept().is_err(), "nobody connected");
    }
}
