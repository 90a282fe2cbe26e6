//! Where requests may go: which hosts, and only to addresses that were checked.
//!
//! URLs come from certificates that nobody has checked yet, so each of them may try to make this process call a machine
//! inside the bank. A name is resolved once, its addresses are checked, and the connection goes to those: a name that
//! changes in between changes nothing.

use std::fmt;

use rubrica_core::ErrorCode;
use ureq::config::Config as AgentConfig;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use super::address::is_public;
use crate::failure::Failure;

/// Why a URL is not called. The texts name the host: they are for the log and the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Forbidden {
    /// Not a URL we call.
    #[error("only http and https URLs with a host and without a user name are called")]
    Url,
    /// Not on the list.
    #[error("the host {0} is not among fetch.allowed_hosts")]
    Host(String),
    /// The name leads into a private network.
    #[error("the host {0} has an address that is not public; see fetch.private_hosts")]
    Address(String),
}

/// The rules.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rules {
    /// Empty: every host.
    allowed: Vec<HostPattern>,
    /// Whose addresses may be private.
    private: Vec<HostPattern>,
    /// Where hosts are called instead.
    mirrors: Vec<Mirror>,
}

/// A host and the `host:port` that is called in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mirror {
    host: String,
    place: Uri,
}

/// `host`, `host:port`, `*.domain` or `*.domain:port`, lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
struct HostPattern {
    host: String,
    port: Option<u16>,
}

impl Rules {
    /// Reads the lists of the configuration.
    pub(crate) fn new(allowed: &[String], private: &[String], mirrors: &[String]) -> Result<Self, Failure> {
        let read = |key: &str, list: &[String]| {
            list.iter()
                .map(|text| {
                    HostPattern::parse(text).ok_or_else(|| {
                        Failure::of(
                            ErrorCode::ConfigInvalid,
                            format!("fetch.{key}: `{text}` is not a host, host:port or *.domain"),
                        )
                    })
                })
                .collect::<Result<Vec<_>, _>>()
        };
        let mirrors = mirrors.iter().map(|text| {
            Mirror::parse(text).ok_or_else(|| {
                Failure::of(
                    ErrorCode::ConfigInvalid,
                    format!("fetch.mirrors: `{text}` is not host=host:port"),
                )
            })
        });
        Ok(Self {
            allowed: read("allowed_hosts", allowed)?,
            private: read("private_hosts", private)?,
            mirrors: mirrors.collect::<Result<_, _>>()?,
        })
    }

    /// The same with one more host that may be called, whatever its address: one that the operator named.
    #[must_use]
    pub(crate) fn trusting(mut self, uri: &Uri) -> Self {
        if let Some((host, port)) = host_and_port(uri) {
            self.private.push(HostPattern { host, port: Some(port) });
        }
        self
    }

    /// Whether the operator named the host, so that its addresses may be private.
    pub(super) fn names(&self, uri: &Uri) -> bool {
        host_and_port(uri)
            .is_some_and(|(host, port)| self.private.iter().any(|pattern| pattern.fits(&host, port)))
    }

    /// Checks scheme and host; addresses come later, when the name is resolved.
    pub(super) fn check(&self, uri: &Uri) -> Result<(), Forbidden> {
        let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
        let has_user = uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
        let (host, port) = host_and_port(uri).filter(|_| is_http && !has_user).ok_or(Forbidden::Url)?;
        let named = |list: &[HostPattern]| list.iter().any(|pattern| pattern.fits(&host, port));
        let is_named = named(&self.allowed) || named(&self.private) || self.mirror(uri).is_some();
        if self.allowed.is_empty() || is_named { Ok(()) } else { Err(Forbidden::Host(host)) }
    }

    /// Checks the addresses of a host. One that is not public is enough to refuse: public services have none.
    fn check_addresses(&self, uri: &Uri, addresses: &ResolvedSocketAddrs) -> Result<(), Forbidden> {
        let (host, port) = host_and_port(uri).ok_or(Forbidden::Url)?;
        let may_be_private =
            self.mirror(uri).is_some() || self.private.iter().any(|pattern| pattern.fits(&host, port));
        if may_be_private || addresses.iter().all(|address| is_public(address.ip())) {
            Ok(())
        } else {
            Err(Forbidden::Address(host))
        }
    }
}

impl Rules {
    /// What is called in place of the host.
    fn mirror(&self, uri: &Uri) -> Option<&Uri> {
        let (host, _) = host_and_port(uri)?;
        self.mirrors.iter().find(|mirror| mirror.host == host).map(|mirror| &mirror.place)
    }
}

impl Mirror {
    fn parse(text: &str) -> Option<Self> {
        let (host, place) = text.split_once('=')?;
        let HostPattern { host, port: None } = HostPattern::parse(host.trim())? else { return None };
        HostPattern::parse(place.trim())?.port?;
        Some(Self { host, place: format!("http://{}/", place.trim()).parse().ok()? })
    }
}

impl HostPattern {
    fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let (host, port) = match text.rsplit_once(':') {
            // An IPv6 address has colons of its own and stands in brackets.
            Some((host, port)) if !port.ends_with(']') => (host, Some(port.parse().ok()?)),
            _ => (text.as_str(), None),
        };
        let name = host.strip_prefix("*.").unwrap_or(host);
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '[' | ']' | ':');
        (!name.is_empty() && name.chars().all(fits)).then(|| Self { host: host.to_owned(), port })
    }

    fn fits(&self, host: &str, port: u16) -> bool {
        if self.port.is_some_and(|wanted| wanted != port) {
            return false;
        }
        match self.host.strip_prefix('*') {
            Some(suffix) => host.len() > suffix.len() && host.ends_with(suffix),
            None => host == self.host,
        }
    }
}

/// Lower-case host without a final full stop, and the port.
pub(super) fn host_and_port(uri: &Uri) -> Option<(String, u16)> {
    let host = uri.host()?.trim_end_matches('.').to_ascii_lowercase();
    let usual = if uri.scheme_str() == Some("https") { 443 } else { 80 };
    (!host.is_empty()).then(|| (host, uri.port_u16().unwrap_or(usual)))
}

/// Resolves names and refuses addresses by the rules. What it gives is what is connected to.
pub(super) struct CheckedResolver<R> {
    rules: Rules,
    names: R,
}

impl CheckedResolver<DefaultResolver> {
    pub(super) fn new(rules: Rules) -> Self {
        Self { rules, names: DefaultResolver::default() }
    }
}

impl<R> fmt::Debug for CheckedResolver<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckedResolver").field("rules", &self.rules).finish_non_exhaustive()
    }
}

impl<R: Resolver> Resolver for CheckedResolver<R> {
    fn resolve(
        &self,
        uri: &Uri,
        config: &AgentConfig,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let place = self.rules.mirror(uri).unwrap_or(uri);
        let addresses = self.names.resolve(place, config, timeout)?;
        self.rules.check_addresses(uri, &addresses).map_err(|refused| ureq::Error::Other(refused.into()))?;
        Ok(addresses)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::net::SocketAddr;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Names that change: the n-th question gets the n-th answer.
    #[derive(Debug, Clone)]
    pub(crate) struct ChangingNames {
        answers: Arc<[SocketAddr]>,
        asked: Arc<AtomicUsize>,
    }

    impl ChangingNames {
        pub(crate) fn new(answers: &[SocketAddr]) -> Self {
            Self { answers: answers.into(), asked: Arc::default() }
        }

        pub(crate) fn asked(&self) -> usize {
            self.asked.load(Ordering::SeqCst)
        }

        pub(crate) fn checked(&self, rules: Rules) -> CheckedResolver<Self> {
            CheckedResolver { rules, names: self.clone() }
        }
    }

    impl Resolver for ChangingNames {
        fn resolve(
            &self,
            _: &Uri,
            _: &AgentConfig,
            _: NextTimeout,
        ) -> Result<ResolvedSocketAddrs, ureq::Error> {
            let index = self.asked.fetch_add(1, Ordering::SeqCst);
            let mut found = self.empty();
            found.push(self.answers[index.min(self.answers.len() - 1)]);
            Ok(found)
        }
    }

    fn rules(allowed: &[&str], private: &[&str]) -> Rules {
        let owned = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        Rules::new(&owned(allowed), &owned(private), &[]).unwrap()
    }

    #[test]
    fn only_http_urls_without_a_user_are_called() {
        for url in [
            "ftp://a/",
            "file:///etc/passwd",
            "ldap://a/x",
            "gopher://a/",
            "http://u:p@a/",
            "http://u@a/",
            "/x",
            "a",
        ] {
            let checked = url.parse::<Uri>().map(|uri| Rules::default().check(&uri));
            assert!(!matches!(checked, Ok(Ok(()))), "{url}");
        }
        for url in ["http://a/x.crl", "HTTPS://a:8443/"] {
            assert_eq!(Rules::default().check(&url.parse().unwrap()), Ok(()), "{url}");
        }
    }

    #[test]
    fn the_list_of_hosts_is_exact_or_by_domain() {
        let rules = rules(&["acraiz.icpbrasil.gov.br", "*.example:8080"], &["[::1]:80", "pki.test"]);
        for (url, expected) in [
            ("http://acraiz.icpbrasil.gov.br/x.crl", true),
            ("http://ACRAIZ.icpbrasil.gov.br./x.crl", true),
            ("http://evil-acraiz.icpbrasil.gov.br/", false),
            ("http://acraiz.icpbrasil.gov.br.evil/", false),
            ("http://a.example:8080/", true),
            ("http://a.b.example:8080/", true),
            ("http://a.example/", false),
            ("http://example:8080/", false),
            ("http://aexample:8080/", false),
            ("http://[::1]/", true),
            ("http://[::1]:81/", false),
            ("http://pki.test:9/", true),
        ] {
            assert_eq!(rules.check(&url.parse().unwrap()).is_ok(), expected, "{url}");
        }
        for bad in ["a", "a=b", "a=b:x", "=b:1", "a:1=b:1"] {
            assert!(Rules::new(&[], &[], &[bad.to_owned()]).is_err(), "{bad}");
        }
        for bad in ["", "*.", "a b", "http://a", "a:x", "a/b"] {
            assert!(Rules::new(&[bad.to_owned()], &[], &[]).is_err(), "{bad}");
        }
    }
}
