//! Events as a stream, read from the log as fast as its reader takes it: it holds one page and nothing else, and delays nobody.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;

use super::page::Page;
use crate::app::App;
use crate::http::sse::{self, Signals, Woken};
use crate::store::events::Wanted;

/// Events that a stream holds at most.
const PAGE: usize = 128;
/// Streams of a busy instance read a few events at once rather than one at a time.
const PAUSE: Duration = Duration::from_millis(10);

struct Reader {
    app: Arc<App>,
    tenant: String,
    wanted: Wanted,
    after: u64,
    signals: Signals,
}

/// Begins a stream behind `after`.
pub(super) fn answer(app: &Arc<App>, tenant: String, after: u64, wanted: Wanted) -> Response {
    sse::answer(Reader { app: Arc::clone(app), tenant, wanted, after, signals: Signals::of(app) })
}

impl sse::Source for Reader {
    /// The next piece; at the end of the stream its reader comes back with the last id.
    async fn next(&mut self) -> Option<String> {
        loop {
            if self.signals.is_stopping() {
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
            match self.signals.wait(self.after).await {
                Woken::News => tokio::time::sleep(PAUSE).await,
                Woken::Stopping => return None,
                Woken::Silence => return Some(format!("id: {}\n: still here\n\n", self.after)),
            }
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
