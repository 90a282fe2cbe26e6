//! A person who is asked on their phone: no part of DOC-ICP-17.01, but of providers in use.
//!
//! The call that a browser would make is made here with a redirect to `push://`; its answer is a code to ask with. Who asks is told 304
//! until the person has decided, then the code for the exchange. Read in public integrations, never tried with a provider.

use serde::Deserialize;

use super::{Psc, SECRET_BYTES, parse, without_key};
use crate::adapters::cloud::encode_pairs;
use crate::fetch::{ProviderCall, ProviderFailure};
use crate::ports::cloud::CloudError;

/// Where a browser would be sent to.
pub(super) const REDIRECT_URI: &str = "push://";

/// The answer once the person permitted.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Decided {
    authorization_token: String,
}

/// The code to ask with, where it is not plain text.
#[derive(Deserialize)]
struct Asked {
    code: String,
}

impl Psc {
    /// Has the person asked. Gives the code to ask with.
    pub(super) async fn ask_phone(&self, query: &[(&str, &str)]) -> Result<String, CloudError> {
        let path = format!("{}?{}", self.path("authorize"), encode_pairs(query));
        let call = ProviderCall { path, header: None, body: None };
        let answered = self.gate.call(call).await.map_err(without_key)?;
        let code = match serde_json::from_slice::<Asked>(&answered) {
            Ok(asked) => asked.code,
            Err(_) => {
                let text = std::str::from_utf8(&answered).unwrap_or_default().trim();
                text.strip_prefix("code=").unwrap_or(text).to_owned()
            }
        };
        let is_code = !code.is_empty()
            && code.len() <= SECRET_BYTES
            && code.bytes().all(|byte| byte.is_ascii_graphic());
        if is_code { Ok(code) } else { Err(CloudError::Contract("there is no code to ask with".to_owned())) }
    }

    /// The code for the exchange; `None` while the person has not decided.
    pub(super) async fn heard_from_phone(&self, asked: &str) -> Result<Option<String>, CloudError> {
        let path = format!("{}?{}", self.push_path, encode_pairs(&[("code", asked)]));
        let call = ProviderCall { path, header: None, body: None };
        match self.gate.read(call).await {
            Ok(answered) => Ok(Some(parse::<Decided>(&answered)?.authorization_token)),
            Err(ProviderFailure::Status { status: 304, .. }) => Ok(None),
            Err(failure) => Err(without_key(failure)),
        }
    }
}
