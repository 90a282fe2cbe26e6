//! Addresses that a certificate names.

use super::{Certificate, general_name};
use crate::oid;
use crate::tlv::{Malformed, single, tag};

/// Addresses kept of each kind. ICP-Brasil certificates have at most three.
const MAX_URLS: usize = 10;

/// Where a certificate says that more can be found, in its own order and without repetitions.
///
/// Untrusted: the holder of a forged certificate chose them. Schemes and hosts are filtered by who fetches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CertificateUrls {
    /// CRLs of its issuer (cRLDistributionPoints, RFC 5280 §4.2.1.13).
    pub crl: Vec<String>,
    /// OCSP responders (authorityInfoAccess, RFC 5280 §4.2.2.1).
    pub ocsp: Vec<String>,
    /// Certificates of its issuer, single or as PKCS#7 bundle (caIssuers).
    pub ca_issuers: Vec<String>,
}

impl Certificate {
    /// Reads the addresses. An extension that cannot be read has none.
    #[must_use]
    pub fn urls(&self) -> CertificateUrls {
        let mut urls = CertificateUrls::default();
        if let Some(range) = &self.extensions().crl_distribution_points {
            urls.crl = crl_urls(self.part(range)).unwrap_or_default();
        }
        if let Some(range) = &self.extensions().authority_info_access {
            let access = self.part(range);
            urls.ocsp = access_urls(access, oid::ACCESS_OCSP).unwrap_or_default();
            urls.ca_issuers = access_urls(access, oid::ACCESS_CA_ISSUERS).unwrap_or_default();
        }
        urls
    }
}

/// `SEQUENCE OF DistributionPoint`, of which the full names count; points of another issuer are left out.
fn crl_urls(value: &[u8]) -> Result<Vec<String>, Malformed> {
    let mut reader = single(value, tag::SEQUENCE, "CRLDistributionPoints")?.reader();
    let mut urls = Vec::new();
    while !reader.is_empty() {
        let mut point = reader.expect(tag::SEQUENCE, "a DistributionPoint")?.reader();
        let name = point.optional(tag::context_constructed(0))?;
        point.optional(tag::context(1))?;
        if point.optional(tag::context_constructed(2))?.is_some() {
            continue;
        }
        let Some(full) = name.map(|name| name.reader().optional(tag::context_constructed(0))).transpose()?
        else {
            continue;
        };
        let mut names = full.map_or(crate::tlv::Reader::new(&[]), |full| full.reader());
        while !names.is_empty() {
            add(&mut urls, general_name::uri(names.element()?));
        }
    }
    Ok(urls)
}

/// `SEQUENCE OF SEQUENCE { accessMethod OID, accessLocation GeneralName }`
fn access_urls(value: &[u8], method: const_oid::ObjectIdentifier) -> Result<Vec<String>, Malformed> {
    let mut reader = single(value, tag::SEQUENCE, "AuthorityInfoAccess")?.reader();
    let mut urls = Vec::new();
    while !reader.is_empty() {
        let mut access = reader.expect(tag::SEQUENCE, "an AccessDescription")?.reader();
        let is_wanted = access.expect(tag::OID, "an access method")?.value == method.as_bytes();
        let location = access.element()?;
        if is_wanted {
            add(&mut urls, general_name::uri(location));
        }
    }
    Ok(urls)
}

fn add(urls: &mut Vec<String>, url: Option<String>) {
    if let Some(url) = url.filter(|url| urls.len() < MAX_URLS && !urls.contains(url)) {
        urls.push(url);
    }
}
