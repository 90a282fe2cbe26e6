//! The report on one time stamp.

use serde::{Deserialize, Serialize};

use super::finding::conclusion;
use super::{Finding, Indication, SubIndication};
use crate::Timestamp;
use crate::validation::PdfSignatureReport;
use crate::wire::CertificateView;

/// Result for one time stamp (RFC 3161), validated as a signature of its authority.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TimeStampReport {
    /// What it is about.
    pub kind: TimeStampKind,
    /// Name of the signature field, for a document time stamp.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The time it states. It proves something only when `indication` is `passed`.
    pub time: Option<Timestamp>,
    /// The verdict. Follows from `findings`.
    pub indication: Indication,
    /// Why it is not passed.
    pub sub_indication: Option<SubIndication>,
    /// Certificate of the authority, when it was found.
    pub authority: Option<CertificateView>,
    /// The path that was found: authority first, root last. Empty when there is none.
    pub path: Vec<CertificateView>,
    /// Dotted identifier of the authority's policy.
    pub policy: Option<String>,
    /// Whether the authority is accredited by ICP-Brasil: a T3 or T4 certificate under one of its roots.
    pub accredited: bool,
    /// For a document time stamp, whether it covers the file to its end; `null` elsewhere.
    pub covers_whole_file: Option<bool>,
    /// For a document time stamp, what is covered of the file and what came after; absent elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pdf: Option<PdfSignatureReport>,
    /// Every check that was made, in order.
    pub findings: Vec<Finding>,
}

/// What a time stamp is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TimeStampKind {
    /// The content, before it was signed (ETSI EN 319 122-1 §5.2.8): the signature is younger.
    Content,
    /// The signature value (ETSI EN 319 122-1 §5.3; RFC 5126 §6.1.1).
    Signature,
    /// The signature, its time stamp and the references to certificates and revocation data (escTimeStamp,
    /// RFC 5126 §6.3.5).
    References,
    /// The references alone (RFC 5126 §6.3.6). It proves nothing about the signature.
    ReferencesOnly,
    /// An archive time stamp of the first version, which is not evaluated.
    ArchiveV1,
    /// Everything in a CMS signature, in the order of RFC 5126 §6.4.1.
    ArchiveV2,
    /// Everything in a CMS signature, by its hash index (ETSI EN 319 122-1 §5.5.3).
    ArchiveV3,
    /// A PDF up to the end of a revision (ETSI EN 319 142-1 §5.4.3).
    Document,
}

impl TimeStampKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Content,
        Self::Signature,
        Self::References,
        Self::ReferencesOnly,
        Self::ArchiveV1,
        Self::ArchiveV2,
        Self::ArchiveV3,
        Self::Document,
    ];
}

impl TimeStampReport {
    /// A report without findings; it passes nothing until [`TimeStampReport::conclude`].
    pub(crate) const fn new(kind: TimeStampKind) -> Self {
        Self {
            kind,
            field: None,
            time: None,
            indication: Indication::Indeterminate,
            sub_indication: Some(SubIndication::Generic),
            authority: None,
            path: Vec::new(),
            policy: None,
            accredited: false,
            covers_whole_file: None,
            pdf: None,
            findings: Vec::new(),
        }
    }

    /// Sets indication and sub-indication from the findings. May be called again after more of them.
    pub(crate) fn conclude(&mut self) {
        (self.indication, self.sub_indication) = conclusion(&self.findings);
    }

    /// The time it proves: only when it passed.
    #[must_use]
    pub fn proven_time(&self) -> Option<Timestamp> {
        self.time.filter(|_| self.indication == Indication::Passed)
    }
}
