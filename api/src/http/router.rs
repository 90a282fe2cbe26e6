//! All routes.

use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use rubrica_core::ErrorCode;

use super::problem::ApiError;
use super::{cors, custody, documents, envelope, health, sessions, signatures, site, validations};
use crate::app::App;

/// Routes that a command adds to those of the API, and the files it serves.
#[derive(Debug, Default)]
pub(crate) struct Extras {
    pub(crate) routes: Router<Arc<App>>,
    pub(crate) site: Option<site::Site>,
}

/// Builds the router of an instance.
pub(crate) fn build(app: &Arc<App>, extras: Extras) -> Router {
    let api = Router::new()
        .route("/v1/sessions", post(sessions::create_session))
        .route("/v1/documents", post(documents::create_document))
        .route("/v1/documents/{id}", get(documents::show_document))
        .route("/v1/documents/{id}/content", get(documents::download_document))
        .route("/v1/custody", get(custody::show_custody))
        .route("/v1/signatures", post(signatures::create_signature))
        .route("/v1/signatures/{id}", get(signatures::show_signature))
        .route("/v1/signatures/{id}/complete", post(signatures::complete_signature))
        .route("/v1/signatures/{id}/content", get(signatures::download_signature))
        .route("/v1/validations", post(validations::create_validation))
        .route("/v1/{*rest}", get(no_route))
        // Before the layer, so that a preflight, which no route takes, passes through it.
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(Arc::clone(app), cors::answer));
    let router = api
        .route("/health/live", get(health::show_liveness))
        .route("/health/ready", get(health::show_readiness))
        .merge(extras.routes)
        .method_not_allowed_fallback(wrong_method);
    match extras.site {
        Some(site) => router.fallback(move |request| site.clone().answer(request)),
        None => router.fallback(no_route),
    }
    .layer(from_fn(envelope::wrap))
    .with_state(Arc::clone(app))
}

async fn no_route() -> ApiError {
    ApiError::new(ErrorCode::NotFound, "there is no such route; see the documentation")
}

async fn wrong_method() -> ApiError {
    ApiError::new(ErrorCode::MethodNotAllowed, "the route exists with another method")
}
