use std::path::Path;

use super::*;

/// The document as it was reviewed last. A change of it is a change of the contract.
#[test]
fn the_document_is_the_one_that_was_reviewed() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
    let now = format!("{}\n", serde_json::to_string_pretty(&*DOCUMENT).unwrap());
    if std::env::var_os("RUBRICA_RENEW").is_some() {
        std::fs::write(&file, &now).unwrap();
    }
    let reviewed = std::fs::read_to_string(&file).unwrap();
    let differs = reviewed.lines().zip(now.lines()).position(|(was, is)| was != is);
    assert!(
        reviewed == now,
        "docs/openapi.json differs from line {} on. When that is intended, renew it with \
         `RUBRICA_RENEW=1 cargo test -p rubrica --bin rubrica openapi` and review the difference",
        differs.unwrap_or_default() + 1
    );
}

#[test]
fn every_operation_says_what_it_is_and_who_may_call_it() {
    let known: Vec<_> = TAGS.iter().map(|(name, _)| *name).collect();
    let schemes = DOCUMENT["components"]["securitySchemes"].as_object().unwrap();
    let mut seen = 0;
    for (path, item) in DOCUMENT["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            let text = |member: &str| operation[member].as_str().unwrap_or_default();
            assert!(!text("summary").is_empty(), "{id}: the doc comment of the handler is its summary");
            assert!(text("summary").ends_with('.') && !text("summary").contains("Handles"), "{id}");
            let tags = operation["tags"].as_array().unwrap();
            assert!(tags.len() == 1 && known.contains(&tags[0].as_str().unwrap()), "{id}: {tags:?}");
            let ways = operation["security"].as_array();
            assert_eq!(path.starts_with("/v1/"), ways.is_some(), "{id}");
            for way in ways.into_iter().flatten() {
                assert!(
                    way.as_object().unwrap().keys().all(|name| schemes.contains_key(name)),
                    "{id}: {way}"
                );
            }
            assert!(!path.contains('{') || operation["responses"].get("404").is_some(), "{id}");
            assert!(id.contains('_') && *id == id.to_lowercase(), "{method} {path}: {id}");
            seen += 1;
        }
    }
    assert!(seen >= 14, "{seen}");
}

#[test]
fn a_problem_names_the_codes_of_its_status_and_no_other() {
    let responses = &DOCUMENT["paths"]["/v1/signatures/{id}/complete"]["post"]["responses"];
    let codes = |status: &str| {
        responses[status]["content"]["application/problem+json"]["schema"]["allOf"][1]["properties"]["code"]["enum"]
            .clone()
    };
    assert_eq!(codes("409"), serde_json::json!(["signature_state_conflict", "order_state_conflict"]));
    assert_eq!(codes("410"), serde_json::json!(["signature_expired"]));
    assert_eq!(codes("401"), serde_json::json!(["unauthorized", "session_expired"]));
    assert_eq!(codes("404"), serde_json::json!(["not_found"]));
    assert!(responses["503"]["headers"]["retry-after"].is_object());
}

#[test]
fn every_request_that_creates_may_be_repeated() {
    // It keeps nothing, so that there is nothing to do twice.
    let creates_nothing = ["/v1/validations"];
    for (path, item) in DOCUMENT["paths"].as_object().unwrap() {
        let Some(operation) = item.get("post") else { continue };
        let creates = !path.ends_with('}') && operation["responses"].get("201").is_some();
        let takes_key = operation["parameters"]
            .as_array()
            .is_some_and(|all| all.iter().any(|parameter| parameter["name"] == "idempotency-key"));
        assert_eq!(creates && !creates_nothing.contains(&path.as_str()), takes_key, "{path}");
        let problems = |status: &str| operation["responses"][status].to_string();
        assert_eq!(takes_key, problems("422").contains("idempotency_key_reused"), "{path}");
        assert_eq!(takes_key, problems("409").contains("idempotency_in_progress"), "{path}");
    }
}
