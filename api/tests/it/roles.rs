//! `rubrica serve --role`: processes that share the work of one instance over one PostgreSQL database.

use std::time::{Duration, Instant};

use rubrica_core::wire::{Signature, SignatureFormat};
use serde_json::{Value, json};

use crate::batches::{manifest, submit, wait};
use crate::hsm_signatures::contract;
use crate::receipts::receipt;
use crate::support::{ANA, BRUNO, Client, Instance, LocalKey, Options, postgres, rubrica};

/// A process that has no token agents: where they would come from leads nowhere.
fn without_token<'a>(address: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let nowhere = [
        ("RUBRICA_STORE_URL", address),
        ("RUBRICA_TOKEN_MODULE", "/nonexistent/TEST.so"),
        ("RUBRICA_PKCS11_MODULE", "/nonexistent/TEST.so"),
        ("RUBRICA_TOKEN_PIN_FILE", "/nonexistent/TEST.pin"),
    ];
    [&nowhere[..], more].concat()
}

/// Begins a signature with a key of one's own.
fn begin(session: &Client, level: &str) -> (Signature, String) {
    let key = &LocalKey::all()[0];
    let body = json!({
        "document_id": session.upload(&contract()), "custody": "local", "format": "cades", "level": level,
        "certificate": key.certificate,
    });
    let answer = session.post("/v1/signatures", &body);
    assert_eq!(answer.status, 201, "{answer:?}");
    let signature: Signature = serde_json::from_slice(&answer.body).unwrap();
    let value = key.sign(&signature, &contract(), SignatureFormat::Cades);
    (signature, value)
}

#[test]
fn an_edge_and_the_rest_in_another_process_are_one_instance() {
    let authorities = Instance::start_demo(0);
    let tsa = format!("{}/act", authorities.url());
    let address = postgres::shared().database();
    let (mut edge, mut rest) = (Instance::prepare(), Instance::prepare());
    assert_eq!(edge.migrate(&address).code, 0);
    let variables = without_token(&address, &[("RUBRICA_TSA_URL", &tsa)]);
    edge.run_as(&["--role", "edge"], &Options { variables: &variables });
    let (backend, session) = (edge.backend(), edge.session(ANA));
    assert_eq!(backend.get("/health/ready").status, 200);
    assert_eq!(session.get("/v1/custody").json()["custody"], "hsm");

    // Without the others nothing happens to what was taken, and nothing is lost.
    let early = session.sign_by_token(&session.upload(&contract()), "pades");
    let state = |id: &str, wait_ms: u32| {
        session.get(&format!("/v1/signatures/{id}?wait_ms={wait_ms}")).json()["state"].clone()
    };
    assert_eq!(state(&early, 300), "accepted");
    assert!(edge.agents().is_empty());
    let key =
        postgres::psql(&address, "SELECT id FROM signing_key WHERE algorithm = 'rsa' ORDER BY id LIMIT 1");
    let batch = submit(&backend, &manifest(&key, 150));
    assert!(!works(&address, edge.pid()));
    assert_eq!(backend.get("/v1/events").body.len(), 0);

    let variables = [("RUBRICA_STORE_URL", address.as_str()), ("RUBRICA_TSA_URL", &tsa)];
    rest.run_as(&["--role", "engine,relay,sentinel"], &Options { variables: &variables });
    assert!(!rest.agents().is_empty());
    assert!(works(&address, rest.pid()));
    assert_eq!(session.wait(&early)["state"], "released");
    assert_eq!(wait(&backend, &batch)["counts"]["released"], 150);
    // Sealed by one process, shown by another.
    receipt(&backend, &early);

    // A reader at the edge is told of what another process did, without asking again.
    let seen = last(&backend);
    let begun = Instant::now();
    let waiting = backend.clone();
    let reader =
        std::thread::spawn(move || waiting.get(&format!("/v1/events?after={seen}&wait_ms=20000")).body);
    let next = session.sign_by_token(&session.upload(&contract()), "pades");
    assert_eq!(session.wait(&next)["state"], "released");
    assert!(!reader.join().unwrap().is_empty());
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());

    // A value that waits for its time stamp: the other process asks for it, and the caller has its end at once.
    let person = edge.session(BRUNO);
    let (signature, value) = begin(&person, "t");
    let begun = Instant::now();
    let complete = format!("/v1/signatures/{}/complete", signature.id);
    let completed = person.post(&complete, &json!({ "signature_value": value }));
    assert_eq!((completed.status, &completed.json()["state"]), (200, &json!("released")), "{completed:?}");
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());

    // What nobody completes ends by the clock of the other process.
    let (given_up, _) = begin(&person, "b");
    postgres::psql(&address, &format!("UPDATE signature SET expires_at = 1 WHERE id = '{}'", given_up.id));
    assert_eq!(person.wait(&given_up.id.to_string())["state"], "expired");

    // The process that does the rest tells of its health, and of nothing else.
    let other = rest.backend();
    assert_eq!(other.get("/health/live").status, 200);
    assert_eq!(other.get("/health/ready").status, 200);
    let elsewhere = ureq::get(format!("{}/v1/events", rest.url()));
    assert_eq!(elsewhere.config().http_status_as_error(false).build().call().unwrap().status(), 404);
    let pid = rest.pid();
    assert_eq!(rest.terminate(), Some(0));
    assert!(!works(&address, pid));
    assert_eq!(edge.terminate(), Some(0));
}

/// Whether a process is a worker of the engine.
fn works(address: &str, pid: u32) -> bool {
    postgres::psql(address, &format!("SELECT count(*) FROM worker WHERE name LIKE '% {pid}'")) == "1"
}

/// Up to where the log goes.
fn last(backend: &Client) -> u64 {
    let mut after = 0;
    loop {
        let page = backend.get(&format!("/v1/events?after={after}&limit=1000"));
        if page.body.is_empty() {
            return page.header("rubrica-last-sequence").parse().unwrap();
        }
        after = page.header("rubrica-last-sequence").parse().unwrap();
    }
}

#[test]
fn a_part_of_the_roles_needs_a_database_that_others_reach() {
    let mut instance = Instance::prepare();
    let config = instance.data().join("rubrica.toml");
    let serve = |role: &str| {
        let arguments = ["serve", "--config", config.to_str().unwrap(), "--role", role];
        rubrica(&arguments, &[("RUBRICA_SERVER_LISTEN", "127.0.0.1:0"), ("RUBRICA_LOG_LEVEL", "error")])
    };
    let refused = serve("edge,relay");
    refused.assert_error(3, "config_invalid");
    assert!(refused.stderr.contains("store.url"), "{refused:?}");
    serve("edge,cook").assert_error(3, "usage");
    // All of them by name are all of them.
    instance.run_as(&["--role", "sentinel,edge", "--role", "engine,relay"], &Options::default());
    assert_eq!(instance.backend().get("/health/ready").status, 200);
    let told: Vec<Value> =
        instance.log().lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    assert!(told.iter().any(|line| line["roles"] == "edge,engine,relay,sentinel"), "{}", instance.log());
}
