//! Reads request bodies under limits of size and of silence.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http_body_util::BodyExt;
use rubrica_core::ErrorCode;

use super::problem::{ApiError, ApiResult};

/// The pieces of a body.
#[derive(Debug)]
pub(super) struct Pieces {
    body: Body,
    idle: Duration,
}

impl Pieces {
    /// A client that says nothing for `idle` is cut off.
    pub(super) const fn new(body: Body, idle: Duration) -> Self {
        Self { body, idle }
    }

    /// The next piece, `None` at the end.
    pub(super) async fn next(&mut self) -> ApiResult<Option<Bytes>> {
        loop {
            let frame = tokio::time::timeout(self.idle, self.body.frame()).await.map_err(|_| {
                ApiError::new(ErrorCode::InvalidRequest, "the body stopped arriving; send it again")
            })?;
            match frame {
                None => return Ok(None),
                Some(Err(error)) => {
                    return Err(ApiError::new(
                        ErrorCode::InvalidRequest,
                        "the body broke off; send it again",
                    )
                    .because(error));
                }
                Some(Ok(frame)) => {
                    // Trailers carry nothing that we read.
                    if let Ok(piece) = frame.into_data() {
                        return Ok(Some(piece));
                    }
                }
            }
        }
    }

    /// The whole body, at most `limit` bytes.
    pub(super) async fn collect(mut self, limit: usize) -> ApiResult<Vec<u8>> {
        let mut bytes = Vec::new();
        while let Some(piece) = self.next().await? {
            if bytes.len() + piece.len() > limit {
                return Err(ApiError::new(
                    ErrorCode::PayloadTooLarge,
                    format!("a JSON body has at most {limit} bytes"),
                ));
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    }
}
