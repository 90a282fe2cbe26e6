//! Which address a request comes from, behind proxies too.

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;
use ipnet::IpNet;

use crate::config::{self, ForwardedHeader};

/// The address that limits go by. An extension of every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ClientAddress(pub(super) IpAddr);

/// The proxies in front of this server and how they tell whom they speak for.
#[derive(Debug, Clone)]
pub(super) struct Proxies {
    trusted: Vec<IpNet>,
    header: ForwardedHeader,
}

impl Proxies {
    pub(super) fn new(settings: &config::Server) -> Self {
        Self { trusted: settings.trusted_proxies.clone(), header: settings.forwarded_header }
    }

    pub(super) fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.trusted.iter().any(|network| network.contains(&address))
    }

    /// The nearest address that is not one of the proxies: what stands further away may be invented.
    pub(super) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> ClientAddress {
        let mut nearest = peer.to_canonical();
        let lines: Vec<&str> = headers
            .get_all(self.header.name())
            .iter()
            .map(|value| value.to_str().unwrap_or_default())
            .collect();
        let mut hops = lines.iter().rev().flat_map(|line| line.rsplit(','));
        while self.trusts(nearest) {
            let Some(next) = hops.next().and_then(|hop| self.header.address(hop)) else { break };
            nearest = next;
        }
        ClientAddress(nearest)
    }
}

impl ForwardedHeader {
    const fn name(self) -> &'static str {
        match self {
            Self::XForwardedFor => "x-forwarded-for",
            Self::Forwarded => "forwarded",
        }
    }

    /// The address of one hop.
    fn address(self, hop: &str) -> Option<IpAddr> {
        let node = match self {
            Self::XForwardedFor => hop.trim(),
            // RFC 7239: `for="[2001:db8::1]:4711";proto=https`
            Self::Forwarded => hop
                .split(';')
                .filter_map(|pair| pair.trim().split_once('='))
                .find(|(name, _)| name.eq_ignore_ascii_case("for"))
                .map(|(_, value)| value.trim().trim_matches('"'))?,
        };
        let address = node.parse::<IpAddr>().ok();
        let with_port = || node.parse::<SocketAddr>().ok().map(|address| address.ip());
        let bracketed = || node.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
        address.or_else(with_port).or_else(bracketed).map(|address: IpAddr| address.to_canonical())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(header: ForwardedHeader, peer: &str, sent: &[(&'static str, &str)]) -> String {
        let trusted = ["10.0.0.0/8", "::1/128"].map(|network| network.parse().unwrap()).to_vec();
        let mut headers = HeaderMap::new();
        for (name, value) in sent {
            headers.append(*name, value.parse().unwrap());
        }
        Proxies { trusted, header }.client(peer.parse().unwrap(), &headers).0.to_string()
    }

    #[test]
    fn only_proxies_are_believed_and_only_about_the_next_hop() {
        use ForwardedHeader::{Forwarded, XForwardedFor};
        let name = "x-forwarded-for";
        // A stranger's header says nothing.
        assert_eq!(client(XForwardedFor, "192.0.2.9", &[(name, "198.51.100.1")]), "192.0.2.9");
        assert_eq!(client(XForwardedFor, "10.0.0.1", &[(name, "198.51.100.1")]), "198.51.100.1");
        assert_eq!(client(XForwardedFor, "::ffff:10.0.0.1", &[(name, "198.51.100.1:99")]), "198.51.100.1");
        // What the client itself put in front does not count; our own inner proxies are passed over.
        assert_eq!(
            client(XForwardedFor, "10.0.0.1", &[(name, "1.1.1.1, 198.51.100.1, 10.0.0.2")]),
            "198.51.100.1"
        );
        assert_eq!(
            client(XForwardedFor, "10.0.0.1", &[(name, "1.1.1.1"), (name, "198.51.100.1")]),
            "198.51.100.1"
        );
        assert_eq!(client(XForwardedFor, "10.0.0.1", &[(name, "nonsense")]), "10.0.0.1");
        assert_eq!(client(XForwardedFor, "10.0.0.1", &[]), "10.0.0.1");
        // One kind of header is read; a proxy passes the other one on as the client wrote it.
        assert_eq!(client(XForwardedFor, "10.0.0.1", &[("forwarded", "for=1.1.1.1")]), "10.0.0.1");
        let forwarded = r#"for=1.1.1.1, proto=https;For="[2001:db8::7]:4711""#;
        assert_eq!(client(Forwarded, "::1", &[("forwarded", forwarded)]), "2001:db8::7");
        assert_eq!(client(Forwarded, "::1", &[("forwarded", "for=_hidden")]), "::1");
    }
}
