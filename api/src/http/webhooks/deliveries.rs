//! `/v1/webhooks/{id}/deliveries`: what was sent, and what came of it.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use rubrica_core::ErrorCode;
use rubrica_core::wire::{DeliveryState, WebhookDeliveryList};

use super::find;
use crate::app::App;
use crate::http::auth::Granted;
use crate::http::documents::parameter;
use crate::http::json::Json;
use crate::http::page::Page;
use crate::http::problem::{ApiError, ApiResult};
use crate::ids::{EventId, WebhookId};
use crate::permission::needs;
use crate::store::deliveries;

/// Lists the deliveries of a webhook, the latest event first.
#[utoipa::path(
    get,
    path = "/v1/webhooks/{id}/deliveries",
    tag = "webhooks",
    security(("api_key" = ["webhooks:read"]), ("person" = ["webhooks:read"])),
    params(
        ("id" = WebhookId, Path, description = "The webhook"),
        ("state" = Option<DeliveryState>, Query, description = "Only those in this state"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Deliveries on a page; 50 when absent"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "A page", body = WebhookDeliveryList)),
)]
pub(crate) async fn list_deliveries(
    State(app): State<Arc<App>>,
    granted: Granted<needs::WebhooksRead>,
    Path(id): Path<String>,
    query: RawQuery,
) -> ApiResult<Json<WebhookDeliveryList>> {
    let page = Page::<u64>::read(&query)?;
    let state = parameter(&query, "state").map(|text| {
        DeliveryState::ALL
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| ApiError::new(ErrorCode::InvalidRequest, "state is pending, delivered or dead"))
    });
    let state = state.transpose()?;
    let webhook = find(&app, granted.tenant(), &id).await?;
    let (before, most) = (page.after, page.rows());
    let read = move |connection: &_| deliveries::list(connection, &webhook.id, state, before, most);
    let mut rows = app.store.read(read).await?;
    let next_cursor = page.cut(&mut rows, |(sequence, _)| *sequence);
    Ok(Json(WebhookDeliveryList {
        items: rows.into_iter().map(|(_, delivery)| delivery).collect(),
        next_cursor,
    }))
}

/// Sends an event to a webhook again, with all attempts before it, also one that was delivered.
#[utoipa::path(
    post,
    path = "/v1/webhooks/{id}/deliveries/{event_id}/retry",
    tag = "webhooks",
    security(("api_key" = ["webhooks:write"]), ("person" = ["webhooks:write"])),
    params(
        ("id" = WebhookId, Path, description = "The webhook"),
        ("event_id" = EventId, Path, description = "The event of the delivery"),
    ),
    responses((status = 202, description = "It is sent")),
)]
pub(crate) async fn retry_delivery(
    State(app): State<Arc<App>>,
    granted: Granted<needs::WebhooksWrite>,
    Path((id, event_id)): Path<(String, String)>,
) -> ApiResult<StatusCode> {
    let webhook = find(&app, granted.tenant(), &id).await?;
    let event: EventId = event_id.parse().map_err(|_| ApiError::not_found("delivery"))?;
    let now = app.clock.now();
    let retry = move |connection: &_| deliveries::retry(connection, &webhook.id, event.as_ref(), now);
    if !app.store.write(retry).await? {
        return Err(ApiError::not_found("delivery"));
    }
    app.webhooks.changed();
    Ok(StatusCode::ACCEPTED)
}
