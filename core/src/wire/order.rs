//! Orders: documents that participants have to sign under common rules.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Custody, SignatureFormat, SignatureLevel, SignaturePolicy, SignatureState, SignerView};
use crate::Timestamp;

/// `POST /v1/orders`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateOrder {
    /// The caller's own name for the order, such as the number of a contract: 1 to 128 characters, without personal
    /// data, because events carry it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// What the participants are told they sign: 1 to 200 characters.
    pub title: String,
    /// Identifiers of uploaded documents, each once: 1 to 50.
    pub documents: Vec<String>,
    /// Who signs: 1 to 50, of whom at least one must.
    pub participants: Vec<CreateParticipant>,
    /// Whose turn it is.
    pub flow: OrderFlow,
    /// What every signature of the order obeys.
    pub rules: OrderRules,
    /// When the order expires unless it is completed; absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
    /// Hours before the deadline at which those who may sign are reminded: at most 10, each from 1 to 8760.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reminders_hours: Vec<u32>,
    /// The caller's own notes: at most 32 entries, names of 1 to 64 and values of at most 512 characters. Not in events.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

/// A participant of an order to be.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateParticipant {
    /// The person or company.
    pub signer: super::SessionSigner,
    /// As what they sign, such as `buyer`: 1 to 64 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Step of a sequence, from 1; equal numbers sign side by side. Given for all or for none: then the place in the list
    /// counts. Refused when the flow is parallel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<u32>,
    /// Custodies open to this participant; those of the rules when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custodies: Option<Vec<Custody>>,
    /// Whether the order waits for this participant; `true` when absent.
    #[serde(default = "yes")]
    pub must_sign: bool,
}

const fn yes() -> bool {
    true
}

/// Whose turn it is in an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum OrderFlow {
    /// One position after the other.
    Sequence,
    /// Everybody at once.
    Parallel,
}

impl OrderFlow {
    /// Every flow.
    pub const ALL: [Self; 2] = [Self::Sequence, Self::Parallel];

    /// The wire and SQL string.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sequence => "sequence",
            Self::Parallel => "parallel",
        }
    }
}

/// What every signature of an order obeys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct OrderRules {
    /// Kind of artefact.
    pub format: SignatureFormat,
    /// Baseline level; when absent the lowest that the policy allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<SignatureLevel>,
    /// Signature policy; `none` when absent.
    #[serde(default = "super::kind::policy_none")]
    pub policy: SignaturePolicy,
    /// Where the keys may live; every custody when absent, never empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custodies: Option<Vec<Custody>>,
}

/// An order as the API shows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Order {
    /// `ord_…`
    pub id: String,
    /// The caller's own name for it.
    pub reference: Option<String>,
    /// What the participants are told they sign.
    pub title: String,
    /// Where it stands.
    pub state: OrderState,
    /// Identifiers of the documents, in the order given.
    pub documents: Vec<String>,
    /// Who signs, in the order given.
    pub participants: Vec<Participant>,
    /// Whose turn it is.
    pub flow: OrderFlow,
    /// What every signature obeys, with the level that was chosen.
    pub rules: OrderRules,
    /// When it expires.
    pub deadline: Option<Timestamp>,
    /// Hours before the deadline at which those who may sign are reminded.
    pub reminders_hours: Vec<u32>,
    /// The caller's own notes.
    pub metadata: BTreeMap<String, String>,
    /// Time of creation.
    pub created_at: Timestamp,
    /// When it was completed, cancelled or expired.
    pub ended_at: Option<Timestamp>,
    /// Why it is `cancelled`.
    pub cancellation: Option<OrderCancellation>,
}

/// State of an order: `open`, then one of the others for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum OrderState {
    /// Participants sign.
    Open,
    /// Everybody who must has signed every document.
    Completed,
    /// Taken back by the tenant, or declined by somebody who must sign.
    Cancelled,
    /// The deadline passed first.
    Expired,
}

impl OrderState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Open, Self::Completed, Self::Cancelled, Self::Expired];

    /// The wire and SQL string.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }

    /// Whether nothing can happen to the order any more.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Open)
    }
}

/// Why an order is `cancelled`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrderCancellation {
    /// Who ended it.
    pub cause: CancellationCause,
    /// Who declined, when the cause is `declined`.
    pub participant_id: Option<String>,
    /// The reason given. Not in events.
    pub reason: Option<String>,
}

/// Who ended a cancelled order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CancellationCause {
    /// The tenant asked for it.
    Requested,
    /// A participant who must sign declined.
    Declined,
}

impl CancellationCause {
    /// The wire and SQL string.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Declined => "declined",
        }
    }
}

/// Body of `POST /v1/orders/{id}/cancel` and of a participant's `decline`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CancelOrder {
    /// Why: at most 500 characters; shown with the order, not in events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A participant of an order as the API shows them.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Participant {
    /// `par_…`
    pub id: String,
    /// The person or company, masked.
    pub signer: SignerView,
    /// As what they sign.
    pub role: Option<String>,
    /// Step of the sequence; 1 for everybody when the flow is parallel.
    pub position: u32,
    /// Custodies open to them.
    pub custodies: Vec<Custody>,
    /// Whether the order waits for them.
    pub must_sign: bool,
    /// Where they stand.
    pub state: ParticipantState,
    /// What they signed or are signing.
    pub signatures: Vec<OrderSignature>,
    /// When they signed the last document or declined.
    pub ended_at: Option<Timestamp>,
    /// Why they declined. Not in events.
    pub decline_reason: Option<String>,
}

/// State of a participant: `waiting → ready → signed` or `declined`; the end of the order makes the rest `skipped`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ParticipantState {
    /// Others come first.
    Waiting,
    /// May sign now.
    Ready,
    /// Signed every document.
    Signed,
    /// Refused to sign.
    Declined,
    /// The order ended without them.
    Skipped,
}

impl ParticipantState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Waiting, Self::Ready, Self::Signed, Self::Declined, Self::Skipped];

    /// The wire and SQL string.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Ready => "ready",
            Self::Signed => "signed",
            Self::Declined => "declined",
            Self::Skipped => "skipped",
        }
    }

    /// Whether nothing can happen to the participant any more.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Signed | Self::Declined | Self::Skipped)
    }
}

/// A signature within an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrderSignature {
    /// `sig_…`
    pub signature_id: String,
    /// The document.
    pub document_id: String,
    /// Where it stands.
    pub state: SignatureState,
}

/// A page of `GET /v1/orders`, latest first.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrderList {
    /// The orders.
    pub items: Vec<Order>,
    /// Give it as `cursor` for the next page; absent on the last.
    pub next_cursor: Option<String>,
}
