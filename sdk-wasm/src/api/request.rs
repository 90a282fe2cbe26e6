//! The requests of the contract, and how each answer is read.

use rubrica_core::flow::{ConsentText, Reply};
use rubrica_core::wire::CreateSignature;
use wasm_bindgen::JsValue;
use web_sys::Blob;

use super::http::{Body, Call, Tries};
use super::read;
use crate::js;

/// How long the service may hold `GET /v1/signatures/{id}` until its end, in milliseconds.
const HOLD_MS: u32 = 20_000;

/// One request.
pub struct Request {
    pub(super) call: Call,
    pub(super) read: fn(&JsValue) -> Option<Reply>,
    /// The service holds it until something changes.
    pub(super) is_held: bool,
}

impl core::fmt::Debug for Request {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} {}", self.call.method, self.call.path)
    }
}

/// `GET /v1/custody`.
#[must_use]
pub fn custody() -> Request {
    get("/v1/custody".to_owned(), |body| Some(Reply::Custody(Box::new(read::custody(body)?))))
}

/// `POST /v1/documents`: the blob is streamed by the browser.
#[must_use]
pub fn upload(name: &str, media_type: &str, digest: &str, blob: &Blob) -> Request {
    let call = Call {
        method: "POST",
        path: "/v1/documents".to_owned(),
        headers: vec![
            ("content-type", media_type.to_owned()),
            ("content-digest", digest.to_owned()),
            ("rubrica-file-name", String::from(js_sys::encode_uri_component(name))),
        ],
        body: Body::Blob(blob.clone()),
        tries: Tries::Several,
        // As long as it takes: the size and the line decide, and the person can cancel.
        limit_ms: None,
    };
    Request { call, read: |body| Some(Reply::Uploaded(read::id(body)?)), is_held: false }
}

/// `POST /v1/signatures`. Tried once: a second one might use the key a second time.
#[must_use]
pub fn create_signature(request: &CreateSignature) -> Request {
    let body = read::create_signature(request);
    once(post("/v1/signatures".to_owned(), body, signature), None)
}

/// `GET /v1/signatures/{id}`, held by the service until the state changes.
#[must_use]
pub fn await_signature(id: &str) -> Request {
    let Request { call, read, .. } = get(format!("/v1/signatures/{id}?wait_ms={HOLD_MS}"), signature);
    Request { call: Call { limit_ms: Some(HOLD_MS + 10_000), ..call }, read, is_held: true }
}

/// `POST /v1/signatures/{id}/complete`. The same body again gives the same answer, so it is tried again.
#[must_use]
pub fn complete_signature(id: &str, value: &str) -> Request {
    let body = read::strings(&[("signature_value", value)]);
    post(format!("/v1/signatures/{id}/complete"), body, signature)
}

/// `GET /v1/signatures/{id}/content`.
pub(super) fn content(id: &str) -> Call {
    let Request { call, .. } = get(format!("/v1/signatures/{id}/content"), signature);
    Call { limit_ms: None, ..call }
}

/// `GET /v1/consents/texts`.
#[must_use]
pub fn consent_texts() -> Request {
    get("/v1/consents/texts".to_owned(), |body| Some(Reply::ConsentTexts(read::consent_texts(body)?)))
}

/// `POST /v1/consents`.
#[must_use]
pub fn give_consent(text: &ConsentText) -> Request {
    let members =
        [("text_version", &*text.version), ("language", &*text.language), ("text_sha256", &*text.sha256)];
    let request = post("/v1/consents".to_owned(), read::strings(&members), |body| {
        Some(Reply::ConsentGiven(read::id(body)?))
    });
    once(request, js::random_hex())
}

/// `POST /v1/enrolments`: one key for one consent, however often it is asked.
#[must_use]
pub fn create_enrolment(consent_id: &str) -> Request {
    let body = read::strings(&[("method", "generate"), ("consent_id", consent_id)]);
    once(post("/v1/enrolments".to_owned(), body, enrolment), Some(format!("enrolment-{consent_id}")))
}

/// `POST /v1/enrolments/{id}/certificate`.
#[must_use]
pub fn certify_enrolment(id: &str, certificate: &str) -> Request {
    let body = read::strings(&[("certificate", certificate)]);
    post(format!("/v1/enrolments/{id}/certificate"), body, enrolment)
}

/// `GET /v1/enrolments/{id}`.
#[must_use]
pub fn look_at_enrolment(id: &str) -> Request {
    get(format!("/v1/enrolments/{id}"), enrolment)
}

/// `POST /v1/authorizations`, for one use.
#[must_use]
pub fn request_authorization(service: &str, document_id: &str, return_url: &str) -> Request {
    let body = read::create_authorization(service, document_id, return_url);
    once(post("/v1/authorizations".to_owned(), body, authorization), js::random_hex())
}

/// `POST /v1/authorizations/{id}/complete`. The same body again gives the same answer.
#[must_use]
pub fn complete_authorization(id: &str, query: &str) -> Request {
    let body = read::complete_authorization(query);
    post(format!("/v1/authorizations/{id}/complete"), body, authorization)
}

/// `GET /v1/authorizations/{id}`.
#[must_use]
pub fn look_at_authorization(id: &str) -> Request {
    get(format!("/v1/authorizations/{id}"), authorization)
}

fn signature(body: &JsValue) -> Option<Reply> {
    Some(Reply::Signature(Box::new(read::signature(body)?)))
}

fn enrolment(body: &JsValue) -> Option<Reply> {
    Some(Reply::Enrolment(Box::new(read::enrolment(body)?)))
}

fn authorization(body: &JsValue) -> Option<Reply> {
    Some(Reply::Authorization(Box::new(read::authorization(body)?)))
}

fn get(path: String, read: fn(&JsValue) -> Option<Reply>) -> Request {
    let call = Call {
        method: "GET",
        path,
        headers: Vec::new(),
        body: Body::None,
        tries: Tries::Several,
        limit_ms: Some(10_000),
    };
    Request { call, read, is_held: false }
}

fn post(path: String, body: String, read: fn(&JsValue) -> Option<Reply>) -> Request {
    let call = Call {
        method: "POST",
        path,
        headers: vec![("content-type", "application/json".to_owned())],
        body: Body::Text(body),
        tries: Tries::Several,
        // The service builds or verifies a signature meanwhile.
        limit_ms: Some(30_000),
    };
    Request { call, read, is_held: false }
}

/// The same key: the service does the work once, however often the request arrives. Without one it is sent once.
fn once(mut request: Request, idempotency_key: Option<String>) -> Request {
    match idempotency_key {
        Some(key) => request.call.headers.push(("idempotency-key", key)),
        None => request.call.tries = Tries::One,
    }
    request
}
