//! `/v1/keys`: the keys in our custody, and whether they may be used.

pub(super) mod expiring;

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use rubrica_core::ErrorCode;
use rubrica_core::wire::{Key, KeyList, KeyState};

use super::auth::{Caller, Granted};
use super::documents::parameter;
use super::json::Json;
use super::page::Page;
use super::problem::{ApiError, ApiResult};
use crate::app::App;
use crate::ids::KeyId;
use crate::permission::needs;
use crate::store;
use crate::store::keys::KeyMove;

/// Lists the keys of the tenant, the latest first.
#[utoipa::path(
    get,
    path = "/v1/keys",
    tag = "keys",
    security(("api_key" = ["keys:read"]), ("person" = ["keys:read"])),
    params(
        ("state" = Option<KeyState>, Query, description = "Only keys in this state"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Keys on a page; 50 when absent"),
        ("cursor" = Option<KeyId>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "A page of keys", body = KeyList)),
)]
pub(super) async fn list_keys(
    State(app): State<Arc<App>>,
    granted: Granted<needs::KeysRead>,
    query: RawQuery,
) -> ApiResult<Json<KeyList>> {
    let page = Page::<KeyId>::read(&query)?;
    let state = parameter(&query, "state").map(str::parse::<KeyState>).transpose().map_err(|_| {
        ApiError::new(ErrorCode::InvalidRequest, "state is `active`, `suspended` or `retired`")
    })?;
    let (tenant, after, limit) = (granted.tenant().to_owned(), page.after.clone(), page.rows());
    let mut rows = app
        .store
        .read(move |connection| store::keys::page(connection, &tenant, state, after.as_ref(), limit))
        .await?;
    let next_cursor = page.cut(&mut rows, |row| row.id.clone());
    let items = rows.iter().map(|row| row.to_wire().map_err(ApiError::internal)).collect::<ApiResult<_>>()?;
    Ok(Json(KeyList { items, next_cursor }))
}

/// Shows a key of the tenant.
#[utoipa::path(
    get,
    path = "/v1/keys/{id}",
    tag = "keys",
    security(("api_key" = ["keys:read"]), ("person" = ["keys:read"])),
    params(("id" = KeyId, Path, description = "The key")),
    responses((status = 200, description = "The key", body = Key)),
)]
pub(super) async fn show_key(
    State(app): State<Arc<App>>,
    granted: Granted<needs::KeysRead>,
    Path(id): Path<String>,
) -> ApiResult<Json<Key>> {
    let id: KeyId = id.parse().map_err(|_| ApiError::not_found("key"))?;
    let row = app.store.read(move |connection| store::keys::load(connection, &id)).await?;
    let row = row.filter(|row| row.tenant == granted.tenant()).ok_or_else(|| ApiError::not_found("key"))?;
    row.to_wire().map(Json).map_err(ApiError::internal)
}

/// Suspends a key: from this answer on it is not used, not for what was accepted before either.
///
/// What has its value already goes on. Suspending again changes nothing.
#[utoipa::path(
    post,
    path = "/v1/keys/{id}/suspend",
    tag = "keys",
    security(("api_key" = ["keys:write"]), ("person" = ["keys:write"])),
    params(("id" = KeyId, Path, description = "The key")),
    extensions(("x-error-codes" = json!([ErrorCode::KeyStateConflict]))),
    responses((status = 200, description = "The key, suspended", body = Key)),
)]
pub(super) async fn suspend_key(
    State(app): State<Arc<App>>,
    granted: Granted<needs::KeysWrite>,
    Path(id): Path<String>,
) -> ApiResult<Json<Key>> {
    change(&app, granted.caller(), &id, KeyMove::Suspend).await
}

/// Lets a suspended key be used again.
///
/// A key that was suspended for a fault of its own comes back too: look at `changed_code` first. One whose person withdrew the
/// consent does not.
#[utoipa::path(
    post,
    path = "/v1/keys/{id}/resume",
    tag = "keys",
    security(("api_key" = ["keys:write"]), ("person" = ["keys:write"])),
    params(("id" = KeyId, Path, description = "The key")),
    extensions(("x-error-codes" = json!([ErrorCode::KeyStateConflict, ErrorCode::ConsentRequired]))),
    responses((status = 200, description = "The key, active", body = Key)),
)]
pub(super) async fn resume_key(
    State(app): State<Arc<App>>,
    granted: Granted<needs::KeysWrite>,
    Path(id): Path<String>,
) -> ApiResult<Json<Key>> {
    change(&app, granted.caller(), &id, KeyMove::Resume).await
}

/// Retires a key for good: from this answer on it is never used again.
///
/// The signatures that it made stay as good as they are. Retiring again changes nothing.
#[utoipa::path(
    post,
    path = "/v1/keys/{id}/retire",
    tag = "keys",
    security(("api_key" = ["keys:write"]), ("person" = ["keys:write"])),
    params(("id" = KeyId, Path, description = "The key")),
    responses((status = 200, description = "The key, retired", body = Key)),
)]
pub(super) async fn retire_key(
    State(app): State<Arc<App>>,
    granted: Granted<needs::KeysWrite>,
    Path(id): Path<String>,
) -> ApiResult<Json<Key>> {
    change(&app, granted.caller(), &id, KeyMove::Retire).await
}

async fn change(app: &App, caller: &Caller, id: &str, to: KeyMove) -> ApiResult<Json<Key>> {
    let id: KeyId = id.parse().map_err(|_| ApiError::not_found("key"))?;
    let (tenant, by, now) = (caller.tenant().to_owned(), caller.to_string(), app.clock.now());
    let changed = app
        .store
        .write(move |connection| store::keys::change(connection, &id, Some(&tenant), to, &by, now))
        .await?;
    let row = changed.ok_or_else(|| ApiError::not_found("key"))?;
    tracing::info!(key.id = %row.id, tenant = row.tenant, state = row.state.as_str(), by = %caller, "key changed");
    row.to_wire().map(Json).map_err(ApiError::internal)
}
