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
use crate::objects::{self, ObjectError, Objects};

/// `Content-Digest` (RFC 9530).
pub(super) const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");

/// Characters that stay in `filename*` (RFC 8187 attr-char).
const FILE_NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A piece of a file.
#[derive(Debug)]
pub(super) enum Part {
    /// An object, by its digest.
    Object([u8; 32]),
    /// Bytes that were made for this answer.
    Bytes(Vec<u8>),
}

impl Part {
    async fn open(self, objects: &Objects) -> Result<Open, ObjectError> {
        Ok(match self {
            Self::Object(sha256) => Open::Object(objects.pieces(sha256).await?),
            Self::Bytes(bytes) => Open::Bytes(Some(bytes.into())),
        })
    }
}

/// A part that is being sent.
enum Open {
    Object(objects::Pieces),
    Bytes(Option<Bytes>),
}

impl Open {
    async fn next(&mut self) -> Result<Option<Bytes>, ObjectError> {
        match self {
            Self::Object(object) => object.next().await,
            Self::Bytes(bytes) => Ok(bytes.take()),
        }
    }
}

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
        let objects = app.objects.clone();
        let mut parts = self.parts.into_iter();
        let mut open = match parts.next() {
            Some(first) => Some(first.open(&objects).await?),
            None => None,
        };
        let (sender, pieces) = mpsc::channel(4);
        tokio::spawn(async move {
            let send = async {
                while let Some(mut object) = open.take() {
                    while let Some(piece) = object.next().await? {
                        if sender.send(Ok(piece)).await.is_err() {
                            // The receiver has gone: nobody needs the rest.
                            return Ok(());
                        }
                    }
                    if let Some(next) = parts.next() {
                        open = Some(next.open(&objects).await?);
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
        let ascii: String = self
            .name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || "-._ ".contains(c) { c } else { '_' })
            .collect();
        let disposition = format!(
            "attachment; filename=\"{ascii}\"; filename*=UTF-8''{}",
            utf8_percent_encode(&self.name, FILE_NAME)
        );
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

/// A body from a channel.
struct Streamed(mpsc::Receiver<io::Result<Bytes>>);

impl hyper::body::Body for Streamed {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.0.poll_recv(cx).map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }
}
