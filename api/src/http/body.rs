//! Reads request bodies under a limit of size. How slowly they may arrive is the server's matter.

use axum::body::Body;
use bytes::Bytes;
use http_body_util::BodyExt;
use rubrica_core::ErrorCode;

use super::problem::{ApiError, ApiResult};
use super::server::service::TooSlow;

/// The pieces of a body.
#[derive(Debug)]
pub(super) struct Pieces(Body);

impl Pieces {
    pub(super) const fn new(body: Body) -> Self {
        Self(body)
    }

    /// The next piece, `None` at the end.
    pub(super) async fn next(&mut self) -> ApiResult<Option<Bytes>> {
        loop {
            match self.0.frame().await {
                None => return Ok(None),
                Some(Err(error)) => return Err(broken(error)),
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

fn broken(error: axum::Error) -> ApiError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(error) = cause {
        if error.is::<TooSlow>() {
            return ApiError::new(ErrorCode::InvalidRequest, "the body arrives too slowly; send it again");
        }
        cause = error.source();
    }
    ApiError::new(ErrorCode::InvalidRequest, "the body broke off; send it again").because(error)
}
