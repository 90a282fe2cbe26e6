//! Keys are looked at, suspended, resumed and retired; what is suspended signs nothing, whatever was accepted before.

use serde_json::{Value, json};

use crate::batches::{manifest, rsa_key, submit, wait};
use crate::custody::told;
use crate::support::{ANA, Client, Instance, Options, Shim, rubrica, testdata};

fn ids(list: &Value) -> Vec<String> {
    list["items"].as_array().unwrap().iter().map(|key| key["id"].as_str().unwrap().to_owned()).collect()
}

fn set(backend: &Client, key: &str, to: &str) -> Value {
    let answer = backend.post(&format!("/v1/keys/{key}/{to}"), &json!({}));
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

#[test]
fn keys_are_listed_by_pages_and_by_state_without_numbers() {
    let instance = Instance::start();
    let backend = instance.backend();
    let all = ids(&backend.get("/v1/keys").json());
    assert!(all.len() >= 2, "{all:?}");
    let (mut paged, mut path) = (Vec::new(), "/v1/keys?limit=1".to_owned());
    loop {
        let page = backend.get(&path).json();
        paged.extend(ids(&page));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/v1/keys?limit=1&cursor={cursor}");
    }
    assert_eq!(paged, all);
    set(&backend, &all[0], "suspend");
    assert_eq!(ids(&backend.get("/v1/keys?state=suspended").json()), all[..1]);
    assert_eq!(ids(&backend.get("/v1/keys?state=active").json()), all[1..]);
    backend.get("/v1/keys?state=lost").assert_problem(400, "invalid_request");
    let shown = backend.get(&format!("/v1/keys/{}", all[0])).json();
    assert_eq!((&shown["state"], &shown["custody"]), (&json!("suspended"), &json!("hsm")));
    assert!(shown["changed_at"].is_string() && shown["changed_code"].is_null(), "{shown}");
    assert!(!backend.get("/v1/keys").json().to_string().contains(ANA.0));
}

#[test]
fn a_suspended_key_is_not_found_and_a_retired_one_never_comes_back() {
    let instance = Instance::start();
    let (backend, session) = (instance.backend(), instance.session(ANA));
    let key = session.get("/v1/custody").json()["key"]["id"].as_str().unwrap().to_owned();
    let document = session.upload(&std::fs::read(testdata("contract.pdf")).unwrap());
    let sign = json!({ "document_id": document, "custody": "hsm", "format": "pades" });

    assert_eq!(set(&backend, &key, "suspend")["state"], "suspended");
    set(&backend, &key, "suspend");
    assert_eq!(session.get("/v1/custody").json()["sources"][0]["outcome"], "no");
    session.post("/v1/signatures", &sign).assert_problem(422, "key_not_found");

    assert_eq!(set(&backend, &key, "resume")["state"], "active");
    let id = session.sign_by_token(&document, "pades");
    assert_eq!(session.wait(&id)["state"], "released");

    assert_eq!(set(&backend, &key, "retire")["state"], "retired");
    set(&backend, &key, "retire");
    for to in ["suspend", "resume"] {
        let answer = backend.post(&format!("/v1/keys/{key}/{to}"), &json!({}));
        answer.assert_problem(409, "key_state_conflict");
    }
    let events = told(&backend, "key.suspended%2Ckey.resumed%2Ckey.retired", 3);
    let types: Vec<_> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["key.suspended", "key.resumed", "key.retired"], "each once");
    assert!(events.iter().all(|event| event["data"] == json!({ "key_id": key })), "{events:?}");
}

#[test]
fn what_waits_for_the_token_does_not_use_a_key_that_was_suspended_meanwhile() {
    let shim = Shim::new("C_Sign segv");
    let variables = shim.variables();
    let mut variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    variables.push(("RUBRICA_SIGNATURES_TOKEN_PATIENCE_MS", "60000"));
    let instance = Instance::start_with(&Options { variables: &variables });
    let (backend, session) = (instance.backend(), instance.session(ANA));
    let key = session.get("/v1/custody").json()["key"]["id"].as_str().unwrap().to_owned();
    let document = session.upload(&std::fs::read(testdata("contract.pdf")).unwrap());
    let id = session.sign_by_token(&document, "pades");
    set(&backend, &key, "suspend");
    let signature = session.wait(&id);
    assert_eq!(signature["state"], "failed", "{signature}");
    assert_eq!(signature["problem"]["code"], "key_not_found", "{signature}");
}

#[test]
fn what_a_batch_has_not_begun_fails_when_its_key_is_suspended() {
    let instance = Instance::start();
    let (backend, key) = (instance.backend(), rsa_key(&instance));
    set(&backend, &key, "suspend");
    set(&backend, &key, "resume");
    let id = submit(&backend, &manifest(&key, 2000));
    assert_eq!(backend.post(&format!("/v1/batches/{id}/pause"), &json!({})).status, 200);
    set(&backend, &key, "suspend");
    assert_eq!(backend.post(&format!("/v1/batches/{id}/resume"), &json!({})).status, 200);
    let batch = wait(&backend, &id);
    assert_eq!(batch["state"], "completed_with_errors", "{batch}");
    let failed = batch["counts"]["failed"].as_u64().unwrap();
    assert!(failed > 1000, "{batch}");
    let code: String = instance
        .database()
        .query_row("SELECT DISTINCT problem_code FROM signature WHERE state = 'failed'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(code, "key_not_found");
}

#[test]
fn the_command_line_does_the_same_beside_a_server() {
    let instance = Instance::start();
    let (key, data) = (rsa_key(&instance), instance.data());
    let run = |action: &str, id: &str| {
        rubrica(&["keys", action, id, "--json", "--data", data.to_str().unwrap()], &[])
    };
    for (action, state) in
        [("show", "active"), ("suspend", "suspended"), ("resume", "active"), ("retire", "retired")]
    {
        let ran = run(action, &key);
        assert_eq!(ran.code, 0, "{ran:?}");
        let shown: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!((&shown["id"], &shown["state"]), (&json!(key), &json!(state)));
        assert_eq!(instance.backend().get(&format!("/v1/keys/{key}")).json()["state"], state);
    }
    let refused = run("resume", &key);
    refused.assert_json_error(refused.code, "key_state_conflict");
    let unknown = run("show", "key_00112233445566778899aabbccddeeff");
    unknown.assert_json_error(unknown.code, "key_not_found");
}
