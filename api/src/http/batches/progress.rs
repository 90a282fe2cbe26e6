//! `GET /v1/batches/{id}/progress`: a batch as it goes on.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::Response;
use rubrica_core::wire::Batch;

use super::{find, view};
use crate::app::App;
use crate::http::auth::Granted;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::sse::{self, Signals, Woken};
use crate::ids::BatchId;
use crate::permission::needs;

/// Between two looks at the batch: however fast it goes on, a stream tells no more often.
const PAUSE: Duration = Duration::from_millis(200);

struct Progress {
    app: Arc<App>,
    tenant: String,
    id: String,
    /// What was told last, as JSON.
    told: Option<String>,
    ended: bool,
    signals: Signals,
}

/// Follows a batch.
///
/// Each event is named `progress` and is the whole batch, as `GET /v1/batches/{id}` shows it: first as it is now, then whenever it has
/// changed, at most five times a second. The stream ends with the batch: the last event has `ended_at`. It also ends when the service
/// stops or cannot read; whoever comes back gets the batch as it is then, so nothing has to be remembered between two streams.
#[utoipa::path(
    get,
    path = "/v1/batches/{id}/progress",
    tag = "batches",
    security(("api_key" = ["batches:read"]), ("person" = ["batches:read"])),
    params(("id" = BatchId, Path, description = "The batch")),
    responses((status = 200, description = "The batch, again and again until it ends", content(
        (sse::ServerSentEvent = "text/event-stream"),
    ))),
)]
pub(in crate::http) async fn follow_batch(
    State(app): State<Arc<App>>,
    caller: Granted<needs::BatchesRead>,
    Path(id): Path<String>,
) -> ApiResult<Response> {
    let tenant = caller.tenant().to_owned();
    // An unknown batch is told as such, not by a stream without events.
    find(&app, &id, &tenant).await?;
    let signals = Signals::of(&app);
    Ok(sse::answer(Progress { app, tenant, id, told: None, ended: false, signals }))
}

impl sse::Source for Progress {
    async fn next(&mut self) -> Option<String> {
        loop {
            if self.ended || self.signals.is_stopping() {
                return None;
            }
            let head = self.signals.head();
            let batch = match self.look().await {
                Ok(batch) => batch,
                Err(error) => {
                    tracing::warn!(?error, "the progress of a batch cannot be told");
                    return None;
                }
            };
            self.ended = batch.ended_at.is_some();
            let json = serde_json::to_string(&batch).expect("a batch has only strings and numbers");
            if self.told.as_ref() != Some(&json) {
                let frame = format!("event: progress\ndata: {json}\n\n");
                self.told = Some(json);
                return Some(frame);
            }
            match self.signals.wait(head).await {
                Woken::News => tokio::time::sleep(PAUSE).await,
                Woken::Stopping => return None,
                Woken::Silence => return Some(": still here\n\n".to_owned()),
            }
        }
    }
}

impl Progress {
    async fn look(&self) -> Result<Batch, ApiError> {
        let row = find(&self.app, &self.id, &self.tenant).await?;
        view(&self.app, row).await
    }
}
