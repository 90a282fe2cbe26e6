//! Limits of each client, and the refusal of new work when too much waits. Both before the body is read.
//!
//! A client is the credential of a request. One that was never accepted here could be invented, a new one for each request,
//! so until then the request is on the account of its address.

mod accounts;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use rubrica_core::ErrorCode;

use super::auth::bearer;
use super::client_address::ClientAddress;
use super::held::Held;
use super::problem::ApiError;
use super::server::peers::network;
use crate::app::App;
use crate::config;
use crate::objects::sha256;
use crate::shed::Load;
use accounts::{Accounts, Allowance, Left, Refusal};

/// What is left, for clients that pace themselves (draft-ietf-httpapi-ratelimit-headers).
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// Who is charged for a request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Client {
    /// SHA-256 of a credential that was accepted before.
    Credential([u8; 32]),
    /// All requests of one network without such a credential.
    Network(IpAddr),
}

/// The accounts of all clients.
#[derive(Debug)]
pub(crate) struct ClientLimits {
    credential: Allowance,
    address: Allowance,
    accounts: Mutex<Accounts<Client>>,
}

impl ClientLimits {
    pub(crate) fn new(limits: &config::Limits) -> Self {
        let concurrent = limits.concurrent_requests;
        Self {
            credential: Allowance {
                per_second: limits.requests_per_second,
                burst: limits.request_burst,
                concurrent,
            },
            address: Allowance {
                per_second: limits.address_requests_per_second,
                burst: limits.address_request_burst,
                concurrent,
            },
            accounts: Mutex::default(),
        }
    }

    const fn allowance(&self, client: &Client) -> Allowance {
        match client {
            Client::Credential(_) => self.credential,
            Client::Network(_) => self.address,
        }
    }

    fn accounts(&self) -> MutexGuard<'_, Accounts<Client>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wraps one request of the API.
pub(super) async fn enforce(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let credential = bearer(request.headers()).ok().map(|token| Client::Credential(sha256(token.as_bytes())));
    let (turn, left) = match admit(&app, &request, credential.as_ref()) {
        Ok(admitted) => admitted,
        Err(refusal) => return refusal.into_response(),
    };
    let mut response = next.run(request).await;
    if let Some(credential) = credential
        && response.status() != StatusCode::UNAUTHORIZED
        && credential != turn.client
    {
        let limits = &app.client_limits;
        limits.accounts().open(&credential, limits.credential, Instant::now());
    }
    response.headers_mut().insert(RATE_LIMIT, rate_limit(left));
    response.map(|body| Body::new(Held::new(body, turn)))
}

/// Charges the client for a request, unless it is refused.
fn admit(app: &Arc<App>, request: &Request, credential: Option<&Client>) -> Result<(Turn, Left), ApiError> {
    let now = Instant::now();
    let mut accounts = app.client_limits.accounts();
    let client = match credential {
        Some(credential) if accounts.contains(credential) => credential.clone(),
        _ => Client::Network(address(request)),
    };
    let allowance = app.client_limits.allowance(&client);
    let left = accounts.begin(&client, allowance, now).map_err(too_many)?;
    if begins_something(request) {
        let shed = match app.engine.load().max(app.store.load()) {
            Load::Normal => false,
            Load::High => !accounts.is_modest(&client, now),
            Load::Extreme => true,
        };
        if shed {
            accounts.end(&client);
            return Err(
                ApiError::new(ErrorCode::Unavailable, "too much work waits here; try again").retry_after(1)
            );
        }
        accounts.count(&client, now);
    }
    drop(accounts);
    Ok((Turn { app: Arc::clone(app), client }, left))
}

/// Whether a request creates a resource, and so more work. Whoever goes on with what was begun is let through.
fn begins_something(request: &Request) -> bool {
    let route = request.extensions().get::<MatchedPath>();
    request.method() == Method::POST && route.is_some_and(|route| !route.as_str().contains('{'))
}

fn address(request: &Request) -> IpAddr {
    let address = request.extensions().get::<ClientAddress>().map(|address| address.0);
    network(address.expect("the server gives every request its address"))
}

fn too_many(refusal: Refusal) -> ApiError {
    let (detail, wait) = match refusal {
        Refusal::TooFast(wait) => ("this client asks too often; slow down", wait),
        Refusal::TooMany => {
            ("this client has too many requests under way; wait for some of them", Duration::ZERO)
        }
    };
    let seconds = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1);
    ApiError::new(ErrorCode::TooManyRequests, detail).retry_after(seconds)
}

fn rate_limit(left: Left) -> HeaderValue {
    let text = format!("\"requests\";r={};t={}", left.requests, left.full_in.as_secs() + 1);
    HeaderValue::from_str(&text).expect("two numbers are plain ASCII")
}

/// A request under way, until its answer is sent; over when dropped.
struct Turn {
    app: Arc<App>,
    client: Client,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.app.client_limits.accounts().end(&self.client);
    }
}
