//! The report on one signature.

use serde::{Deserialize, Serialize};

use super::finding::{conclusion, has_passed};
use super::{Check, Finding, Indication, Outcome, Record, SubIndication, TimeStampKind, TimeStampReport};
use crate::Timestamp;
use crate::revocation::Wanted;
use crate::validation::PdfSignatureReport;
use crate::wire::{CertificateView, SignatureFormat};

/// Result for one signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignatureReport {
    /// Name of the signature field, in a PDF.
    pub field: Option<String>,
    /// PAdES or CAdES.
    pub format: SignatureFormat,
    /// The verdict. Follows from `findings`.
    pub indication: Indication,
    /// Why it is not passed.
    pub sub_indication: Option<SubIndication>,
    /// Whether the content is what was signed.
    pub integrity: Integrity,
    /// Certificate of the signer, when it was found.
    pub signer: Option<CertificateView>,
    /// The path that was found: signer first, root last. Empty when there is none.
    pub path: Vec<CertificateView>,
    /// What kind of signature it is, as far as it was proved.
    pub nature: SignatureNature,
    /// Algorithm of the signature value, such as `rsa_pkcs1_sha256`, when it is known.
    pub signature_algorithm: Option<String>,
    /// When the signer claims to have signed: not a proof.
    pub claimed_time: Option<Timestamp>,
    /// The earliest time at which the signature is proved to have existed; `null` without a valid time stamp.
    pub proven_time: Option<ProvenTime>,
    /// The baseline level that was reached; `null` when not even the basic signature holds.
    pub level: Option<BaselineLevel>,
    /// The profile of ICP-Brasil whose form and evidence are there; `null` without a policy of ICP-Brasil.
    pub icp_brasil_profile: Option<IcpBrasilProfile>,
    /// The policy that the signature declares; `null` when it declares none.
    pub policy: Option<PolicyStatement>,
    /// In a PDF, whether the signature covers the file to its end; `null` elsewhere.
    pub covers_whole_file: Option<bool>,
    /// In a PDF, what is signed of the file and what came after; absent elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pdf: Option<PdfSignatureReport>,
    /// Every check that was made, in order.
    pub findings: Vec<Finding>,
    /// Time stamps inside the signature, in the order of the file.
    pub time_stamps: Vec<TimeStampReport>,
    /// Signatures over this signature's value (RFC 5652 §11.4), each with a report of its own.
    #[cfg_attr(feature = "openapi", schema(no_recursion))]
    pub counter_signatures: Vec<Self>,
    /// What would help to decide; [`Report::new`](super::Report::new) takes it.
    #[serde(skip)]
    pub(crate) wanted: Vec<Wanted>,
}

/// Whether the content is what was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Integrity {
    /// The digest of the content and the signature value verify.
    Intact,
    /// One of them does not.
    Altered,
    /// One of them could not be computed.
    Unknown,
}

/// What kind of signature it is, as far as it was proved. A description, not a legal effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SignatureNature {
    /// With a certificate under a root of ICP-Brasil, by fingerprint, whose path was validated.
    IcpBrasil,
    /// The same with a seal (SE-S, SE-H): origin and integrity, not a legal person's expression of will.
    IcpBrasilSeal,
    /// With a certificate under another trusted root.
    Advanced,
    /// Nothing more is known.
    Electronic,
}

impl SignatureNature {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::IcpBrasil, Self::IcpBrasilSeal, Self::Advanced, Self::Electronic];
}

/// A time that a time stamp proves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProvenTime {
    /// The time.
    pub time: Timestamp,
    /// Which time stamp.
    pub kind: TimeStampKind,
    /// Name of its authority.
    pub authority: String,
}

/// Baseline levels (ETSI EN 319 122-1 §6.1, EN 319 142-1 §6.1). The order is from little to much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum BaselineLevel {
    /// Basic: no proof of time.
    B,
    /// With a valid time stamp.
    T,
    /// With the certificates and revocation data that a later validation needs.
    Lt,
    /// With a time stamp over those too.
    Lta,
}

impl BaselineLevel {
    /// The usual name: `B`, `T`, `LT`, `LTA`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::B => "B",
            Self::T => "T",
            Self::Lt => "LT",
            Self::Lta => "LTA",
        }
    }
}

/// Profiles of ICP-Brasil (DOC-ICP-15). The order is from little to much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum IcpBrasilProfile {
    /// Basic reference.
    AdRb,
    /// With a time stamp.
    AdRt,
    /// With references for validation.
    AdRv,
    /// With complete references.
    AdRc,
    /// With an archive time stamp.
    AdRa,
}

impl IcpBrasilProfile {
    /// The usual name: `AD-RB`, `AD-RT`, …
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AdRb => "AD-RB",
            Self::AdRt => "AD-RT",
            Self::AdRv => "AD-RV",
            Self::AdRc => "AD-RC",
            Self::AdRa => "AD-RA",
        }
    }
}

/// The signature policy that a signature declares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PolicyStatement {
    /// Dotted identifier.
    pub oid: String,
    /// Name such as `AD-RB v2.4`, when it is a policy of ICP-Brasil that is known here.
    pub name: Option<String>,
    /// Whether everything that the policy asks for was checked and holds. A declaration alone is worth nothing.
    pub fulfilled: bool,
}

impl SignatureReport {
    /// A report without findings; it passes nothing until [`SignatureReport::conclude`].
    pub(crate) const fn new(format: SignatureFormat) -> Self {
        Self {
            field: None,
            format,
            indication: Indication::Indeterminate,
            sub_indication: Some(SubIndication::Generic),
            integrity: Integrity::Unknown,
            signer: None,
            path: Vec::new(),
            nature: SignatureNature::Electronic,
            signature_algorithm: None,
            claimed_time: None,
            proven_time: None,
            level: None,
            icp_brasil_profile: None,
            policy: None,
            covers_whole_file: None,
            pdf: None,
            findings: Vec::new(),
            time_stamps: Vec::new(),
            counter_signatures: Vec::new(),
            wanted: Vec::new(),
        }
    }

    pub(crate) fn passed(&mut self, check: Check, evidence: impl Into<String>) {
        self.findings.passed(check, evidence);
    }

    pub(crate) fn failed(&mut self, check: Check, why: SubIndication, evidence: impl Into<String>) {
        self.findings.failed(check, why, evidence);
    }

    pub(crate) fn indeterminate(&mut self, check: Check, why: SubIndication, evidence: impl Into<String>) {
        self.findings.indeterminate(check, why, evidence);
    }

    pub(crate) fn warning(&mut self, check: Check, evidence: impl Into<String>) {
        self.findings.warning(check, evidence);
    }

    /// Sets the members that follow from the findings. May be called again after more of them.
    pub(crate) fn conclude(&mut self) {
        (self.indication, self.sub_indication) = conclusion(&self.findings);
        let about_content = [Check::MessageDigest, Check::SignatureValue];
        let failed =
            |finding: &Finding| about_content.contains(&finding.check) && finding.outcome == Outcome::Failed;
        self.integrity = if self.findings.iter().any(failed) {
            Integrity::Altered
        } else if about_content.iter().all(|check| self.has_passed(*check)) {
            Integrity::Intact
        } else {
            Integrity::Unknown
        };
    }

    /// Whether this check was made and passed, and did not come out otherwise a second time.
    #[must_use]
    pub fn has_passed(&self, check: Check) -> bool {
        has_passed(&self.findings, check)
    }

    /// Whether revocation was left out on demand.
    #[must_use]
    pub fn revocation_not_checked(&self) -> bool {
        let left_out =
            |finding: &Finding| finding.check == Check::Revocation && finding.outcome == Outcome::NotChecked;
        self.findings.iter().any(left_out)
    }
}
