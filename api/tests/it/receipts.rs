//! Receipts of released signatures: from the service, checked without it.

use std::time::{Duration, Instant};

use rubrica_core::merkle::{TreeHash, verify_consistency};
use rubrica_core::receipt::{Checkpoint, LogKey};
use serde_json::Value;

use crate::hsm_signatures::contract;
use crate::support::{ANA, Client, Instance, PADARIA, rubrica};

/// Longest time for a release to be sealed, on a busy machine.
const SEALED: Duration = Duration::from_secs(20);

fn released(instance: &Instance, session: &Client) -> String {
    let document = session.upload(&contract());
    let id = session.sign_by_token(&document, "pades");
    assert_eq!(session.wait(&id)["state"], "released");
    record(instance, &id);
    id
}

/// The receipt, once it is sealed.
pub(crate) fn receipt(client: &Client, id: &str) -> Value {
    let begun = Instant::now();
    loop {
        let answer = client.get(&format!("/v1/signatures/{id}/receipt"));
        if answer.status == 200 {
            return answer.json();
        }
        answer.assert_problem(409, "receipt_pending");
        assert_eq!(answer.header("retry-after"), "1");
        assert!(begun.elapsed() < SEALED, "not sealed");
        std::thread::yield_now();
    }
}

#[test]
fn a_receipt_is_checked_offline_against_the_artefact_and_the_document() {
    let instance = Instance::start();
    let session = instance.session(ANA);
    let ids: Vec<_> = (0..3).map(|_| released(&instance, &session)).collect();
    let key: Value = session.get("/v1/receipts/key").json();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("document.pdf"), contract()).unwrap();
    for id in &ids {
        let receipt = receipt(&session, id);
        assert_eq!(instance.backend().get(&format!("/v1/signatures/{id}/receipt")).status, 200);
        std::fs::write(path("receipt.json"), receipt.to_string()).unwrap();
        std::fs::write(path("artefact.pdf"), session.content(id)).unwrap();
        let verify = |artefact: &str| {
            let key = key["key"].as_str().unwrap();
            let (receipt, document, artefact) = (path("receipt.json"), path("document.pdf"), path(artefact));
            let of = ["--log-key", key, "--artefact", &artefact, "--document", &document];
            rubrica(&[&["receipt", "verify", receipt.as_str()][..], &of].concat(), &[])
        };
        let verified = verify("artefact.pdf");
        assert_eq!(verified.code, 0, "{verified:?}");
        assert_eq!(verify("document.pdf").code, 1);
    }
    // Another person's session knows nothing of it.
    let stranger = instance.session(PADARIA);
    stranger.get(&format!("/v1/signatures/{}/receipt", ids[0])).assert_problem(404, "not_found");
    session.get("/v1/signatures/sig_x/receipt").assert_problem(404, "not_found");
}

#[test]
fn only_a_released_signature_has_a_receipt() {
    let instance = Instance::start();
    let session = instance.session(crate::support::BRUNO);
    let document = session.upload(&contract());
    let key = &crate::support::LocalKey::all()[0];
    let body = serde_json::json!({
        "document_id": document, "custody": "local", "format": "pades", "certificate": key.certificate,
    });
    let answer = session.post("/v1/signatures", &body);
    assert_eq!(answer.status, 201, "{answer:?}");
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    session.get(&format!("/v1/signatures/{id}/receipt")).assert_problem(409, "signature_state_conflict");
}

#[test]
fn checkpoints_of_a_growing_log_are_consistent() {
    let instance = Instance::start();
    let session = instance.session(ANA);
    let key: Value = session.get("/v1/receipts/key").json();
    let key: LogKey = key["key"].as_str().unwrap().parse().unwrap();
    let latest = || {
        let answer = session.get("/v1/receipts/checkpoint");
        assert_eq!((answer.status, answer.header("content-type")), (200, "text/plain; charset=utf-8"));
        Checkpoint::open(std::str::from_utf8(&answer.body).unwrap(), &key).unwrap()
    };
    let mut checkpoints = Vec::new();
    for _ in 0..3 {
        receipt(&session, &released(&instance, &session));
        checkpoints.push(latest());
    }
    let last = checkpoints.last().unwrap();
    assert_eq!(last.size, 3);
    for earlier in &checkpoints {
        let path = format!("/v1/receipts/consistency?from={}", earlier.size);
        let proof = session.get(&path).json();
        assert_eq!((&proof["from"], &proof["to"]), (&Value::from(earlier.size), &Value::from(last.size)));
        let hashes: Vec<TreeHash> = serde_json::from_value(proof["proof"].clone()).unwrap();
        assert!(verify_consistency(earlier.size, last.size, earlier.root, last.root, &hashes));
    }
    for query in ["", "?from=x", "?from=4", "?from=2&to=1", "?from=1&to=4", "?to=2"] {
        let answer = session.get(&format!("/v1/receipts/consistency{query}"));
        answer.assert_problem(400, "invalid_request");
    }
}

#[test]
fn another_key_on_the_same_database_stops_the_start() {
    let mut instance = Instance::start();
    // Answers come once the log has its key.
    assert_eq!(instance.backend().get("/v1/receipts/key").status, 200);
    instance.kill();
    std::fs::write(instance.data().join("secrets/log-key"), "00".repeat(32)).unwrap();
    let config = instance.data().join("rubrica.toml");
    let ran = rubrica(
        &["serve", "--config", config.to_str().unwrap()],
        &[("RUBRICA_SERVER_LISTEN", "127.0.0.1:0"), ("RUBRICA_LOG_LEVEL", "error")],
    );
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.stderr.contains("error[config_invalid]") && ran.stderr.contains("secrets"), "{ran:?}");
}

/// Records the release as the engine does.
pub(crate) fn record(instance: &Instance, id: &str) {
    let database = instance.database();
    let row = database.query_row(
        "SELECT release_position, lower(hex(document_sha256)), lower(hex(artefact_sha256)), artefact_size_bytes, tenant
         FROM signature WHERE id = ?1",
        [id],
        |row| {
            let (position, document, artefact) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok((position, document, artefact, row.get(3)?, row.get(4)?))
        },
    );
    let (position, document, artefact, size, tenant): (Option<i64>, String, String, i64, String) =
        row.unwrap();
    if position.is_some() {
        return;
    }
    let time = "2026-11-23T12:00:00Z";
    let data = format!(
        r#""signature_id":"{id}","document_sha256":"{document}","artefact_sha256":"{artefact}","artefact_size_bytes":{size},"format":"pades","level":"b","policy":"none","custody":"hsm","certificate_sha256":"{document}","signed_at":"{time}""#
    );
    let record =
        format!(r#"{{"version":1,"event_id":"evt_{id}","tenant":"{tenant}",{data},"released_at":"{time}"}}"#);
    let event = format!(
        r#"{{"id":"evt_{id}","type":"signature.released","subject":"{id}","time":"{time}","data":{{{data}}}}}"#
    );
    database
        .execute(
            "INSERT INTO outbox (tenant, count, releases, events, records) VALUES (?1, 1, 1, ?2, ?3)",
            (&tenant, event, record),
        )
        .unwrap();
    let position = database.last_insert_rowid();
    database.execute("UPDATE signature SET release_position = ?2 WHERE id = ?1", (id, position)).unwrap();
}

#[test]
fn an_audit_passes_and_finds_what_was_changed_or_cut_off() {
    let mut instance = Instance::start();
    let session = instance.session(ANA);
    let ids: Vec<_> = (0..3).map(|_| released(&instance, &session)).collect();
    let kept = receipt(&session, &ids[2]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kept.json");
    std::fs::write(&file, kept.to_string()).unwrap();
    let (data, file) = (instance.data(), file.to_str().unwrap().to_owned());
    let audit = || {
        let arguments =
            ["receipt", "audit", "--json", "--data", data.to_str().unwrap(), "--checkpoint", file.as_str()];
        rubrica(&arguments, &[])
    };
    // Beside the running server.
    let clean = audit();
    assert_eq!((clean.code, &clean.json()["problems"]), (0, &Value::from(0)), "{clean:?}");
    assert_eq!(clean.json()["leaves"], 3);
    assert_eq!(instance.terminate(), Some(0));
    let database = instance.database();
    for (change, undo) in [
        (
            "UPDATE event SET records = replace(records, 'hsm', 'HSM')",
            "UPDATE event SET records = replace(records, 'HSM', 'hsm')",
        ),
        ("UPDATE signature SET artefact_sha256 = zeroblob(32) WHERE artefact_sha256 IS NOT NULL", ""),
    ] {
        database.execute(change, []).unwrap();
        let found = audit();
        assert_eq!(found.code, 1, "{found:?}");
        assert!(found.json()["problems"].as_u64() > Some(0), "{found:?}");
        if !undo.is_empty() {
            database.execute(undo, []).unwrap();
        }
    }
    std::fs::write(&file, "not a note").unwrap();
    let unreadable = audit();
    assert_eq!(unreadable.code, 3, "{unreadable:?}");
    assert!(unreadable.stderr.contains("receipt_invalid"), "{unreadable:?}");
}
