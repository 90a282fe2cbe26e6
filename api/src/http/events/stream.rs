//! Server-sent events (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).
//!
//! A stream is read from the log as fast as its reader takes it: it holds one page and nothing else, and delays nobody.

use std::convert::Infallible;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use futures_util::stream;
use tokio::sync::watch;
use tokio::time::Instant;

use super::page::Page;
use crate::app::App;
use crate::store::events::Wanted;

/// Events that a stream holds at most.
const PAGE: usize = 128;
/// Silence after which a comment shows that the connection lives.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// Streams of a busy instance read a few events at once rather than one at a time.
const PAUSE: Duration = Duration::from_millis(10);

struct Reader {
    app: Arc<App>,
    tenant: String,
    wanted: Wanted,
    after: u64,
    head: watch::Receiver<u64>,
    stopping: watch::Receiver<bool>,
    begun: bool,
}

/// Begins a stream behind `after`.
pub(super) fn answer(app: &Arc<App>, tenant: String, after: u64, wanted: Wanted) -> Response {
    let (head, stopping) = (app.log.head(), app.stopping.subscribe());
    let reader = Reader { app: Arc::clone(app), tenant, wanted, after, head, stopping, begun: false };
    let chunks = stream::unfold(reader, |mut reader| async move {
        let chunk = reader.next().await?;
        Some((Ok::<_, Infallible>(Bytes::from(chunk)), reader))
    });
    let mut response = Response::new(Body::from_stream(chunks));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    response
}

impl Reader {
    /// The next piece; `None` ends the stream, and its reader comes back with the last id.
    async fn next(&mut self) -> Option<String> {
        if !std::mem::replace(&mut self.begun, true) {
            return Some("retry: 1000\n\n".to_owned());
        }
        let deadline = Instant::now() + HEARTBEAT;
        loop {
            if *self.stopping.borrow() {
                return None;
            }
            let page = match Page::read(&self.app, &self.tenant, self.after, PAGE, &self.wanted).await {
                Ok(page) => page,
                Err(error) => {
                    tracing::warn!(%error, "a stream of events ended");
                    return None;
                }
            };
            let moved = std::mem::replace(&mut self.after, page.last) != page.last;
            if !page.is_empty() {
                return Some(frames(&page));
            }
            if moved {
                tokio::task::yield_now().await;
                continue;
            }
            let after = self.after;
            let Self { head, stopping, .. } = self;
            let woken = async { drop(head.wait_for(|head| *head > after).await) };
            let stopped = async { drop(stopping.wait_for(|stopping| *stopping).await) };
            tokio::select! {
                () = woken => {}
                () = stopped => return None,
                () = tokio::time::sleep_until(deadline) => {
                    return Some(format!("id: {after}\n: still here\n\n"));
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

fn frames(page: &Page) -> String {
    let mut frames = String::new();
    for (sequence, event_type, json) in &page.events {
        // JSON of ours has no line break.
        let _ = write!(frames, "id: {sequence}\nevent: {event_type}\ndata: {json}\n\n");
    }
    frames
}
