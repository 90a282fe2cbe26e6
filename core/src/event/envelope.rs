//! The envelope: CloudEvents 1.0, JSON event format.

use serde::Serialize;

use crate::Timestamp;

/// The `source` of every event.
pub const SOURCE: &str = "/rubrica";

/// An event as it is told: in `GET /v1/events`, to webhooks and to sinks.
///
/// **Shape**: a JSON object; `tenant` and `sequence` are extension attributes. `sequence` is the place in the stream, from 1
/// without gaps, as 20 decimal digits: the extension asks for a text whose alphabetical order is the order of events
/// ([sequence](https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/extensions/sequence.md)).
/// `D` is [`super::EventData`], or JSON that was kept.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Envelope<'a, D> {
    specversion: &'static str,
    id: &'a str,
    source: &'static str,
    #[serde(rename = "type")]
    event_type: &'a str,
    subject: &'a str,
    time: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<&'a str>,
    sequence: String,
    datacontenttype: &'static str,
    data: D,
}

impl<'a, D> Envelope<'a, D> {
    /// Puts an event that was kept into its envelope.
    pub fn new(
        id: &'a str,
        event_type: &'a str,
        subject: &'a str,
        time: Timestamp,
        tenant: Option<&'a str>,
        sequence: u64,
        data: D,
    ) -> Self {
        Self {
            specversion: "1.0",
            id,
            source: SOURCE,
            event_type,
            subject,
            time,
            tenant,
            sequence: format!("{sequence:020}"),
            datacontenttype: "application/json",
            data,
        }
    }
}
