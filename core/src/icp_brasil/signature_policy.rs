//! ICP-Brasil signature policies (DOC-ICP-15.03 v9.1): which exist, and what each one asks for.
//!
//! The policies are data, in [`table`](self::ALL). What they ask for is checked by
//! [`SignaturePolicy::breaches`].

mod check;
mod table;

use core::fmt;

use const_oid::ObjectIdentifier;

use crate::digest::{Digest, DigestAlgorithm};
use crate::x509::SignatureAlgorithm;
use crate::{ErrorCode, Timestamp};

pub use check::{Breach, Observed};
pub use table::ALL;

/// Where a signature with this policy lives. XAdES has families of its own, which are not used here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// A CMS file: policies 2.16.76.1.7.1.1 to .5.
    Cades,
    /// Inside a PDF: policies 2.16.76.1.7.1.11 to .14. A CAdES policy there is refused.
    Pades,
}

/// How much a signature carries to be verified later (DOC-ICP-15, "perfis").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Profile {
    /// AD-RB: the basic form.
    Rb,
    /// AD-RT: with a time stamp on the signature value.
    Rt,
    /// AD-RV: with references to the validation data. Does not exist in PDF.
    Rv,
    /// AD-RC: with the validation data.
    Rc,
    /// AD-RA: with an archive time stamp.
    Ra,
}

impl Profile {
    /// Every profile, from the least to the most.
    pub const ALL: [Self; 5] = [Self::Rb, Self::Rt, Self::Rv, Self::Rc, Self::Ra];

    /// `AD-RB` and so on.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rb => "AD-RB",
            Self::Rt => "AD-RT",
            Self::Rv => "AD-RV",
            Self::Rc => "AD-RC",
            Self::Ra => "AD-RA",
        }
    }
}

/// The algorithms that a policy allows, all with keys of at least 2048 bits (RSA) or 256 bits (curves),
/// which is also the least that [`PublicKey`](crate::x509::PublicKey) reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithms {
    /// RSASSA-PKCS1-v1_5 with SHA-256 or SHA-512: policies before 2025.
    Rsa,
    /// The same, ECDSA with SHA-256 or SHA-512, and EdDSA: policies of 2025. Neither RSASSA-PSS nor SHA-384.
    RsaEcdsaEddsa,
}

impl Algorithms {
    /// Whether a signature value may be made with this algorithm.
    #[must_use]
    pub fn allow(self, algorithm: SignatureAlgorithm) -> bool {
        let pkcs1 =
            matches!(algorithm, SignatureAlgorithm::RsaPkcs1Sha256 | SignatureAlgorithm::RsaPkcs1Sha512);
        let modern = matches!(
            algorithm,
            SignatureAlgorithm::EcdsaSha256 | SignatureAlgorithm::EcdsaSha512 | SignatureAlgorithm::Ed25519
        );
        pkcs1 || (modern && self == Self::RsaEcdsaEddsa)
    }
}

/// One approved policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SignaturePolicy {
    /// CAdES or PAdES.
    pub family: Family,
    /// AD-RB to AD-RA.
    pub profile: Profile,
    /// Version as the norm writes it, such as `2.4`.
    pub version: &'static str,
    /// Dotted identifier. A version `x.0` leaves out the zero.
    pub oid: &'static str,
    /// `signPolicyHash` of the policy file: SHA-256 over its signPolicyHashAlg and signPolicyInfo. This
    /// goes into signatures; it is **not** the SHA-256 of the file, which the list of policies publishes.
    pub hash: [u8; 32],
    /// First moment of the signing period; `None` when not known.
    pub from: Option<Timestamp>,
    /// Last moment of the signing period; `None` when not known.
    pub until: Option<Timestamp>,
    /// Since when the policy is revoked.
    pub revoked: Option<Timestamp>,
    /// Since when a corrected version stands in its place. It was not revoked.
    pub replaced: Option<Timestamp>,
    /// Algorithms for the signature value.
    pub algorithms: Algorithms,
}

/// A signature cannot be made under the policy; the text names both.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the signature policy does not apply: {0}")]
#[non_exhaustive]
pub struct PolicyNotApplicable(pub(crate) String);

impl PolicyNotApplicable {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        ErrorCode::PolicyNotApplicable
    }
}

/// How a policy stands at a point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Signatures may be made under it.
    InForce,
    /// Its signing period has not begun.
    NotYet,
    /// Its signing period is over.
    Ended,
    /// A corrected version stands in its place: good enough to verify, not to sign.
    Replaced,
    /// It was revoked.
    Revoked,
}

impl SignaturePolicy {
    /// Address of the policy file, as it goes into the attribute: http by design.
    #[must_use]
    pub fn uri(&self) -> String {
        let family = match self.family {
            Family::Cades => "",
            Family::Pades => "PAdES_",
        };
        let profile = self.profile.as_str().replace('-', "_");
        let version = self.version.replace('.', "_");
        format!("http://politicas.icpbrasil.gov.br/PA_{family}{profile}_v{version}.der")
    }

    /// [`SignaturePolicy::hash`] as a digest.
    ///
    /// # Panics
    /// Never: the length is the one of SHA-256.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::from_bytes(DigestAlgorithm::Sha256, &self.hash).expect("32 bytes make a SHA-256")
    }

    /// How the policy stands at the time of a signature. A signature is judged by that time, not by today.
    #[must_use]
    pub fn standing(&self, at: Timestamp) -> Standing {
        if self.revoked.is_some_and(|revoked| revoked <= at) {
            Standing::Revoked
        } else if self.from.is_some_and(|from| at < from) {
            Standing::NotYet
        } else if self.until.is_some_and(|until| until < at) {
            Standing::Ended
        } else if self.replaced.is_some_and(|replaced| replaced <= at) {
            Standing::Replaced
        } else {
            Standing::InForce
        }
    }

    /// Whether a new signature may be made under this policy.
    ///
    /// # Errors
    /// `policy_not_applicable`: family, time or algorithm do not fit.
    pub fn check_applicable(
        &self,
        container: Family,
        algorithm: SignatureAlgorithm,
        at: Timestamp,
    ) -> Result<(), PolicyNotApplicable> {
        if self.family != container {
            return Err(PolicyNotApplicable(format!("{self} is not for signatures of this format")));
        }
        match self.standing(at) {
            Standing::InForce => self.check_algorithm(algorithm),
            Standing::NotYet => Err(PolicyNotApplicable(format!("{self} is not in force yet"))),
            Standing::Ended | Standing::Revoked | Standing::Replaced => {
                Err(PolicyNotApplicable(format!("{self} is no longer in force")))
            }
        }
    }

    pub(crate) fn check_algorithm(&self, algorithm: SignatureAlgorithm) -> Result<(), PolicyNotApplicable> {
        if self.algorithms.allow(algorithm) {
            return Ok(());
        }
        Err(PolicyNotApplicable(format!("{self} does not allow {}", algorithm.as_str())))
    }

    /// The identifier, encodable.
    pub(crate) fn identifier(&self) -> ObjectIdentifier {
        ObjectIdentifier::new_unwrap(self.oid)
    }
}

impl fmt::Display for SignaturePolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let family = match self.family {
            Family::Cades => "CAdES",
            Family::Pades => "PAdES",
        };
        write!(f, "{family} {} v{}", self.profile.as_str(), self.version)
    }
}

/// The policy with this dotted identifier.
#[must_use]
pub fn by_oid(oid: &str) -> Option<&'static SignaturePolicy> {
    ALL.iter().find(|policy| policy.oid == oid)
}

/// The policy to sign with: the newest of its kind. `None` for AD-RV in PDF, which does not exist.
#[must_use]
pub fn current(family: Family, profile: Profile) -> Option<&'static SignaturePolicy> {
    // The table goes from new to old.
    ALL.iter().find(|policy| policy.family == family && policy.profile == profile)
}

#[cfg(test)]
mod tests;
