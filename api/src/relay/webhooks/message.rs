//! One message to one address.

use std::sync::Arc;

use rubrica_core::Timestamp;

use super::{WebhookSecret, Webhooks, secret};
use crate::app::App;
use crate::fetch::Answered;
use crate::store::webhooks::WebhookRow;

/// Largest body that is sent.
const LARGEST_BODY: usize = 20 * 1024;

/// A body with its identifier.
#[derive(Debug)]
pub(super) struct Message {
    /// The event: the same in every attempt.
    pub(super) id: String,
    pub(super) body: String,
}

/// Signs and posts a message. `Err` says why there was no answer.
pub(super) async fn send(
    app: &Arc<App>,
    webhook: &WebhookRow,
    message: Message,
    now: Timestamp,
) -> Result<Answered, String> {
    if message.body.len() > LARGEST_BODY {
        return Err(format!("the event has more than {LARGEST_BODY} bytes; read it from GET /v1/events"));
    }
    let secrets = secrets(&app.webhooks, webhook, now).ok_or("the secret cannot be read; rotate it")?;
    let timestamp = now.unix_ms() / 1000;
    let signatures: Vec<_> =
        secrets.iter().map(|secret| secret.sign(&message.id, timestamp, &message.body)).collect();
    let headers = [
        ("webhook-id", message.id),
        ("webhook-timestamp", timestamp.to_string()),
        ("webhook-signature", signatures.join(" ")),
    ];
    let (app, url) = (Arc::clone(app), webhook.url.clone());
    let posted = tokio::task::spawn_blocking(move || {
        app.webhooks.poster.post(&url, &headers, message.body.as_bytes())
    });
    posted.await.map_err(|error| error.to_string())?
}

/// The secret, and the one before it while that is good too.
fn secrets(webhooks: &Webhooks, webhook: &WebhookRow, now: Timestamp) -> Option<Vec<WebhookSecret>> {
    let mut secrets = vec![secret::open(&webhooks.sealing, &webhook.id, &webhook.secret)?];
    if let Some((previous, until)) = &webhook.previous
        && now < *until
    {
        secrets.push(secret::open(&webhooks.sealing, &webhook.id, previous)?);
    }
    Some(secrets)
}
