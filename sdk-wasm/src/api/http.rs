//! `fetch` with time limits, a small number of tries, and problems as codes.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::Math;
use rubrica_core::ErrorCode;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, Blob, Headers, RequestInit, Response};

use crate::document::sleep;
use crate::js::{self, Sure};

/// Pauses before the second and the third try, in milliseconds; up to as much again is added by chance.
const PAUSES_MS: [u32; 2] = [300, 900];

/// The longest `Retry-After` that is obeyed while the person looks on, in milliseconds.
const LONGEST_PAUSE_MS: u32 = 5_000;

/// One request.
pub(super) struct Call {
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Body,
    pub(super) tries: Tries,
    pub(super) limit_ms: Option<u32>,
}

pub(super) enum Body {
    None,
    Text(String),
    Blob(Blob),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tries {
    One,
    /// For requests that may arrive twice without harm.
    Several,
}

/// The requests under way.
#[derive(Debug, Clone, Default)]
pub struct Work(Rc<RefCell<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    generation: u32,
    running: Vec<AbortController>,
}

impl Work {
    /// Stops everything that was started before now.
    pub fn stop(&self) {
        let stopped = {
            let mut inner = self.0.borrow_mut();
            inner.generation = inner.generation.wrapping_add(1);
            core::mem::take(&mut inner.running)
        };
        for controller in stopped {
            controller.abort();
        }
    }

    /// Number that changes whenever work is stopped.
    #[must_use]
    pub fn generation(&self) -> u32 {
        self.0.borrow().generation
    }

    fn add(&self, controller: &AbortController) {
        self.0.borrow_mut().running.push(controller.clone());
    }

    fn remove(&self, controller: &AbortController) {
        self.0.borrow_mut().running.retain(|running| running != controller);
    }
}

pub(super) async fn send(base: &str, token: &str, call: Call, work: &Work) -> Result<Response, ErrorCode> {
    let generation = work.generation();
    let mut pauses = PAUSES_MS.iter();
    loop {
        let outcome = try_once(base, token, &call, work).await;
        let response = match outcome {
            Ok(response) if response.ok() => return Ok(response),
            Ok(response) => Some(response),
            Err(Unreachable) => None,
        };
        let pause = match (call.tries, pauses.next()) {
            (Tries::Several, Some(pause)) if work.generation() == generation => *pause,
            _ => return Err(failure(response).await),
        };
        let pause_ms = match &response {
            None => jitter(pause),
            Some(response) if matches!(response.status(), 429 | 502 | 503 | 504) => {
                retry_after_ms(response).unwrap_or_else(|| jitter(pause))
            }
            Some(_) => return Err(failure(response).await),
        };
        sleep(i32::try_from(pause_ms).unwrap_or(i32::MAX)).await;
    }
}

/// The body as parsed JSON.
pub(super) async fn json(response: Response) -> Result<JsValue, ErrorCode> {
    let reading = response.json().map_err(|_| ErrorCode::NetworkUnreachable)?;
    JsFuture::from(reading).await.map_err(|_| ErrorCode::NetworkUnreachable)
}

/// The body as a blob.
pub(super) async fn blob(response: Response) -> Result<Blob, ErrorCode> {
    let reading = response.blob().map_err(|_| ErrorCode::NetworkUnreachable)?;
    let blob = JsFuture::from(reading).await.map_err(|_| ErrorCode::NetworkUnreachable)?;
    blob.dyn_into().map_err(|_| ErrorCode::NetworkUnreachable)
}

/// No answer: offline, refused, blocked by a policy, or over the limit.
struct Unreachable;

async fn try_once(base: &str, token: &str, call: &Call, work: &Work) -> Result<Response, Unreachable> {
    let controller = AbortController::new().map_err(|_| Unreachable)?;
    work.add(&controller);
    let limit = call.limit_ms.map(|limit_ms| Limit::start(&controller, limit_ms));
    let answered = match request(base, token, call, &controller) {
        Ok(promise) => JsFuture::from(promise).await,
        Err(error) => Err(error),
    };
    drop(limit);
    work.remove(&controller);
    answered.ok().and_then(|response| response.dyn_into().ok()).ok_or(Unreachable)
}

fn request(
    base: &str,
    token: &str,
    call: &Call,
    controller: &AbortController,
) -> Result<js_sys::Promise, JsValue> {
    let headers = Headers::new()?;
    headers.set("authorization", &format!("Bearer {token}"))?;
    headers.set("accept", "application/json, application/problem+json, */*;q=0.1")?;
    for (name, value) in &call.headers {
        headers.set(name, value)?;
    }
    let init = RequestInit::new();
    init.set_method(call.method);
    init.set_headers(&headers);
    init.set_signal(Some(&controller.signal()));
    // Cookies of the bank are not ours to send.
    init.set_credentials(web_sys::RequestCredentials::Omit);
    init.set_cache(web_sys::RequestCache::NoStore);
    match &call.body {
        Body::None => {}
        Body::Text(text) => init.set_body(&text.as_str().into()),
        Body::Blob(blob) => init.set_body(blob),
    }
    Ok(js::window().fetch_with_str_and_init(&format!("{base}{}", call.path), &init))
}

/// A running time limit.
struct Limit {
    handle: i32,
    _abort: Closure<dyn FnMut()>,
}

impl Limit {
    fn start(controller: &AbortController, limit_ms: u32) -> Self {
        let controller = controller.clone();
        let abort = Closure::once(move || controller.abort());
        let handle = js::window()
            .set_timeout_with_callback_and_timeout_and_arguments_0(
                abort.as_ref().unchecked_ref(),
                i32::try_from(limit_ms).unwrap_or(i32::MAX),
            )
            .sure("a window has timers");
        Self { handle, _abort: abort }
    }
}

impl Drop for Limit {
    fn drop(&mut self) {
        js::window().clear_timeout_with_handle(self.handle);
    }
}

/// The code of a problem body; by the status when there is none, as behind a proxy, or when it is newer than we are.
async fn failure(response: Option<Response>) -> ErrorCode {
    let Some(response) = response else { return ErrorCode::NetworkUnreachable };
    let status = response.status();
    let named = json(response).await.ok().and_then(|body| js::string(&body, "code"));
    named.and_then(|code| code.parse().ok()).unwrap_or(match status {
        401 => ErrorCode::Unauthorized,
        403 => ErrorCode::Forbidden,
        404 => ErrorCode::NotFound,
        413 => ErrorCode::PayloadTooLarge,
        429 | 502..=504 => ErrorCode::Unavailable,
        500.. => ErrorCode::Internal,
        _ => ErrorCode::InvalidRequest,
    })
}

fn retry_after_ms(response: &Response) -> Option<u32> {
    let seconds: u32 = response.headers().get("retry-after").ok()??.parse().ok()?;
    Some(seconds.saturating_mul(1_000).min(LONGEST_PAUSE_MS))
}

fn jitter(pause_ms: u32) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and pause_ms")]
    let extra = (f64::from(pause_ms) * Math::random()) as u32;
    pause_ms + extra
}
