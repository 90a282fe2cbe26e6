//! Names of the checks and of the reasons. Wire names are stable: added to, never changed.

use serde::{Deserialize, Serialize};

macro_rules! named {
    ($(#[doc = $outer:literal])+ $name:ident { $($(#[doc = $doc:literal])+ $variant:ident = $text:literal;)+ }) => {
        $(#[doc = $outer])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[non_exhaustive]
        pub enum $name {
            $($(#[doc = $doc])+ #[serde(rename = $text)] $variant,)+
        }

        impl $name {
            /// Every one, in the order of this list.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

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
        /// Unsigned attributes that are known can be read.
        UnsignedAttributes = "unsigned_attributes";
        /// The algorithms named in different places agree.
        Algorithms = "algorithms";
        /// message-digest equals the digest of the content.
        MessageDigest = "message_digest";
        /// The signature value verifies.
        SignatureValue = "signature_value";
        /// The signer's certificate is for signing; an authority's for time stamps.
        CertificateUsage = "certificate_usage";
        /// The signer's certificate leads to a trusted root.
        CertificatePath = "certificate_path";
        /// The signer's certificate is valid at the time in question.
        CertificateValidity = "certificate_validity";
        /// No certificate of the path is revoked.
        Revocation = "revocation";
        /// The certificate is one that ICP-Brasil issues for signing or sealing.
        IcpBrasilCertificate = "icp_brasil_certificate";
        /// The claimed time is plausible.
        SigningTime = "signing_time";
        /// A time stamp in the signature is about something else, or cannot be relied upon.
        TimeStamps = "time_stamps";
        /// The imprint of a time stamp is the digest of what it is about.
        TimeStampImprint = "time_stamp_imprint";
        /// Signatures over this signature's value.
        CounterSignatures = "counter_signatures";
        /// The declared policy is known and meant for this format.
        PolicyIdentifier = "policy_identifier";
        /// The declared hash is the one of the policy.
        PolicyHash = "policy_hash";
        /// The policy was in force at the time of the signature.
        PolicyPeriod = "policy_period";
        /// The attributes that the policy asks for are there, and none that it forbids.
        PolicyAttributes = "policy_attributes";
        /// The PDF has the validation data, with their entries, and the time stamp that the policy asks for.
        PolicyEntries = "policy_entries";
        /// Algorithm and key size are among those of the policy.
        PolicyAlgorithms = "policy_algorithms";
        /// The certificates lead to the roots of the policy, and the time stamps come from accredited authorities.
        PolicyTrust = "policy_trust";
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
        /// The certificate was revoked before the signature is proved to have existed.
        Revoked = "REVOKED";
        /// The certificate had expired before the signature is proved to have existed.
        Expired = "EXPIRED";
        /// The certificate was not valid yet.
        NotYetValid = "NOT_YET_VALID";
        /// A requirement on the signature is not met.
        SigConstraintsFailure = "SIG_CONSTRAINTS_FAILURE";
        /// A requirement on the path is not met.
        ChainConstraintsFailure = "CHAIN_CONSTRAINTS_FAILURE";
        /// The path cannot be validated for another reason.
        CertificateChainGeneralFailure = "CERTIFICATE_CHAIN_GENERAL_FAILURE";
        /// An algorithm is too weak.
        CryptoConstraintsFailure = "CRYPTO_CONSTRAINTS_FAILURE";
        /// An algorithm is too weak by now, and nothing proves that the signature is older.
        CryptoConstraintsFailureNoPoe = "CRYPTO_CONSTRAINTS_FAILURE_NO_POE";
        /// The declared policy cannot be applied.
        PolicyProcessingError = "POLICY_PROCESSING_ERROR";
        /// The declared policy is not at hand.
        SignaturePolicyNotAvailable = "SIGNATURE_POLICY_NOT_AVAILABLE";
        /// The time stamps contradict each other's order.
        TimestampOrderFailure = "TIMESTAMP_ORDER_FAILURE";
        /// The signer's certificate is not identified.
        NoSigningCertificateFound = "NO_SIGNING_CERTIFICATE_FOUND";
        /// There is no path to a trusted root.
        NoCertificateChainFound = "NO_CERTIFICATE_CHAIN_FOUND";
        /// The certificate is revoked, and nothing proves that the signature is older.
        RevokedNoPoe = "REVOKED_NO_POE";
        /// An authority above is revoked, and nothing proves that the signature is older.
        RevokedCaNoPoe = "REVOKED_CA_NO_POE";
        /// The certificate expired without having been revoked, and nothing proves when the signature existed.
        OutOfBoundsNotRevoked = "OUT_OF_BOUNDS_NOT_REVOKED";
        /// The time lies outside the certificate's validity, and nothing proves when the signature existed.
        OutOfBoundsNoPoe = "OUT_OF_BOUNDS_NO_POE";
        /// Revocation data come from an issuer that is out of its validity, and nothing proves their age.
        RevocationOutOfBoundsNoPoe = "REVOCATION_OUT_OF_BOUNDS_NO_POE";
        /// Nothing proves that something existed when it mattered.
        NoPoe = "NO_POE";
        /// The evidence at hand is older than what it has to prove: newer evidence may decide.
        TryLater = "TRY_LATER";
        /// The content is not at hand.
        SignedDataNotFound = "SIGNED_DATA_NOT_FOUND";
        /// Anything else, such as an algorithm that is not computed here.
        Generic = "GENERIC";
    }
}
