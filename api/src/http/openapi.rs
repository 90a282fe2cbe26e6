//! The OpenAPI document: collected from the handlers, completed with what holds for all of them.
//!
//! A route is written at its handler: `#[utoipa::path(…)]` names method, path, parameters, bodies, who may call
//! (`security`) and, in the extension `x-error-codes`, the errors that are its own. The doc comment of the handler
//! is its description for people. `router::contract` registers handler and operation in one step. The errors that
//! every operation of its kind may answer with are added here, each status with its codes.

mod problems;
mod tidy;

use std::borrow::Cow;
use std::sync::LazyLock;

use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderName, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use rubrica_core::wire::Problem;
use serde_json::Value;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    ComponentsBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, RefOr, Schema,
};
use utoipa::{PartialSchema, ToSchema};

use super::{docs, router};
use crate::objects::sha256;
use crate::{hex, ids};

/// Token of a signing session, in the browser.
pub(super) const SESSION: &str = "session";
/// API key of a backend.
const API_KEY: &str = "api_key";
/// Access token of a person of the bank.
const PERSON: &str = "person";

const DESCRIPTION: &str = include_str!("openapi/description.md");

/// Groups of operations, in the order of the documentation.
const TAGS: [(&str, &str); 15] = [
    ("sessions", "A backend opens a session for one signer and hands its token to the page."),
    ("documents", "Immutable bytes: upload, look, download."),
    ("orders", "Documents that participants sign under common rules, in sequence or side by side."),
    ("custody", "Where the key of a signer lives."),
    ("keys", "The keys in our custody, and whether they may be used."),
    ("signatures", "One signer's act on one document; ends in one released artefact or none."),
    ("consents", "What people agree to before a key of theirs is kept, and its withdrawal."),
    ("enrolments", "How a key comes into the token: made there and certified, or imported."),
    ("batches", "Many signatures by one key, without a person present."),
    ("events", "What happened, in order: pages or a stream. CloudEvents 1.0."),
    ("receipts", "Evidence of releases that can be checked without this service."),
    ("webhooks", "Addresses that events are posted to, by Standard Webhooks."),
    ("validations", "A signed file in, a report out. Nothing of it is kept."),
    ("api_keys", "Credentials of the tenant's backends."),
    ("operations", "Health of the instance, and this documentation."),
];

/// The bytes of a file, as they are.
#[derive(Debug)]
pub(super) struct Bytes;

impl PartialSchema for Bytes {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)))
            .description(Some("The bytes of a file, as they are."))
            .into()
    }
}

impl ToSchema for Bytes {
    fn name() -> Cow<'static, str> {
        "Bytes".into()
    }
}

/// The document with nothing in it but what belongs to no operation.
pub(super) fn base() -> OpenApi {
    let bearer = |format: &str, description: &str| {
        SecurityScheme::Http(
            HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .bearer_format(format)
                .description(Some(description))
                .build(),
        )
    };
    let mut schemas = vec![(Problem::name().into_owned(), Problem::schema())];
    Problem::schemas(&mut schemas);
    schemas.extend(ids::schemas());
    let components = ComponentsBuilder::new()
        .schemas_from_iter(schemas)
        .security_scheme(
            SESSION,
            bearer(
                "rst_…",
                "Token of `POST /v1/sessions`: short-lived, for one signer, usable from the origins that the session \
                 names. The only credential a browser ever holds.",
            ),
        )
        .security_scheme(
            API_KEY,
            bearer(
                "rbk_…",
                "Key of a backend, with scopes. It never leaves the backend: a browser uses a session.",
            ),
        )
        .security_scheme(
            PERSON,
            bearer(
                "JWT",
                "Access token of the bank's identity provider (OpenID Connect), for a person with the role `operator`, \
                 `analyst`, `auditor` or `admin`. The scopes named at an operation are those that a role must have.",
            ),
        )
        .build();
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Rubrica")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(DESCRIPTION))
                .license(Some(
                    LicenseBuilder::new()
                        .name("Apache-2.0 OR MIT")
                        .identifier(Some("Apache-2.0 OR MIT"))
                        .build(),
                ))
                .build(),
        )
        .tags(Some(
            TAGS.map(|(name, description)| {
                TagBuilder::new().name(name).description(Some(description)).build()
            }),
        ))
        .components(Some(components))
        .build()
}

/// The whole document.
pub(super) static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let document = router::contract().into_openapi();
    let mut document = serde_json::to_value(document).expect("a document has only strings and numbers");
    problems::complete(&mut document);
    tidy::complete(&mut document);
    document
});

/// Shows this document: OpenAPI 3.1, as JSON.
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "operations",
    responses(
        (status = 200, description = "The document", body = serde_json::Value, content_type = "application/json"),
        (status = 304, description = "The copy with this `if-none-match` is the present one"),
    )
)]
pub(super) async fn show_openapi(headers: HeaderMap) -> Response {
    static PAGE: LazyLock<Page> = LazyLock::new(|| {
        Page::new("application/json", serde_json::to_string(&*DOCUMENT).expect("JSON can be written"), &[])
    });
    PAGE.answer(&headers)
}

/// Shows the documentation for people.
#[utoipa::path(
    get,
    path = "/docs",
    tag = "operations",
    responses(
        (status = 200, description = "A page", body = String, content_type = "text/html"),
        (status = 304, description = "The copy with this `if-none-match` is the present one"),
    )
)]
pub(super) async fn show_docs(headers: HeaderMap) -> Response {
    static PAGE: LazyLock<Page> = LazyLock::new(|| {
        let (html, policy) = docs::render(&DOCUMENT);
        Page::new("text/html; charset=utf-8", html, &policy)
    });
    PAGE.answer(&headers)
}

/// A text that is made once.
#[derive(Debug)]
struct Page {
    text: bytes::Bytes,
    headers: HeaderMap,
}

impl Page {
    fn new(media_type: &'static str, text: String, others: &[(HeaderName, String)]) -> Self {
        let tag = format!("\"{}\"", &hex::encode(sha256(text.as_bytes()))[..32]);
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(ETAG, HeaderValue::from_str(&tag).expect("hexadecimal digits in quotes"));
        for (name, value) in others {
            headers.insert(name, HeaderValue::from_str(value).expect("our own policy is plain ASCII"));
        }
        Self { text: text.into(), headers }
    }

    fn answer(&self, request: &HeaderMap) -> Response {
        let unchanged = request.get(IF_NONE_MATCH).is_some_and(|tag| *tag == self.headers[ETAG]);
        let mut response = if unchanged {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            self.text.clone().into_response()
        };
        response.headers_mut().extend(self.headers.clone());
        response
    }
}

#[cfg(test)]
mod tests;
