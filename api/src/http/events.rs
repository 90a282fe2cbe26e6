//! `GET /v1/events`: what happened, in order, as pages or as a stream.

mod page;
mod stream;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;
use rubrica_core::ErrorCode;
use rubrica_core::event::EventType;
use tokio::time::Instant;

use super::auth::Granted;
use super::documents::parameter;
use super::problem::{ApiError, ApiResult};
use crate::app::App;
use crate::permission::needs;
use crate::store::events::Wanted;
use page::Page;

/// Events of one page at most.
const LARGEST_PAGE: u64 = 1000;
const USUAL_PAGE: u64 = 100;
/// What the database can count to, and the contract too: its integers have 64 bits with a sign.
const GREATEST_SEQUENCE: u64 = i64::MAX.unsigned_abs();
/// Longest wait of `?wait_ms=`.
const LONGEST_WAIT_MS: u64 = 20_000;
/// Up to where a page has looked: give it as `after`.
const LAST_SEQUENCE: HeaderName = HeaderName::from_static("rubrica-last-sequence");
/// Sent by browsers and clients that take a stream up again.
const LAST_EVENT_ID: &str = "last-event-id";

/// What a request asks for.
#[derive(Debug)]
struct Asked {
    after: u64,
    limit: usize,
    wait: Duration,
    wanted: Wanted,
}

/// Reads events in the order in which they happened.
///
/// Each event is CloudEvents 1.0 in JSON, numbered by `sequence` over the whole instance: numbers between those that are told belong
/// to other tenants or types. Events are kept, so a reader that remembers the last number it worked off loses nothing; delivery is at
/// least once, with the same `id`. Order is kept, within one `subject` and over all.
///
/// With `accept: application/x-ndjson`, or without, the answer is a page: one event per line. `rubrica-last-sequence` says up to
/// where it has looked, also when no event is wanted: give it as `after` next time. With `accept: text/event-stream` it is a stream
/// that goes on as things happen, with `sequence` as the id; take it up again with `last-event-id`. It ends when the service stops.
#[utoipa::path(
    get,
    path = "/v1/events",
    tag = "events",
    security(("api_key" = ["events:read"]), ("person" = ["events:read"])),
    params(
        ("after" = Option<u64>, Query, description = "Sequence of the last event that was worked off; 0 when absent: from the beginning"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 1000, description = "Events of a page at most; 100 when absent"),
        ("types" = Option<String>, Query, description = "Types that are wanted, separated by commas; every type when absent"),
        ("wait_ms" = Option<u64>, Query, maximum = 20000,
            description = "Longest time to wait for a first event, in milliseconds; 0 when absent. Only for pages"),
        ("last-event-id" = Option<u64>, Header, description = "As `after`, and before it. Only for streams"),
    ),
    responses(
        (status = 200, description = "Events", headers(
            ("rubrica-last-sequence" = u64, description = "Up to where a page has looked; absent in a stream"),
        ), content(
            (String = "application/x-ndjson"),
            (super::sse::ServerSentEvent = "text/event-stream"),
        )),
    ),
)]
pub(super) async fn list_events(
    State(app): State<Arc<App>>,
    granted: Granted<needs::EventsRead>,
    headers: HeaderMap,
    query: RawQuery,
) -> ApiResult<Response> {
    let mut asked = read(&query)?;
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accept.to_ascii_lowercase().contains("text/event-stream") {
        if let Some(last) = headers.get(LAST_EVENT_ID) {
            let sequence = last.to_str().ok().and_then(|text| text.trim().parse().ok());
            asked.after = sequence.filter(|sequence| *sequence <= GREATEST_SEQUENCE).ok_or_else(|| {
                ApiError::new(ErrorCode::InvalidRequest, "last-event-id is the id of an event of this stream")
            })?;
        }
        return Ok(stream::answer(&app, granted.tenant().to_owned(), asked.after, asked.wanted));
    }
    let page = wait_for(&app, granted.tenant(), &asked).await?;
    let mut response = page.lines().into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    headers.insert(LAST_SEQUENCE, HeaderValue::from(page.last));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// A page with an event, or an empty one once the time is over.
async fn wait_for(app: &App, tenant: &str, asked: &Asked) -> ApiResult<Page> {
    let deadline = Instant::now() + asked.wait;
    let (mut head, mut stopping) = (app.log.head(), app.stopping.subscribe());
    let mut after = asked.after;
    loop {
        let page = Page::read(app, tenant, after, asked.limit, &asked.wanted).await?;
        if !page.is_empty() || Instant::now() >= deadline {
            return Ok(page);
        }
        after = page.last;
        tokio::select! {
            _ = head.wait_for(|head| *head > after) => {}
            () = tokio::time::sleep_until(deadline) => return Ok(page),
            _ = stopping.wait_for(|stopping| *stopping) => return Ok(page),
        }
    }
}

fn read(query: &RawQuery) -> ApiResult<Asked> {
    let number = |name: &str, usual: u64, allowed: std::ops::RangeInclusive<u64>| match parameter(query, name)
    {
        None => Ok(usual),
        Some(text) => text.parse().ok().filter(|number| allowed.contains(number)).ok_or_else(|| {
            let (least, most) = allowed.into_inner();
            ApiError::new(ErrorCode::InvalidRequest, format!("{name} is a number from {least} to {most}"))
        }),
    };
    let types = parameter(query, "types").map(|list| {
        let list = percent_decode_str(list).decode_utf8_lossy().into_owned();
        list.split(',').map(|name| name.trim().parse()).collect::<Result<Vec<EventType>, _>>()
    });
    let types = types.transpose().map_err(|_| {
        ApiError::new(ErrorCode::InvalidRequest, "types are names of the catalogue, separated by commas")
    })?;
    Ok(Asked {
        after: number("after", 0, 0..=GREATEST_SEQUENCE)?,
        limit: usize::try_from(number("limit", USUAL_PAGE, 1..=LARGEST_PAGE)?).unwrap_or(usize::MAX),
        wait: Duration::from_millis(number("wait_ms", 0, 0..=LONGEST_WAIT_MS)?),
        wanted: Wanted::new(types),
    })
}
