//! `/v1/keys/expiring`: what ends soon.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{RawQuery, State};
use rubrica_core::ErrorCode;
use rubrica_core::validity::{self, days_left};
use rubrica_core::wire::{ExpiringKey, ExpiringList};

use crate::app::App;
use crate::http::auth::Granted;
use crate::http::documents::parameter;
use crate::http::json::Json;
use crate::http::page::Page;
use crate::http::problem::{ApiError, ApiResult};
use crate::ids::KeyId;
use crate::permission::needs;
use crate::store;

/// Days that are looked ahead when the caller names none, and at most.
const USUAL_DAYS: u32 = 30;
const MOST_DAYS: u32 = 3650;
/// What is listed beside the keys.
const MOST_OTHERS: usize = 200;

/// Lists what ends within some days, or has ended: keys that are not retired and, on the first page, everything else.
///
/// Beside the keys of the tenant these are certificates that its signers last signed with and its API keys, and of the whole
/// instance the certificates of the time-stamping authority, of authorities and of TLS servers, as they were last seen. What ended
/// more than 30 days ago is listed only when it is a key.
#[utoipa::path(
    get,
    path = "/v1/keys/expiring",
    tag = "keys",
    security(("api_key" = ["keys:read"]), ("person" = ["keys:read"])),
    params(
        ("within_days" = Option<u32>, Query, maximum = 3650, description = "How far to look ahead; 30 days when absent"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Keys on a page; 50 when absent"),
        ("cursor" = Option<KeyId>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "What ends soon, the soonest first", body = ExpiringList)),
)]
pub(in crate::http) async fn list_expiring_keys(
    State(app): State<Arc<App>>,
    granted: Granted<needs::KeysRead>,
    query: RawQuery,
) -> ApiResult<Json<ExpiringList>> {
    let page = Page::<KeyId>::read(&query)?;
    let days = parameter(&query, "within_days").map_or(Ok(USUAL_DAYS), str::parse::<u32>);
    let days = days.ok().filter(|days| *days <= MOST_DAYS).ok_or_else(|| {
        ApiError::new(ErrorCode::InvalidRequest, format!("within_days is a number from 0 to {MOST_DAYS}"))
    })?;
    let now = app.clock.now();
    let until = now.plus(Duration::from_hours(24) * days);
    let (tenant, after, limit) = (granted.tenant().to_owned(), page.after.clone(), page.rows());
    let read =
        move |connection: &_| store::keys::expiring(connection, Some(&tenant), until, after.as_ref(), limit);
    let mut rows = app.store.read(read).await?;
    let next_cursor = page.cut(&mut rows, |(row, _)| row.id.clone());
    let items = rows.iter().map(|(row, renewed)| {
        let key = row.to_wire().map_err(ApiError::internal)?;
        Ok(ExpiringKey { days_left: days_left(row.not_after, now), key, renewed: *renewed })
    });
    let items = items.collect::<ApiResult<_>>()?;
    let others = if page.after.is_some() {
        None
    } else {
        let most = i64::try_from(MOST_OTHERS).unwrap_or(i64::MAX);
        let found = app
            .inventory
            .ending(&app.store, validity::still_news(now), until, Some(granted.tenant()), most)
            .await?;
        Some(found.iter().take(MOST_OTHERS).map(|one| one.to_wire(now)).collect())
    };
    Ok(Json(ExpiringList { items, others, next_cursor }))
}
