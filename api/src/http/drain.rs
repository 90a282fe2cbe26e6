//! The rest of a body that was answered before it was read.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body as _, Frame, SizeHint};

/// What is read at the cost of the answer's delay, so that the connection can be used again. More than that is left to the
/// careful end of the connection, after the answer.
const MOST_BYTES: usize = 64 * 1024;
const LONGEST: Duration = Duration::from_millis(20);

/// The rest of a body, while a handler has the body.
#[derive(Debug, Clone)]
pub(super) struct Rest(Arc<Mutex<Body>>);

impl Rest {
    /// Splits a body into the one for the handler and the handle on what the handler leaves.
    pub(super) fn split(body: Body) -> (Body, Self) {
        let rest = Self(Arc::new(Mutex::new(body)));
        (Body::new(rest.clone()), rest)
    }

    /// Whether nothing is left.
    pub(super) fn is_read(&self) -> bool {
        self.body().is_end_stream()
    }

    /// Reads a small rest that has arrived, mostly with the headers. Answers whether that was all.
    pub(super) async fn drain_what_is_there(mut self) -> bool {
        if self.body().size_hint().lower() > MOST_BYTES as u64 {
            return false;
        }
        let read = async {
            let mut left = MOST_BYTES;
            while let Some(frame) = self.frame().await {
                let Ok(frame) = frame else { return false };
                let size = frame.data_ref().map_or(0, Bytes::len);
                if size > left {
                    return false;
                }
                left -= size;
            }
            true
        };
        tokio::time::timeout(LONGEST, read).await.unwrap_or(false)
    }

    fn body(&self) -> MutexGuard<'_, Body> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl hyper::body::Body for Rest {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut *self.body()).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body().is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body().size_hint()
    }
}
