//! The one list of error codes: API, command line, SDK, documentation and tests all use it.
//!
//! A code is never renamed or given another meaning; new ones are added at the end of their group.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Who has to act before the same request can succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// The person who signs.
    User,
    /// The person's machine: client, token, network.
    Environment,
    /// The developer or operator who called us.
    Integrator,
    /// We, or a provider behind us; trying again later may help.
    Service,
}

macro_rules! error_codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $code:literal, $actor:ident, $title:literal;)+) => {
        /// A stable error code.
        ///
        /// **Shape**: a snake_case JSON string such as `"pdf_encrypted"`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum ErrorCode {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl ErrorCode {
            /// Every code, in the order of the list.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The wire string.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }

            /// One short English sentence without the details of the case.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),+ }
            }

            /// Who has to act.
            #[must_use]
            pub const fn actor(self) -> Actor {
                match self { $(Self::$variant => Actor::$actor),+ }
            }
        }
    };
}

error_codes! {
    // Requests
    /// The request does not have the documented shape.
    InvalidRequest = "invalid_request", Integrator, "The request is not valid";
    /// No credential, or one that is not known.
    Unauthorized = "unauthorized", Integrator, "The credential is missing or not known";
    /// The session token is past its end.
    SessionExpired = "session_expired", User, "The signing session has expired";
    /// The page that calls is not among the origins of its session.
    OriginNotAllowed = "origin_not_allowed", Integrator, "The origin is not allowed by the session";
    /// The credential is known but may not do this.
    Forbidden = "forbidden", Integrator, "The credential does not allow this";
    /// No such resource for this caller.
    NotFound = "not_found", Integrator, "The resource does not exist";
    /// The route exists with another method.
    MethodNotAllowed = "method_not_allowed", Integrator, "The method is not allowed here";
    /// The body is larger than the limit.
    PayloadTooLarge = "payload_too_large", Integrator, "The body is too large";
    /// The body is of a media type that is not read here.
    UnsupportedMediaType = "unsupported_media_type", Integrator, "The media type is not supported";
    /// The bytes received do not have the digest that was announced.
    DigestMismatch = "digest_mismatch", Environment, "The document arrived damaged";
    /// A failure that is ours; the log has the detail under the request id.
    Internal = "internal", Service, "Internal error";
    /// The service cannot work at this moment.
    Unavailable = "unavailable", Service, "The service is not available at the moment";
    /// The caller has more under way, or calls more often, than its share.
    TooManyRequests = "too_many_requests", Service, "Too many requests";
    /// The key was used before with another body or on another route.
    IdempotencyKeyReused = "idempotency_key_reused", Integrator, "The idempotency key belongs to another request";
    /// The first request with this key has not been answered yet.
    IdempotencyInProgress = "idempotency_in_progress", Service, "The first request with this key is still running";
    /// The database does not answer; nothing of the request was kept.
    DatabaseUnavailable = "database_unavailable", Service, "The database is not available";

    /// The number has the length of a CPF and is none.
    CpfInvalid = "cpf_invalid", User, "The CPF is not valid";
    /// The number has the length of a CNPJ and is none.
    CnpjInvalid = "cnpj_invalid", User, "The CNPJ is not valid";

    // Documents
    /// The file does not start as a PDF.
    NotAPdf = "not_a_pdf", User, "The file is not a PDF";
    /// The PDF ends early or its structure cannot be followed.
    PdfDamaged = "pdf_damaged", User, "The PDF is damaged or incomplete";
    /// The PDF is encrypted and its password was not given, or it is encrypted in a way that is not read.
    PdfEncrypted = "pdf_encrypted", User, "The PDF is encrypted";
    /// The PDF uses a structure that we do not sign.
    PdfUnsupported = "pdf_unsupported", Integrator, "The PDF uses a structure that cannot be signed";
    /// An earlier certification signature forbids further changes.
    PdfSigningForbidden = "pdf_signing_forbidden", User, "The PDF does not allow further signatures";
    /// The space reserved for the signature is too small.
    ContentsSlotTooSmall = "contents_slot_too_small", Service, "The space reserved for the signature is too small";
    /// The password does not open the encrypted PDF.
    PdfPasswordWrong = "pdf_password_wrong", User, "The password does not open the PDF";
    /// No field of that name, or the field is not one for signatures.
    SignatureFieldNotFound = "signature_field_not_found", Integrator, "The PDF has no such signature field";
    /// The field holds a signature already, or asks for something this signature does not give.
    SignatureFieldUnusable = "signature_field_unusable", Integrator, "The signature field cannot be signed this way";
    /// Page, rectangle, text or image of a visible signature cannot be used.
    AppearanceInvalid = "appearance_invalid", Integrator, "The visible appearance cannot be drawn";
    /// Size, depth, count or time is beyond a limit; the detail names the limit.
    LimitExceeded = "limit_exceeded", User, "The file exceeds a limit";

    // Certificates and keys
    /// The certificate cannot be read.
    CertificateMalformed = "certificate_malformed", User, "The certificate cannot be read";
    /// The certificate is past its end.
    CertificateExpired = "certificate_expired", User, "The certificate has expired";
    /// The certificate is not valid yet.
    CertificateNotYetValid = "certificate_not_yet_valid", User, "The certificate is not valid yet";
    /// Key usage does not include digitalSignature.
    CertificateWrongUsage = "certificate_wrong_usage", User, "The certificate is not for signing";
    /// No path to a trusted root.
    CertificateUntrusted = "certificate_untrusted", User, "The certificate does not lead to a trusted authority";
    /// The CPF or CNPJ of the certificate is not the one of the session.
    CertificateWrongPerson = "certificate_wrong_person", User, "The certificate belongs to another person";
    /// Key type or size is not supported.
    KeyUnsupported = "key_unsupported", User, "The type of key is not supported";
    /// The key is not in a state that allows this.
    KeyStateConflict = "key_state_conflict", Integrator, "The key is in another state";
    /// No usable key of this signer in the custody asked for.
    KeyNotFound = "key_not_found", Integrator, "There is no such key";
    /// The PKCS#12 file cannot be read.
    P12Malformed = "p12_malformed", User, "The PKCS#12 file cannot be read";
    /// The password does not open the PKCS#12 file.
    WrongPassword = "wrong_password", User, "The password is wrong";
    /// The PKCS#12 file is protected by a cipher that is not accepted.
    P12WeakCipher = "p12_weak_cipher", User, "The PKCS#12 file is weakly protected";
    /// The PKCS#12 file holds more than one private key.
    P12SeveralKeys = "p12_several_keys", User, "The PKCS#12 file holds several keys";
    /// A certificate of the path is revoked.
    CertificateRevoked = "certificate_revoked", User, "The certificate was revoked";
    /// No list and no responder says whether a certificate is revoked.
    RevocationUnknown = "revocation_unknown", Service, "The revocation of a certificate could not be checked";
    /// A CRL or an OCSP response cannot be read.
    RevocationMalformed = "revocation_malformed", Service, "The revocation data cannot be read";

    /// The certificate is for another key than the one that was made.
    CertificateKeyMismatch = "certificate_key_mismatch", User, "The certificate is for another key";
    /// The person has not agreed, has agreed to another text, or has taken it back.
    ConsentRequired = "consent_required", User, "The consent of the person is missing";
    /// The tenant has declared no ground on which it may keep this key.
    AccreditationRequired = "accreditation_required", Integrator, "The key may not be kept without an accreditation";
    /// The enrolment is not in a state that allows this.
    EnrolmentStateConflict = "enrolment_state_conflict", Integrator, "The enrolment is in another state";
    /// The time to bring the certificate is over.
    EnrolmentExpired = "enrolment_expired", User, "The time to complete the enrolment is over";

    // Signing
    /// The signature is not in a state that allows this.
    SignatureStateConflict = "signature_state_conflict", Integrator, "The signature is in another state";
    /// The time to complete the signature is over.
    SignatureExpired = "signature_expired", User, "The time to complete the signature is over";
    /// The value does not verify against the pinned bytes and certificate.
    SignatureValueInvalid = "signature_value_invalid", Environment, "The signature value does not verify";
    /// The token does not answer or reports a device error.
    TokenUnavailable = "token_unavailable", Service, "The signing token does not answer";
    /// The token refused the PIN; it is not tried again.
    TokenPinRejected = "token_pin_rejected", Integrator, "The token refused the PIN";
    /// The token's PIN is locked.
    TokenPinLocked = "token_pin_locked", Integrator, "The PIN of the token is locked";
    /// The signature policy does not allow this format, algorithm, certificate or time.
    PolicyNotApplicable = "policy_not_applicable", Integrator, "The signature policy does not allow this signature";
    /// The time-stamping authority does not answer or refuses.
    TimeStampUnavailable = "time_stamp_unavailable", Service, "The time-stamping authority gave no time stamp";
    /// The time stamp is not one of what was sent, or cannot be read.
    TimeStampInvalid = "time_stamp_invalid", Service, "The time stamp cannot be used";
    /// The order is not in a state that allows this, or it is not this participant's turn.
    OrderStateConflict = "order_state_conflict", Integrator, "The order is in another state";
    /// The batch is not in a state that allows this.
    BatchStateConflict = "batch_state_conflict", Integrator, "The batch is in another state";
    /// A line of the manifest cannot be used; the detail names the line.
    ManifestInvalid = "manifest_invalid", Integrator, "The manifest of the batch is not valid";
    /// The signature was taken back before the key was used.
    Cancelled = "cancelled", Integrator, "The signature was cancelled";
    /// The process that holds the token's module ended or was ended at its deadline.
    TokenAgentFailed = "token_agent_failed", Service, "The token's process ended unexpectedly";
    /// The release is recorded and waits for the next checkpoint.
    ReceiptPending = "receipt_pending", Service, "The receipt is not sealed yet";
    /// The receipt does not prove what it says.
    ReceiptInvalid = "receipt_invalid", User, "The receipt does not hold";
    /// The address of a webhook is not one that may be called.
    WebhookAddressRefused = "webhook_address_refused", Integrator, "The address of the webhook may not be called";
    /// No permission at a cloud service that is good for this: none, another person's or document's, used up, over.
    AuthorizationInvalid = "authorization_invalid", User, "The permission at the cloud service cannot be used";
    /// The cloud service does not answer, or asks to be left alone for a while. The key was not used.
    ProviderUnavailable = "provider_unavailable", Service, "The cloud service does not answer";
    /// The person or the cloud service did not give the permission.
    ProviderRefused = "provider_refused", User, "The cloud service refused";
    /// The cloud service broke off after it was asked to sign: the key may have been used, without a signature.
    ProviderAnswerLost = "provider_answer_lost", User, "The answer of the cloud service was lost";
    /// The cloud service answered something that its contract does not allow.
    ProviderAnswerInvalid = "provider_answer_invalid", Service, "The answer of the cloud service cannot be used";
    /// The program or service that makes the signature around the key's value does not answer, or cannot work now.
    ComposerUnavailable = "composer_unavailable", Service, "What makes the signature does not answer";
    /// It does not make this signature: of this document, with this certificate.
    ComposerRefused = "composer_refused", Integrator, "What makes the signature refused";
    /// It gave something that is not the signature that was asked for; nothing was released.
    ComposerAnswerInvalid = "composer_answer_invalid", Service, "What was made is not the signature that was asked for";
    /// The signature lacks what the level asked for builds upon.
    SignatureNotExtendable = "signature_not_extendable", Integrator, "The signature cannot be raised to this level";

    // Verification
    /// The file carries no signature.
    NotSigned = "not_signed", User, "The file carries no signature";
    /// The CMS structure cannot be read.
    CmsMalformed = "cms_malformed", User, "The signature structure cannot be read";
    /// A detached signature needs its content.
    ContentRequired = "content_required", User, "A detached signature needs the signed file";

    // Command line and start
    /// A file cannot be read.
    FileUnreadable = "file_unreadable", User, "The file cannot be read";
    /// A file or folder cannot be written.
    FileUnwritable = "file_unwritable", User, "The file cannot be written";
    /// Arguments that do not belong together.
    Usage = "usage", User, "The command was called wrongly";
    /// The configuration has an unknown key or a bad value.
    ConfigInvalid = "config_invalid", Integrator, "The configuration is not valid";
    /// Another program listens on the port.
    PortInUse = "port_in_use", Integrator, "The port is in use";
    /// The data folder cannot be created or written.
    DataFolderUnwritable = "data_folder_unwritable", Integrator, "The data folder cannot be written";
    /// The data folder holds something that this version does not understand.
    DataFolderUnknown = "data_folder_unknown", Integrator, "The data folder is not one of ours or is incomplete";
    /// The PKCS#11 module cannot be loaded.
    Pkcs11ModuleMissing = "pkcs11_module_missing", Integrator, "The PKCS#11 module cannot be loaded";

    // Browser
    /// The extension is there, its native part is not.
    ClientNativeMissing = "client_native_missing", User, "The native part of the Web PKI client is missing";
    /// A part of the client is too old.
    ClientOutdated = "client_outdated", User, "The Web PKI client is too old";
    /// The client did not answer within its time limit.
    ClientNoResponse = "client_no_response", Environment, "The Web PKI client does not answer";
    /// The client answered something that its protocol does not allow.
    ClientProtocol = "client_protocol", Environment, "The Web PKI client answered in an unknown way";
    /// The client refuses this site for lack of a licence.
    ClientLicence = "client_licence", Integrator, "The Web PKI client has no licence for this site";
    /// The client reported a failure of the token or of the key.
    ClientSignFailed = "client_sign_failed", Environment, "The Web PKI client could not sign";
    /// The token or the key is not there.
    ClientTokenMissing = "client_token_missing", User, "The token of this certificate was not found";
    /// The person refused in the client's window.
    UserCancelled = "user_cancelled", User, "The person cancelled";
    /// What the server asked to sign is not what the person agreed to.
    ToSignMismatch = "to_sign_mismatch", Service, "What was to be signed is not the document shown";
    /// The API cannot be reached.
    NetworkUnreachable = "network_unreachable", Environment, "The service cannot be reached";
    /// This platform has no client for certificates on the device.
    PlatformUnsupported = "platform_unsupported", Environment, "This device cannot use local certificates";
    /// Another signature is still running in this signer.
    Busy = "busy", Integrator, "Another signature is still running";
    /// The call is not possible in the present step.
    StepRefused = "step_refused", Integrator, "The call is not possible in this step";
}

/// The text is not one of our codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an error code of Rubrica")]
#[non_exhaustive]
pub struct UnknownErrorCode;

impl FromStr for ErrorCode {
    type Err = UnknownErrorCode;

    fn from_str(text: &str) -> Result<Self, UnknownErrorCode> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text).ok_or(UnknownErrorCode)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for ErrorCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for ErrorCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_survives_the_wire_and_is_unique() {
        for (i, code) in ErrorCode::ALL.iter().enumerate() {
            let json = serde_json::to_string(code).unwrap();
            assert_eq!(serde_json::from_str::<ErrorCode>(&json).unwrap(), *code);
            assert!(ErrorCode::ALL[..i].iter().all(|other| other.as_str() != code.as_str()));
            assert!(code.as_str().bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'));
            assert!(!code.title().ends_with('.'));
        }
    }

    #[test]
    fn an_unknown_code_is_refused() {
        assert_eq!("pdf_on_fire".parse::<ErrorCode>(), Err(UnknownErrorCode));
    }
}
