//! Webhooks: events told to an address of the tenant (Standard Webhooks 1.0).

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::event::EventType;

/// `POST /v1/webhooks`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateWebhook {
    /// Where events go: `https`, a public address, at most 2048 characters.
    pub url: String,
    /// Types that are told; every type when absent, never empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_types: Option<Vec<EventType>>,
    /// For people: at most 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A webhook as the API shows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Webhook {
    /// `whk_…`
    pub id: String,
    /// Where events go.
    pub url: String,
    /// Types that are told; every type when absent.
    pub event_types: Option<Vec<EventType>>,
    /// For people.
    pub description: Option<String>,
    /// Whether events are sent.
    pub state: WebhookState,
    /// Key of the signatures, `whsec_` and standard base64. Shown once, in the answer that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// Time of creation.
    pub created_at: Timestamp,
    /// When it was disabled.
    pub disabled_at: Option<Timestamp>,
}

/// State of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum WebhookState {
    /// Events are sent.
    Active,
    /// The tenant stopped it, or it failed for too long (`webhook.disabled`).
    Disabled,
}

impl WebhookState {
    /// Every state.
    pub const ALL: [Self; 2] = [Self::Active, Self::Disabled];

    /// The wire and SQL string.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
        }
    }
}

/// A page of `GET /v1/webhooks`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WebhookList {
    /// The webhooks.
    pub items: Vec<Webhook>,
    /// Give it as `cursor` for the next page; absent on the last.
    pub next_cursor: Option<String>,
}

/// One event on its way to one webhook.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WebhookDelivery {
    /// The event, `evt_…`; the same in every attempt (`webhook-id`).
    pub event_id: String,
    /// Its type.
    pub event_type: EventType,
    /// Where it stands.
    pub state: DeliveryState,
    /// Attempts so far.
    pub attempts: u32,
    /// HTTP status of the last attempt; absent when there was none.
    pub last_status: Option<u16>,
    /// What was wrong with the last attempt, for an operator.
    pub last_error: Option<String>,
    /// When it is tried next, while `pending`.
    pub next_attempt_at: Option<Timestamp>,
    /// When the event came to the webhook.
    pub created_at: Timestamp,
    /// When the address accepted it.
    pub delivered_at: Option<Timestamp>,
}

/// `POST /v1/webhooks/{id}/test`: what came of one message that was sent at once.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WebhookTest {
    /// Whether the address answered 2xx.
    pub delivered: bool,
    /// HTTP status; absent when there was no answer.
    pub status: Option<u16>,
    /// What was wrong, for an operator.
    pub error: Option<String>,
    /// Time until the answer or the failure.
    pub duration_ms: u64,
}

/// State of a delivery: `pending`, then `delivered` or `dead`; a dead one may be sent again and is then `pending`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// To be tried, or to be tried again.
    Pending,
    /// The address answered 2xx.
    Delivered,
    /// Every attempt failed.
    Dead,
}

impl DeliveryState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Pending, Self::Delivered, Self::Dead];

    /// The wire and SQL string.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        }
    }
}

/// A page of `GET /v1/webhooks/{id}/deliveries`, latest first.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WebhookDeliveryList {
    /// The deliveries.
    pub items: Vec<WebhookDelivery>,
    /// Give it as `cursor` for the next page; absent on the last.
    pub next_cursor: Option<String>,
}
