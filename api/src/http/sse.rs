//! Server-sent events (<https://html.spec.whatwg.org/multipage/server-sent-events.html>): what all streams have in common.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::Response;
use futures_util::stream;
use tokio::sync::watch;

use crate::app::App;

/// Silence after which a comment shows that the connection lives.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(10);
/// First piece of every stream: a client that lost it comes back after this time.
const RETRY: &str = "retry: 1000\n\n";

/// What a stream tells. It is asked for the next piece only when its reader has taken the last one, so a slow reader costs
/// nothing but its own delay.
pub(super) trait Source: Send + Sized + 'static {
    /// The next frames; `None` ends the stream.
    fn next(&mut self) -> impl Future<Output = Option<String>> + Send;
}

/// One event of a stream, by its fields (WHATWG HTML, section 9.2). A comment alone keeps the connection alive.
#[derive(Debug, utoipa::ToSchema)]
#[expect(dead_code, reason = "streams write their fields; this names them in the document")]
pub(super) struct ServerSentEvent {
    /// Its kind.
    event: Option<String>,
    /// What to give as `last-event-id` to go on behind it.
    id: Option<String>,
    /// JSON.
    data: String,
}

/// Begins a stream.
pub(super) fn answer(source: impl Source) -> Response {
    let told = stream::unfold((source, false), |(mut source, begun)| async move {
        let frames = if begun { source.next().await? } else { RETRY.to_owned() };
        Some((Ok::<_, Infallible>(Bytes::from(frames)), (source, true)))
    });
    let mut response = Response::new(Body::from_stream(told));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// What streams wait for: news in the log, and the end of the service.
pub(super) struct Signals {
    head: watch::Receiver<u64>,
    stopping: watch::Receiver<bool>,
}

/// Why a stream goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Woken {
    /// The log has grown.
    News,
    /// Nothing happened for a while.
    Silence,
    /// The service stops: the stream ends, and its reader comes back elsewhere or later.
    Stopping,
}

impl Signals {
    pub(super) fn of(app: &Arc<App>) -> Self {
        Self { head: app.log.head(), stopping: app.stopping.subscribe() }
    }

    /// Events in the log now; ask before looking, so that nothing is missed in between.
    pub(super) fn head(&self) -> u64 {
        *self.head.borrow()
    }

    pub(super) fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Waits until the log has more events than `after`, at most for the time of a heartbeat.
    pub(super) async fn wait(&mut self, after: u64) -> Woken {
        let Self { head, stopping } = self;
        let grown = async { drop(head.wait_for(|head| *head > after).await) };
        let stopped = async { drop(stopping.wait_for(|stopping| *stopping).await) };
        tokio::select! {
            () = grown => Woken::News,
            () = stopped => Woken::Stopping,
            () = tokio::time::sleep(HEARTBEAT) => Woken::Silence,
        }
    }
}
