//! Makes the generated document read as if it were written by hand.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// Puts everything right that the derivation leaves: in place, at any depth.
pub(super) fn complete(document: &mut Value) {
    let paths = document["paths"].as_object_mut().expect("a document has paths");
    let operations = paths.values_mut().filter_map(Value::as_object_mut).flat_map(Map::values_mut);
    let parameters =
        operations.filter_map(|operation| operation.get_mut("parameters")?.as_array_mut()).flatten();
    parameters.filter_map(|parameter| parameter.get_mut("schema")).for_each(never_null);
    visit(document);
    while drop_unused(document) {}
}

/// Schemas that nothing refers to would only be noise. Whether there were any: what they refer to may be next.
fn drop_unused(document: &mut Value) -> bool {
    let mut used = BTreeSet::new();
    references(document, &mut used);
    let schemas = document["components"]["schemas"].as_object_mut().expect("a document has schemas");
    let before = schemas.len();
    schemas.retain(|name, _| used.contains(&format!("#/components/schemas/{name}")));
    schemas.len() < before
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            if let Some(Value::String(target)) = object.get("$ref") {
                found.insert(target.clone());
            }
            object.values().for_each(|value| references(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A parameter is there or not; it is never null.
fn never_null(schema: &mut Value) {
    let Some(kinds) = schema.get_mut("type").and_then(Value::as_array_mut) else { return };
    kinds.retain(|kind| kind != "null");
    if let [one] = &kinds[..] {
        let one = one.clone();
        schema["type"] = one;
    }
}

fn visit(value: &mut Value) {
    match value {
        Value::Object(object) => {
            hoist_description(object);
            if let Some(Value::String(text)) = object.get_mut("description") {
                *text = without_code_links(text);
            }
            object.values_mut().for_each(visit);
        }
        Value::Array(values) => values.iter_mut().for_each(visit),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The description of a member that may be null belongs to the member.
fn hoist_description(object: &mut Map<String, Value>) {
    let Some(variants) = object.get_mut("oneOf").and_then(Value::as_array_mut) else { return };
    if variants.len() != 2 || variants[1]["type"] != "null" {
        return;
    }
    if let Some(description) = variants[0].as_object_mut().and_then(|first| first.remove("description")) {
        object.insert("description".to_owned(), description);
    }
}

/// Links of rustdoc lead nowhere outside of it.
fn without_code_links(text: &str) -> String {
    text.replace("[`", "`").replace("`]", "`")
}
