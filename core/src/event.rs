//! Events: past-tense facts, each written in the transaction of the change it tells.
//!
//! On the wire an event is [CloudEvents 1.0](https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md) in JSON.
//! Its data hold no personal data: a signer appears as a keyed hash, which is the same for the same person within one
//! instance and says nothing outside it.

mod data;
mod envelope;

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

pub use data::{
    ApiKeyCreated, ApiKeyRevoked, AuthorizationFailed, AuthorizationMoved, BatchCreated, BatchEnded,
    BatchMoved, CertificateExpiring, ConsentGiven, ConsentWithdrawn, CustodyResolved, DisabledCause,
    EnrolmentFailed, EnrolmentMoved, KeyExpiring, KeyMoved, KeyStored, KeySuspended, Member, NoticeFailed,
    NoticeSent, OrderCancelled, OrderCompleted, OrderCreated, OrderExpired, OrderReminderDue,
    ParticipantMoved, ProviderAvailable, ProviderUnavailable, SignatureFailed, SignatureMoved,
    SignatureReleased, TokenAvailable, TokenUnavailable, WebhookDisabled,
};
pub use envelope::{Envelope, SOURCE};

use crate::Timestamp;

macro_rules! events {
    ($($(#[doc = $doc:literal])+ $variant:ident($data:ident) = $name:literal;)+) => {
        /// What happened.
        ///
        /// **Shape**: a JSON string such as `"signature.released"`. Names are added, never renamed or reused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum EventType {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl EventType {
            /// Every type, in the order of the catalogue.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The wire and SQL string.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }

        /// The data of an event, one variant per [`EventType`].
        #[derive(Debug, Clone, PartialEq, Serialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(untagged)]
        #[non_exhaustive]
        pub enum EventData {
            $($(#[doc = $doc])+ $variant($data),)+
        }

        impl EventData {
            /// What happened.
            #[must_use]
            pub const fn event_type(&self) -> EventType {
                match self { $(Self::$variant(_) => EventType::$variant),+ }
            }

            /// What it happened to: the order, else the batch, else the thing itself. Order is kept per subject.
            #[must_use]
            pub fn subject(&self) -> &str {
                match self { $(Self::$variant(data) => data.subject(),)+ }
            }
        }

        /// Every event with its meaning and its members, for documentation and schemas.
        #[must_use]
        pub const fn catalogue() -> &'static [CatalogueEntry] {
            const ENTRIES: &[CatalogueEntry] = &[$(CatalogueEntry {
                event_type: EventType::$variant,
                meaning: concat!($($doc),+).trim_ascii(),
                members: $data::MEMBERS,
            }),+];
            ENTRIES
        }
    };
}

events! {
    /// An order was opened.
    OrderCreated(OrderCreated) = "order.created";
    /// Everybody who must has signed every document.
    OrderCompleted(OrderCompleted) = "order.completed";
    /// An order was taken back, or declined by somebody who must sign.
    OrderCancelled(OrderCancelled) = "order.cancelled";
    /// The deadline of an order passed before everybody had signed.
    OrderExpired(OrderExpired) = "order.expired";
    /// A reminder of an order came due.
    OrderReminderDue(OrderReminderDue) = "order.reminder_due";
    /// It became a participant's turn.
    ParticipantReady(ParticipantMoved) = "participant.ready";
    /// A participant signed the last of their documents.
    ParticipantSigned(ParticipantMoved) = "participant.signed";
    /// A participant refused to sign.
    ParticipantDeclined(ParticipantMoved) = "participant.declined";
    /// A signature was taken.
    SignatureAccepted(SignatureMoved) = "signature.accepted";
    /// The data to be signed were built and pinned.
    SignaturePrepared(SignatureMoved) = "signature.prepared";
    /// The use of the key was committed.
    SignatureSigning(SignatureMoved) = "signature.signing";
    /// An artefact was verified and can be fetched.
    SignatureReleased(SignatureReleased) = "signature.released";
    /// A signature ended without artefact.
    SignatureFailed(SignatureFailed) = "signature.failed";
    /// Nobody completed a signature in time.
    SignatureExpired(SignatureMoved) = "signature.expired";
    /// A signature was taken back before its key was used.
    SignatureCancelled(SignatureMoved) = "signature.cancelled";
    /// A batch was taken.
    BatchCreated(BatchCreated) = "batch.created";
    /// The first item of a batch was begun.
    BatchStarted(BatchMoved) = "batch.started";
    /// A batch was paused.
    BatchPaused(BatchMoved) = "batch.paused";
    /// A batch goes on.
    BatchResumed(BatchMoved) = "batch.resumed";
    /// A batch was taken back.
    BatchCancelled(BatchEnded) = "batch.cancelled";
    /// Every item of a batch ended; the state says whether all were released.
    BatchCompleted(BatchEnded) = "batch.completed";
    /// A person agreed to have a key kept.
    ConsentGiven(ConsentGiven) = "consent.given";
    /// A person took the consent back; keys that were kept under it are suspended.
    ConsentWithdrawn(ConsentWithdrawn) = "consent.withdrawn";
    /// A key is about to come into the token.
    EnrolmentCreated(EnrolmentMoved) = "enrolment.created";
    /// A key is in the token, with its certificate, and may sign.
    EnrolmentCompleted(EnrolmentMoved) = "enrolment.completed";
    /// An enrolment was taken back; what was made of the key is destroyed.
    EnrolmentCancelled(EnrolmentMoved) = "enrolment.cancelled";
    /// An enrolment ended without a key.
    EnrolmentFailed(EnrolmentFailed) = "enrolment.failed";
    /// A key came into custody.
    KeyStored(KeyStored) = "key.stored";
    /// A person was sent to a cloud service, to permit the use of their key.
    AuthorizationRequested(AuthorizationMoved) = "authorization.requested";
    /// The person permitted the use of their key at a cloud service.
    AuthorizationGranted(AuthorizationMoved) = "authorization.granted";
    /// A permission for one use was used up.
    AuthorizationUsed(AuthorizationMoved) = "authorization.used";
    /// The time of a permission, or of the request for it, is over.
    AuthorizationExpired(AuthorizationMoved) = "authorization.expired";
    /// A permission was not given, or not by the person who signs.
    AuthorizationFailed(AuthorizationFailed) = "authorization.failed";
    /// A key may not be used any more.
    KeySuspended(KeySuspended) = "key.suspended";
    /// A suspended key may be used again.
    KeyResumed(KeyMoved) = "key.resumed";
    /// A key was given up for good.
    KeyRetired(KeyMoved) = "key.retired";
    /// A key in our custody came closer to the end of its certificate, or reached it: once per step.
    KeyExpiring(KeyExpiring) = "key.expiring";
    /// Something else that is relied on came closer to its end, or reached it: once per step.
    CertificateExpiring(CertificateExpiring) = "certificate.expiring";
    /// A notice was handed to the mail server.
    NoticeSent(NoticeSent) = "notice.sent";
    /// A notice was given up.
    NoticeFailed(NoticeFailed) = "notice.failed";
    /// It was looked up where a signer's key is, with another result than before in this session.
    CustodyResolved(CustodyResolved) = "custody.resolved";
    /// A signing token stopped answering.
    TokenUnavailable(TokenUnavailable) = "token.unavailable";
    /// A signing token answers again.
    TokenAvailable(TokenAvailable) = "token.available";
    /// A cloud service stopped answering and is left alone for a while.
    ProviderUnavailable(ProviderUnavailable) = "provider.unavailable";
    /// A cloud service answers again.
    ProviderAvailable(ProviderAvailable) = "provider.available";
    /// Events are not sent to a webhook any more.
    WebhookDisabled(WebhookDisabled) = "webhook.disabled";
    /// An API key was made.
    ApiKeyCreated(ApiKeyCreated) = "api_key.created";
    /// An API key was revoked.
    ApiKeyRevoked(ApiKeyRevoked) = "api_key.revoked";
}

/// One line of the catalogue.
#[derive(Debug, Clone, Copy)]
pub struct CatalogueEntry {
    /// What happened.
    pub event_type: EventType,
    /// One sentence.
    pub meaning: &'static str,
    /// Members of `data`.
    pub members: &'static [Member],
}

/// A fact about to be written to the outbox.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// `evt_…`
    pub id: String,
    /// When it happened.
    pub time: Timestamp,
    /// Whose it is; `None` for what concerns the whole instance, such as a token.
    pub tenant: Option<String>,
    /// What happened, and its data.
    pub data: EventData,
}

impl Event {
    /// What happened.
    #[must_use]
    pub const fn event_type(&self) -> EventType {
        self.data.event_type()
    }

    /// What it happened to.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.data.subject()
    }

    /// The event as it is told, once the relay gave it its place.
    #[must_use]
    pub fn envelope(&self, sequence: u64) -> Envelope<'_, &EventData> {
        Envelope::new(
            &self.id,
            self.event_type().as_str(),
            self.subject(),
            self.time,
            self.tenant.as_deref(),
            sequence,
            &self.data,
        )
    }
}

/// The text is not an event type of this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a known event type")]
#[non_exhaustive]
pub struct UnknownEventType;

impl FromStr for EventType {
    type Err = UnknownEventType;

    fn from_str(text: &str) -> Result<Self, UnknownEventType> {
        Self::ALL.iter().copied().find(|known| known.as_str() == text).ok_or(UnknownEventType)
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl Serialize for EventType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for EventType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(|_| de::Error::custom(format_args!("`{text}` is not a known event type")))
    }
}

#[cfg(test)]
mod tests;
