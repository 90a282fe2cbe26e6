//! What ends a command: a code for scripts, one line for people.

use std::fmt;

use rubrica_core::ErrorCode;

/// A failure of a command or of the start.
///
/// Shown as `error[code]: what. what to do`, one line, without a backtrace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    code: ErrorCode,
    what: String,
    remedy: String,
}

impl Failure {
    /// Says what happened and what the reader can do, both without a final full stop.
    pub(crate) fn new(code: ErrorCode, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        // The causes of foreign errors may span lines; scripts read one.
        let one_line = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
        Self { code, what: one_line(what.into()), remedy: one_line(remedy.into()) }
    }

    /// The same, with the usual remedy for the code.
    pub(crate) fn of(code: ErrorCode, what: impl Into<String>) -> Self {
        Self::new(code, what, usual_remedy(code))
    }

    pub(crate) const fn code(&self) -> ErrorCode {
        self.code
    }

    pub(crate) fn what(&self) -> &str {
        &self.what
    }

    pub(crate) fn remedy(&self) -> &str {
        &self.remedy
    }

    /// Puts the name of the file or thing at fault in front.
    #[must_use]
    pub(crate) fn about(mut self, subject: impl fmt::Display) -> Self {
        self.what = format!("{subject}: {}", self.what);
        self
    }

    /// 3 when the input or the call is at fault, 1 when the work was refused or did not succeed.
    #[expect(clippy::wildcard_enum_match_arm, reason = "what is not listed is about the input or the call")]
    pub(crate) const fn exit_code(&self) -> u8 {
        match self.code {
            ErrorCode::CertificateExpired
            | ErrorCode::CertificateNotYetValid
            | ErrorCode::CertificateWrongUsage
            | ErrorCode::CertificateUntrusted
            | ErrorCode::CertificateWrongPerson
            | ErrorCode::PdfSigningForbidden
            | ErrorCode::SignatureStateConflict
            | ErrorCode::SignatureExpired
            | ErrorCode::SignatureValueInvalid
            | ErrorCode::TokenUnavailable
            | ErrorCode::TokenPinRejected
            | ErrorCode::TokenPinLocked
            | ErrorCode::CertificateRevoked
            | ErrorCode::RevocationUnknown
            | ErrorCode::RevocationMalformed
            | ErrorCode::TimeStampUnavailable
            | ErrorCode::TimeStampInvalid
            | ErrorCode::SignatureNotExtendable
            | ErrorCode::ComposerUnavailable
            | ErrorCode::ComposerRefused
            | ErrorCode::ComposerAnswerInvalid
            | ErrorCode::Internal
            | ErrorCode::Unavailable => 1,
            _ => 3,
        }
    }
}

/// What a person at a command line can usually do.
#[expect(clippy::wildcard_enum_match_arm, reason = "most codes never reach a command line")]
const fn usual_remedy(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::NotAPdf => "Give a PDF, or sign any file with --format cades",
        ErrorCode::PdfDamaged => "Get the file again from its source, or open and save it as a new PDF",
        ErrorCode::PdfEncrypted => "Give its password in RUBRICA_PDF_PASSWORD or --pdf-password-file",
        ErrorCode::PdfUnsupported => "Save it as a new PDF, or sign the file as it is with --format cades",
        ErrorCode::PdfSigningForbidden => "Ask its author for a version that allows signatures",
        ErrorCode::CertificateMalformed => "Give a certificate as PEM or DER",
        ErrorCode::CertificateExpired => "Renew the certificate and sign with the new one",
        ErrorCode::CertificateNotYetValid => {
            "Check the clock of this machine, or wait until the certificate is valid"
        }
        ErrorCode::CertificateWrongUsage => "Use a certificate that was issued for signing",
        ErrorCode::CertificateUntrusted => {
            "Add its root to trust.anchors, or use a certificate of a trusted authority"
        }
        ErrorCode::CertificateWrongPerson => "Use the signer's own certificate",
        ErrorCode::KeyUnsupported => "Use an RSA key of 2048 to 4096 bits, or one of P-256, P-384 or Ed25519",
        ErrorCode::KeyStateConflict => "See `rubrica keys show` for its state; a retired key stays retired",
        ErrorCode::KeyNotFound => "See `rubrica keys list` for the keys there are",
        ErrorCode::P12Malformed => "Export the certificate with its key again as PKCS#12",
        ErrorCode::WrongPassword => {
            "Give the right one in RUBRICA_P12_PASSWORD, --password-file or at the prompt"
        }
        ErrorCode::SignatureValueInvalid => "Check that key and certificate belong together",
        ErrorCode::TokenUnavailable => "Check the token with `rubrica doctor` and try again",
        ErrorCode::TokenPinRejected => "Correct the PIN before the next try: wrong ones lock the token",
        ErrorCode::TokenPinLocked => "Have the security officer unlock the token",
        ErrorCode::PdfPasswordWrong => "Give the right one in RUBRICA_PDF_PASSWORD or --pdf-password-file",
        ErrorCode::SignatureFieldNotFound => {
            "Name a signature field of the PDF, or leave --field out for a new one"
        }
        ErrorCode::SignatureFieldUnusable => "Choose another field, or leave --field out for a new one",
        ErrorCode::AppearanceInvalid => "Correct the page, the rectangle, the text or the picture",
        ErrorCode::LimitExceeded => "Use a smaller or simpler file",
        ErrorCode::CertificateRevoked => "Use another certificate",
        ErrorCode::RevocationUnknown => "Check the network and fetch.allowed_hosts, and try again",
        ErrorCode::RevocationMalformed => "Tell the authority that publishes them",
        ErrorCode::PolicyNotApplicable => "Choose another policy, level or key",
        ErrorCode::TimeStampUnavailable => {
            "Check the address and the credentials of the authority, and try again"
        }
        ErrorCode::TimeStampInvalid => "Use another time-stamping authority",
        ErrorCode::SignatureNotExtendable => "Sign again at the level that is needed",
        ErrorCode::ComposerUnavailable => {
            "Check composer.default and the program or service it names, and try again"
        }
        ErrorCode::ComposerRefused => "See its own log for the reason, or let `own` make the signature",
        ErrorCode::ComposerAnswerInvalid => {
            "Let `own` make the signature, and tell the maker of the other one"
        }
        ErrorCode::ReceiptInvalid => "Get the receipt again from the service that made it",
        ErrorCode::NotSigned => "Give a signed PDF, or a .p7s with --content",
        ErrorCode::CmsMalformed => "Get the file again from its source",
        ErrorCode::ContentRequired => "Give the signed file with --content",
        ErrorCode::FileUnreadable => "Check the path and its permissions",
        ErrorCode::FileUnwritable => "Check the folder, its permissions and the space left",
        ErrorCode::Usage => "See `rubrica help`",
        ErrorCode::ConfigInvalid => "See `rubrica config print` for the keys and their values",
        ErrorCode::DataFolderUnwritable => "Check the folder, its permissions and the space left",
        ErrorCode::DataFolderUnknown => "Choose an empty folder, or restore this one from a backup",
        ErrorCode::Pkcs11ModuleMissing => {
            "Install SoftHSM with `apt-get install softhsm2`, or set RUBRICA_PKCS11_MODULE"
        }
        ErrorCode::PortInUse => "Stop the other program or choose another port",
        _ => "Try again; if it persists, report it with this line",
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error[{}]: {}. {}.", self.code, self.what, self.remedy)
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_one_line_with_code_cause_and_remedy() {
        let failure =
            Failure::new(ErrorCode::PortInUse, "port 80\nis taken", "Choose another one").about("demo");
        assert_eq!(failure.to_string(), "error[port_in_use]: demo: port 80 is taken. Choose another one.");
        assert_eq!(failure.exit_code(), 3);
    }
}
