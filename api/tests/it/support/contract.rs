//! Every answer that a test gets is held to the OpenAPI document: its status, and the code of a problem.

use std::sync::OnceLock;

use serde_json::Value;

use super::client::Answer;

/// Panics when the operation that was called does not document this answer. What is no operation answers as it likes.
#[track_caller]
pub(super) fn check(method: &str, path: &str, answer: &Answer) {
    let path = path.split('?').next().unwrap_or_default();
    let paths = document()["paths"].as_object().unwrap();
    // A path without parameters goes before one that has them.
    let item = paths
        .get(path)
        .or_else(|| paths.iter().find(|(template, _)| fits(template, path)).map(|(_, item)| item));
    let Some(operation) = item.and_then(|item| item.get(method.to_lowercase())) else { return };
    let told = || format!("{method} {path}: {} {}", answer.status, String::from_utf8_lossy(&answer.body));
    let response = operation["responses"].get(answer.status.to_string());
    let response = response.unwrap_or_else(|| panic!("the status is not documented: {}", told()));
    let Some(schema) = response["content"].get("application/problem+json").map(|content| &content["schema"])
    else {
        return;
    };
    let codes = schema["allOf"][1]["properties"]["code"]["enum"].as_array().unwrap();
    let code = serde_json::from_slice::<Value>(&answer.body).unwrap_or_default()["code"].clone();
    assert!(codes.contains(&code), "the code is not documented, add it to x-error-codes: {}", told());
}

fn fits(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len()
        && template.iter().zip(&path).all(|(part, given)| part.starts_with('{') || part == given)
}

fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(|| serde_json::from_str(include_str!("../../../../docs/openapi.json")).unwrap())
}
