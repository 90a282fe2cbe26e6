//! One operation: who may call it, what goes in, what comes out.

use serde_json::Value;

use super::schema::{self, type_name};
use super::text::{escape, inline, markdown};
use super::{Operation, Page, badge, examples, members, string};

pub(super) fn render(page: Page<'_>, operation: Operation<'_>) -> String {
    let Operation { method, path, body } = operation;
    let id = operation.id();
    let of = |name: &str| body.get(name).unwrap_or(&Value::Null);
    format!(
        "<article class=\"operation\" aria-labelledby=\"{id}\">\n<h3 id=\"{id}\">{} <code>{}</code> \
         <span class=\"id\">{id}</span></h3>\n<p class=\"summary\">{}</p>\n{}{}{}{}{}{}</article>\n",
        badge(method),
        escape(path),
        inline(string(of("summary"))),
        markdown(string(of("description"))),
        callers(of("security")),
        parameters(page, of("parameters")),
        request(page, of("requestBody")),
        call(page, operation),
        responses(page, of("responses")),
    )
}

/// The credentials that the operation takes, with the permission each needs.
fn callers(security: &Value) -> String {
    let Some(ways) = security.as_array() else {
        return "<p class=\"callers\">No credential.</p>\n".to_owned();
    };
    let mut html = String::from("<p class=\"callers\">Credential:");
    for (name, needs) in ways.iter().flat_map(members) {
        let needs: Vec<_> = needs.as_array().into_iter().flatten().map(string).map(escape).collect();
        let needs =
            if needs.is_empty() { String::new() } else { format!(" <code>{}</code>", needs.join(" ")) };
        html.push_str(&format!(" <span class=\"credential\">{}{needs}</span>", escape(name)));
    }
    html.push_str("</p>\n");
    html
}

fn parameters(page: Page<'_>, parameters: &Value) -> String {
    let Some(parameters) = parameters.as_array().filter(|list| !list.is_empty()) else {
        return String::new();
    };
    let mut html = String::from(
        "<h4>Parameters</h4>\n<div class=\"wide\" tabindex=\"0\" role=\"group\" aria-label=\"Table\"><table><thead><tr><th>Name</th><th>In</th><th>Type</th>\
         <th>Meaning</th></tr></thead><tbody>\n",
    );
    for parameter in parameters {
        let parameter = page.resolve(parameter);
        let mark =
            if parameter["required"] == true { " <span class=\"required\">required</span>" } else { "" };
        html.push_str(&format!(
            "<tr><td><code>{}</code>{mark}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
            escape(string(&parameter["name"])),
            escape(string(&parameter["in"])),
            type_name(&parameter["schema"]),
            inline(string(&parameter["description"])),
        ));
    }
    html.push_str("</tbody></table></div>\n");
    html
}

fn request(page: Page<'_>, request: &Value) -> String {
    let Some(content) = request["content"].as_object() else { return String::new() };
    let mut html = String::from("<h4>Body</h4>\n");
    html.push_str(&markdown(string(&request["description"])));
    html.push_str(&media_types(&request["content"]));
    for (kind, content) in content {
        let schema = page.resolve(&content["schema"]);
        if schema["properties"].is_object() {
            if content.is_object() && kind != "application/json" {
                html.push_str(&format!("<p>Parts of <code>{}</code>:</p>\n", escape(kind)));
            }
            html.push_str(&schema::body(schema));
        }
    }
    html
}

/// A call as one would type it.
fn call(page: Page<'_>, operation: Operation<'_>) -> String {
    let mut words = vec!["curl".to_owned()];
    if operation.method != "get" {
        words.push(format!("-X {}", operation.method.to_ascii_uppercase()));
    }
    let path = example_path(page, operation);
    words.push(format!("\"$RUBRICA{path}\""));
    if operation.body.contains_key("security") {
        words.push("\\\n  -H \"authorization: Bearer $TOKEN\"".to_owned());
    }
    if let Some((kind, content)) = operation
        .body
        .get("requestBody")
        .and_then(|body| body["content"].as_object())
        .and_then(|all| all.get_key_value("application/json").or_else(|| all.iter().next()))
    {
        words.push(format!("\\\n  -H \"content-type: {kind}\""));
        words.push(if kind == "application/json" {
            let example = examples::of_content(page, content);
            format!("\\\n  -d '{}'", serde_json::to_string_pretty(&example).unwrap_or_default())
        } else {
            "\\\n  --data-binary @file".to_owned()
        });
    }
    format!("<h4>Example</h4>\n<pre tabindex=\"0\"><code>{}</code></pre>\n", escape(&words.join(" ")))
}

fn example_path(page: Page<'_>, operation: Operation<'_>) -> String {
    let parameters = operation.body.get("parameters").and_then(Value::as_array);
    parameters.into_iter().flatten().filter(|parameter| parameter["in"] == "path").fold(
        operation.path.to_owned(),
        |path, parameter| {
            let example = &page.resolve(&parameter["schema"])["examples"][0];
            match example.as_str() {
                Some(example) => path.replace(&format!("{{{}}}", string(&parameter["name"])), example),
                None => path,
            }
        },
    )
}

fn responses(page: Page<'_>, responses: &Value) -> String {
    let mut html = String::from("<h4>Answers</h4>\n<dl class=\"answers\">\n");
    for (status, response) in members(responses) {
        let kind = if status.starts_with(['4', '5']) { "bad" } else { "good" };
        html.push_str(&format!(
            "<dt><span class=\"status {kind}\">{}</span></dt><dd>{}",
            escape(status),
            linked(string(&response["description"]))
        ));
        if kind == "good" {
            html.push_str(&media_types(&response["content"]));
            if let Some(content) = response["content"].get("application/json")
                && content["schema"]["$ref"].is_string()
            {
                let example = examples::of_content(page, content);
                html.push_str(&format!(
                    "<details><summary>Example</summary><pre tabindex=\"0\"><code>{}</code></pre></details>\n",
                    escape(&serde_json::to_string_pretty(&example).unwrap_or_default())
                ));
            }
        }
        html.push_str("</dd>\n");
    }
    html.push_str("</dl>\n");
    html
}

/// Media types, each with the name of its schema.
fn media_types(content: &Value) -> String {
    let all: Vec<_> = members(content)
        .map(|(kind, content)| match type_name(&content["schema"]) {
            name if content["schema"]["$ref"].is_string() => format!("<code>{}</code>: {name}", escape(kind)),
            _ => format!("<code>{}</code>", escape(kind)),
        })
        .collect();
    if all.is_empty() { String::new() } else { format!("<p class=\"media\">{}</p>\n", all.join(", ")) }
}

/// A description, in which the codes of errors lead to their table.
fn linked(description: &str) -> String {
    let html = inline(description);
    rubrica_core::ErrorCode::ALL.iter().fold(html, |html, code| {
        let word = format!("<code>{code}</code>");
        let link = format!("<a href=\"#error-{code}\">{word}</a>");
        html.replace(&word, &link)
    })
}
