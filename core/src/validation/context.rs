//! What a validation relies on.

use super::SubIndication;
use crate::Timestamp;
use crate::digest::DigestAlgorithm;
use crate::revocation::Evidence;
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
    pub(crate) time_stamp_anchors: Option<TrustAnchors>,
    pub(crate) evidence: Evidence,
    pub(crate) at: Timestamp,
    pub(crate) revocation: RevocationMode,
    pub(crate) icp_brasil: bool,
    pub(crate) digests: Vec<(DigestAlgorithm, Option<Timestamp>)>,
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
    /// Without any anchor every signature is at best indeterminate. Revocation is required, time stamps are
    /// trusted through the same anchors, the rules of ICP-Brasil are applied where a signature declares them,
    /// and SHA-256, SHA-384 and SHA-512 are accepted.
    #[must_use]
    pub fn new(anchors: TrustAnchors, at: Timestamp) -> Self {
        Self {
            anchors,
            time_stamp_anchors: None,
            evidence: Evidence::default(),
            at,
            revocation: RevocationMode::Required,
            icp_brasil: true,
            digests: DigestAlgorithm::ALL.map(|digest| (digest, None)).to_vec(),
        }
    }

    /// Adds certificates that may help to build a path, besides those in the signature.
    #[must_use]
    pub fn with_intermediates(self, certificates: Vec<Certificate>) -> Self {
        self.with_evidence(Evidence { certificates, ..Evidence::default() })
    }

    /// Adds certificates, CRLs and OCSP responses, besides those in the file.
    #[must_use]
    pub fn with_evidence(mut self, evidence: Evidence) -> Self {
        self.evidence.merge(evidence);
        self
    }

    /// Trusts these roots, and no others, for time stamps.
    #[must_use]
    pub fn with_time_stamp_anchors(mut self, anchors: TrustAnchors) -> Self {
        self.time_stamp_anchors = Some(anchors);
        self
    }

    /// Asks nobody about revocation. For the signing path, where the certificate was checked a moment ago.
    #[must_use]
    pub const fn without_revocation(mut self) -> Self {
        self.revocation = RevocationMode::NotChecked;
        self
    }

    /// Leaves the rules of ICP-Brasil out: a declared policy is reported and not checked.
    #[must_use]
    pub const fn without_icp_brasil_rules(mut self) -> Self {
        self.icp_brasil = false;
        self
    }

    /// Accepts only these digests in signatures and time stamps.
    #[must_use]
    pub fn with_digests(mut self, digests: &[DigestAlgorithm]) -> Self {
        self.digests = digests.iter().map(|digest| (*digest, None)).collect();
        self
    }

    /// Accepts a digest only for what is proved to have existed before `end`: what to do once it is broken.
    #[must_use]
    pub fn with_digest_until(mut self, digest: DigestAlgorithm, end: Timestamp) -> Self {
        self.digests.retain(|(known, _)| *known != digest);
        self.digests.push((digest, Some(end)));
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

    pub(crate) fn time_stamp_anchors(&self) -> &TrustAnchors {
        self.time_stamp_anchors.as_ref().unwrap_or(&self.anchors)
    }

    /// Whether a digest may be relied upon for something that is proved to have existed at `proof`.
    pub(crate) fn check_digest(
        &self,
        digest: DigestAlgorithm,
        proof: Option<Timestamp>,
    ) -> Result<(), SubIndication> {
        match self.digests.iter().find(|(known, _)| *known == digest) {
            None => Err(SubIndication::CryptoConstraintsFailure),
            Some((_, None)) => Ok(()),
            Some((_, Some(end))) if proof.unwrap_or(self.at) < *end => Ok(()),
            Some((_, Some(_))) => Err(SubIndication::CryptoConstraintsFailureNoPoe),
        }
    }
}
