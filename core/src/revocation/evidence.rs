//! What is at hand.

use super::{Crl, OcspResponse};
use crate::x509::Certificate;

/// Certificates and revocation data, of whatever origin and in any order. Nothing in it is trusted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Authorities, responders, anything else.
    pub certificates: Vec<Certificate>,
    /// Lists.
    pub crls: Vec<Crl>,
    /// Answers.
    pub ocsp_responses: Vec<OcspResponse>,
}

impl Evidence {
    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.certificates.is_empty() && self.crls.is_empty() && self.ocsp_responses.is_empty()
    }

    /// Adds what is not there yet, compared byte by byte.
    pub fn merge(&mut self, other: Self) {
        add(&mut self.certificates, other.certificates);
        add(&mut self.crls, other.crls);
        add(&mut self.ocsp_responses, other.ocsp_responses);
    }
}

fn add<T: PartialEq>(own: &mut Vec<T>, other: Vec<T>) {
    for item in other {
        if !own.contains(&item) {
            own.push(item);
        }
    }
}
