//! Reads the rest of a body that was refused.
//!
//! A server that answers and closes while the client still sends resets the connection, and the client, browsers above
//! all, loses the answer that says why. So the rest is read and thrown away, up to a limit.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};

/// Most that is thrown away, in bytes and time.
const MOST_BYTES: usize = 16 << 20;
const LONGEST: Duration = Duration::from_secs(3);

/// The rest of a body, while a handler has the body.
#[derive(Debug, Clone)]
pub(super) struct Rest(Arc<Mutex<Body>>);

impl Rest {
    /// Splits a body into the one for the handler and the handle on what the handler leaves.
    pub(super) fn split(body: Body) -> (Body, Self) {
        let rest = Self(Arc::new(Mutex::new(body)));
        (Body::new(rest.clone()), rest)
    }

    /// Reads to the end, or to the limit.
    pub(super) async fn drain(mut self) {
        let read = async {
            let mut left = MOST_BYTES;
            while let Some(Ok(frame)) = self.frame().await {
                let size = frame.data_ref().map_or(0, Bytes::len);
                if size >= left {
                    return;
                }
                left -= size;
            }
        };
        let _ = tokio::time::timeout(LONGEST, read).await;
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
