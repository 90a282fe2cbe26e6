//! JSON in and out.

use std::sync::Arc;

use axum::extract::{FromRequest, Request};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use rubrica_core::ErrorCode;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;
use zeroize::Zeroizing;

use super::body::Pieces;
use super::problem::ApiError;
use crate::app::App;
use crate::objects::sha256;

/// A JSON body. Reading refuses other media types, large bodies and unknown members, and names the member at fault.
#[derive(Debug)]
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, ApiError> {
        let bytes = Zeroizing::new(read(request, app).await?);
        parse(&bytes).map(Self)
    }
}

/// A JSON body with the SHA-256 of its bytes, for a request that may be repeated.
#[derive(Debug)]
pub(crate) struct Hashed<T> {
    pub(crate) value: T,
    pub(crate) sha256: [u8; 32],
}

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Hashed<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, ApiError> {
        // There may be a password in it.
        let bytes = Zeroizing::new(read(request, app).await?);
        Ok(Self { sha256: sha256(&bytes), value: parse(&bytes)? })
    }
}

async fn read(request: Request, app: &App) -> Result<Vec<u8>, ApiError> {
    let media_type =
        request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !media_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        return Err(ApiError::new(ErrorCode::UnsupportedMediaType, "send `content-type: application/json`"));
    }
    Pieces::new(request.into_body()).collect(app.config.limits.json_bytes).await
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    // Else a list of the members' values, in the order of our source, would be taken for the object.
    if bytes.trim_ascii_start().first() == Some(&b'[') {
        return Err(ApiError::member("", "the body is a JSON object"));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let pointer = error.path().iter().fold(String::new(), |pointer, segment| match segment {
            Segment::Seq { index } => format!("{pointer}/{index}"),
            Segment::Map { key } => format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1")),
            Segment::Enum { .. } | Segment::Unknown => pointer,
        });
        ApiError::member(pointer, describe(error.inner()))
    })?;
    deserializer.end().map_err(|error| ApiError::member("", describe(&error)))?;
    Ok(value)
}

/// The parser's message without what the caller wrote: it may hold personal data.
fn describe(error: &serde_json::Error) -> String {
    let message = error.to_string();
    match error.classify() {
        serde_json::error::Category::Data if message.starts_with("invalid type") => {
            "the type is wrong".to_owned()
        }
        serde_json::error::Category::Data if message.starts_with("invalid value") => {
            "the value is wrong".to_owned()
        }
        serde_json::error::Category::Data => message,
        serde_json::error::Category::Syntax
        | serde_json::error::Category::Eof
        | serde_json::error::Category::Io => {
            format!("not JSON at line {} column {}", error.line(), error.column())
        }
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => {
                ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
            }
            Err(error) => ApiError::internal(error).into_response(),
        }
    }
}

#[cfg(test)]
mod tests {
    use rubrica_core::wire::{CompleteSignature, CreateSession};

    use super::*;

    #[test]
    fn the_member_at_fault_is_named_and_its_value_is_not() {
        for (body, pointer) in [
            (r#"{"signer":{"identifier":52998224725,"name":"x"},"origins":[]}"#, "/signer/identifier"),
            (r#"{"signer":{"identifier":"52998224725","name":"x"},"origins":["a",5]}"#, "/origins/1"),
        ] {
            let error = parse::<CreateSession>(body.as_bytes()).unwrap_err();
            let rendered = format!("{error:?}");
            assert!(rendered.contains(&format!("pointer: \"{pointer}\"")), "{rendered}");
            assert!(!rendered.contains("52998224725"), "{rendered}");
        }
        for body in [
            "",
            "{",
            r#" ["c2lnbmF0dXJl"]"#,
            r#"{"signature_value":"","x":1}"#,
            r#"{"signature_value":""} {}"#,
        ] {
            assert_eq!(
                parse::<CompleteSignature>(body.as_bytes()).unwrap_err().code(),
                ErrorCode::InvalidRequest
            );
        }
    }
}
