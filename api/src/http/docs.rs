//! The documentation for people: one static page, rendered from the OpenAPI document when it is first asked for.
//!
//! No script, no font, no request to anywhere: its policy forbids all of them.

mod examples;
mod operation;
mod schema;
mod text;

use axum::http::HeaderName;
use axum::http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use base64ct::{Base64, Encoding};
use rubrica_core::error_code::Actor;
use rubrica_core::{ErrorCode, event};
use serde_json::{Map, Value};

use super::problem;
use crate::objects::sha256;
use crate::permission::{Permission, Role};
use text::{escape, inline, markdown};

const STYLE: &str = include_str!("docs/style.css");

/// The page, and the headers that protect it.
pub(super) fn render(document: &Value) -> (String, Vec<(HeaderName, String)>) {
    let style_digest = Base64::encode_string(&sha256(STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style_digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    let headers = vec![(CONTENT_SECURITY_POLICY, policy), (REFERRER_POLICY, "no-referrer".to_owned())];
    (Page { document }.html(), headers)
}

/// The document while it is rendered.
#[derive(Debug, Clone, Copy)]
struct Page<'a> {
    document: &'a Value,
}

/// One method of one path.
#[derive(Debug, Clone, Copy)]
struct Operation<'a> {
    method: &'a str,
    path: &'a str,
    body: &'a Map<String, Value>,
}

impl<'a> Operation<'a> {
    fn id(&self) -> &'a str {
        self.body["operationId"].as_str().unwrap_or_default()
    }
}

impl<'a> Page<'a> {
    fn html(self) -> String {
        let info = &self.document["info"];
        let (title, version) = (string(&info["title"]), string(&info["version"]));
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{title} API {version}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
             <a class=\"skip\" href=\"#content\">Skip to the content</a>\n\
             <nav aria-label=\"Contents\">\n<p class=\"brand\"><a href=\"#top\">{title} <span>API {version}</span></a></p>\n\
             {contents}</nav>\n<main id=\"content\">\n<h1 id=\"top\">{title} API</h1>\n\
             <p class=\"lead\">Version {version} · <a href=\"/openapi.json\">OpenAPI document</a></p>\n\
             {introduction}{credentials}{operations}{events}{schemas}{codes}</main>\n</body>\n</html>\n",
            contents = self.contents(),
            introduction = markdown(string(&info["description"])),
            credentials = self.credentials(),
            operations = self.operations(),
            events = events(),
            schemas = schema::all(self),
            codes = error_codes(),
        )
    }

    /// Operations of a tag, in the order in which a newcomer needs them: as they are written in the router.
    fn of_tag(self, tag: &'a str) -> impl Iterator<Item = Operation<'a>> {
        members(&self.document["paths"]).flat_map(move |(path, item)| {
            members(item).filter_map(move |(method, body)| {
                let body = body.as_object()?;
                let tagged = body.get("tags")?.as_array()?.iter().any(|one| one == tag);
                tagged.then_some(Operation { method, path, body })
            })
        })
    }

    fn tags(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.document["tags"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|tag| (string(&tag["name"]), string(&tag["description"])))
    }

    fn contents(self) -> String {
        let mut html = String::from("<ul>\n<li><a href=\"#credentials\">Credentials</a></li>\n");
        for (tag, _) in self.tags() {
            html.push_str(&format!("<li><a href=\"#{tag}\">{}</a>\n<ul>\n", capital(tag)));
            for operation in self.of_tag(tag) {
                html.push_str(&format!(
                    "<li><a href=\"#{}\">{} <code>{}</code></a></li>\n",
                    operation.id(),
                    badge(operation.method),
                    escape(operation.path)
                ));
            }
            html.push_str("</ul></li>\n");
        }
        html.push_str(
            "<li><a href=\"#events\">Events</a></li>\n<li><a href=\"#schemas\">Schemas</a></li>\n<li><a href=\"#errors\">Error codes</a></li>\n</ul>\n",
        );
        html
    }

    fn credentials(self) -> String {
        let mut html = String::from(
            "<section><h2 id=\"credentials\">Credentials</h2>\n<p>Each is sent as \
             <code>authorization: Bearer …</code>. An operation names those that it takes.</p>\n<dl>\n",
        );
        for (name, scheme) in members(&self.document["components"]["securitySchemes"]) {
            let (form, description) = (string(&scheme["bearerFormat"]), string(&scheme["description"]));
            html.push_str(&format!(
                "<dt><span class=\"credential\">{}</span> <code>{}</code></dt><dd>{}</dd>\n",
                escape(name),
                escape(form),
                markdown(description)
            ));
        }
        html.push_str("</dl>\n");
        html.push_str(&scopes());
        html.push_str("</section>\n");
        html
    }

    fn operations(self) -> String {
        let mut html = String::new();
        for (tag, description) in self.tags() {
            html.push_str(&format!(
                "<section><h2 id=\"{tag}\">{}</h2>\n{}",
                capital(tag),
                markdown(description)
            ));
            for operation in self.of_tag(tag) {
                html.push_str(&operation::render(self, operation));
            }
            html.push_str("</section>\n");
        }
        html
    }

    /// The value a local reference points to; other values are their own.
    fn resolve(self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str().and_then(|target| self.document.pointer(target.trim_start_matches('#')))
        {
            Some(target) => target,
            None => value,
        }
    }
}

/// What each scope allows, and which roles have it.
fn scopes() -> String {
    let mut html = String::from(
        "<h3 id=\"scopes\">Scopes and roles</h3>\n<p>An API key has the scopes that it was made with, a person those of \
         their roles.</p>\n<div class=\"wide\" tabindex=\"0\" role=\"group\" aria-label=\"Table\"><table><thead><tr><th>Scope</th><th>Allows to</th>",
    );
    html.push_str(&Role::ALL.map(|role| format!("<th>{}</th>", role.as_str())).concat());
    html.push_str("</tr></thead><tbody>\n");
    for permission in Permission::ALL {
        let roles = Role::ALL.map(|role| if role.may(*permission) { "<td>yes</td>" } else { "<td>–</td>" });
        html.push_str(&format!(
            "<tr><td><code>{permission}</code></td><td>{}</td>{}</tr>\n",
            escape(permission.meaning()),
            roles.concat()
        ));
    }
    html.push_str("</tbody></table></div>\n");
    html
}

/// The catalogue of events, as core has it.
fn events() -> String {
    let mut html = String::from(
        "<section><h2 id=\"events\">Events</h2>\n<p>Past-tense facts in the envelope of CloudEvents 1.0, each written in \
         the transaction of the change it tells, delivered at least once with the same <code>id</code>, in order for each \
         <code>subject</code>. They hold no personal data. Members of <code>data</code> in <em>italics</em> may be \
         absent.</p>\n<div class=\"wide\" tabindex=\"0\" role=\"group\" aria-label=\"Table\"><table><thead><tr><th>Type</th><th>Meaning</th><th>Members of data</th></tr>\
         </thead><tbody>\n",
    );
    for entry in event::catalogue() {
        let members: Vec<_> = entry
            .members
            .iter()
            .map(|member| {
                let name = format!("<code title=\"{}\">{}</code>", escape(member.meaning), member.name);
                if member.required { name } else { format!("<em>{name}</em>") }
            })
            .collect();
        html.push_str(&format!(
            "<tr id=\"event-{name}\"><td><code>{name}</code></td><td>{}</td><td>{}</td></tr>\n",
            inline(entry.meaning),
            members.join(", "),
            name = entry.event_type,
        ));
    }
    html.push_str("</tbody></table></div></section>\n");
    html
}

/// The table of codes; their meaning comes from the one list in core.
fn error_codes() -> String {
    let mut html = String::from(
        "<section><h2 id=\"errors\">Error codes</h2>\n<p>The member <code>code</code> of every problem, and of a signature \
         that failed. Some belong to the browser or to the command line and never come from this API: they have no \
         status.</p>\n<div class=\"wide\" tabindex=\"0\" role=\"group\" aria-label=\"Table\"><table><thead><tr><th>Code</th><th>Status</th><th>Meaning</th>\
         <th>Who acts</th></tr></thead><tbody>\n",
    );
    for code in ErrorCode::ALL {
        let status = problem::status(*code).as_u16();
        let status = match (status, code) {
            (500, ErrorCode::Internal) => "500".to_owned(),
            (500, _) => "–".to_owned(),
            (status, _) => status.to_string(),
        };
        let actor = match code.actor() {
            Actor::User => "the person who signs",
            Actor::Environment => "the person’s machine or network",
            Actor::Integrator => "developer or operator",
            Actor::Service => "the service; later it may work",
        };
        html.push_str(&format!(
            "<tr id=\"error-{code}\"><td><code>{code}</code></td><td>{status}</td><td>{}</td><td>{actor}</td></tr>\n",
            escape(code.title())
        ));
    }
    html.push_str("</tbody></table></div></section>\n");
    html
}

fn badge(method: &str) -> String {
    format!("<span class=\"method {method}\">{}</span>", method.to_ascii_uppercase())
}

fn capital(word: &str) -> String {
    let mut characters = word.chars();
    let first = characters.next().map(|c| c.to_ascii_uppercase()).into_iter();
    first.chain(characters).collect::<String>().replace('_', " ")
}

/// Members of an object; nothing for anything else.
fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

fn string(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests;
