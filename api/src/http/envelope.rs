//! Around every request: its id, its log line, security headers, and the body of a problem.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use rubrica_core::ErrorCode;

use super::problem::{self, ApiError};
use super::server::service::Ambiguous;
use crate::{hex, random};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Wraps one request.
pub(super) async fn wrap(request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let request_id = request
        .headers()
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(|value| is_request_id(value))
        .map_or_else(|| format!("req_{}", hex::encode(random::bytes::<12>())), ToOwned::to_owned);
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let route = request.extensions().get::<MatchedPath>().map(|route| route.as_str().to_owned());

    let mut response = match request.extensions().get::<Ambiguous>() {
        Some(Ambiguous(why)) => ApiError::new(ErrorCode::InvalidRequest, *why).into_response(),
        None => next.run(request).await,
    };
    if let Some(error) = problem_of(&response) {
        let cors: Vec<_> = response
            .headers()
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()))
            .filter(kept)
            .collect();
        match error.cause() {
            // Ours, and for the operator.
            Some(cause) if problem::status(error.code()).is_server_error() => {
                tracing::error!(request.id = request_id, code = %error.code(), cause, "request failed");
            }
            Some(cause) => {
                tracing::debug!(request.id = request_id, code = %error.code(), cause, "request refused")
            }
            None => {}
        }
        response = error.render(&path, &request_id);
        response.headers_mut().extend(cors);
    }
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, HeaderValue::from_str(&request_id).expect("a request id is plain ASCII"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    // The route and not the path: nothing of what a caller wrote reaches the log.
    tracing::info!(
        request.id = request_id,
        http.method = %method,
        http.route = route.as_deref().unwrap_or("-"),
        http.status = response.status().as_u16(),
        duration_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        "request",
    );
    response
}

/// The problem that a handler marked, or one for an error that the framework answered in its own way.
fn problem_of(response: &Response) -> Option<ApiError> {
    if let Some(error) = response.extensions().get::<ApiError>() {
        return Some(error.clone());
    }
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) {
        return None;
    }
    // Readiness says what is wrong in its own shape.
    if response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == "application/json") {
        return None;
    }
    Some(match status {
        StatusCode::NOT_FOUND => {
            ApiError::new(ErrorCode::NotFound, "there is no such route; see the documentation")
        }
        StatusCode::METHOD_NOT_ALLOWED => ApiError::new(
            ErrorCode::MethodNotAllowed,
            "the route exists with another method; see the `allow` header",
        ),
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::new(ErrorCode::PayloadTooLarge, "send a smaller body"),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            ApiError::new(ErrorCode::UnsupportedMediaType, "send the documented media type")
        }
        status if status.is_client_error() => {
            ApiError::new(ErrorCode::InvalidRequest, "the request could not be read")
        }
        status => ApiError::internal(format!("the framework answered {status}")),
    })
}

/// Headers that survive when a body becomes a problem: those of CORS, and `allow`.
fn kept((name, _): &(HeaderName, HeaderValue)) -> bool {
    let name = name.as_str();
    name.starts_with("access-control-") || name == "vary" || name == "allow"
}

fn is_request_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}
