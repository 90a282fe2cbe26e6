//! Example values, made from schemas where none is written.

use serde_json::{Map, Value, json};

use super::{Page, members, string};

/// Deeper members are left out: an example shows the shape, the tables show all.
const DEEPEST: usize = 5;

/// An example of a media type's body: the one that is written, or one that follows from the schema.
pub(super) fn of_content(page: Page<'_>, content: &Value) -> Value {
    content.get("example").cloned().unwrap_or_else(|| of_schema(page, &content["schema"], 0))
}

fn of_schema(page: Page<'_>, schema: &Value, depth: usize) -> Value {
    let schema = page.resolve(schema);
    if depth > DEEPEST {
        return Value::Null;
    }
    for word in ["example", "const", "default"] {
        if let Some(value) = schema.get(word) {
            return value.clone();
        }
    }
    for word in ["examples", "enum"] {
        if let Some(value) = schema[word].as_array().and_then(|values| values.first()) {
            return value.clone();
        }
    }
    for word in ["oneOf", "anyOf", "allOf"] {
        if let Some(first) = schema[word].as_array().and_then(|variants| variants.first()) {
            return of_schema(page, first, depth);
        }
    }
    let kind = schema["type"].as_array().and_then(|kinds| kinds.first()).unwrap_or(&schema["type"]);
    match string(kind) {
        "object" => {
            let of = |(name, property)| (String::from(name), of_schema(page, property, depth + 1));
            Value::Object(members(&schema["properties"]).map(of).collect::<Map<_, _>>())
        }
        "array" => {
            let item = of_schema(page, &schema["items"], depth + 1);
            if item.is_null() { json!([]) } else { json!([item]) }
        }
        "integer" | "number" => {
            schema.get("minimum").filter(|least| **least != 0).cloned().unwrap_or(json!(1))
        }
        "boolean" => json!(true),
        "string" => json!("…"),
        _ => Value::Null,
    }
}
