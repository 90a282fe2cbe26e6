//! An answer that can be given again.

use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::http::problem::{ApiError, ApiResult};

/// Status, place and JSON body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    status: StatusCode,
    location: Option<String>,
    body: Vec<u8>,
}

impl Answer {
    /// An answer with a JSON body.
    pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).expect("wire types can be written as JSON");
        Self { status, location: None, body }
    }

    /// The same with the path of what was created.
    #[must_use]
    pub(crate) fn at(mut self, path: String) -> Self {
        self.location = Some(path);
        self
    }

    /// An answer that was kept.
    pub(super) fn from_parts(status: u16, location: Option<String>, body: Vec<u8>) -> ApiResult<Self> {
        let status = StatusCode::from_u16(status).map_err(ApiError::internal)?;
        Ok(Self { status, location, body })
    }

    pub(super) const fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) fn location(&self) -> Option<&str> {
        self.location.as_deref()
    }

    pub(super) fn body(&self) -> &[u8] {
        &self.body
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(location) = self.location.and_then(|path| HeaderValue::from_str(&path).ok()) {
            headers.insert(LOCATION, location);
        }
        response
    }
}
