//! Why a run ended without result, and what the person can do about it.

use crate::ErrorCode;

/// A failure as a screen shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    /// Stable code.
    pub code: ErrorCode,
    /// Whether [`super::Action::Retry`] makes sense.
    pub retryable: bool,
    /// What to do next.
    pub next_step: NextStep,
}

/// The one thing that leads on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextStep {
    /// The same again, perhaps later.
    TryAgain,
    /// Another certificate.
    ChooseAnotherCertificate,
    /// Another document.
    ChooseAnotherDocument,
    /// Plug in the token or card.
    InsertToken,
    /// Install, update or restart the client.
    CheckClient,
    /// Sign in again at the bank: the session is over.
    SignInAgain,
    /// Nothing the person can do: tell the bank.
    ContactSupport,
}

impl NextStep {
    /// Every step, in the order of the list.
    pub const ALL: [Self; 7] = [
        Self::TryAgain,
        Self::ChooseAnotherCertificate,
        Self::ChooseAnotherDocument,
        Self::InsertToken,
        Self::CheckClient,
        Self::SignInAgain,
        Self::ContactSupport,
    ];

    /// The string that TypeScript sees.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TryAgain => "try_again",
            Self::ChooseAnotherCertificate => "choose_another_certificate",
            Self::ChooseAnotherDocument => "choose_another_document",
            Self::InsertToken => "insert_token",
            Self::CheckClient => "check_client",
            Self::SignInAgain => "sign_in_again",
            Self::ContactSupport => "contact_support",
        }
    }
}

impl From<ErrorCode> for Failure {
    fn from(code: ErrorCode) -> Self {
        let next_step = next_step(code);
        let retryable = !matches!(next_step, NextStep::ChooseAnotherDocument | NextStep::ContactSupport);
        Self { code, retryable, next_step }
    }
}

/// Exhaustive on purpose: a new code must be given a way out.
const fn next_step(code: ErrorCode) -> NextStep {
    match code {
        ErrorCode::DigestMismatch
        | ErrorCode::Internal
        | ErrorCode::Unavailable
        | ErrorCode::TooManyRequests
        | ErrorCode::IdempotencyInProgress
        | ErrorCode::DatabaseUnavailable
        | ErrorCode::TokenAgentFailed
        | ErrorCode::ReceiptPending
        | ErrorCode::SignatureExpired
        | ErrorCode::SignatureStateConflict
        | ErrorCode::SignatureValueInvalid
        | ErrorCode::TokenUnavailable
        | ErrorCode::ClientProtocol
        | ErrorCode::ClientSignFailed
        | ErrorCode::UserCancelled
        | ErrorCode::NetworkUnreachable
        | ErrorCode::WrongPassword
        | ErrorCode::P12WeakCipher
        | ErrorCode::P12SeveralKeys
        | ErrorCode::PdfPasswordWrong
        | ErrorCode::RevocationUnknown
        | ErrorCode::RevocationMalformed
        | ErrorCode::TimeStampUnavailable
        | ErrorCode::TimeStampInvalid
        | ErrorCode::ConsentRequired
        | ErrorCode::EnrolmentExpired
        | ErrorCode::AuthorizationInvalid
        | ErrorCode::ProviderUnavailable
        | ErrorCode::ProviderRefused
        | ErrorCode::ProviderAnswerLost
        | ErrorCode::ComposerUnavailable
        | ErrorCode::Busy => NextStep::TryAgain,

        ErrorCode::CertificateMalformed
        | ErrorCode::CertificateExpired
        | ErrorCode::CertificateNotYetValid
        | ErrorCode::CertificateWrongUsage
        | ErrorCode::CertificateUntrusted
        | ErrorCode::CertificateWrongPerson
        | ErrorCode::CertificateRevoked
        | ErrorCode::KeyUnsupported
        | ErrorCode::CertificateKeyMismatch
        | ErrorCode::P12Malformed => NextStep::ChooseAnotherCertificate,

        ErrorCode::PayloadTooLarge
        | ErrorCode::NotAPdf
        | ErrorCode::PdfDamaged
        | ErrorCode::PdfEncrypted
        | ErrorCode::PdfUnsupported
        | ErrorCode::PdfSigningForbidden
        | ErrorCode::LimitExceeded
        | ErrorCode::NotSigned
        | ErrorCode::CmsMalformed
        | ErrorCode::ContentRequired
        | ErrorCode::FileUnreadable => NextStep::ChooseAnotherDocument,

        ErrorCode::ClientTokenMissing => NextStep::InsertToken,

        ErrorCode::ClientNativeMissing | ErrorCode::ClientOutdated | ErrorCode::ClientNoResponse => {
            NextStep::CheckClient
        }

        ErrorCode::SessionExpired | ErrorCode::Unauthorized => NextStep::SignInAgain,

        ErrorCode::InvalidRequest
        | ErrorCode::OriginNotAllowed
        | ErrorCode::Forbidden
        | ErrorCode::NotFound
        | ErrorCode::MethodNotAllowed
        | ErrorCode::UnsupportedMediaType
        | ErrorCode::ContentsSlotTooSmall
        | ErrorCode::SignatureFieldNotFound
        | ErrorCode::SignatureFieldUnusable
        | ErrorCode::AppearanceInvalid
        | ErrorCode::PolicyNotApplicable
        | ErrorCode::SignatureNotExtendable
        | ErrorCode::ProviderAnswerInvalid
        | ErrorCode::ComposerRefused
        | ErrorCode::ComposerAnswerInvalid
        | ErrorCode::IdempotencyKeyReused
        | ErrorCode::OrderStateConflict
        | ErrorCode::BatchStateConflict
        | ErrorCode::EnrolmentStateConflict
        | ErrorCode::AccreditationRequired
        | ErrorCode::ManifestInvalid
        | ErrorCode::Cancelled
        | ErrorCode::ReceiptInvalid
        | ErrorCode::WebhookAddressRefused
        | ErrorCode::KeyNotFound
        | ErrorCode::KeyStateConflict
        | ErrorCode::CpfInvalid
        | ErrorCode::CnpjInvalid
        | ErrorCode::TokenPinRejected
        | ErrorCode::TokenPinLocked
        | ErrorCode::FileUnwritable
        | ErrorCode::Usage
        | ErrorCode::ConfigInvalid
        | ErrorCode::PortInUse
        | ErrorCode::DataFolderUnwritable
        | ErrorCode::DataFolderUnknown
        | ErrorCode::Pkcs11ModuleMissing
        | ErrorCode::ClientLicence
        | ErrorCode::ToSignMismatch
        | ErrorCode::PlatformUnsupported
        | ErrorCode::StepRefused => NextStep::ContactSupport,
    }
}
