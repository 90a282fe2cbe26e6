//! Answers with bytes of the object store, streamed.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE, HeaderName};
use axum::response::Response;
use base64ct::{Base64, Encoding};
use bytes::Bytes;
use hyper::body::Frame;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::sync::mpsc;

use super::problem::ApiResult;
use crate::app::App;
use crate::objects::{ObjectError, Part, Parts};

/// `Content-Digest` (RFC 9530).
pub(super) const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");

/// Characters that stay in `filename*` (RFC 8187 attr-char).
const FILE_NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What is sent.
#[derive(Debug)]
pub(super) struct Download {
    /// One after the other.
    pub(super) parts: Vec<Part>,
    pub(super) name: String,
    pub(super) media_type: String,
    pub(super) size_bytes: u64,
    pub(super) sha256: [u8; 32],
}

impl Download {
    /// Begins the answer once the first object is open; a failure later breaks the body off, which the client sees by its
    /// length.
    pub(super) async fn start(self, app: &Arc<App>) -> ApiResult<Response> {
        let mut parts = Parts::open(&app.objects, self.parts).await?;
        let (sender, pieces) = mpsc::channel(4);
        tokio::spawn(async move {
            let send = async {
                while let Some(piece) = parts.next().await? {
                    if sender.send(Ok(piece)).await.is_err() {
                        // The receiver has gone: nobody needs the rest.
                        return Ok(());
                    }
                }
                Ok::<_, ObjectError>(())
            };
            if let Err(error) = send.await {
                tracing::error!(%error, "a download broke off");
                let _ = sender.send(Err(io::Error::other("the object cannot be read"))).await;
            }
        });
        let mut response = Response::new(Body::new(Streamed(pieces)));
        let disposition = attachment(&self.name);
        let digest = format!("sha-256=:{}:", Base64::encode_string(&self.sha256));
        let headers = response.headers_mut();
        headers.insert(CONTENT_LENGTH, HeaderValue::from(self.size_bytes));
        for (name, value) in
            [(CONTENT_TYPE, self.media_type), (CONTENT_DISPOSITION, disposition), (CONTENT_DIGEST, digest)]
        {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
        Ok(response)
    }
}

/// `Content-Disposition` of a file with this name (RFC 6266).
pub(super) fn attachment(name: &str) -> String {
    let ascii: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "-._ ".contains(c) { c } else { '_' }).collect();
    format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{}", utf8_percent_encode(name, FILE_NAME))
}

/// A body from a channel.
pub(super) struct Streamed(mpsc::Receiver<io::Result<Bytes>>);

impl Streamed {
    pub(super) const fn new(pieces: mpsc::Receiver<io::Result<Bytes>>) -> Self {
        Self(pieces)
    }
}

impl hyper::body::Body for Streamed {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.0.poll_recv(cx).map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }
}
