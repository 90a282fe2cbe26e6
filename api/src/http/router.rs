//! All routes.

use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use rubrica_core::ErrorCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::problem::ApiError;
use super::{
    api_keys, authorizations, batches, consents, cors, custody, documents, enrolments, envelope, events,
    health, keys, limits, openapi, orders, receipts, sessions, signatures, site, validations, webhooks,
};
use crate::app::App;

/// Routes that a command adds to those of the API, and the files it serves.
#[derive(Debug, Default)]
pub(crate) struct Extras {
    pub(crate) routes: Router<Arc<App>>,
    pub(crate) site: Option<site::Site>,
}

/// The routes that browsers of other origins may reach: all below `/v1`.
fn api() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(openapi::base())
        .routes(routes!(sessions::create_session))
        .routes(routes!(documents::create_document))
        .routes(routes!(documents::show_document))
        .routes(routes!(documents::download_document))
        .routes(routes!(orders::create_order, orders::list_orders))
        .routes(routes!(orders::show_order))
        .routes(routes!(orders::cancel_order))
        .routes(routes!(orders::decline_order))
        .routes(routes!(orders::download_order_document))
        .routes(routes!(custody::show_custody))
        .routes(routes!(keys::list_keys))
        .routes(routes!(keys::expiring::list_expiring_keys))
        .routes(routes!(keys::show_key))
        .routes(routes!(keys::suspend_key))
        .routes(routes!(keys::resume_key))
        .routes(routes!(keys::retire_key))
        .routes(routes!(consents::list_consent_texts))
        .routes(routes!(consents::create_consent))
        .routes(routes!(consents::show_consent))
        .routes(routes!(consents::withdraw_consent))
        .routes(routes!(enrolments::create_enrolment, enrolments::list_enrolments))
        .routes(routes!(enrolments::show_enrolment))
        .routes(routes!(enrolments::certify_enrolment))
        .routes(routes!(enrolments::cancel_enrolment))
        .routes(routes!(authorizations::create_authorization))
        .routes(routes!(authorizations::show_authorization))
        .routes(routes!(authorizations::complete_authorization))
        .routes(routes!(signatures::create_signature))
        .routes(routes!(signatures::show_signature))
        .routes(routes!(signatures::completion::complete_signature))
        .routes(routes!(signatures::download_signature))
        .routes(routes!(batches::create_batch, batches::list_batches))
        .routes(routes!(batches::show_batch))
        .routes(routes!(batches::list_batch_items))
        .routes(routes!(batches::progress::follow_batch))
        .routes(routes!(batches::archive::download_batch))
        .routes(routes!(batches::pause_batch))
        .routes(routes!(batches::resume_batch))
        .routes(routes!(batches::cancel_batch))
        .routes(routes!(validations::create_validation))
        .routes(routes!(api_keys::create_api_key, api_keys::list_api_keys))
        .routes(routes!(api_keys::show_api_key, api_keys::revoke_api_key))
        .routes(routes!(events::list_events))
        .routes(routes!(receipts::show_receipt))
        .routes(routes!(receipts::show_receipt_key))
        .routes(routes!(receipts::show_checkpoint))
        .routes(routes!(receipts::show_consistency))
        .routes(routes!(webhooks::create_webhook, webhooks::list_webhooks))
        .routes(routes!(webhooks::show_webhook, webhooks::delete_webhook))
        .routes(routes!(webhooks::test_webhook))
        .routes(routes!(webhooks::rotate_webhook_secret))
        .routes(routes!(webhooks::disable_webhook))
        .routes(routes!(webhooks::enable_webhook))
        .routes(routes!(webhooks::deliveries::list_deliveries))
        .routes(routes!(webhooks::deliveries::retry_delivery))
}

/// Health and documentation.
fn operations() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(health::show_liveness))
        .routes(routes!(health::show_readiness))
        .routes(routes!(openapi::show_openapi))
        .routes(routes!(openapi::show_docs))
}

/// Everything that the document describes.
pub(super) fn contract() -> OpenApiRouter<Arc<App>> {
    api().merge(operations())
}

/// Builds the router of a process without the role `edge`.
pub(crate) fn health(app: &Arc<App>) -> Router {
    let health =
        OpenApiRouter::new().routes(routes!(health::show_liveness)).routes(routes!(health::show_readiness));
    Router::from(health)
        .method_not_allowed_fallback(wrong_method)
        .fallback(no_route)
        .layer(from_fn(envelope::wrap))
        .with_state(Arc::clone(app))
}

/// Builds the router of an instance.
pub(crate) fn build(app: &Arc<App>, extras: Extras) -> Router {
    let api = Router::from(api());
    #[expect(
        clippy::disallowed_methods,
        reason = "not a route: what is unknown below /v1 is answered with CORS too"
    )]
    let api = api
        .route("/v1/{*rest}", get(no_route))
        // Before the layer, so that a preflight, which no route takes, passes through it.
        .method_not_allowed_fallback(wrong_method)
        // Within CORS, so that a page can read why it was refused.
        .layer(from_fn_with_state(Arc::clone(app), limits::enforce))
        .layer(from_fn_with_state(Arc::clone(app), cors::answer));
    let router =
        api.merge(Router::from(operations())).merge(extras.routes).method_not_allowed_fallback(wrong_method);
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
