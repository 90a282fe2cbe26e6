//! Errors of the API as `application/problem+json` (RFC 9457).

use std::borrow::Cow;
use std::fmt;

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use rubrica_core::ErrorCode;
use rubrica_core::wire::{Problem, ProblemMember};

use crate::engine::batch::results::ArtefactError;
use crate::engine::batch::submit::SubmitError;
use crate::objects::ObjectError;
use crate::ports::SigningKeyError;
use crate::store::StoreError;

/// Stable URIs of problem types end in the code.
const TYPE_PREFIX: &str = "https://rubrica.dev/problems/";

/// A refused or failed request.
#[derive(Debug, Clone)]
pub(crate) struct ApiError {
    code: ErrorCode,
    detail: Cow<'static, str>,
    errors: Vec<ProblemMember>,
    retry_after_seconds: Option<u32>,
    /// For the log only.
    cause: Option<String>,
}

pub(crate) type ApiResult<T> = Result<T, ApiError>;

impl ApiError {
    /// Says what is wrong in this case and what to do; no personal data.
    pub(crate) fn new(code: ErrorCode, detail: impl Into<Cow<'static, str>>) -> Self {
        let retry_after_seconds =
            matches!(status(code), StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS)
                .then_some(2);
        Self { code, detail: detail.into(), errors: Vec::new(), retry_after_seconds, cause: None }
    }

    /// An invalid member of the request, by its JSON Pointer.
    pub(crate) fn member(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let mut error = Self::new(ErrorCode::InvalidRequest, "correct the members listed in `errors`");
        error.errors.push(ProblemMember { pointer: pointer.into(), detail, code: None });
        error
    }

    /// Invalid members of the request.
    pub(crate) fn members(errors: Vec<ProblemMember>) -> Self {
        let mut error = Self::new(ErrorCode::InvalidRequest, "correct the members listed in `errors`");
        error.errors = errors;
        error
    }

    /// Names the member of the request at fault.
    #[must_use]
    pub(crate) fn at(mut self, pointer: &str) -> Self {
        let detail = self.detail.clone().into_owned();
        self.errors.push(ProblemMember { pointer: pointer.to_owned(), detail, code: None });
        self
    }

    /// A resource that is not there for this caller.
    pub(crate) fn not_found(what: &'static str) -> Self {
        Self::new(ErrorCode::NotFound, format!("there is no such {what} for this credential"))
    }

    /// A failure that is ours. The cause goes to the log, not to the caller.
    pub(crate) fn internal(cause: impl fmt::Display) -> Self {
        let mut error =
            Self::new(ErrorCode::Internal, "try again; if it persists, give the request_id to the operator");
        error.cause = Some(cause.to_string());
        error
    }

    /// When to come back; only for the codes of 429 and 503.
    #[must_use]
    pub(crate) fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }

    pub(crate) const fn status(&self) -> StatusCode {
        status(self.code)
    }

    pub(crate) const fn code(&self) -> ErrorCode {
        self.code
    }

    /// Adds what only the log should hold.
    #[must_use]
    pub(crate) fn because(mut self, cause: impl fmt::Display) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    pub(crate) fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    /// The whole answer, once path and request id are known.
    pub(crate) fn render(&self, instance: &str, request_id: &str) -> Response {
        let status = status(self.code);
        let problem = Problem {
            type_uri: type_uri(self.code),
            title: self.code.title().to_owned(),
            status: status.as_u16(),
            detail: self.detail.clone().into_owned(),
            instance: instance.to_owned(),
            code: self.code,
            request_id: request_id.to_owned(),
            errors: self.errors.clone(),
        };
        let body = serde_json::to_vec(&problem).expect("a problem has only strings and numbers");
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl IntoResponse for ApiError {
    /// Only marks the answer: the envelope, which knows path and request id, writes the body.
    fn into_response(self) -> Response {
        let mut response = status(self.code).into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::KeyState { .. } => Self::new(ErrorCode::KeyStateConflict, error.to_string()),
            StoreError::ConsentWithdrawn => Self::new(ErrorCode::ConsentRequired, error.to_string()),
            StoreError::BatchState { .. } => Self::new(ErrorCode::BatchStateConflict, error.to_string()),
            StoreError::StateConflict { .. } | StoreError::LeaseLost => {
                Self::new(ErrorCode::SignatureStateConflict, "read the signature again to see its state")
            }
            StoreError::Repeated => {
                Self::new(ErrorCode::IdempotencyInProgress, "an equal request was faster; ask again")
                    .retry_after(1)
            }
            StoreError::OrderConflict { detail } => Self::new(ErrorCode::OrderStateConflict, detail.clone()),
            StoreError::Stopped => {
                Self::new(ErrorCode::Unavailable, "the service is stopping; try another instance")
            }
            StoreError::Unavailable(_) | StoreError::Unprotected(_) => {
                Self::new(ErrorCode::DatabaseUnavailable, "nothing was kept; try again").because(error)
            }
            StoreError::Damaged { .. }
            | StoreError::Constraint(_)
            | StoreError::Newer
            | StoreError::Statement(_) => Self::internal(error),
        }
    }
}

impl From<SubmitError> for ApiError {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Refused { code, detail } => Self::new(code, detail),
            SubmitError::Store(error) => error.into(),
            SubmitError::Panicked => Self::internal(error),
        }
    }
}

impl From<ArtefactError> for ApiError {
    fn from(error: ArtefactError) -> Self {
        match error {
            ArtefactError::Store(error) => error.into(),
            ArtefactError::NotTheSame(_) | ArtefactError::Panicked => Self::internal(error),
        }
    }
}

impl From<ObjectError> for ApiError {
    fn from(error: ObjectError) -> Self {
        match error {
            ObjectError::TooLarge { limit_bytes } => {
                Self::new(ErrorCode::PayloadTooLarge, format!("a document has at most {limit_bytes} bytes"))
            }
            ObjectError::OtherDigest => Self::new(
                ErrorCode::DigestMismatch,
                "the bytes do not have the announced digest; send them again",
            ),
            ObjectError::Store(error) => error.into(),
            // Full, unplugged, read-only: the operator's matter, and it may pass.
            ObjectError::Unavailable(_) => {
                Self::new(ErrorCode::Unavailable, "the documents cannot be reached or kept now; try again")
                    .because(error)
            }
            ObjectError::Missing(_) | ObjectError::Damaged(_) => Self::internal(error),
        }
    }
}

/// The code of an error of the token.
pub(crate) const fn token_error_code(error: &SigningKeyError) -> ErrorCode {
    match error {
        SigningKeyError::KeyMissing => ErrorCode::KeyNotFound,
        SigningKeyError::KeyUnusable(_) => ErrorCode::KeyUnsupported,
        SigningKeyError::Unavailable(_) => ErrorCode::TokenUnavailable,
        SigningKeyError::AgentFailed(_) => ErrorCode::TokenAgentFailed,
        SigningKeyError::PinRejected | SigningKeyError::PinFinalTry => ErrorCode::TokenPinRejected,
        SigningKeyError::PinLocked => ErrorCode::TokenPinLocked,
    }
}

/// The stable URI of a problem with this code.
pub(crate) fn type_uri(code: ErrorCode) -> String {
    format!("{TYPE_PREFIX}{code}")
}

/// The HTTP status of a code.
pub(crate) const fn status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::InvalidRequest | ErrorCode::Usage => StatusCode::BAD_REQUEST,
        ErrorCode::Unauthorized | ErrorCode::SessionExpired => StatusCode::UNAUTHORIZED,
        ErrorCode::OriginNotAllowed | ErrorCode::Forbidden | ErrorCode::AccreditationRequired => {
            StatusCode::FORBIDDEN
        }
        ErrorCode::NotFound => StatusCode::NOT_FOUND,
        ErrorCode::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        ErrorCode::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ErrorCode::SignatureStateConflict
        | ErrorCode::OrderStateConflict
        | ErrorCode::BatchStateConflict
        | ErrorCode::KeyStateConflict
        | ErrorCode::EnrolmentStateConflict
        | ErrorCode::ConsentRequired
        | ErrorCode::IdempotencyInProgress
        | ErrorCode::ReceiptPending
        | ErrorCode::AuthorizationInvalid
        | ErrorCode::Busy
        | ErrorCode::StepRefused => StatusCode::CONFLICT,
        ErrorCode::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::SignatureExpired | ErrorCode::EnrolmentExpired => StatusCode::GONE,
        ErrorCode::DigestMismatch
        | ErrorCode::NotAPdf
        | ErrorCode::PdfDamaged
        | ErrorCode::PdfEncrypted
        | ErrorCode::PdfUnsupported
        | ErrorCode::PdfSigningForbidden
        | ErrorCode::PdfPasswordWrong
        | ErrorCode::SignatureFieldNotFound
        | ErrorCode::SignatureFieldUnusable
        | ErrorCode::AppearanceInvalid
        | ErrorCode::LimitExceeded
        | ErrorCode::CertificateRevoked
        | ErrorCode::RevocationMalformed
        | ErrorCode::PolicyNotApplicable
        | ErrorCode::SignatureNotExtendable
        | ErrorCode::ComposerRefused
        | ErrorCode::IdempotencyKeyReused
        | ErrorCode::ManifestInvalid
        | ErrorCode::Cancelled
        | ErrorCode::WebhookAddressRefused
        | ErrorCode::ReceiptInvalid
        | ErrorCode::CertificateMalformed
        | ErrorCode::CertificateExpired
        | ErrorCode::CertificateNotYetValid
        | ErrorCode::CertificateWrongUsage
        | ErrorCode::CertificateUntrusted
        | ErrorCode::CertificateWrongPerson
        | ErrorCode::KeyUnsupported
        | ErrorCode::KeyNotFound
        | ErrorCode::CpfInvalid
        | ErrorCode::CnpjInvalid
        | ErrorCode::ProviderRefused
        | ErrorCode::P12Malformed
        | ErrorCode::CertificateKeyMismatch
        | ErrorCode::WrongPassword
        | ErrorCode::P12WeakCipher
        | ErrorCode::P12SeveralKeys
        | ErrorCode::SignatureValueInvalid
        | ErrorCode::NotSigned
        | ErrorCode::CmsMalformed
        | ErrorCode::ContentRequired => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorCode::ProviderAnswerLost | ErrorCode::ProviderAnswerInvalid => StatusCode::BAD_GATEWAY,
        ErrorCode::Unavailable
        | ErrorCode::ProviderUnavailable
        | ErrorCode::DatabaseUnavailable
        | ErrorCode::TokenAgentFailed
        | ErrorCode::RevocationUnknown
        | ErrorCode::TimeStampUnavailable
        | ErrorCode::TimeStampInvalid
        | ErrorCode::ComposerUnavailable
        | ErrorCode::ComposerAnswerInvalid
        | ErrorCode::TokenUnavailable
        | ErrorCode::TokenPinRejected
        | ErrorCode::TokenPinLocked => StatusCode::SERVICE_UNAVAILABLE,
        // Ours, those that no request can cause, and those of a later list.
        ErrorCode::Internal
        | ErrorCode::ContentsSlotTooSmall
        | ErrorCode::FileUnreadable
        | ErrorCode::FileUnwritable
        | ErrorCode::ConfigInvalid
        | ErrorCode::PortInUse
        | ErrorCode::DataFolderUnwritable
        | ErrorCode::DataFolderUnknown
        | ErrorCode::Pkcs11ModuleMissing
        | ErrorCode::ClientNativeMissing
        | ErrorCode::ClientOutdated
        | ErrorCode::ClientNoResponse
        | ErrorCode::ClientProtocol
        | ErrorCode::ClientLicence
        | ErrorCode::ClientSignFailed
        | ErrorCode::ClientTokenMissing
        | ErrorCode::UserCancelled
        | ErrorCode::ToSignMismatch
        | ErrorCode::NetworkUnreachable
        | ErrorCode::PlatformUnsupported
        | _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
