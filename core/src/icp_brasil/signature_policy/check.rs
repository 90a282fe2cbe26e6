//! A signature against the policy it declares (DOC-ICP-15.03 v9.1).

use const_oid::ObjectIdentifier;

use super::{Family, Profile, SignaturePolicy, Standing};
use crate::cms::{SignedAttributes, SignedData, SignerInfo};
use crate::{Timestamp, oid};

/// What of a signature a policy speaks about.
#[derive(Debug, Clone, Copy)]
pub struct Observed<'a> {
    /// Where the signature was found.
    pub container: Family,
    /// The structure around the signer.
    pub signed_data: &'a SignedData,
    /// The signer.
    pub signer: &'a SignerInfo,
    /// The signer's attributes, which declare the policy.
    pub attributes: &'a SignedAttributes,
    /// When the signature was made, as far as that is proven; otherwise the time of validation.
    pub at: Timestamp,
}

/// One thing in which a signature does not keep to its policy. `Display` is an English half-sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Breach {
    /// A CAdES policy in a PDF, or the other way round.
    #[error("the policy is one for {expected:?} signatures")]
    Family {
        /// What the policy is for.
        expected: Family,
    },
    /// The hash in the attribute is another one, or uses another algorithm, or is all zeros.
    #[error("the hash in the policy attribute is not the one of the policy")]
    Hash,
    /// The signature was made before or after the signing period, or after a revocation.
    #[error("the policy was not in force at the time of the signature: {0:?}")]
    Period(Standing),
    /// A mandatory signed attribute is absent.
    #[error("the signed attribute {0} is missing")]
    SignedMissing(&'static str),
    /// A forbidden signed attribute is there.
    #[error("the signed attribute {0} is forbidden")]
    SignedForbidden(&'static str),
    /// A mandatory unsigned attribute is absent.
    #[error("the unsigned attribute {0} is missing")]
    UnsignedMissing(&'static str),
    /// A forbidden unsigned attribute is there; the text is its name or dotted identifier.
    #[error("the unsigned attribute {0} is forbidden")]
    UnsignedForbidden(String),
    /// The signature algorithm is not among the allowed ones.
    #[error("the signature algorithm is not one of the policy")]
    Algorithm,
    /// signing-certificate-v2 must refer to the signer's certificate and to no other.
    #[error("signing-certificate-v2 holds {0} references where the policy asks for one")]
    References(usize),
    /// The signer's certificate must be in SignedData.certificates.
    #[error("the signer's certificate is not in the signature")]
    CertificateMissing,
}

type Named = (ObjectIdentifier, &'static str);

/// Signed attributes of every profile.
const SIGNED: &[Named] = &[
    (oid::CONTENT_TYPE, "content-type"),
    (oid::MESSAGE_DIGEST, "message-digest"),
    (oid::SIGNING_CERTIFICATE_V2, "signing-certificate-v2"),
    (oid::SIGNATURE_POLICY, "signature-policy-identifier"),
];

/// Signed attributes that the PDF dictionary or the newer form replaces.
const FORBIDDEN_IN_PDF: &[Named] = &[
    (oid::SIGNING_TIME, "signing-time"),
    (oid::SIGNER_LOCATION, "signer-location"),
    (oid::REVOCATION_INFO_ARCHIVAL, "adbe-revocationInfoArchival"),
    (oid::SIGNING_CERTIFICATE_V1, "signing-certificate"),
];

const TIME_STAMP: Named = (oid::SIGNATURE_TIME_STAMP, "signature-time-stamp");
const CERTIFICATE_REFERENCES: Named = (oid::CERTIFICATE_REFERENCES, "complete-certificate-references");
const REVOCATION_REFERENCES: Named = (oid::REVOCATION_REFERENCES, "complete-revocation-references");
const ESC: Named = (oid::ESC_TIME_STAMP, "CAdES-C-time-stamp");
const CERTIFICATE_VALUES: Named = (oid::CERTIFICATE_VALUES, "certificate-values");
const REVOCATION_VALUES: Named = (oid::REVOCATION_VALUES, "revocation-values");
const ARCHIVE: Named = (oid::ARCHIVE_TIME_STAMP_V2, "archive-time-stamp-v2");

/// Unsigned attributes that a profile asks for. AD-RA does not repeat the time stamps of the others.
const fn unsigned(family: Family, profile: Profile) -> &'static [Named] {
    match (family, profile) {
        (_, Profile::Rb) | (Family::Pades, Profile::Rv | Profile::Rc | Profile::Ra) => &[],
        (_, Profile::Rt) => &[TIME_STAMP],
        (Family::Cades, Profile::Rv) => &[TIME_STAMP, CERTIFICATE_REFERENCES, REVOCATION_REFERENCES, ESC],
        (Family::Cades, Profile::Rc) => &[
            TIME_STAMP,
            CERTIFICATE_REFERENCES,
            REVOCATION_REFERENCES,
            ESC,
            CERTIFICATE_VALUES,
            REVOCATION_VALUES,
        ],
        (Family::Cades, Profile::Ra) => {
            &[CERTIFICATE_REFERENCES, REVOCATION_REFERENCES, CERTIFICATE_VALUES, REVOCATION_VALUES, ARCHIVE]
        }
    }
}

impl SignaturePolicy {
    /// Everything in which the CMS part of a signature does not keep to this policy; empty when it does.
    ///
    /// The certificates' paths, their revocation and the PDF part are judged elsewhere. What the norm does
    /// not list counts as optional, as it has said since 2018; older policies are read the same way.
    ///
    /// **Source**: DOC-ICP-15.03 v9.1.
    #[must_use]
    pub fn breaches(&self, observed: &Observed<'_>) -> Vec<Breach> {
        let mut breaches = Vec::new();
        self.check_identifier(observed, &mut breaches);
        self.check_signed(observed, &mut breaches);
        self.check_unsigned(observed, &mut breaches);

        match observed.signer.signature_algorithm() {
            Ok(algorithm) if self.algorithms.allow(algorithm) => {}
            Ok(_) | Err(_) => breaches.push(Breach::Algorithm),
        }
        if observed.signed_data.certificate_of(&observed.signer.id).is_none() {
            breaches.push(Breach::CertificateMissing);
        }
        breaches
    }

    fn check_identifier(&self, observed: &Observed<'_>, breaches: &mut Vec<Breach>) {
        if self.family != observed.container {
            breaches.push(Breach::Family { expected: self.family });
        }
        let declared = observed.attributes.signature_policy();
        if declared.is_none_or(|declared| declared.hash != Some(self.digest())) {
            breaches.push(Breach::Hash);
        }
        match self.standing(observed.at) {
            // Whoever signed in those weeks used the policy that was published.
            Standing::InForce | Standing::Replaced => {}
            standing @ (Standing::NotYet | Standing::Ended | Standing::Revoked) => {
                breaches.push(Breach::Period(standing));
            }
        }
    }

    fn check_signed(&self, observed: &Observed<'_>, breaches: &mut Vec<Breach>) {
        let missing = SIGNED.iter().filter(|(kind, _)| !observed.attributes.has(*kind));
        breaches.extend(missing.map(|(_, name)| Breach::SignedMissing(name)));
        if self.family == Family::Pades {
            let present = FORBIDDEN_IN_PDF.iter().filter(|(kind, _)| observed.attributes.has(*kind));
            breaches.extend(present.map(|(_, name)| Breach::SignedForbidden(name)));
        }
        if let Some(reference) = observed.attributes.signing_certificate()
            && reference.references != 1
        {
            breaches.push(Breach::References(reference.references));
        }
    }

    fn check_unsigned(&self, observed: &Observed<'_>, breaches: &mut Vec<Breach>) {
        let present = observed.signer.unsigned_attributes();
        let missing = unsigned(self.family, self.profile)
            .iter()
            .filter(|(kind, _)| !present.iter().any(|attribute| attribute.is(*kind)));
        breaches.extend(missing.map(|(_, name)| Breach::UnsignedMissing(name)));
        if self.family == Family::Pades {
            let forbidden = present.iter().filter(|attribute| !attribute.is(oid::SIGNATURE_TIME_STAMP));
            breaches.extend(forbidden.map(|attribute| Breach::UnsignedForbidden(attribute.kind())));
        }
    }
}
