//! Client of the service: the browser's part of the HTTP contract.

mod http;
pub mod read;

use rubrica_core::ErrorCode;
use rubrica_core::flow::{Resolved, SignatureSeen};
use rubrica_core::wire::{CreateSignature, SignerView};
use wasm_bindgen::JsValue;
use web_sys::Blob;

pub use http::Work;
use http::{Body, Call, Tries};

/// How long the service may hold `GET /v1/signatures/{id}` until its end, in milliseconds.
const HOLD_MS: u32 = 20_000;

/// An open session: the bearer token, and for whom it was opened when the page was told.
#[derive(Debug, Clone)]
pub struct Session {
    token: Token,
    /// The signer.
    pub signer: Option<SignerView>,
}

/// A bearer token. It prints as `***`.
#[derive(Clone)]
struct Token(String);

impl core::fmt::Debug for Token {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("***")
    }
}

impl Session {
    /// Reads what the page gave: a token, or the answer of `POST /v1/sessions` as it is.
    #[must_use]
    pub fn read(given: &JsValue) -> Option<Self> {
        if let Some(token) = given.as_string() {
            return Some(Self { token: Token(token), signer: None });
        }
        let token = Token(crate::js::string(given, "token")?);
        let signer = read::signer(&crate::js::member(given, "signer"));
        Some(Self { token, signer })
    }
}

/// The service at one address, within one session.
#[derive(Debug, Clone)]
pub struct Service {
    /// Address before `/v1`; empty for the page's own origin.
    pub base: String,
    /// The session.
    pub session: Session,
    /// What is under way, so that it can be stopped.
    pub work: Work,
}

impl Service {
    /// `GET /v1/custody`.
    ///
    /// # Errors
    /// The code of the problem, or `network_unreachable`.
    pub async fn custody(&self) -> Result<Resolved, ErrorCode> {
        read::custody(&self.json(get("/v1/custody".to_owned())).await?).ok_or(ErrorCode::Internal)
    }

    /// `POST /v1/documents`: the blob is streamed by the browser. Gives the id.
    ///
    /// # Errors
    /// The code of the problem, or `network_unreachable`.
    pub async fn upload(
        &self,
        name: &str,
        media_type: &str,
        digest: &str,
        blob: &Blob,
    ) -> Result<String, ErrorCode> {
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
        read::id(&self.json(call).await?).ok_or(ErrorCode::Internal)
    }

    /// `POST /v1/signatures`. Tried once: a second one might use the key a second time.
    ///
    /// # Errors
    /// The code of the problem, or `network_unreachable`.
    pub async fn create_signature(&self, request: &CreateSignature) -> Result<SignatureSeen, ErrorCode> {
        let body = read::create_signature(request);
        let call = Call { tries: Tries::One, ..post("/v1/signatures".to_owned(), body) };
        self.signature(call).await
    }

    /// `GET /v1/signatures/{id}`, held by the service until the state changes.
    ///
    /// # Errors
    /// The code of the problem, or `network_unreachable`.
    pub async fn await_signature(&self, id: &str) -> Result<SignatureSeen, ErrorCode> {
        let call = Call {
            limit_ms: Some(HOLD_MS + 10_000),
            ..get(format!("/v1/signatures/{id}?wait_ms={HOLD_MS}"))
        };
        self.signature(call).await
    }

    /// `POST /v1/signatures/{id}/complete`. The same body again gives the same answer, so it is tried again.
    ///
    /// # Errors
    /// The code of the problem, or `network_unreachable`.
    pub async fn complete(&self, id: &str, signature_value: &str) -> Result<SignatureSeen, ErrorCode> {
        let body = read::complete_signature(signature_value);
        self.signature(post(format!("/v1/signatures/{id}/complete"), body)).await
    }

    /// `GET /v1/signatures/{id}/content`.
    ///
    /// # Errors
    /// The code of the problem, or `network_unreachable`.
    pub async fn content(&self, id: &str) -> Result<Blob, ErrorCode> {
        let call = Call { limit_ms: None, ..get(format!("/v1/signatures/{id}/content")) };
        http::blob(self.send(call).await?).await
    }

    async fn send(&self, call: Call) -> Result<web_sys::Response, ErrorCode> {
        http::send(&self.base, &self.session.token.0, call, &self.work).await
    }

    async fn json(&self, call: Call) -> Result<JsValue, ErrorCode> {
        http::json(self.send(call).await?).await
    }

    /// An answer that nobody can use is a failure of the service.
    async fn signature(&self, call: Call) -> Result<SignatureSeen, ErrorCode> {
        read::signature(&self.json(call).await?).ok_or(ErrorCode::Internal)
    }
}

const fn get(path: String) -> Call {
    Call {
        method: "GET",
        path,
        headers: Vec::new(),
        body: Body::None,
        tries: Tries::Several,
        limit_ms: Some(10_000),
    }
}

fn post(path: String, body: String) -> Call {
    Call {
        method: "POST",
        path,
        headers: vec![("content-type", "application/json".to_owned())],
        body: Body::Text(body),
        tries: Tries::Several,
        // The service builds or verifies a signature meanwhile.
        limit_ms: Some(30_000),
    }
}
