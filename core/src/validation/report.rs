//! The shape of a validation report.

use serde::{Deserialize, Serialize};

use crate::cms::CmsError;
use crate::pdf::PdfError;
use crate::wire::{CertificateView, SignatureFormat};
use crate::{ErrorCode, Timestamp};

/// Result of the validation of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Version of this shape: 1.
    pub version: u32,
    /// The time the question was asked for.
    pub at: Timestamp,
    /// One entry per signature, in the order of the file. Never empty.
    pub signatures: Vec<SignatureReport>,
}

impl Report {
    /// A report at a point in time.
    #[must_use]
    pub const fn new(at: Timestamp, signatures: Vec<SignatureReport>) -> Self {
        Self { version: 1, at, signatures }
    }

    /// The worst indication among the signatures; indeterminate when there is none.
    #[must_use]
    pub fn overall(&self) -> Indication {
        self.signatures
            .iter()
            .map(|signature| signature.indication)
            .max()
            .unwrap_or(Indication::Indeterminate)
    }
}

/// Result for one signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignatureReport {
    /// Name of the signature field, in a PDF.
    pub field: Option<String>,
    /// PAdES or CAdES.
    pub format: SignatureFormat,
    /// The verdict. Follows from `findings`.
    pub indication: Indication,
    /// Why it is not passed.
    pub sub_indication: Option<SubIndication>,
    /// Certificate of the signer, when it was found.
    pub signer: Option<CertificateView>,
    /// The path that was found: signer first, root last. Empty when there is none.
    pub path: Vec<CertificateView>,
    /// Algorithm of the signature value, such as `rsa_pkcs1_sha256`, when it is known.
    pub signature_algorithm: Option<String>,
    /// When the signer claims to have signed: not a proof.
    pub claimed_time: Option<Timestamp>,
    /// In a PDF, whether the signature covers the file to its end; `None` elsewhere.
    pub covers_whole_file: Option<bool>,
    /// Every check that was made, in order.
    pub findings: Vec<Finding>,
}

impl SignatureReport {
    /// A report without findings; it passes nothing until [`SignatureReport::conclude`].
    pub(crate) const fn new(format: SignatureFormat) -> Self {
        Self {
            field: None,
            format,
            indication: Indication::Indeterminate,
            sub_indication: Some(SubIndication::Generic),
            signer: None,
            path: Vec::new(),
            signature_algorithm: None,
            claimed_time: None,
            covers_whole_file: None,
            findings: Vec::new(),
        }
    }

    pub(crate) fn passed(&mut self, check: Check, evidence: impl Into<String>) {
        self.add(check, Outcome::Passed, None, evidence.into());
    }

    pub(crate) fn failed(&mut self, check: Check, why: SubIndication, evidence: impl Into<String>) {
        self.add(check, Outcome::Failed, Some(why), evidence.into());
    }

    pub(crate) fn indeterminate(&mut self, check: Check, why: SubIndication, evidence: impl Into<String>) {
        self.add(check, Outcome::Indeterminate, Some(why), evidence.into());
    }

    pub(crate) fn warning(&mut self, check: Check, evidence: impl Into<String>) {
        self.add(check, Outcome::Warning, None, evidence.into());
    }

    pub(crate) fn not_checked(&mut self, check: Check, evidence: impl Into<String>) {
        self.add(check, Outcome::NotChecked, None, evidence.into());
    }

    fn add(
        &mut self,
        check: Check,
        outcome: Outcome,
        sub_indication: Option<SubIndication>,
        evidence: String,
    ) {
        self.findings.push(Finding { check, outcome, sub_indication, evidence });
    }

    /// Sets indication and sub-indication from the findings. May be called again after more of them.
    pub(crate) fn conclude(&mut self) {
        let first = |outcome| self.findings.iter().find(|finding| finding.outcome == outcome);
        let decisive = first(Outcome::Failed).or_else(|| first(Outcome::Indeterminate));
        self.sub_indication = decisive.and_then(|finding| finding.sub_indication);
        self.indication = match decisive.map(|finding| finding.outcome) {
            Some(Outcome::Failed) => Indication::Failed,
            Some(_) => Indication::Indeterminate,
            None if self.findings.iter().any(|finding| finding.outcome == Outcome::Passed) => {
                Indication::Passed
            }
            None => Indication::Indeterminate,
        };
    }

    /// Whether this check was made and passed.
    #[must_use]
    pub fn has_passed(&self, check: Check) -> bool {
        self.findings.iter().any(|finding| finding.check == check && finding.outcome == Outcome::Passed)
    }
}

/// One check and what it found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What was checked.
    pub check: Check,
    /// How it ended.
    pub outcome: Outcome,
    /// For outcomes that decide: the reason in the words of the standard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_indication: Option<SubIndication>,
    /// What was seen: digests, algorithms, serial numbers, times. No CPF or CNPJ.
    pub evidence: String,
}

/// Verdict on a signature. The order is from good to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Indication {
    /// TOTAL-PASSED.
    Passed,
    /// INDETERMINATE: the facts at hand allow no verdict.
    Indeterminate,
    /// TOTAL-FAILED.
    Failed,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It holds.
    Passed,
    /// It does not hold, and the signature fails with it.
    Failed,
    /// It cannot be decided, or holds only under conditions that are not proved.
    Indeterminate,
    /// Worth knowing; it does not change the verdict.
    Warning,
    /// It was not made.
    NotChecked,
}

macro_rules! named {
    ($(#[doc = $outer:literal])+ $name:ident { $($(#[doc = $doc:literal])+ $variant:ident = $text:literal;)+ }) => {
        $(#[doc = $outer])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[doc = $doc])+ #[serde(rename = $text)] $variant,)+
        }

        impl $name {
            /// The wire name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }
    };
}

named! {
    /// What a finding is about.
    Check {
        /// The structure can be read and is complete.
        Format = "format";
        /// The certificate that the signature names is there, exactly one.
        SignerCertificate = "signer_certificate";
        /// signing-certificate-v2 refers to that certificate.
        SigningCertificateReference = "signing_certificate_reference";
        /// Signed attributes are there, each once, content-type fits.
        SignedAttributes = "signed_attributes";
        /// The algorithms named in different places agree.
        Algorithms = "algorithms";
        /// message-digest equals the digest of the content.
        MessageDigest = "message_digest";
        /// The signature value verifies.
        SignatureValue = "signature_value";
        /// The signer's certificate is for signing.
        CertificateUsage = "certificate_usage";
        /// The signer's certificate leads to a trusted root.
        CertificatePath = "certificate_path";
        /// The signer's certificate is valid at the time in question.
        CertificateValidity = "certificate_validity";
        /// No certificate of the path is revoked.
        Revocation = "revocation";
        /// The claimed time is plausible.
        SigningTime = "signing_time";
        /// The signature dictionary of a PDF has the entries it needs.
        PdfDictionary = "pdf_dictionary";
        /// The ByteRange of a PDF leaves out the signature and nothing else.
        PdfByteRange = "pdf_byte_range";
        /// The signature of a PDF covers the file to its end or to the end of a revision.
        PdfCoverage = "pdf_coverage";
        /// What was added to a PDF after the signature.
        PdfModifications = "pdf_modifications";
    }
}

named! {
    /// Reason for a verdict other than passed (ETSI EN 319 102-1 §5.1.3, as the standard writes them).
    SubIndication {
        /// The structure is not conformant.
        FormatFailure = "FORMAT_FAILURE";
        /// A digest differs: the content was changed.
        HashFailure = "HASH_FAILURE";
        /// The signature value does not verify.
        SigCryptoFailure = "SIG_CRYPTO_FAILURE";
        /// A requirement on the signature is not met.
        SigConstraintsFailure = "SIG_CONSTRAINTS_FAILURE";
        /// A requirement on the path is not met.
        ChainConstraintsFailure = "CHAIN_CONSTRAINTS_FAILURE";
        /// The path cannot be validated for another reason.
        CertificateChainGeneralFailure = "CERTIFICATE_CHAIN_GENERAL_FAILURE";
        /// An algorithm is too weak.
        CryptoConstraintsFailure = "CRYPTO_CONSTRAINTS_FAILURE";
        /// The signer's certificate was not valid yet.
        NotYetValid = "NOT_YET_VALID";
        /// The signer's certificate is not identified.
        NoSigningCertificateFound = "NO_SIGNING_CERTIFICATE_FOUND";
        /// There is no path to a trusted root.
        NoCertificateChainFound = "NO_CERTIFICATE_CHAIN_FOUND";
        /// The time lies outside the certificate's validity, and nothing proves when the signature existed.
        OutOfBoundsNoPoe = "OUT_OF_BOUNDS_NO_POE";
        /// The evidence at hand is older than what it has to prove: newer evidence may decide.
        TryLater = "TRY_LATER";
        /// The content is not at hand.
        SignedDataNotFound = "SIGNED_DATA_NOT_FOUND";
        /// Anything else, such as an algorithm that is not computed here.
        Generic = "GENERIC";
    }
}

/// There is nothing to report on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ValidationError {
    /// The file cannot be read as a signature.
    #[error(transparent)]
    Cms(#[from] CmsError),
    /// The file cannot be read as a PDF.
    #[error(transparent)]
    Pdf(#[from] PdfError),
    /// The file can be read and carries no signature.
    #[error("the file carries no signature")]
    NotSigned,
    /// The signature is detached and its content was not given.
    #[error("the signature is detached: its content is needed")]
    ContentRequired,
}

impl ValidationError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Cms(error) => error.code(),
            Self::Pdf(error) => error.code(),
            Self::NotSigned => ErrorCode::NotSigned,
            Self::ContentRequired => ErrorCode::ContentRequired,
        }
    }
}
