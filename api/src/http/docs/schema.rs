//! Schemas: the name of a type, and the table of its members.

use serde_json::Value;

use super::text::{escape, inline, markdown};
use super::{Page, members, string};

/// Every named schema.
pub(super) fn all(page: Page<'_>) -> String {
    let mut html = String::from("<section><h2 id=\"schemas\">Schemas</h2>\n");
    for (name, schema) in members(&page.document["components"]["schemas"]) {
        html.push_str(&format!("<article class=\"schema\"><h3 id=\"schema-{name}\">{name}</h3>\n"));
        html.push_str(&markdown(string(&schema["description"])));
        html.push_str(&body(schema));
        html.push_str("</article>\n");
    }
    html.push_str("</section>\n");
    html
}

/// What an object has, or what a value may be.
pub(super) fn body(schema: &Value) -> String {
    if schema["properties"].is_object() {
        return properties(schema);
    }
    if let Some(values) = schema["enum"].as_array() {
        let values: Vec<_> = values.iter().map(|value| format!("<code>{}</code>", plain(value))).collect();
        return format!("<p class=\"values\">One of {}</p>\n", values.join(" "));
    }
    format!("<p>{}</p>\n", type_name(schema))
}

fn properties(schema: &Value) -> String {
    let required = |name: &str| {
        schema["required"].as_array().is_some_and(|names| names.iter().any(|required| required == name))
    };
    let mut html = String::from(
        "<div class=\"wide\" tabindex=\"0\" role=\"group\" aria-label=\"Table\"><table>\
         <thead><tr><th>Member</th><th>Type</th><th>Meaning</th></tr></thead><tbody>\n",
    );
    let (first, then): (Vec<_>, Vec<_>) =
        members(&schema["properties"]).partition(|(name, _)| required(name));
    for (name, property) in first.into_iter().chain(then) {
        let mark = if required(name) { " <span class=\"required\">required</span>" } else { "" };
        html.push_str(&format!(
            "<tr><td><code>{}</code>{mark}</td><td>{}</td><td>{}</td></tr>\n",
            escape(name),
            type_name(property),
            inline(string(&property["description"]))
        ));
    }
    html.push_str("</tbody></table></div>\n");
    if schema["additionalProperties"] == false {
        html.push_str("<p class=\"note\">Other members are refused.</p>\n");
    }
    html
}

/// The type of a value, with a link when it has a name.
pub(super) fn type_name(schema: &Value) -> String {
    if let Some(target) = schema["$ref"].as_str() {
        let name = escape(target.rsplit('/').next().unwrap_or_default());
        return format!("<a href=\"#schema-{name}\">{name}</a>");
    }
    for (word, join) in [("oneOf", " or "), ("anyOf", " or "), ("allOf", " and ")] {
        if let Some(variants) = schema[word].as_array() {
            let names: Vec<_> = variants.iter().map(type_name).filter(|name| !name.is_empty()).collect();
            return names.join(join);
        }
    }
    let mut name = match schema["type"].as_array() {
        Some(several) => several.iter().map(string).collect::<Vec<_>>().join(" or "),
        None => string(&schema["type"]).to_owned(),
    };
    if name.starts_with("array") {
        return name.replacen("array", &format!("array of {}", type_name(&schema["items"])), 1);
    }
    if let Some(format) =
        schema["format"].as_str().filter(|format| !matches!(*format, "int32" | "int64" | "double"))
    {
        name.push_str(&format!(" ({})", escape(format)));
    }
    for (word, sign) in [("minimum", "≥"), ("maximum", "≤")] {
        // That a count is not negative goes without saying.
        if let Some(limit) = schema.get(word).filter(|limit| word == "maximum" || limit.as_u64() != Some(0)) {
            name.push_str(&format!(" {sign} {limit}"));
        }
    }
    if let Some(pattern) = schema["pattern"].as_str() {
        name.push_str(&format!(" <code class=\"pattern\">{}</code>", escape(pattern)));
    }
    name
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| escape(&value.to_string()), escape)
}
