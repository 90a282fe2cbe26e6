//! What each event carries.
//!
//! Members that end in `_id` are identifiers of resources; `signer` is the keyed hash of a CPF or CNPJ, lower-case
//! hexadecimal. Names, documents, reasons and metadata stay in the operational store.

use serde::Serialize;

use crate::wire::{
    BatchCounts, BatchState, CancellationCause, Custody, CustodySource, EnrolmentMethod, NoticeKind,
    OrderFlow, SignatureFormat, SignatureLevel, SignaturePolicy, WatchedKind,
};
use crate::{ErrorCode, Timestamp};

/// A member of an event's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: &'static str,
    /// What it says.
    pub meaning: &'static str,
    /// Whether it is in every event of the type.
    pub required: bool,
}

/// Defines the data of events; documentation of the members is kept as data beside them.
macro_rules! data {
    ($($(#[doc = $doc:literal])+ $name:ident($($subject:ident),+) {
        $($(#[doc = $meaning:literal])+ $(#[serde(skip_serializing_if = $absent:literal)])? $member:ident: $type:ty,)+
    })+) => {$(
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq, Serialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        pub struct $name {
            $($(#[doc = $meaning])+ $(#[serde(skip_serializing_if = $absent)])? pub $member: $type,)+
        }

        impl $name {
            pub(super) const MEMBERS: &'static [Member] = &[$(Member {
                name: stringify!($member),
                meaning: concat!($($meaning),+).trim_ascii(),
                required: true $(&& $absent.is_empty())?,
            }),+];

            pub(super) fn subject(&self) -> &str {
                [$(subject(&self.$subject)),+].into_iter().find(|id| !id.is_empty()).unwrap_or_default()
            }
        }
    )+};
}

/// The identifier, or an empty text when there is none.
fn subject(id: &impl Identifier) -> &str {
    id.text()
}

trait Identifier {
    fn text(&self) -> &str;
}

impl Identifier for String {
    fn text(&self) -> &str {
        self
    }
}

impl Identifier for Option<String> {
    fn text(&self) -> &str {
        self.as_deref().unwrap_or_default()
    }
}

data! {
    /// Data of `order.created`.
    OrderCreated(order_id) {
        /// The order.
        order_id: String,
        /// The caller's own name for it.
        #[serde(skip_serializing_if = "Option::is_none")]
        reference: Option<String>,
        /// Number of documents.
        documents: usize,
        /// Number of participants.
        participants: usize,
        /// Whose turn it is.
        flow: OrderFlow,
        /// Kind of artefact.
        format: SignatureFormat,
        /// Baseline level.
        level: SignatureLevel,
        /// Signature policy.
        policy: SignaturePolicy,
        /// When the order expires.
        #[serde(skip_serializing_if = "Option::is_none")]
        deadline: Option<Timestamp>,
    }

    /// Data of `order.completed`.
    OrderCompleted(order_id) {
        /// The order.
        order_id: String,
        /// The caller's own name for it.
        #[serde(skip_serializing_if = "Option::is_none")]
        reference: Option<String>,
        /// Number of participants who signed.
        signed: usize,
        /// Number of participants who need not sign and did not.
        skipped: usize,
    }

    /// Data of `order.cancelled`.
    OrderCancelled(order_id) {
        /// The order.
        order_id: String,
        /// The caller's own name for it.
        #[serde(skip_serializing_if = "Option::is_none")]
        reference: Option<String>,
        /// Who ended it.
        cause: CancellationCause,
        /// Who declined.
        #[serde(skip_serializing_if = "Option::is_none")]
        participant_id: Option<String>,
    }

    /// Data of `order.expired`.
    OrderExpired(order_id) {
        /// The order.
        order_id: String,
        /// The caller's own name for it.
        #[serde(skip_serializing_if = "Option::is_none")]
        reference: Option<String>,
        /// The deadline that passed.
        deadline: Timestamp,
        /// Identifiers of the participants for whom the order waited.
        missing: Vec<String>,
    }

    /// Data of `order.reminder_due`.
    OrderReminderDue(order_id) {
        /// The order.
        order_id: String,
        /// The caller's own name for it.
        #[serde(skip_serializing_if = "Option::is_none")]
        reference: Option<String>,
        /// Which reminder: hours before the deadline.
        hours_before: u32,
        /// When the order expires.
        deadline: Timestamp,
        /// Identifiers of the participants who may sign now and have not.
        participants: Vec<String>,
    }

    /// Data of `participant.ready`, `participant.signed` and `participant.declined`.
    ParticipantMoved(order_id) {
        /// The order.
        order_id: String,
        /// The participant.
        participant_id: String,
        /// Step of the sequence.
        position: u32,
        /// Whether the order waits for them.
        must_sign: bool,
        /// Keyed hash of who it is.
        signer: String,
    }

    /// Data of `signature.accepted`, `signature.prepared`, `signature.signing`, `signature.expired` and
    /// `signature.cancelled`.
    SignatureMoved(order_id, batch_id, signature_id) {
        /// The signature.
        signature_id: String,
        /// The order it belongs to.
        #[serde(skip_serializing_if = "Option::is_none")]
        order_id: Option<String>,
        /// Who signs, in an order.
        #[serde(skip_serializing_if = "Option::is_none")]
        participant_id: Option<String>,
        /// The batch it belongs to.
        #[serde(skip_serializing_if = "Option::is_none")]
        batch_id: Option<String>,
        /// The document, unless the caller kept it.
        #[serde(skip_serializing_if = "Option::is_none")]
        document_id: Option<String>,
        /// Whose key store signs.
        custody: Custody,
        /// Kind of artefact.
        format: SignatureFormat,
        /// Baseline level.
        level: SignatureLevel,
        /// Signature policy.
        policy: SignaturePolicy,
        /// The key, when it is in our custody.
        #[serde(skip_serializing_if = "Option::is_none")]
        key_id: Option<String>,
        /// Keyed hash of who signs; absent when the certificate names nobody.
        #[serde(skip_serializing_if = "Option::is_none")]
        signer: Option<String>,
    }

    /// Data of `signature.released`.
    SignatureReleased(order_id, batch_id, signature_id) {
        /// The signature.
        signature_id: String,
        /// The order it belongs to.
        #[serde(skip_serializing_if = "Option::is_none")]
        order_id: Option<String>,
        /// Who signs, in an order.
        #[serde(skip_serializing_if = "Option::is_none")]
        participant_id: Option<String>,
        /// The batch it belongs to.
        #[serde(skip_serializing_if = "Option::is_none")]
        batch_id: Option<String>,
        /// The document, unless the caller kept it.
        #[serde(skip_serializing_if = "Option::is_none")]
        document_id: Option<String>,
        /// Whose key store signed.
        custody: Custody,
        /// Kind of artefact.
        format: SignatureFormat,
        /// Baseline level.
        level: SignatureLevel,
        /// Signature policy.
        policy: SignaturePolicy,
        /// The key, when it is in our custody.
        #[serde(skip_serializing_if = "Option::is_none")]
        key_id: Option<String>,
        /// Keyed hash of who signed; absent when the certificate names nobody.
        #[serde(skip_serializing_if = "Option::is_none")]
        signer: Option<String>,
        /// SHA-256 of the signer's certificate, lower-case hexadecimal.
        certificate_sha256: String,
        /// SHA-256 of the signed document, lower-case hexadecimal.
        document_sha256: String,
        /// SHA-256 of the released artefact, lower-case hexadecimal.
        artefact_sha256: String,
        /// Length of the artefact in bytes.
        artefact_size_bytes: u64,
        /// The time that the signature itself claims.
        signed_at: Timestamp,
    }

    /// Data of `signature.failed`.
    SignatureFailed(order_id, batch_id, signature_id) {
        /// The signature.
        signature_id: String,
        /// The order it belongs to.
        #[serde(skip_serializing_if = "Option::is_none")]
        order_id: Option<String>,
        /// Who signs, in an order.
        #[serde(skip_serializing_if = "Option::is_none")]
        participant_id: Option<String>,
        /// The batch it belongs to.
        #[serde(skip_serializing_if = "Option::is_none")]
        batch_id: Option<String>,
        /// Whose key store was to sign.
        custody: Custody,
        /// The key, when it is in our custody.
        #[serde(skip_serializing_if = "Option::is_none")]
        key_id: Option<String>,
        /// Keyed hash of who signs; absent when the certificate names nobody.
        #[serde(skip_serializing_if = "Option::is_none")]
        signer: Option<String>,
        /// Why, as an error code.
        code: ErrorCode,
    }

    /// Data of `batch.created`.
    BatchCreated(batch_id) {
        /// The batch.
        batch_id: String,
        /// The caller's own name for it.
        #[serde(skip_serializing_if = "Option::is_none")]
        reference: Option<String>,
        /// The key that signs.
        key_id: String,
        /// Kind of artefact.
        format: SignatureFormat,
        /// Baseline level.
        level: SignatureLevel,
        /// Signature policy.
        policy: SignaturePolicy,
        /// Number of items.
        total: u64,
    }

    /// Data of `batch.started`, `batch.paused` and `batch.resumed`.
    BatchMoved(batch_id) {
        /// The batch.
        batch_id: String,
        /// The caller's own name for it.
        #[serde(skip_serializing_if = "Option::is_none")]
        reference: Option<String>,
    }

    /// Data of `batch.cancelled` and `batch.completed`.
    BatchEnded(batch_id) {
        /// The batch.
        batch_id: String,
        /// The caller's own name for it.
        #[serde(skip_serializing_if = "Option::is_none")]
        reference: Option<String>,
        /// Where it ended.
        state: BatchState,
        /// Number of items.
        total: u64,
        /// Items by state; in a cancelled batch some may still be `signing`.
        counts: BatchCounts,
    }

    /// Data of `consent.given`.
    ConsentGiven(consent_id) {
        /// The consent.
        consent_id: String,
        /// Keyed hash of who agreed.
        signer: String,
        /// Version of the text.
        text_version: String,
        /// Its language.
        language: String,
        /// SHA-256 of the text that was shown, lower-case hexadecimal.
        text_sha256: String,
    }

    /// Data of `consent.withdrawn`.
    ConsentWithdrawn(consent_id) {
        /// The consent.
        consent_id: String,
        /// Keyed hash of who agreed.
        signer: String,
    }

    /// Data of `enrolment.created`, `enrolment.completed` and `enrolment.cancelled`.
    EnrolmentMoved(enrolment_id) {
        /// The enrolment.
        enrolment_id: String,
        /// How the key comes into the token.
        method: EnrolmentMethod,
        /// Keyed hash of whose key it is; absent when the certificate names nobody, or is not there yet.
        #[serde(skip_serializing_if = "Option::is_none")]
        signer: Option<String>,
        /// The key, once it may sign.
        #[serde(skip_serializing_if = "Option::is_none")]
        key_id: Option<String>,
    }

    /// Data of `enrolment.failed`.
    EnrolmentFailed(enrolment_id) {
        /// The enrolment.
        enrolment_id: String,
        /// How the key was to come into the token.
        method: EnrolmentMethod,
        /// Keyed hash of whose key it was to be.
        #[serde(skip_serializing_if = "Option::is_none")]
        signer: Option<String>,
        /// Why, as an error code.
        code: ErrorCode,
    }

    /// Data of the events of a permission at a cloud service.
    AuthorizationMoved(authorization_id) {
        /// The permission.
        authorization_id: String,
        /// Name of the service.
        service: String,
        /// Who signs.
        signer: String,
    }

    /// Data of `authorization.failed`.
    AuthorizationFailed(authorization_id) {
        /// The permission.
        authorization_id: String,
        /// Name of the service.
        service: String,
        /// Who signs.
        signer: String,
        /// Why, as an error code.
        code: ErrorCode,
    }

    /// Data of `key.stored`.
    KeyStored(key_id) {
        /// The key.
        key_id: String,
        /// The enrolment that brought it.
        enrolment_id: String,
        /// Where it is kept.
        custody: Custody,
        /// How it came there.
        method: EnrolmentMethod,
        /// Keyed hash of whose key it is.
        signer: String,
        /// SHA-256 of its certificate, lower-case hexadecimal.
        certificate_sha256: String,
        /// End of the certificate.
        not_after: Timestamp,
    }

    /// Data of `key.suspended`.
    KeySuspended(key_id) {
        /// The key.
        key_id: String,
        /// Why, as an error code; absent when somebody asked for it.
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<ErrorCode>,
    }

    /// Data of `key.resumed` and `key.retired`.
    KeyMoved(key_id) {
        /// The key.
        key_id: String,
    }

    /// Data of `key.expiring`.
    KeyExpiring(key_id) {
        /// The key.
        key_id: String,
        /// Which step: days before the end; 0 once it has ended.
        days_before: u32,
        /// End of the certificate.
        not_after: Timestamp,
        /// Keyed hash of whose key it is.
        signer: String,
        /// Whether the signer has another active key that lasts longer.
        renewed: bool,
    }

    /// Data of `certificate.expiring`.
    CertificateExpiring(subject) {
        /// What kind of thing ends.
        kind: WatchedKind,
        /// Which one: by kind, see there.
        subject: String,
        /// Which step: days before the end; 0 once it has ended.
        days_before: u32,
        /// The end.
        not_after: Timestamp,
        /// Where the private key is, for a signer's certificate.
        #[serde(skip_serializing_if = "Option::is_none")]
        custody: Option<Custody>,
    }

    /// Data of `notice.sent`.
    NoticeSent(notice_id) {
        /// The notice.
        notice_id: String,
        /// What it is about.
        notice: NoticeKind,
        /// What it tells about: the key, or the subject of the event.
        subject: String,
        /// How often it was tried.
        attempts: u32,
    }

    /// Data of `notice.failed`.
    NoticeFailed(notice_id) {
        /// The notice.
        notice_id: String,
        /// What it is about.
        notice: NoticeKind,
        /// What it tells about: the key, or the subject of the event.
        subject: String,
        /// How often it was tried.
        attempts: u32,
        /// The last answer of the mail server, when there was one: a reply code of SMTP.
        #[serde(skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
    }

    /// Data of `custody.resolved`.
    CustodyResolved(order_id, session_id) {
        /// The session in which it was asked.
        session_id: String,
        /// The order it belongs to.
        #[serde(skip_serializing_if = "Option::is_none")]
        order_id: Option<String>,
        /// Who signs, in an order.
        #[serde(skip_serializing_if = "Option::is_none")]
        participant_id: Option<String>,
        /// Keyed hash of who it is.
        signer: String,
        /// Where the key is; absent when none was found.
        #[serde(skip_serializing_if = "Option::is_none")]
        custody: Option<Custody>,
        /// False when none was found and a source could not tell.
        certain: bool,
        /// Every source that was asked, in order.
        sources: Vec<CustodySource>,
    }

    /// Data of `token.unavailable`.
    TokenUnavailable(token) {
        /// Label of the token.
        token: String,
        /// Why, as an error code.
        code: ErrorCode,
    }

    /// Data of `token.available`.
    TokenAvailable(token) {
        /// Label of the token.
        token: String,
        /// How long it did not answer, in milliseconds.
        unavailable_ms: u64,
    }

    /// Data of `provider.unavailable`.
    ProviderUnavailable(service) {
        /// Name of the service in the configuration.
        service: String,
    }

    /// Data of `provider.available`.
    ProviderAvailable(service) {
        /// Name of the service in the configuration.
        service: String,
        /// How long it did not answer, in milliseconds.
        unavailable_ms: u64,
    }

    /// Data of `webhook.disabled`.
    WebhookDisabled(webhook_id) {
        /// The webhook.
        webhook_id: String,
        /// Who stopped it.
        cause: DisabledCause,
    }

    /// Data of `api_key.created`.
    ApiKeyCreated(api_key_id) {
        /// The key.
        api_key_id: String,
        /// What it may do.
        scopes: Vec<String>,
        /// End of the key.
        #[serde(skip_serializing_if = "Option::is_none")]
        expires_at: Option<Timestamp>,
    }

    /// Data of `api_key.revoked`.
    ApiKeyRevoked(api_key_id) {
        /// The key.
        api_key_id: String,
    }
}

/// Who stopped a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DisabledCause {
    /// The tenant asked for it.
    Requested,
    /// Its address failed for too long.
    Failing,
    /// Its address answered 410: it wants no more events.
    Gone,
}
