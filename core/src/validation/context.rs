//! What a validation relies on.

use crate::Timestamp;
use crate::digest::DigestAlgorithm;
use crate::x509::{Certificate, TrustAnchors};

/// What a validation relies on: trust, time, and the facts that the caller brings along.
///
/// ```
/// # use rubrica_core::{validation::Context, x509::TrustAnchors, Timestamp};
/// # let (anchors, now) = (TrustAnchors::default(), "2026-11-23T12:00:00Z".parse().unwrap());
/// let context = Context::new(anchors, now).with_intermediates(vec![]);
/// ```
#[derive(Debug, Clone)]
pub struct Context {
    pub(crate) anchors: TrustAnchors,
    pub(crate) intermediates: Vec<Certificate>,
    pub(crate) at: Timestamp,
    pub(crate) revocation: RevocationMode,
    pub(crate) digests: Vec<DigestAlgorithm>,
}

/// Whether revocation decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RevocationMode {
    /// Every certificate below the root needs a CRL or an OCSP response that says it was not revoked.
    Required,
    /// Nobody is asked. The report says so in a finding of its own and in its text.
    NotChecked,
}

impl Context {
    /// Trusts `anchors` and asks for the time `at`: usually now.
    ///
    /// Without any anchor every signature is at best indeterminate. Revocation is required; SHA-256, SHA-384
    /// and SHA-512 are accepted.
    #[must_use]
    pub fn new(anchors: TrustAnchors, at: Timestamp) -> Self {
        Self {
            anchors,
            intermediates: Vec::new(),
            at,
            revocation: RevocationMode::Required,
            digests: DigestAlgorithm::ALL.to_vec(),
        }
    }

    /// Adds certificates that may help to build a path, besides those in the signature.
    #[must_use]
    pub fn with_intermediates(mut self, certificates: Vec<Certificate>) -> Self {
        self.intermediates.extend(certificates);
        self
    }

    /// Asks nobody about revocation. For the signing path, where the certificate was checked a moment ago.
    #[must_use]
    pub const fn without_revocation(mut self) -> Self {
        self.revocation = RevocationMode::NotChecked;
        self
    }

    /// Accepts only these digests in signatures.
    #[must_use]
    pub fn with_digests(mut self, digests: &[DigestAlgorithm]) -> Self {
        self.digests = digests.to_vec();
        self
    }

    /// The same question for another time.
    #[must_use]
    pub const fn asked_for(mut self, at: Timestamp) -> Self {
        self.at = at;
        self
    }

    /// The time the question is asked for.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    pub(crate) fn accepts(&self, digest: DigestAlgorithm) -> bool {
        self.digests.contains(&digest)
    }
}
