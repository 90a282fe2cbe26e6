//! Web origins (RFC 6454): which may be named, and which page a request comes from.

use axum::http::HeaderMap;
use axum::http::header::{HOST, HeaderName, ORIGIN};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Says what is wrong with an origin of a new session: it must be `https://host[:port]`, or plain HTTP on this machine.
pub(super) fn check(origin: &str) -> Result<(), &'static str> {
    let (scheme, authority) =
        origin.split_once("://").ok_or("write it as https://host or https://host:port")?;
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !authority.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    if port.is_some_and(|port| port.parse::<u16>().is_err()) {
        return Err("the port is not a number");
    }
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-[]:".contains(&byte);
    if host.is_empty() || !host.bytes().all(plain) {
        return Err("write scheme, host and port only, in lower case, without path");
    }
    match scheme {
        "https" => Ok(()),
        "http" if matches!(host, "localhost" | "127.0.0.1" | "[::1]") => Ok(()),
        "http" => Err("only https is safe; http is taken for localhost"),
        _ => Err("the scheme must be https"),
    }
}

/// Where a request comes from, as far as its headers tell.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Source<'a> {
    /// A page of this origin.
    Page(&'a str),
    /// A page of the host that was called: browsers leave `Origin` out of same-origin reads.
    SameHost(&'a str),
    /// No browser: a page can neither leave these headers out nor forge them.
    Backend,
    /// A browser that hides the origin of its page.
    Hidden,
}

impl<'a> Source<'a> {
    pub(super) fn of(headers: &'a HeaderMap) -> Self {
        let text = |name: &HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
        match (text(&ORIGIN), text(&SEC_FETCH_SITE)) {
            (Some(origin), _) => Self::Page(origin),
            (None, Some("same-origin")) => text(&HOST).map_or(Self::Hidden, Self::SameHost),
            (None, Some(_)) => Self::Hidden,
            (None, None) => Self::Backend,
        }
    }

    /// Whether a session with these origins may be used from here.
    pub(super) fn is_among(&self, origins: &[String]) -> bool {
        match self {
            Self::Page(origin) => origins.iter().any(|allowed| allowed == origin),
            Self::SameHost(host) => origins
                .iter()
                .any(|allowed| allowed.split_once("://").is_some_and(|(_, authority)| authority == *host)),
            Self::Backend => true,
            Self::Hidden => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_secure_and_plain_origins_can_be_named() {
        for origin in [
            "https://bank.example",
            "https://bank.example:8443",
            "http://localhost:8080",
            "http://127.0.0.1:1",
        ] {
            assert_eq!(check(origin), Ok(()), "{origin}");
        }
        for origin in [
            "",
            "null",
            "*",
            "bank.example",
            "https://",
            "https://Bank.example",
            "https://bank.example/",
            "http://bank.example",
            "https://a@b",
            "https://bank.example:x",
            "ftp://bank.example",
            "https://*.bank.example",
            "https://bank example",
        ] {
            assert!(check(origin).is_err(), "{origin}");
        }
    }

    #[test]
    fn a_page_needs_its_origin_among_those_of_the_session() {
        let allowed = ["https://bank.example".to_owned()];
        let check = |headers: &[(HeaderName, &str)]| {
            let headers =
                headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect();
            Source::of(&headers).is_among(&allowed)
        };
        assert!(check(&[]));
        assert!(check(&[(ORIGIN, "https://bank.example")]));
        assert!(check(&[(SEC_FETCH_SITE, "same-origin"), (HOST, "bank.example")]));
        assert!(!check(&[(ORIGIN, "https://evil.example")]));
        assert!(!check(&[(ORIGIN, "null")]));
        assert!(!check(&[(SEC_FETCH_SITE, "same-origin"), (HOST, "evil.example")]));
        assert!(!check(&[(SEC_FETCH_SITE, "cross-site")]));
    }
}
