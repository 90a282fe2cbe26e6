//! A request that is sent again does its work once.

use std::collections::BTreeMap;
use std::sync::{Arc, Barrier, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{ANA, BRUNO, Client, Instance, ORIGIN, Options, postgres, testdata};

fn with_key(client: &Client, key: &str) -> Client {
    client.with("idempotency-key", key)
}

fn new_key() -> Value {
    json!({ "name": "TEST", "scopes": ["orders:read"] })
}

fn session_of(name: &str) -> Value {
    json!({ "signer": { "identifier": ANA.0, "name": name }, "origins": [ORIGIN] })
}

/// Sends the same request from many threads at the same instant; every answer, as status and body.
fn at_once(
    callers: &[Client],
    times: usize,
    send: impl Fn(&Client) -> (u16, Vec<u8>) + Sync,
) -> Vec<(u16, Vec<u8>)> {
    let barrier = Barrier::new(times);
    let answers = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for index in 0..times {
            let (caller, barrier, answers, send) =
                (&callers[index % callers.len()], &barrier, &answers, &send);
            scope.spawn(move || {
                barrier.wait();
                let answer = send(caller);
                answers.lock().unwrap().push(answer);
            });
        }
    });
    answers.into_inner().unwrap()
}

/// The identifiers of the API keys of the tenant.
fn api_keys(caller: &Client) -> Vec<String> {
    let list = caller.get("/v1/api-keys?limit=200").json();
    list["items"].as_array().unwrap().iter().map(|key| key["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_hundred_equal_requests_at_once_make_one_key_and_get_one_answer() {
    // One instance with its own database, and two that share a server: there only the database can decide.
    let shared = format!("[store]\nurl = \"{}\"\n", postgres::shared().database());
    for instances in [vec![Instance::start()], [(); 2].map(|()| Instance::start_with_config(&shared)).into()]
    {
        let callers: Vec<_> = instances.iter().map(Instance::backend).collect();
        for round in 0..5 {
            let before = api_keys(&callers[0]).len();
            let key = format!("round {round}").replace(' ', "-");
            let answers = at_once(&callers, 100, |caller| {
                let answer = with_key(caller, &key).post("/v1/api-keys", &new_key());
                (answer.status, answer.body)
            });
            let first = &answers[0];
            assert_eq!(first.0, 201, "{}", String::from_utf8_lossy(&first.1));
            assert!(answers.iter().all(|answer| answer == first), "one answer for all");
            let id = serde_json::from_slice::<Value>(&first.1).unwrap()["id"].as_str().unwrap().to_owned();
            let after = api_keys(&callers[0]);
            assert_eq!(after.len(), before + 1);
            assert!(after.contains(&id));
            let other = json!({ "name": "OTHER", "scopes": ["orders:read"] });
            with_key(&callers[0], &key)
                .post("/v1/api-keys", &other)
                .assert_problem(422, "idempotency_key_reused");
        }
    }
}

#[test]
fn every_creating_request_is_done_once() {
    let instance = Instance::start();
    let session = instance.session(ANA);
    let pdf = std::fs::read(testdata("contract.pdf")).unwrap();
    let headers = [("content-type", "application/pdf"), ("idempotency-key", "upload")];
    let uploads = at_once(std::slice::from_ref(&session), 20, |caller| {
        let answer = caller.send("POST", "/v1/documents", &headers, Some(&pdf));
        (answer.status, answer.body)
    });
    assert!(uploads.iter().all(|answer| *answer == uploads[0]) && uploads[0].0 == 201, "{uploads:?}");
    let document: Value = serde_json::from_slice(&uploads[0].1).unwrap();
    let other = session.send("POST", "/v1/documents", &headers, Some(b"%PDF-1.7 other TEST"));
    other.assert_problem(422, "idempotency_key_reused");

    let body = json!({ "document_id": document["id"], "custody": "hsm", "format": "cades" });
    let signatures = at_once(std::slice::from_ref(&session), 20, |caller| {
        let answer = with_key(caller, "sign").post("/v1/signatures", &body);
        assert!(answer.header("location").starts_with("/v1/signatures/sig_"), "{answer:?}");
        (answer.status, answer.body)
    });
    assert!(
        signatures.iter().all(|answer| *answer == signatures[0]) && signatures[0].0 == 202,
        "{signatures:?}"
    );
    let signature: Value = serde_json::from_slice(&signatures[0].1).unwrap();
    assert_eq!(session.wait(signature["id"].as_str().unwrap())["state"], "released");
    // Still the first answer, though the signature has moved on.
    let again = with_key(&session, "sign").post("/v1/signatures", &body);
    assert_eq!((again.status, again.body), signatures[0]);

    let count = |sql: &str| instance.database().query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(
        count(
            "SELECT count(*) FROM document WHERE tenant <> 'command-line' AND session_id IS NOT NULL AND name = 'document.pdf'"
        ),
        1
    );
    assert_eq!(count("SELECT count(*) FROM signature WHERE format = 'cades'"), 1);
}

#[test]
fn a_key_belongs_to_its_caller_and_its_operation() {
    let instance = Instance::start();
    let (backend, ana, bruno) = (instance.backend(), instance.session(ANA), instance.session(BRUNO));
    let first = with_key(&backend, "same").post("/v1/api-keys", &new_key());
    let other_operation = with_key(&backend, "same").post("/v1/sessions", &session_of(ANA.1));
    assert_eq!((first.status, other_operation.status), (201, 201));
    let upload = |caller: &Client| {
        with_key(caller, "same").send(
            "POST",
            "/v1/documents",
            &[("content-type", "application/pdf")],
            Some(b"TEST"),
        )
    };
    let (of_ana, of_bruno) = (upload(&ana), upload(&bruno));
    assert_eq!((of_ana.status, of_bruno.status), (201, 201));
    assert_ne!(of_ana.json()["id"], of_bruno.json()["id"]);

    // A request that was refused has used nothing up.
    let refused =
        with_key(&backend, "fresh").post("/v1/api-keys", &json!({ "name": "", "scopes": ["orders:read"] }));
    refused.assert_problem(400, "invalid_request");
    assert_eq!(with_key(&backend, "fresh").post("/v1/api-keys", &new_key()).status, 201);

    for key in ["", "a b", "ação", &"x".repeat(256)] {
        with_key(&backend, key).post("/v1/api-keys", &new_key()).assert_problem(400, "invalid_request");
    }
    assert_eq!(with_key(&backend, &"x".repeat(255)).post("/v1/api-keys", &new_key()).status, 201);
}

#[test]
fn what_is_kept_of_an_answer_tells_nobody_its_secret() {
    let instance = Instance::start();
    let answer = with_key(&instance.backend(), "once").post("/v1/sessions", &session_of(ANA.1));
    let token = answer.json()["token"].as_str().unwrap().to_owned();
    let kept: Vec<u8> =
        instance.database().query_row("SELECT sealed_body FROM idempotency", [], |row| row.get(0)).unwrap();
    assert!(kept.len() > answer.body.len());
    assert!(!kept.windows(8).any(|part| token.as_bytes().windows(8).any(|secret| part == secret)));
    let again = with_key(&instance.backend(), "once").post("/v1/sessions", &session_of(ANA.1));
    assert_eq!(again.json()["token"], *token);
    assert_eq!(Client::new(instance.url(), Some(&token)).get("/v1/custody").status, 200);
}

#[test]
fn a_repeated_request_does_not_wait_for_ever_for_the_first() {
    let instance = Instance::start();
    let backend = instance.backend();
    // Somebody holds the database, so that the first request cannot end.
    let database = instance.database();
    database.execute_batch("BEGIN IMMEDIATE").unwrap();
    std::thread::scope(|scope| {
        let first = scope.spawn(|| with_key(&backend, "slow").post("/v1/api-keys", &new_key()));
        std::thread::sleep(Duration::from_millis(300));
        let second = with_key(&backend, "slow").post("/v1/api-keys", &new_key());
        second.assert_problem(409, "idempotency_in_progress");
        assert!(!second.header("retry-after").is_empty());
        database.execute_batch("ROLLBACK").unwrap();
        let first = first.join().unwrap();
        assert_eq!(first.status, 201);
        assert_eq!(with_key(&backend, "slow").post("/v1/api-keys", &new_key()).body, first.body);
    });
}

#[test]
fn across_crashes_each_key_has_done_its_work_once() {
    let mut instance = Instance::start();
    let told: Arc<Mutex<BTreeMap<String, Vec<u8>>>> = Arc::default();
    let mut sent = 0;
    for crash in 0..5 {
        let backend = instance.backend();
        let keys: Vec<_> = (0..40).map(|index| format!("crash-{crash}-{index}")).collect();
        sent += keys.len();
        std::thread::scope(|scope| {
            for part in keys.chunks(10) {
                let (backend, told) = (backend.clone(), Arc::clone(&told));
                scope.spawn(move || {
                    for key in part {
                        // The server may be gone already, or go before it answers.
                        if let Some(answer) = with_key(&backend, key).try_post("/v1/api-keys", &new_key()) {
                            assert_eq!(answer.status, 201);
                            told.lock().unwrap().insert(key.clone(), answer.body);
                        }
                    }
                });
            }
            std::thread::sleep(Duration::from_millis(5 + 17 * crash));
            instance.kill();
        });
        instance.run(&Options::default());
        // Whoever got no answer, and whoever got one, asks again.
        let backend = instance.backend();
        for key in &keys {
            let answer = with_key(&backend, key).post("/v1/api-keys", &new_key());
            assert_eq!(answer.status, 201);
            if let Some(before) = told.lock().unwrap().get(key) {
                assert_eq!(*before, answer.body, "{key} was answered before the crash");
            }
        }
    }
    let made: i64 =
        instance.database().query_row("SELECT count(*) FROM api_key", [], |row| row.get(0)).unwrap();
    assert_eq!(usize::try_from(made).unwrap(), sent);
    let answered = told.lock().unwrap().len();
    assert!(
        answered > 0 && answered < sent,
        "{answered} of {sent} were answered: the crashes came at the wrong time"
    );
}
