//! Services that keep keys of people, behind [`crate::ports::cloud::CloudKeys`].

mod budget;
mod cloudhub;
mod gate;
mod psc;

use base64ct::{Base64, Encoding};
use serde::de::DeserializeOwned;

use crate::fetch::ProviderFailure;
use crate::ports::cloud::CloudError;

pub(crate) use cloudhub::Cloudhub;
pub(crate) use gate::{Gate, Health};
pub(crate) use psc::Psc;

/// A failure of a call that uses no key.
fn without_key(failure: ProviderFailure) -> CloudError {
    match failure {
        ProviderFailure::NotSent(what) | ProviderFailure::Lost(what) => unavailable(what),
        ProviderFailure::Resting { what, rest } => CloudError::Unavailable { what: what.to_owned(), rest },
        ProviderFailure::Status { status: status @ (408 | 429 | 500..), retry_after, .. } => {
            let rest = retry_after.unwrap_or_default();
            CloudError::Unavailable { what: format!("status {status}"), rest }
        }
        ProviderFailure::Status { status: status @ 400..=499, .. } => {
            CloudError::Refused(format!("status {status}"))
        }
        ProviderFailure::Status { status, .. } => CloudError::Contract(format!("status {status}")),
    }
}

/// A failure of the call that uses the key.
fn with_key(failure: ProviderFailure) -> CloudError {
    match failure {
        ProviderFailure::Lost(what) => CloudError::AnswerLost(what),
        // Behind a gateway that gives up, the provider may have acted.
        ProviderFailure::Status { status, .. } if status == 408 || (status >= 500 && status != 503) => {
            CloudError::AnswerLost(format!("status {status}"))
        }
        failure @ (ProviderFailure::NotSent(_)
        | ProviderFailure::Resting { .. }
        | ProviderFailure::Status { .. }) => without_key(failure),
    }
}

const fn unavailable(what: String) -> CloudError {
    CloudError::Unavailable { what, rest: std::time::Duration::ZERO }
}

/// Says nothing of the text, which may be a secret.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CloudError> {
    serde_json::from_slice(bytes)
        .map_err(|_| CloudError::Contract("the JSON does not have the documented shape".to_owned()))
}

/// Base64 as some providers write it: with line breaks.
fn loose_base64(text: &str, what: &str) -> Result<Vec<u8>, CloudError> {
    let dense: String = text.chars().filter(|char| !char.is_ascii_whitespace()).collect();
    Base64::decode_vec(&dense).map_err(|_| CloudError::Contract(format!("{what} is not base64")))
}

/// A text as a part of a path, a query or a form (RFC 3986 §2.1).
fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |encoded, byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            encoded + char::from(byte).encode_utf8(&mut [0; 4])
        }
        _ => format!("{encoded}%{byte:02X}"),
    })
}

/// Pairs as a query or a form.
fn encode_pairs(pairs: &[(&str, &str)]) -> String {
    pairs.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect::<Vec<_>>().join("&")
}
