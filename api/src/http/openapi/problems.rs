//! The errors of each operation: its own, and those that every operation of its kind shares.

use std::collections::{BTreeMap, BTreeSet};

use rubrica_core::ErrorCode;
use serde_json::{Map, Value, json};

use super::SESSION;
use crate::http::idempotency::IDEMPOTENCY_KEY;
use crate::http::problem;

/// Errors that are an operation's own, as a list of codes. Stays in the document: clients can read it.
const EXTENSION: &str = "x-error-codes";

/// Anything that needs a credential needs the database, and may meet a limit.
const OF_CALLERS: [ErrorCode; 7] = [
    ErrorCode::InvalidRequest,
    ErrorCode::Unauthorized,
    ErrorCode::Forbidden,
    ErrorCode::TooManyRequests,
    ErrorCode::Internal,
    ErrorCode::Unavailable,
    ErrorCode::DatabaseUnavailable,
];
const OF_SESSIONS: [ErrorCode; 2] = [ErrorCode::SessionExpired, ErrorCode::OriginNotAllowed];
/// Marks an operation that takes an idempotency key.
const IDEMPOTENT: &str = "x-idempotent";
const OF_REPEATED: [ErrorCode; 2] = [ErrorCode::IdempotencyKeyReused, ErrorCode::IdempotencyInProgress];
const OF_BODIES: [ErrorCode; 2] = [ErrorCode::PayloadTooLarge, ErrorCode::UnsupportedMediaType];

/// Adds to each operation the problems it may answer with, by status.
pub(super) fn complete(document: &mut Value) {
    let paths = document["paths"].as_object_mut().expect("a document has paths");
    for item in paths.values_mut() {
        for operation in item.as_object_mut().expect("a path is an object").values_mut() {
            let operation = operation.as_object_mut().expect("an operation is an object");
            let codes = codes(operation);
            add_responses(operation, &codes);
        }
    }
}

/// Every code of the operation.
fn codes(operation: &mut Map<String, Value>) -> BTreeSet<ErrorCode> {
    let own = operation.remove(EXTENSION).unwrap_or_else(|| json!([]));
    let mut codes: BTreeSet<ErrorCode> =
        serde_json::from_value(own).expect("x-error-codes is a list of error codes");
    let security = operation.get("security").and_then(Value::as_array);
    if let Some(security) = security {
        codes.extend(OF_CALLERS);
        if security.iter().any(|way| way.get(SESSION).is_some()) {
            codes.extend(OF_SESSIONS);
        }
    }
    if operation.remove(IDEMPOTENT).is_some() {
        codes.extend(OF_REPEATED);
        let parameters = operation.entry("parameters").or_insert_with(|| json!([]));
        parameters.as_array_mut().expect("parameters are a list").push(json!({
            "name": IDEMPOTENCY_KEY.as_str(),
            "in": "header",
            "description": "Any text that is new for a new request, such as a UUID. A request that is sent again with \
                            the same key and body does nothing twice and gets the first answer, for seven days",
            "required": false,
            "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$" },
        }));
    }
    if operation.contains_key("requestBody") {
        codes.extend(OF_BODIES);
    }
    let parameters = operation.get("parameters").and_then(Value::as_array);
    if parameters.is_some_and(|all| all.iter().any(|parameter| parameter["in"] == "path")) {
        codes.insert(ErrorCode::NotFound);
    }
    let list: Vec<_> = codes.iter().map(|code| code.as_str()).collect();
    if !list.is_empty() {
        operation.insert(EXTENSION.to_owned(), json!(list));
    }
    codes
}

fn add_responses(operation: &mut Map<String, Value>, codes: &BTreeSet<ErrorCode>) {
    let mut by_status: BTreeMap<u16, Vec<ErrorCode>> = BTreeMap::new();
    for code in codes {
        by_status.entry(problem::status(*code).as_u16()).or_default().push(*code);
    }
    let responses = operation["responses"].as_object_mut().expect("an operation has responses");
    for (status, codes) in by_status {
        let known = responses.insert(status.to_string(), response(status, &codes));
        assert!(known.is_none(), "status {status} is written at a handler and follows from its codes");
    }
    for response in responses.values_mut() {
        let id = json!({
            "description": "Names the request in the log; the caller's own when it sent one.",
            "schema": { "type": "string" },
        });
        response["headers"]["x-request-id"] = id;
    }
    // Written in the order of their numbers.
    let sorted: BTreeMap<String, Value> = std::mem::take(responses).into_iter().collect();
    responses.extend(sorted);
}

fn response(status: u16, codes: &[ErrorCode]) -> Value {
    let description: Vec<_> = codes.iter().map(|code| format!("`{code}`: {}", code.title())).collect();
    let codes: Vec<_> = codes.iter().map(|code| code.as_str()).collect();
    let mut response = json!({
        "description": description.join(". "),
        "content": { "application/problem+json": { "schema": {
            "allOf": [
                { "$ref": "#/components/schemas/Problem" },
                { "type": "object", "properties": { "code": { "enum": codes }, "status": { "const": status } } },
            ],
        } } },
    });
    match status {
        409 if codes.contains(&ErrorCode::IdempotencyInProgress.as_str()) => {
            response["headers"]["retry-after"] = retry_after();
        }
        401 => {
            response["headers"]["www-authenticate"] = json!({
                "description": "The way to authenticate (RFC 6750).",
                "schema": { "type": "string" },
            });
        }
        429 | 503 => {
            response["headers"]["retry-after"] = retry_after();
        }
        _ => {}
    }
    response
}

fn retry_after() -> Value {
    json!({
        "description": "Seconds to wait before the next try.",
        "schema": { "type": "string", "pattern": "^[0-9]+$" },
    })
}
