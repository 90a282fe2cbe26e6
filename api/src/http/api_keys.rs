//! `/v1/api-keys`: make, look, revoke.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use rubrica_core::ErrorCode;
use rubrica_core::wire::{ApiKey, ApiKeyList, CreateApiKey};

use super::auth::{Caller, Granted};
use super::idempotency::{Answer, IdempotencyKey, Kept};
use super::json::{Hashed, Json};
use super::page::Page;
use super::problem::{ApiError, ApiResult};
use crate::api_key;
use crate::app::App;
use crate::ids::ApiKeyId;
use crate::permission::needs;
use crate::store;

/// Makes an API key for a backend of the tenant.
///
/// The secret is in this answer and nowhere else. A backend can give no more than it has; a person with the role `admin` can
/// give every scope.
#[utoipa::path(
    post,
    path = "/v1/api-keys",
    tag = "api_keys",
    security(("api_key" = ["api_keys:write"]), ("person" = ["api_keys:write"])),
    request_body(content = CreateApiKey, example = json!({
        "name": "portal",
        "scopes": ["sessions:write", "documents:read", "signatures:read"],
        "expires_at": "2027-11-23T00:00:00Z",
    })),
    extensions(("x-idempotent" = json!(true))),
    responses((status = 201, description = "The key, with its secret", body = ApiKey, headers(
        ("location" = String, description = "Path of the key"),
    ))),
)]
pub(super) async fn create_api_key(
    State(app): State<Arc<App>>,
    granted: Granted<needs::ApiKeysWrite>,
    key: IdempotencyKey,
    request: Hashed<CreateApiKey>,
) -> ApiResult<Answer> {
    let work = async |kept| make(&app, granted.caller(), &request.value, kept).await;
    key.run(&app, granted.principal(), "create_api_key", request.sha256, work).await
}

async fn make(app: &App, caller: &Caller, request: &CreateApiKey, kept: Kept) -> ApiResult<Answer> {
    let new = api_key::make(request, caller.tenant(), caller.to_string(), app.clock.now())
        .map_err(|refused| ApiError::member(refused.member, refused.why))?;
    if let Caller::Client(client) = caller
        && let Some(scope) = new.row.scopes.iter().find(|scope| !client.scopes.contains(scope))
    {
        return Err(ApiError::new(
            ErrorCode::Forbidden,
            format!("a backend gives no more than it has, and this API key lacks `{scope}`"),
        ));
    }
    let answer = Answer::json(StatusCode::CREATED, &new.row.to_wire(Some(&new.secret)))
        .at(format!("/v1/api-keys/{}", new.row.id));
    let (row, hash, kept_answer) = (new.row, new.sha256, answer.clone());
    let (id, tenant) = (row.id.clone(), row.tenant.clone());
    app.store
        .write(move |connection| {
            kept.keep(connection, &kept_answer)?;
            api_key::keep(connection, &row, &hash)
        })
        .await?;
    tracing::info!(api_key.id = %id, tenant, "API key made");
    Ok(answer)
}

/// Lists the API keys of the tenant, the latest first.
///
/// Those that stand in the configuration of the server are not among them.
#[utoipa::path(
    get,
    path = "/v1/api-keys",
    tag = "api_keys",
    security(("api_key" = ["api_keys:read"]), ("person" = ["api_keys:read"])),
    params(
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Keys on a page; 50 when absent"),
        ("cursor" = Option<ApiKeyId>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "A page of keys", body = ApiKeyList)),
)]
pub(super) async fn list_api_keys(
    State(app): State<Arc<App>>,
    granted: Granted<needs::ApiKeysRead>,
    query: RawQuery,
) -> ApiResult<Json<ApiKeyList>> {
    let page = Page::<ApiKeyId>::read(&query)?;
    let (tenant, after, limit) = (granted.tenant().to_owned(), page.after.clone(), page.rows());
    let mut rows = app
        .store
        .read(move |connection| store::api_keys::list(connection, &tenant, after.as_ref(), limit))
        .await?;
    let next_cursor = page.cut(&mut rows, |row| row.id.clone());
    Ok(Json(ApiKeyList { items: rows.iter().map(|row| row.to_wire(None)).collect(), next_cursor }))
}

/// Shows an API key, without its secret.
#[utoipa::path(
    get,
    path = "/v1/api-keys/{id}",
    tag = "api_keys",
    security(("api_key" = ["api_keys:read"]), ("person" = ["api_keys:read"])),
    params(("id" = ApiKeyId, Path, description = "The key")),
    responses((status = 200, description = "The key", body = ApiKey)),
)]
pub(super) async fn show_api_key(
    State(app): State<Arc<App>>,
    granted: Granted<needs::ApiKeysRead>,
    Path(id): Path<String>,
) -> ApiResult<Json<ApiKey>> {
    let id: ApiKeyId = id.parse().map_err(|_| ApiError::not_found("API key"))?;
    let tenant = granted.tenant().to_owned();
    let found = app.store.read(move |connection| store::api_keys::find(connection, &id, &tenant)).await?;
    found.map(|row| Json(row.to_wire(None))).ok_or_else(|| ApiError::not_found("API key"))
}

/// Revokes an API key, for good.
///
/// It opens nothing from this answer on; at other instances of the service, from some seconds later. Revoking again changes
/// nothing.
#[utoipa::path(
    delete,
    path = "/v1/api-keys/{id}",
    tag = "api_keys",
    security(("api_key" = ["api_keys:write"]), ("person" = ["api_keys:write"])),
    params(("id" = ApiKeyId, Path, description = "The key")),
    responses((status = 200, description = "The key, revoked", body = ApiKey)),
)]
pub(super) async fn revoke_api_key(
    State(app): State<Arc<App>>,
    granted: Granted<needs::ApiKeysWrite>,
    Path(id): Path<String>,
) -> ApiResult<Json<ApiKey>> {
    let id: ApiKeyId = id.parse().map_err(|_| ApiError::not_found("API key"))?;
    let (tenant, now) = (granted.tenant().to_owned(), app.clock.now());
    let revoked = app.store.write(move |connection| api_key::revoke(connection, &id, &tenant, now)).await?;
    let row = revoked.ok_or_else(|| ApiError::not_found("API key"))?;
    app.api_keys.forget();
    tracing::info!(api_key.id = %row.id, tenant = row.tenant, "API key revoked");
    Ok(Json(row.to_wire(None)))
}
