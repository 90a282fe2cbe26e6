//! `/health/live` says that the process answers, `/health/ready` that it can sign.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use rubrica_core::wire::{Health, HealthCheck};
use tokio::sync::Mutex;

use super::json::Json;
use crate::app::App;
use crate::store::StoreError;

/// How long an answer about store and objects is kept: load balancers ask often, and each answer costs a commit.
const KEPT: Duration = Duration::from_secs(3);

/// The last answer about store and objects.
#[derive(Debug, Default)]
pub(crate) struct Readiness(Mutex<Option<(Instant, Vec<HealthCheck>)>>);

/// Says that the process answers.
#[utoipa::path(
    get,
    path = "/health/live",
    tag = "operations",
    responses((status = 200, description = "The process answers", body = Health)),
)]
pub(super) async fn show_liveness() -> Json<Health> {
    Json(Health { status: "ok".to_owned(), checks: Vec::new() })
}

/// Says whether this instance can sign, part by part.
#[utoipa::path(
    get,
    path = "/health/ready",
    tag = "operations",
    responses(
        (status = 200, description = "Every part works", body = Health),
        (status = 503, description = "A part fails: send the traffic elsewhere", body = Health),
    ),
)]
pub(super) async fn show_readiness(State(app): State<Arc<App>>) -> Response {
    // Held while checking, so that many callers cause one check.
    let mut last = app.readiness.0.lock().await;
    let checks = match &*last {
        Some((at, checks)) if at.elapsed() < KEPT => checks.clone(),
        _ => check(&app).await,
    };
    *last = match last.take() {
        Some((at, kept)) if at.elapsed() < KEPT => Some((at, kept)),
        _ => Some((Instant::now(), checks.clone())),
    };
    drop(last);
    let checks = checks.into_iter().chain(token(&app)).collect::<Vec<_>>();
    let ok = checks.iter().all(|check| check.ok);
    let health = Health { status: if ok { "ok" } else { "failing" }.to_owned(), checks };
    let status = if ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(health)).into_response()
}

async fn check(app: &App) -> Vec<HealthCheck> {
    let store = app.store.write(|_| Ok(())).await.map_err(|error: StoreError| error.to_string());
    let objects = app.objects.check().await.map_err(|error| error.to_string());
    vec![entry("store", store), entry("objects", objects)]
}

/// What is known of the token, which is not asked: it may not answer. Nothing, in a process that does not sign.
fn token(app: &App) -> Option<HealthCheck> {
    let ready = app.keys.as_ref()?.status().ready();
    Some(entry(
        "token",
        ready.map_err(|error| {
            let failure = crate::adapters::pkcs11::failure(&error);
            format!("{}. {}", failure.what(), failure.remedy())
        }),
    ))
}

fn entry(name: &str, result: Result<(), String>) -> HealthCheck {
    HealthCheck { name: name.to_owned(), ok: result.is_ok(), detail: result.err() }
}
