//! Certification paths (RFC 5280 §6): from a signer to a trusted root, every link checked.

mod name_constraints;
mod policies;

use const_oid::ObjectIdentifier;

use super::{Certificate, CertificateError, PublicKey, UnusableAlgorithm, same_name};
use crate::{ErrorCode, Timestamp};

/// Longest path, signer and root included. ICP-Brasil has at most four.
pub const MAX_PATH_LENGTH: usize = 8;
/// Signatures verified in one search. Cross-certified tangles would otherwise cost exponential time.
const MAX_VERIFICATIONS: usize = 64;

/// The roots that a verifier trusts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustAnchors(Vec<Certificate>);

impl TrustAnchors {
    /// Trusts exactly these certificates; none is allowed and makes every path fail.
    #[must_use]
    pub const fn new(certificates: Vec<Certificate>) -> Self {
        Self(certificates)
    }

    /// Reads a file of certificates: PEM, DER or PKCS#7.
    ///
    /// # Errors
    /// `certificate_malformed`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CertificateError> {
        Certificate::bundle_from_bytes(bytes).map(Self)
    }

    /// The trusted certificates.
    #[must_use]
    pub fn certificates(&self) -> &[Certificate] {
        &self.0
    }

    /// Whether nothing is trusted.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What is asked of a path beyond RFC 5280's defaults (§6.1.1).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PathOptions {
    /// Certificate policies of which one must be valid for the whole path; `None` accepts any.
    pub initial_policies: Option<Vec<ObjectIdentifier>>,
    /// Whether some certificate policy must be valid for the whole path.
    pub require_explicit_policy: bool,
    /// Whether policy mappings count from the start as forbidden.
    pub inhibit_policy_mapping: bool,
    /// Whether anyPolicy counts from the start as no policy.
    pub inhibit_any_policy: bool,
    /// Most authorities between the leaf and the anchor; `None` leaves it to pathLenConstraint.
    pub max_authorities: Option<usize>,
}

impl PathOptions {
    /// The rule of ICP-Brasil: at most two authorities below the root (DOC-ICP-01).
    #[must_use]
    pub fn icp_brasil() -> Self {
        Self { max_authorities: Some(2), ..Self::default() }
    }
}

/// There is no acceptable path. Texts name certificates by serial number and issuer, never by subject.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// No certificate at hand issued the last one of the path.
    #[error("no issuer is known for certificate {0}")]
    IssuerMissing(String),
    /// A certificate with the right name exists, but its key did not sign.
    #[error("the issuer's signature on certificate {0} does not verify")]
    SignatureInvalid(String),
    /// A certificate above the signer is not valid at the time in question.
    #[error("certificate {0} above the signer is not valid at that time")]
    OutOfValidity(String),
    /// A certificate above the signer may not issue, or not at this depth, or carries a critical rule
    /// that is not evaluated here.
    #[error("certificate {certificate} may not be in this path: {reason}")]
    Constraint {
        /// Serial number and issuer.
        certificate: String,
        /// Which rule, with the identifier of an extension that is not known.
        reason: String,
    },
    /// A signature in the path uses SHA-1 or MD5.
    #[error("certificate {0} is signed with a weak algorithm")]
    WeakAlgorithm(String),
    /// A signature or key in the path uses something that is not computed here.
    #[error("certificate {certificate}: {reason} is not supported")]
    Unsupported {
        /// Serial number and issuer.
        certificate: String,
        /// The algorithm or key.
        reason: String,
    },
    /// The search was given up; the set of certificates is a tangle.
    #[error("the search for a path took too many steps")]
    SearchLimit,
}

impl PathError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        ErrorCode::CertificateUntrusted
    }

    /// How far a failed attempt came: the search reports the most telling of its failures.
    const fn weight(&self) -> u8 {
        match self {
            Self::IssuerMissing(_) => 0,
            Self::SignatureInvalid(_) => 1,
            Self::Unsupported { .. } => 2,
            Self::WeakAlgorithm(_) => 3,
            Self::Constraint { .. } => 4,
            Self::OutOfValidity(_) => 5,
            Self::SearchLimit => 6,
        }
    }
}

/// Finds a path from `leaf` to one of `anchors` in which every certificate above the leaf is valid `at`
/// that time, may issue, and signed the one below. The leaf's own validity and usage are the caller's
/// question, so that a verifier can tell "expired" from "unknown".
///
/// `intermediates` may hold anything in any order. Names are compared as RFC 5280 §7.1 asks. Issuers whose
/// subjectKeyIdentifier equals the authorityKeyIdentifier are tried first.
///
/// Returns the path, leaf first, anchor last. A leaf that is itself an anchor is a path of one.
///
/// # Errors
/// [`PathError`], code `certificate_untrusted`.
pub fn build_path(
    leaf: &Certificate,
    intermediates: &[Certificate],
    anchors: &TrustAnchors,
    at: Timestamp,
) -> Result<Vec<Certificate>, PathError> {
    build_path_with(leaf, intermediates, anchors, at, &PathOptions::default())
}

/// [`build_path`] with further demands. A path that does not meet them is passed over for the next one.
///
/// # Errors
/// As [`build_path`].
pub fn build_path_with(
    leaf: &Certificate,
    intermediates: &[Certificate],
    anchors: &TrustAnchors,
    at: Timestamp,
    options: &PathOptions,
) -> Result<Vec<Certificate>, PathError> {
    let mut search = Search { intermediates, anchors, at, options, verifications: 0, failure: None };
    if let Some(reason) = &leaf.extensions().unprocessed {
        return Err(unprocessed(leaf, reason));
    }
    let mut path = vec![leaf.clone()];
    if search.extend(&mut path)? {
        return Ok(path);
    }
    Err(search.failure.unwrap_or_else(|| PathError::IssuerMissing(label(leaf))))
}

struct Search<'a> {
    intermediates: &'a [Certificate],
    anchors: &'a TrustAnchors,
    at: Timestamp,
    options: &'a PathOptions,
    verifications: usize,
    failure: Option<PathError>,
}

impl Search<'_> {
    /// Completes `path` if that is possible; otherwise leaves it as it was. `Err` ends the whole search.
    fn extend(&mut self, path: &mut Vec<Certificate>) -> Result<bool, PathError> {
        let last = path.last().expect("a path has at least the leaf").clone();
        if self.anchors.0.contains(&last) {
            return Ok(match check_whole(path, self.options) {
                Ok(()) => true,
                Err(failure) => {
                    self.note(failure);
                    false
                }
            });
        }
        if path.len() == MAX_PATH_LENGTH {
            self.note(constraint(&last, "the path is too long"));
            return Ok(false);
        }
        let candidates = self.candidates(&last);
        if candidates.is_empty() {
            self.note(PathError::IssuerMissing(label(&last)));
        }
        for candidate in candidates {
            // By subject and key, so that two certificates of one authority cannot loop either.
            let repeats = |seen: &Certificate| {
                seen.subject() == candidate.subject() && seen.public_key_der() == candidate.public_key_der()
            };
            if path.iter().any(repeats) {
                continue;
            }
            if let Err(failure) = self.check_link(path, &last, &candidate) {
                if failure == PathError::SearchLimit {
                    return Err(failure);
                }
                self.note(failure);
                continue;
            }
            path.push(candidate);
            if self.extend(path)? {
                return Ok(true);
            }
            path.pop();
        }
        Ok(false)
    }

    /// Certificates whose subject is the issuer's name: anchors first, matching key identifiers first.
    fn candidates(&self, below: &Certificate) -> Vec<Certificate> {
        let wanted = below.authority_key_id();
        let mut candidates = Vec::<Certificate>::new();
        for certificate in self.anchors.0.iter().chain(self.intermediates) {
            if same_name(certificate.subject(), below.issuer()) && !candidates.contains(certificate) {
                candidates.push(certificate.clone());
            }
        }
        candidates.sort_by_key(|certificate| match (wanted, certificate.subject_key_id()) {
            (Some(wanted), Some(own)) if wanted == own => 0,
            (Some(_), Some(_)) => 2,
            (Some(_) | None, _) => 1,
        });
        candidates
    }

    /// Whether `issuer` may stand above `below`, the last of `path`.
    fn check_link(
        &mut self,
        path: &[Certificate],
        below: &Certificate,
        issuer: &Certificate,
    ) -> Result<(), PathError> {
        let algorithm = below.signature_algorithm().map_err(|unusable| match unusable {
            UnusableAlgorithm::Weak(_) => PathError::WeakAlgorithm(label(below)),
            UnusableAlgorithm::Unknown(oid) => {
                PathError::Unsupported { certificate: label(below), reason: format!("algorithm {oid}") }
            }
        })?;
        let key: PublicKey = issuer.public_key().map_err(|error| PathError::Unsupported {
            certificate: label(issuer),
            reason: error.to_string(),
        })?;
        if self.verifications == MAX_VERIFICATIONS {
            return Err(PathError::SearchLimit);
        }
        self.verifications += 1;
        below.verify_issued_by(algorithm, &key).map_err(|_| PathError::SignatureInvalid(label(below)))?;

        check_may_issue(path, issuer, self.anchors.0.contains(issuer))?;
        if !issuer.is_valid_at(self.at) {
            return Err(PathError::OutOfValidity(label(issuer)));
        }
        Ok(())
    }

    fn note(&mut self, failure: PathError) {
        if self.failure.as_ref().is_none_or(|known| known.weight() < failure.weight()) {
            self.failure = Some(failure);
        }
    }
}

/// Rules that only the complete path can answer: they are inherited from the anchor down.
fn check_whole(path: &[Certificate], options: &PathOptions) -> Result<(), PathError> {
    let broken = |(certificate, reason): (&Certificate, &str)| constraint(certificate, reason);
    if let (Some(limit), [_, authorities @ .., anchor]) = (options.max_authorities, path)
        && authorities.len() > limit
    {
        return Err(constraint(anchor, "too many authorities stand below the anchor"));
    }
    name_constraints::check(path).map_err(broken)?;
    policies::check(path, options).map_err(broken)
}

/// basicConstraints, pathLenConstraint, keyCertSign and critical extensions (RFC 5280 §6.1.4).
fn check_may_issue(path: &[Certificate], issuer: &Certificate, is_anchor: bool) -> Result<(), PathError> {
    let extensions = issuer.extensions();
    if let Some(reason) = &extensions.unprocessed {
        return Err(unprocessed(issuer, reason));
    }
    match extensions.basic_constraints {
        Some(constraints) if constraints.ca => {
            // Self-issued authorities (key roll-over) do not count.
            let counts = |below: &&Certificate| !same_name(below.subject(), below.issuer());
            let authorities = path.iter().skip(1).filter(counts).count();
            if constraints.path_len.is_some_and(|limit| authorities > limit as usize) {
                return Err(constraint(issuer, "pathLenConstraint is exceeded"));
            }
        }
        // Roots of version 1 could not say that they are authorities.
        None if issuer.version() == 1 && is_anchor => {}
        Some(_) | None => return Err(constraint(issuer, "it is not a certification authority")),
    }
    match extensions.key_usage {
        Some(usage) if !usage.key_cert_sign => Err(constraint(issuer, "keyUsage lacks keyCertSign")),
        Some(_) | None => Ok(()),
    }
}

fn unprocessed(certificate: &Certificate, oid: &str) -> PathError {
    constraint(certificate, &format!("extension {oid} is not evaluated"))
}

fn constraint(certificate: &Certificate, reason: &str) -> PathError {
    PathError::Constraint { certificate: label(certificate), reason: reason.to_owned() }
}

/// Names a certificate without its subject, which may hold a CPF.
fn label(certificate: &Certificate) -> String {
    format!("{} of {}", certificate.serial_hex(), certificate.issuer_common_name())
}

#[cfg(test)]
mod tests;
