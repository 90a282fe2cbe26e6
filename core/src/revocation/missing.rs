//! What would have to be fetched.

use super::{Evidence, Status, status};
use crate::Timestamp;
use crate::x509::{Certificate, TrustAnchors};

/// Something that is not at hand. Its addresses come from certificates, so they are untrusted: which schemes and
/// hosts may be asked is the rule of who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// The issuer of a certificate at which the path ends without reaching an anchor.
    Issuer {
        /// The last certificate of the path.
        of: Certificate,
        /// caIssuers addresses: each gives a certificate or a PKCS#7 bundle.
        urls: Vec<String>,
    },
    /// Revocation data about a certificate.
    Revocation {
        /// The certificate in question.
        certificate: Certificate,
        /// Its issuer: [`super::ocsp_request`] needs both.
        issuer: Certificate,
        /// Addresses of OCSP responders.
        ocsp_urls: Vec<String>,
        /// Addresses of CRLs.
        crl_urls: Vec<String>,
    },
}

/// Lists what [`status`] lacks for the certificates of a path, from the leaf up. Empty when everything is
/// answered, also by a revocation.
///
/// A path that ends at no anchor wants the issuer of its last certificate too.
#[must_use]
pub fn missing(
    path: &[Certificate],
    evidence: &Evidence,
    anchors: &TrustAnchors,
    at: Timestamp,
    not_before: Option<Timestamp>,
) -> Vec<Wanted> {
    let mut wanted = Vec::new();
    for (index, pair) in path.windows(2).enumerate() {
        let [certificate, issuer] = pair else { continue };
        if matches!(status(path, index, evidence, anchors, at, not_before), Status::Unknown(_)) {
            let urls = certificate.urls();
            wanted.push(Wanted::Revocation {
                certificate: certificate.clone(),
                issuer: issuer.clone(),
                ocsp_urls: urls.ocsp,
                crl_urls: urls.crl,
            });
        }
    }
    if let Some(last) = path.last().filter(|last| !anchors.certificates().contains(last)) {
        wanted.push(Wanted::Issuer { of: last.clone(), urls: last.urls().ca_issuers });
    }
    wanted
}
