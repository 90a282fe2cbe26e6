//! Batches over HTTP, signed by a real token.

use std::time::{Duration, Instant};

use rubrica_core::digest::Digest;
use rubrica_core::validation::{Content, Indication, validate_cms};
use serde_json::{Value, json};

use crate::hsm_signatures::{context, contract};
use crate::support::{Client, Instance};

/// Longest time for a small batch on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// An RSA key of the demo.
pub(crate) fn rsa_key(instance: &Instance) -> String {
    instance
        .database()
        .query_row("SELECT id FROM signing_key WHERE algorithm = 'rsa' ORDER BY id LIMIT 1", [], |row| {
            row.get(0)
        })
        .unwrap()
}

/// The text that item `number` signs.
pub(crate) fn text(number: usize) -> Vec<u8> {
    format!("TEST document {number}").into_bytes()
}

/// A manifest of digests, CAdES-B.
pub(crate) fn manifest(key: &str, items: usize) -> String {
    let mut lines = vec![json!({ "key_id": key, "format": "cades", "reference": "TEST run" }).to_string()];
    lines.extend((1..=items).map(|number| {
        json!({ "reference": format!("item-{number}"), "sha256": Digest::sha256(&text(number)).to_hex() })
            .to_string()
    }));
    lines.join("\n")
}

/// Hands a manifest over and gives the identifier of the batch.
pub(crate) fn submit(backend: &Client, manifest: &str) -> String {
    let answer = backend.send(
        "POST",
        "/v1/batches",
        &[("content-type", "application/x-ndjson")],
        Some(manifest.as_bytes()),
    );
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()["id"].as_str().unwrap().to_owned()
}

/// Waits until the batch has ended.
pub(crate) fn wait(backend: &Client, id: &str) -> Value {
    let begun = Instant::now();
    loop {
        let batch = backend.get(&format!("/v1/batches/{id}")).json();
        if !batch["ended_at"].is_null() {
            return batch;
        }
        assert!(begun.elapsed() < PATIENCE, "the batch does not end: {batch}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// All items of a batch, page by page.
pub(crate) fn items(backend: &Client, id: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = backend.get(&format!("/v1/batches/{id}/items?limit=1000{cursor}")).json();
        items.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return items,
        }
    }
}

#[test]
fn every_digest_of_a_manifest_gets_one_valid_signature() {
    let instance = Instance::start();
    let backend = instance.backend();
    let id = submit(&backend, &manifest(&rsa_key(&instance), 150));
    let batch = wait(&backend, &id);
    assert_eq!(batch["state"], "completed", "{batch}");
    assert_eq!(batch["counts"]["released"], 150);
    let items = items(&backend, &id);
    assert_eq!(items.len(), 150);
    for number in [1, 64, 65, 150] {
        let item = &items[number - 1];
        assert_eq!(item["position"], number);
        assert_eq!(item["reference"], format!("item-{number}"));
        let signature = item["signature_id"].as_str().unwrap();
        let artefact = backend.content(signature);
        assert_eq!(item["artefact"]["sha256"], Digest::sha256(&artefact).to_hex());
        let shown = backend.get(&format!("/v1/signatures/{signature}")).json();
        assert_eq!((&shown["batch_id"], &shown["state"]), (&json!(id), &json!("released")));
        assert_eq!(shown["artefact"], item["artefact"]);
        let report = validate_cms(&artefact, Content::Bytes(&text(number)), &context()).unwrap();
        assert_eq!(report.overall(), Indication::Passed, "{report}");
    }
}

#[test]
fn uploaded_documents_are_signed_inside_and_raised_items_share_a_batch() {
    let instance = Instance::start();
    let backend = instance.backend();
    let documents: Vec<String> = (0..3).map(|_| backend.upload(&contract())).collect();
    let mut lines =
        vec![json!({ "key_id": rsa_key(&instance), "format": "pades", "name": "TEST" }).to_string()];
    lines.extend(documents.iter().enumerate().map(|(number, document)| {
        json!({ "reference": number.to_string(), "document_id": document }).to_string()
    }));
    let id = submit(&backend, &lines.join("\n"));
    let batch = wait(&backend, &id);
    assert_eq!(batch["state"], "completed", "{batch} {}", instance.log());
    for item in items(&backend, &id) {
        let signed = backend.content(item["signature_id"].as_str().unwrap());
        assert!(signed.starts_with(&contract()));
        let report = rubrica_core::validation::validate_pdf(&signed, &context()).unwrap();
        assert_eq!(report.overall(), Indication::Passed, "{report}");
    }
}

#[test]
fn a_manifest_is_taken_whole_or_not_at_all() {
    let instance = Instance::start();
    let backend = instance.backend();
    let key = rsa_key(&instance);
    let send = |text: &str| {
        backend.send(
            "POST",
            "/v1/batches",
            &[("content-type", "application/x-ndjson")],
            Some(text.as_bytes()),
        )
    };
    let mut wrong = manifest(&key, 100);
    wrong.push_str("\n{\"reference\":\"item-7\",\"sha256\":\"00\"}");
    let problem = send(&wrong).assert_problem(422, "manifest_invalid");
    assert!(problem["detail"].as_str().unwrap().starts_with("line 102:"), "{problem}");
    let stranger = manifest(&key, 1).replace(&key, "key_00112233445566778899aabbccddeeff");
    send(&stranger).assert_problem(422, "key_not_found");
    let document = format!(
        "{}\n{{\"reference\":\"x\",\"document_id\":\"doc_00112233445566778899aabbccddeeff\"}}",
        manifest(&key, 1)
    );
    send(&document).assert_problem(422, "manifest_invalid");
    backend
        .send("POST", "/v1/batches", &[("content-type", "application/json")], Some(b"{}"))
        .assert_problem(415, "unsupported_media_type");
    let batches = backend.get("/v1/batches").json();
    assert_eq!(batches["items"], json!([]));
    let left: i64 = instance
        .database()
        .query_row("SELECT count(*) FROM signature WHERE batch_id IS NOT NULL", [], |row| row.get(0))
        .unwrap();
    assert_eq!(left, 0);
}

#[test]
fn a_batch_is_paused_resumed_and_taken_back() {
    let instance = Instance::start();
    let backend = instance.backend();
    let id = submit(&backend, &manifest(&rsa_key(&instance), 4000));
    let act = |verb: &str| backend.post(&format!("/v1/batches/{id}/{verb}"), &json!({}));
    let paused = act("pause");
    assert_eq!((paused.status, &paused.json()["state"]), (200, &json!("paused")));
    act("pause").assert_problem(409, "batch_state_conflict");
    // What was begun ends; then nothing moves.
    let released = |batch: &Value| batch["counts"]["released"].as_u64().unwrap();
    let begun = Instant::now();
    let rest = loop {
        let batch = backend.get(&format!("/v1/batches/{id}")).json();
        if batch["counts"]["signing"] == 0 && begun.elapsed() > Duration::from_secs(1) {
            break released(&batch);
        }
        assert!(begun.elapsed() < PATIENCE, "{batch}");
        std::thread::sleep(Duration::from_millis(20));
    };
    assert!(rest < 4000);
    assert_eq!(act("resume").json()["state"], if rest > 0 { "running" } else { "queued" });
    while released(&backend.get(&format!("/v1/batches/{id}")).json()) == rest {
        assert!(begun.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(act("cancel").json()["state"], "cancelled");
    let batch = wait(&backend, &id);
    let counts = &batch["counts"];
    assert_eq!(counts["released"].as_u64().unwrap() + counts["cancelled"].as_u64().unwrap(), 4000, "{batch}");
    assert!(counts["cancelled"].as_u64().unwrap() > 0, "{batch}");
    act("resume").assert_problem(409, "batch_state_conflict");
    let items = items(&backend, &id);
    let cancelled = items.iter().find(|item| item["state"] == "cancelled").unwrap();
    assert_eq!(cancelled["problem"]["code"], "cancelled");
}

#[test]
fn above_level_b_a_digest_alone_is_refused_and_a_document_is_signed() {
    let instance = Instance::start_demo(0);
    let backend = instance.backend();
    let key = rsa_key(&instance);
    let manifest = |content: &str| {
        format!(
            "{{\"key_id\":\"{key}\",\"format\":\"cades\",\"level\":\"t\"}}\n{{\"reference\":\"a\",{content}}}"
        )
    };
    let digest = manifest(&format!("\"sha256\":\"{}\"", "00".repeat(32)));
    let headers = [("content-type", "application/x-ndjson")];
    let problem = backend
        .send("POST", "/v1/batches", &headers, Some(digest.as_bytes()))
        .assert_problem(422, "manifest_invalid");
    assert!(problem["detail"].as_str().unwrap().starts_with("line 2:"), "{problem}");
    let document = backend.upload(&contract());
    let id = submit(&backend, &manifest(&format!("\"document_id\":\"{document}\"")));
    assert_eq!(wait(&backend, &id)["state"], "completed", "{}", instance.log());
    let artefact = backend.content(items(&backend, &id)[0]["signature_id"].as_str().unwrap());
    let report = validate_cms(&artefact, Content::Bytes(&contract()), &context()).unwrap();
    assert_eq!(report.overall(), Indication::Passed, "{report}");
}
