//! `rubrica migrate`: an instance goes from SQLite to PostgreSQL with all it has, or stays where it was.

use std::path::Path;

use serde_json::{Value, json};

use crate::batches::{manifest, rsa_key, submit, wait};
use crate::hsm_signatures::contract;
use crate::receipts::receipt;
use crate::support::{ANA, Client, Instance, Options, Ran, postgres, rubrica};

/// What a backend sees of an instance.
#[derive(Debug, PartialEq)]
struct Seen {
    batch: Value,
    signature: Value,
    content: Vec<u8>,
    events: String,
}

fn look(backend: &Client, batch: &str, signature: &str) -> Seen {
    Seen {
        batch: backend.get(&format!("/v1/batches/{batch}")).json(),
        signature: backend.get(&format!("/v1/signatures/{signature}")).json(),
        content: backend.content(signature),
        events: events(backend),
    }
}

/// The log, without what the start of a process adds: it is told as it was written.
fn events(backend: &Client) -> String {
    String::from_utf8(backend.get("/v1/events?limit=1000").body).unwrap()
}

/// The sequence of each event.
fn sequences(events: &str) -> Vec<u64> {
    let sequence = |line: &str| {
        let event: Value = serde_json::from_str(line).unwrap();
        event["sequence"].as_str().unwrap().parse().unwrap()
    };
    events.lines().map(sequence).collect()
}

fn audit(data: &Path, address: &str, kept: &Value) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kept.json");
    std::fs::write(&file, kept.to_string()).unwrap();
    let (data, file) = (data.to_str().unwrap(), file.to_str().unwrap());
    let arguments = ["receipt", "audit", "--json", "--data", data, "--checkpoint", file];
    let ran = rubrica(&arguments, &[("RUBRICA_STORE_URL", address)]);
    assert_eq!(ran.code, 0, "{ran:?}");
    ran.json()
}

fn verify(receipt: &Value, content: &[u8], key: &Value) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("receipt.json"), receipt.to_string()).unwrap();
    std::fs::write(path("artefact"), content).unwrap();
    let key = key["key"].as_str().unwrap();
    rubrica(
        &["receipt", "verify", &path("receipt.json"), "--log-key", key, "--artefact", &path("artefact")],
        &[],
    )
}

#[test]
fn an_instance_goes_to_postgresql_with_all_it_has_and_goes_on_there() {
    let address = postgres::shared().database();
    let mut instance = Instance::start();
    let (backend, session) = (instance.backend(), instance.session(ANA));
    let body = json!({ "name": "TEST", "scopes": ["events:read"] });
    let made = backend.post("/v1/api-keys", &body).json();
    let key = rsa_key(&instance);
    let batch = submit(&backend, &manifest(&key, 70));
    assert_eq!(wait(&backend, &batch)["counts"]["released"], 70);
    let signature = session.sign_by_token(&session.upload(&contract()), "pades");
    assert_eq!(session.wait(&signature)["state"], "released");
    let kept = receipt(&backend, &signature);
    let (before, log_key) = (look(&backend, &batch, &signature), backend.get("/v1/receipts/key").json());

    instance.migrate(&address).assert_json_error(3, "data_folder_unwritable");
    assert_eq!(instance.terminate(), Some(0));
    let source = instance.database();
    let rows = |table: &str| -> i64 {
        source.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    };
    let expected =
        [("signature", rows("signature")), ("event", rows("event")), ("log_tile", rows("log_tile"))];
    let last: i64 = source
        .query_row("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'", [], |row| row.get(0))
        .unwrap();
    drop(source);
    let moved = instance.migrate(&address);
    assert_eq!(moved.code, 0, "{moved:?}");
    for (table, rows) in expected {
        let tables = moved.json()["tables"].as_array().unwrap().clone();
        let told = tables.iter().find(|told| told["table"] == table).unwrap();
        assert_eq!(told["rows"], rows, "{moved:?}");
        assert_eq!(postgres::psql(&address, &format!("SELECT count(*) FROM {table}")), rows.to_string());
    }
    assert!(!instance.data().join("rubrica.sqlite").exists());
    // Nobody goes on where the history was.
    let config = instance.data().join("rubrica.toml");
    let serve = ["serve", "--config", config.to_str().unwrap()];
    let refused =
        rubrica(&serve, &[("RUBRICA_SERVER_LISTEN", "127.0.0.1:0"), ("RUBRICA_LOG_LEVEL", "error")]);
    refused.assert_error(3, "data_folder_unknown");
    instance.migrate(&address).assert_json_error(3, "data_folder_unknown");

    instance.run(&Options { variables: &[("RUBRICA_STORE_URL", &address)] });
    // The port is another one.
    let (backend, session) = (instance.backend(), instance.caller(session.token.as_deref()));
    assert_eq!(look(&backend, &batch, &signature), before);
    let caller = instance.caller(made["secret"].as_str());
    assert_eq!(caller.get("/v1/events?limit=1").status, 200);
    assert_eq!(receipt(&backend, &signature), kept);
    assert_eq!(verify(&kept, &before.content, &log_key).code, 0);

    // It goes on: numbers and tree have neither gap nor repetition.
    let second = submit(&backend, &manifest(&key, 10));
    assert_eq!(wait(&backend, &second)["counts"]["released"], 10);
    let again = session.sign_by_token(&session.upload(&contract()), "pades");
    assert_eq!(session.wait(&again)["state"], "released");
    let proof = receipt(&backend, &again);
    assert_eq!(verify(&proof, &backend.content(&again), &log_key).code, 0);
    assert_eq!(receipt(&backend, &signature)["record"], kept["record"]);
    let all = events(&backend);
    assert!(all.starts_with(&before.events));
    let sequences = sequences(&all);
    assert_eq!(sequences, (1..=sequences.len() as u64).collect::<Vec<_>>());
    // What the database numbers goes on behind the last number, whose row is gone.
    let old = postgres::psql(&address, &format!("SELECT count(*) FROM event WHERE position <= {last}"));
    assert_eq!(old, expected[1].1.to_string());
    let audit = audit(&instance.data(), &address, &kept);
    assert_eq!((&audit["problems"], &audit["leaves"]), (&json!(0), &json!(82)), "{audit}");
}

#[test]
fn what_cannot_be_moved_whole_is_not_moved_at_all() {
    let address = postgres::shared().database();
    let mut instance = Instance::start();
    // A crash leaves pages beside the file.
    instance.kill();
    let database = instance.database();
    // PostgreSQL has no character 0 in a text; enough rows behind it fill every buffer on the way.
    database
        .execute_batch(
            "INSERT INTO worker (id, name, beat, started_at) VALUES ('wrk_0', 'TEST' || char(0), 0, 0);
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
             INSERT INTO worker (id, name, beat, started_at) SELECT 'wrk_' || i, printf('%0200d', i), 0, 0 FROM n",
        )
        .unwrap();
    let refused = instance.migrate(&address);
    refused.assert_json_error(3, "database_unavailable");
    assert!(refused.stderr.contains("nothing was moved") && refused.stderr.contains("0x00"), "{refused:?}");
    assert_eq!(postgres::psql(&address, "SELECT count(*) FROM signing_key"), "0");
    assert_eq!(postgres::psql(&address, "SELECT count(*) FROM log"), "1");

    database.execute("DELETE FROM worker", []).unwrap();
    drop(database);
    postgres::psql(&address, "INSERT INTO worker (id, name, beat, started_at) VALUES ('wrk_x', '', 0, 0)");
    let refused = instance.migrate(&address);
    refused.assert_json_error(3, "config_invalid");
    assert!(refused.stderr.contains("table worker has rows"), "{refused:?}");
    postgres::psql(&address, "DELETE FROM worker");
    let moved = instance.migrate(&address);
    assert_eq!(moved.code, 0, "{moved:?}");

    let data = instance.data();
    let nowhere = rubrica(&["migrate", "--data", data.to_str().unwrap()], &[]);
    nowhere.assert_error(3, "config_invalid");
}
