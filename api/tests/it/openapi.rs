//! The document and the routes are one: what is served is what is described.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::Instance;

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

#[test]
fn every_documented_route_answers_with_its_methods_and_no_other() {
    let instance = Instance::start();
    let client = instance.anonymous();
    let document = client.get("/openapi.json").json();
    for (path, item) in document["paths"].as_object().unwrap() {
        let documented: BTreeSet<String> =
            item.as_object().unwrap().keys().map(|method| method.to_uppercase()).collect();
        let path = path.replace("{id}", "x").replace("{document_id}", "y").replace("{participant_id}", "z");
        for method in METHODS {
            let body = (method != "GET").then_some(&b"{}"[..]);
            let answer = client.send(method, &path, &[("content-type", "application/json")], body);
            if !documented.contains(method) {
                answer.assert_problem(405, "method_not_allowed");
                let allowed: BTreeSet<String> = answer
                    .header("allow")
                    .split(',')
                    .filter(|one| *one != "HEAD")
                    .map(str::to_owned)
                    .collect();
                assert_eq!(allowed, documented, "{path}");
                continue;
            }
            let operation = &item[method.to_lowercase()];
            if operation["security"].is_array() {
                answer.assert_problem(401, "unauthorized");
            } else {
                assert_eq!(answer.status, 200, "{method} {path}");
            }
            assert!(operation["responses"].get(answer.status.to_string()).is_some(), "{method} {path}");
        }
    }
    client.get("/v1/nothing").assert_problem(404, "not_found");
}

#[test]
fn the_document_and_its_page_are_served_once_and_then_known() {
    let instance = Instance::start();
    let client = instance.anonymous();
    let reviewed: Value = serde_json::from_str(include_str!("../../../docs/openapi.json")).unwrap();
    for (path, media_type) in [("/openapi.json", "application/json"), ("/docs", "text/html; charset=utf-8")] {
        let answer = client.get(path);
        assert_eq!((answer.status, answer.header("content-type")), (200, media_type));
        let again = client.with("if-none-match", answer.header("etag")).get(path);
        assert_eq!((again.status, again.body.len()), (304, 0));
        assert_eq!(again.header("etag"), answer.header("etag"));
        assert_eq!(client.with("if-none-match", "\"other\"").get(path).status, 200);
    }
    assert_eq!(client.get("/openapi.json").json(), reviewed);
    let page = client.get("/docs");
    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(page.header("x-content-type-options"), "nosniff");
}
