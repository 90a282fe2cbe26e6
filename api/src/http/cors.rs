//! CORS, answered for exactly the origins that sessions name.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use rubrica_core::ErrorCode;

use super::problem::ApiError;
use crate::app::App;
use crate::store;

/// Answers preflights, and opens answers to known origins. Whether a *token* may be used from there is `auth`'s matter.
pub(super) async fn answer(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let Some(origin) = request.headers().get(ORIGIN).cloned() else {
        return next.run(request).await;
    };
    let known = match is_known(&app, &origin).await {
        Ok(known) => known,
        Err(error) => return error.into_response(),
    };
    let preflight =
        request.method() == Method::OPTIONS && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if !preflight {
        next.run(request).await
    } else if known {
        StatusCode::NO_CONTENT.into_response()
    } else {
        ApiError::new(
            ErrorCode::OriginNotAllowed,
            "no session names this origin; give it when the session is opened",
        )
        .into_response()
    };
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("origin"));
    if known {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        let fixed = if preflight {
            &[
                (ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
                (
                    ACCESS_CONTROL_ALLOW_HEADERS,
                    "authorization, content-type, content-digest, idempotency-key, rubrica-file-name",
                ),
                (ACCESS_CONTROL_MAX_AGE, "600"),
            ][..]
        } else {
            &[(
                ACCESS_CONTROL_EXPOSE_HEADERS,
                "x-request-id, retry-after, ratelimit, content-disposition, content-digest",
            )][..]
        };
        for (name, value) in fixed {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    response
}

async fn is_known(app: &App, origin: &HeaderValue) -> Result<bool, ApiError> {
    let Ok(origin) = origin.to_str() else { return Ok(false) };
    let origin = origin.to_owned();
    Ok(app.store.read(move |connection| store::sessions::origin_is_known(connection, &origin)).await?)
}
