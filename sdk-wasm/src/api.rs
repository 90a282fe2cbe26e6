//! Client of the service: the browser's part of the HTTP contract.

mod http;
pub mod read;
pub mod request;

use rubrica_core::ErrorCode;
use rubrica_core::flow::Reply;
use rubrica_core::wire::SignerView;
use wasm_bindgen::JsValue;
use web_sys::Blob;

use crate::document::sleep;
use crate::js;
pub use http::Work;
pub use request::Request;

/// Least time between two looks at a signature, for a service that does not hold the request, in milliseconds.
const LEAST_HOLD_MS: f64 = 500.0;

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
        let token = Token(js::string(given, "token")?);
        let signer = read::signer(&js::member(given, "signer"));
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
    /// Makes a request. One function for all of them: each that waits by itself would be a state machine of its own
    /// in the module.
    ///
    /// # Errors
    /// The code of the problem, `network_unreachable`, or `internal` for an answer that nobody can use.
    pub async fn ask(&self, request: Request) -> Result<Reply, ErrorCode> {
        let begun = js_sys::Date::now();
        let Request { call, read, is_held } = request;
        let response = http::send(&self.base, &self.session.token.0, call, &self.work).await?;
        let mut reply = read(&http::json(response).await?).ok_or(ErrorCode::Internal)?;
        let is_final = matches!(&reply, Reply::Signature(signature) if signature.state.is_final());
        if is_held && !is_final && js_sys::Date::now() - begun < LEAST_HOLD_MS {
            sleep(500).await;
        }
        if let Reply::Custody(resolved) = &mut reply {
            // The service knows the signer by a number; their name came with the session.
            resolved.signer.clone_from(&self.session.signer);
        }
        Ok(reply)
    }

    /// `GET /v1/signatures/{id}/content`.
    ///
    /// # Errors
    /// The code of the problem, or `network_unreachable`.
    pub async fn content(&self, id: &str) -> Result<Blob, ErrorCode> {
        let call = request::content(id);
        http::blob(http::send(&self.base, &self.session.token.0, call, &self.work).await?).await
    }
}
