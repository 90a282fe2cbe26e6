//! `Idempotency-Key`: a request that is sent again does its work once and gets the same answer.
//!
//! A handler that creates takes [`IdempotencyKey`] and [`super::json::Hashed`], and does its work in
//! [`IdempotencyKey::run`], where it calls [`Kept::keep`] inside the very transaction that writes what it creates: so there
//! are both, the work and its answer, or neither, also across a crash. Its operation says
//! `extensions(("x-idempotent" = json!(true)))`, which documents header and errors.
//!
//! Only answers that were kept are given again. A request that was refused did nothing; sent again it is tried again.

mod answer;
mod flights;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::HeaderName;
use axum::http::request::Parts;
use rubrica_core::{ErrorCode, Timestamp};

use super::problem::{ApiError, ApiResult};
use crate::app::App;
use crate::sealing::SealingKey;
use crate::store::idempotency::{KeptAnswer, RequestKey};
use crate::store::{self, Connection, StoreError};

pub(crate) use answer::Answer;
pub(crate) use flights::Flights;

/// Header of the caller's key.
pub(super) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// How long an answer is given again.
const KEPT_FOR: Duration = Duration::from_hours(7 * 24);
/// How long a repeated request waits for the first one.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest key.
const LONGEST: usize = 255;

/// The key of a request, when it has one.
#[derive(Debug, Clone)]
pub(super) struct IdempotencyKey(Option<String>);

/// Who a key belongs to: callers do not meet in each other's keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Principal(pub(super) String);

/// Keeps the answer beside the work. Without a key it does nothing.
#[derive(Debug, Clone)]
pub(crate) struct Kept(Option<Arc<Entry>>);

#[derive(Debug)]
struct Entry {
    request: RequestKey,
    body_sha256: [u8; 32],
    sealing: SealingKey,
    now: Timestamp,
}

impl IdempotencyKey {
    /// Does `work` unless the same request was answered before; then gives that answer.
    ///
    /// `route` is the name of the operation; `body_sha256` stands for all of the request that matters.
    ///
    /// # Errors
    /// Those of the work; `idempotency_key_reused` when the key came with another body, `idempotency_in_progress` when the
    /// first request is still running.
    pub(super) async fn run<F, W>(
        self,
        app: &Arc<App>,
        principal: Principal,
        route: &'static str,
        body_sha256: [u8; 32],
        work: F,
    ) -> ApiResult<Answer>
    where
        F: FnOnce(Kept) -> W + Send,
        W: Future<Output = ApiResult<Answer>> + Send,
    {
        let Some(key) = self.0 else { return work(Kept(None)).await };
        let request = RequestKey { principal: principal.0, route, key };
        let flight = app.flights.join(&request);
        let _turn = tokio::time::timeout(PATIENCE, flight.turn()).await.map_err(|_| in_progress())?;
        let entry = Arc::new(Entry {
            request,
            body_sha256,
            sealing: app.lookup.sealing_key("answers"),
            now: app.clock.now(),
        });
        if let Some(answer) = entry.find(app).await? {
            return Ok(answer);
        }
        match work(Kept(Some(Arc::clone(&entry)))).await {
            // At another instance an equal request was faster; the work here was undone.
            Err(error) if error.code() == ErrorCode::IdempotencyInProgress => {
                entry.find(app).await?.ok_or_else(in_progress)
            }
            other => other,
        }
    }
}

impl Kept {
    /// For work that nobody repeats.
    pub(crate) const fn none() -> Self {
        Self(None)
    }

    /// Keeps the answer in this transaction. Call it first: whoever comes too late then waits before it does anything.
    ///
    /// # Errors
    /// [`StoreError::Repeated`], which has to end the transaction.
    pub(crate) fn keep(&self, connection: &Connection, answer: &Answer) -> Result<(), StoreError> {
        let Some(entry) = &self.0 else { return Ok(()) };
        let sealed = KeptAnswer {
            body_sha256: entry.body_sha256,
            status: answer.status().as_u16(),
            location: answer.location().map(ToOwned::to_owned),
            sealed_body: entry.sealing.seal(answer.body(), &entry.associated()),
        };
        let end = entry.now.plus(KEPT_FOR);
        store::idempotency::keep(connection, &entry.request, &sealed, entry.now, end)
    }
}

impl Entry {
    /// The answer to the same request before.
    async fn find(&self, app: &App) -> ApiResult<Option<Answer>> {
        let (request, now) = (self.request.clone(), self.now);
        let kept =
            app.store.read(move |connection| store::idempotency::find(connection, &request, now)).await?;
        let Some(kept) = kept else { return Ok(None) };
        if kept.body_sha256 != self.body_sha256 {
            return Err(ApiError::new(
                ErrorCode::IdempotencyKeyReused,
                "this key was used with another body; take a new key for a new request",
            ));
        }
        let body = self.sealing.open(&kept.sealed_body, &self.associated()).ok_or_else(|| {
            ApiError::internal("a kept answer cannot be opened with the key of this instance")
        })?;
        Answer::from_parts(kept.status, kept.location, body).map(Some)
    }

    /// Binds a kept answer to its request: one cannot be put in the place of another.
    fn associated(&self) -> Vec<u8> {
        let RequestKey { principal, route, key } = &self.request;
        [principal.as_bytes(), b"\0", route.as_bytes(), b"\0", key.as_bytes()].concat()
    }
}

fn in_progress() -> ApiError {
    ApiError::new(
        ErrorCode::IdempotencyInProgress,
        "the first request with this key is still running; ask again",
    )
    .retry_after(2)
}

impl<S: Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> ApiResult<Self> {
        let mut values = parts.headers.get_all(IDEMPOTENCY_KEY).iter();
        let Some(value) = values.next() else { return Ok(Self(None)) };
        let is_key = |text: &&str| {
            (1..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
        };
        let text = value.to_str().ok().filter(is_key);
        match (text, values.next()) {
            (Some(text), None) => Ok(Self(Some(text.to_owned()))),
            _ => Err(ApiError::new(
                ErrorCode::InvalidRequest,
                format!("idempotency-key is one text of 1 to {LONGEST} visible ASCII characters"),
            )),
        }
    }
}
