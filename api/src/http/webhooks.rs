//! `/v1/webhooks`: addresses that are told events.

pub(super) mod deliveries;

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use rubrica_core::ErrorCode;
use rubrica_core::event::DisabledCause;
use rubrica_core::wire::{CreateWebhook, Webhook, WebhookList, WebhookState, WebhookTest};

use super::auth::Granted;
use super::idempotency::{Answer, IdempotencyKey, Kept};
use super::json::{Hashed, Json};
use super::page::Page;
use super::problem::{ApiError, ApiResult};
use crate::app::App;
use crate::fetch::Refused;
use crate::ids::WebhookId;
use crate::permission::needs;
use crate::relay;
use crate::store::webhooks::{self, WebhookRow};

const LONGEST_DESCRIPTION: usize = 200;
/// Webhooks of one tenant.
const MOST_WEBHOOKS: u32 = 50;

/// Makes a webhook: from now on events are posted to its address.
///
/// Messages follow [Standard Webhooks](https://www.standardwebhooks.com): the body is the event as `list_events` tells it;
/// `webhook-id` is its id, `webhook-timestamp` the time of the attempt in seconds since 1970, `webhook-signature` a list of `v1,` and
/// HMAC-SHA-256 in base64 over `id.timestamp.body`. The key is `secret` of this answer, after `whsec_`; it is not shown again.
///
/// Any 2xx within 15 seconds is a success; the rest of the answer is not read and redirects are not followed. Without success the event
/// is sent again after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h, later when `retry-after` asks for it, and is then dead until
/// `retry_delivery`. 410 disables the webhook, and so do five days without a success (`webhook.disabled`). Delivery is at least once, with
/// the same id; events leave in their order, but a retry comes late: order by `sequence` where it matters.
#[utoipa::path(
    post,
    path = "/v1/webhooks",
    tag = "webhooks",
    security(("api_key" = ["webhooks:write"]), ("person" = ["webhooks:write"])),
    request_body(content = CreateWebhook, example = json!({
        "url": "https://bank.example/hooks/rubrica",
        "event_types": ["signature.released", "signature.failed", "batch.completed"],
    })),
    responses((status = 201, description = "The webhook with its secret", body = Webhook, headers(
        ("location" = String, description = "Path of the webhook"),
    ))),
    extensions(
        ("x-error-codes" = json!([ErrorCode::WebhookAddressRefused, ErrorCode::LimitExceeded])),
        ("x-idempotent" = json!(true)),
    ),
)]
pub(super) async fn create_webhook(
    State(app): State<Arc<App>>,
    granted: Granted<needs::WebhooksWrite>,
    key: IdempotencyKey,
    request: Hashed<CreateWebhook>,
) -> ApiResult<Answer> {
    let work = async |kept| make(&app, granted.tenant(), request.value, kept).await;
    key.run(&app, granted.principal(), "create_webhook", request.sha256, work).await
}

async fn make(app: &Arc<App>, tenant: &str, request: CreateWebhook, kept: Kept) -> ApiResult<Answer> {
    if request.event_types.as_ref().is_some_and(Vec::is_empty) {
        return Err(ApiError::member("/event_types", "at least one type; leave it out for every type"));
    }
    if request.description.as_ref().is_some_and(|text| text.chars().count() > LONGEST_DESCRIPTION) {
        return Err(ApiError::member("/description", format!("at most {LONGEST_DESCRIPTION} characters")));
    }
    check(app, request.url.clone()).await?;
    let id = WebhookId::generate();
    let (secret, sealed) = app.webhooks.new_secret(&id);
    let row = WebhookRow {
        tenant: tenant.to_owned(),
        url: request.url,
        event_types: request.event_types,
        description: request.description,
        state: WebhookState::Active,
        secret: sealed,
        previous: None,
        told: 0,
        created_at: app.clock.now(),
        disabled_at: None,
        id,
    };
    let answer =
        Answer::json(StatusCode::CREATED, &row.to_wire(Some(secret))).at(format!("/v1/webhooks/{}", row.id));
    let kept_answer = answer.clone();
    let inserted = app
        .store
        .write(move |connection| {
            if webhooks::insert(connection, &row, MOST_WEBHOOKS)?.is_none() {
                return Ok(false);
            }
            kept.keep(connection, &kept_answer)?;
            Ok(true)
        })
        .await?;
    if inserted {
        return Ok(answer);
    }
    Err(ApiError::new(ErrorCode::LimitExceeded, format!("a tenant has at most {MOST_WEBHOOKS} webhooks")))
}

/// Resolves the name of the address, off the async threads.
async fn check(app: &Arc<App>, url: String) -> ApiResult<()> {
    let of = Arc::clone(app);
    let checked = tokio::task::spawn_blocking(move || of.webhooks.poster.check(&url)).await;
    checked.map_err(ApiError::internal)?.map_err(|refused: Refused| {
        ApiError::new(ErrorCode::WebhookAddressRefused, refused.to_string()).at("/url")
    })
}

/// Lists webhooks in the order of their creation.
#[utoipa::path(
    get,
    path = "/v1/webhooks",
    tag = "webhooks",
    security(("api_key" = ["webhooks:read"]), ("person" = ["webhooks:read"])),
    params(
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Webhooks on a page; 50 when absent"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "A page", body = WebhookList)),
)]
pub(super) async fn list_webhooks(
    State(app): State<Arc<App>>,
    granted: Granted<needs::WebhooksRead>,
    query: RawQuery,
) -> ApiResult<Json<WebhookList>> {
    let page = Page::<WebhookId>::read(&query)?;
    let (after, most) = (page.after.clone(), page.rows());
    let read = move |connection: &_| webhooks::list(connection, granted.tenant(), after.as_ref(), most);
    let mut rows = app.store.read(read).await?;
    let next_cursor = page.cut(&mut rows, |row| row.id.clone());
    Ok(Json(WebhookList { items: rows.iter().map(|row| row.to_wire(None)).collect(), next_cursor }))
}

/// Shows a webhook, without its secret.
#[utoipa::path(
    get,
    path = "/v1/webhooks/{id}",
    tag = "webhooks",
    security(("api_key" = ["webhooks:read"]), ("person" = ["webhooks:read"])),
    params(("id" = WebhookId, Path, description = "The webhook")),
    responses((status = 200, description = "The webhook", body = Webhook)),
)]
pub(super) async fn show_webhook(
    State(app): State<Arc<App>>,
    granted: Granted<needs::WebhooksRead>,
    Path(id): Path<String>,
) -> ApiResult<Json<Webhook>> {
    Ok(Json(find(&app, granted.tenant(), &id).await?.to_wire(None)))
}

/// Removes a webhook and its deliveries.
#[utoipa::path(
    delete,
    path = "/v1/webhooks/{id}",
    tag = "webhooks",
    security(("api_key" = ["webhooks:write"]), ("person" = ["webhooks:write"])),
    params(("id" = WebhookId, Path, description = "The webhook")),
    responses((status = 204, description = "It is gone")),
)]
pub(super) async fn delete_webhook(
    State(app): State<Arc<App>>,
    granted: Granted<needs::WebhooksWrite>,
    Path(id): Path<String>,
) -> ApiResult<StatusCode> {
    let id = parse(&id)?;
    let delete = move |connection: &_| webhooks::delete(connection, &id, granted.tenant());
    if app.store.write(delete).await? { Ok(StatusCode::NO_CONTENT) } else { Err(missing()) }
}

/// Sends a message of the type `webhook.tested` at once and says what came of it. It is no event and is not tried again.
#[utoipa::path(
    post,
    path = "/v1/webhooks/{id}/test",
    tag = "webhooks",
    security(("api_key" = ["webhooks:write"]), ("person" = ["webhooks:write"])),
    params(("id" = WebhookId, Path, description = "The webhook")),
    responses((status = 200, description = "What came of it, also when the address failed", body = WebhookTest)),
)]
pub(super) async fn test_webhook(
    State(app): State<Arc<App>>,
    granted: Granted<needs::WebhooksWrite>,
    Path(id): Path<String>,
) -> ApiResult<Json<WebhookTest>> {
    let webhook = find(&app, granted.tenant(), &id).await?;
    Ok(Json(relay::test_webhook(&app, &webhook).await))
}

/// Makes a new secret. For 24 hours messages are signed with the old one too.
#[utoipa::path(
    post,
    path = "/v1/webhooks/{id}/rotate-secret",
    tag = "webhooks",
    security(("api_key" = ["webhooks:write"]), ("person" = ["webhooks:write"])),
    params(("id" = WebhookId, Path, description = "The webhook")),
    responses((status = 200, description = "The webhook with its new secret", body = Webhook)),
)]
pub(super) async fn rotate_webhook_secret(
    State(app): State<Arc<App>>,
    granted: Granted<needs::WebhooksWrite>,
    Path(id): Path<String>,
) -> ApiResult<Json<Webhook>> {
    let webhook = find(&app, granted.tenant(), &id).await?;
    let (secret, sealed) = app.webhooks.new_secret(&webhook.id);
    let (id, until) = (webhook.id.clone(), app.clock.now().plus(app.webhooks.overlap));
    let rotate = move |connection: &_| webhooks::rotate(connection, &id, granted.tenant(), &sealed, until);
    if !app.store.write(rotate).await? {
        return Err(missing());
    }
    Ok(Json(webhook.to_wire(Some(secret))))
}

/// Stops sending. Events are kept, and `enable_webhook` goes on where it stood.
#[utoipa::path(
    post,
    path = "/v1/webhooks/{id}/disable",
    tag = "webhooks",
    security(("api_key" = ["webhooks:write"]), ("person" = ["webhooks:write"])),
    params(("id" = WebhookId, Path, description = "The webhook")),
    responses((status = 200, description = "The webhook", body = Webhook)),
)]
pub(super) async fn disable_webhook(
    State(app): State<Arc<App>>,
    granted: Granted<needs::WebhooksWrite>,
    Path(id): Path<String>,
) -> ApiResult<Json<Webhook>> {
    let (key, tenant, now) = (parse(&id)?, granted.tenant().to_owned(), app.clock.now());
    app.store
        .write(move |connection| webhooks::disable(connection, &key, &tenant, DisabledCause::Requested, now))
        .await?;
    Ok(Json(find(&app, granted.tenant(), &id).await?.to_wire(None)))
}

/// Sends again, from where the webhook stood when it was disabled.
#[utoipa::path(
    post,
    path = "/v1/webhooks/{id}/enable",
    tag = "webhooks",
    security(("api_key" = ["webhooks:write"]), ("person" = ["webhooks:write"])),
    params(("id" = WebhookId, Path, description = "The webhook")),
    responses((status = 200, description = "The webhook", body = Webhook)),
)]
pub(super) async fn enable_webhook(
    State(app): State<Arc<App>>,
    granted: Granted<needs::WebhooksWrite>,
    Path(id): Path<String>,
) -> ApiResult<Json<Webhook>> {
    let (key, tenant, now) = (parse(&id)?, granted.tenant().to_owned(), app.clock.now());
    app.store.write(move |connection| webhooks::enable(connection, &key, &tenant, now)).await?;
    app.webhooks.changed();
    Ok(Json(find(&app, granted.tenant(), &id).await?.to_wire(None)))
}

async fn find(app: &App, tenant: &str, id: &str) -> ApiResult<WebhookRow> {
    let (id, tenant) = (parse(id)?, tenant.to_owned());
    let found = app.store.read(move |connection| webhooks::find(connection, &id, &tenant)).await?;
    found.ok_or_else(missing)
}

fn parse(id: &str) -> ApiResult<WebhookId> {
    id.parse().map_err(|_| missing())
}

fn missing() -> ApiError {
    ApiError::not_found("webhook")
}
