//! The edge of the server: its answers to whoever does not ask properly.

mod disconnects;
mod disk_full;
mod limits;
pub(crate) mod raw;
mod slow_clients;
mod smuggling;

use std::io::{Read, Write};

use serde_json::json;

use crate::support::{ANA, Instance, Options};

#[test]
fn unknown_routes_and_methods_are_problems() {
    let instance = Instance::start();
    let client = instance.anonymous();
    for path in ["/", "/v1", "/v1/nothing", "/v1/documents/a/b/c", "/demo/people", "/%ff"] {
        client.get(path).assert_problem(404, "not_found");
    }
    let answer = client.send("DELETE", "/v1/sessions", &[], None);
    answer.assert_problem(405, "method_not_allowed");
    assert_eq!(answer.header("allow"), "POST");
}

#[test]
fn a_request_id_is_taken_over_when_it_is_harmless() {
    let instance = Instance::start();
    let id = |sent: &str| {
        instance.anonymous().with("x-request-id", sent).get("/health/live").header("x-request-id").to_owned()
    };
    assert_eq!(id("abc-123_X"), "abc-123_X");
    assert!(id("a b").starts_with("req_"));
    assert!(id(&"a".repeat(65)).starts_with("req_"));
}

#[test]
fn a_body_that_stops_is_told_so() {
    let limits = [("RUBRICA_SERVER_BODY_IDLE_TIMEOUT_MS", "200")];
    let instance = Instance::start_with(&Options { variables: &limits });
    let token = instance.session(ANA).token.unwrap();
    let head = format!(
        "POST /v1/documents HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-length: 10\r\n\r\nabc"
    );
    let answer = raw::exchange(&instance, head.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("too slowly"), "{answer}");
}

#[test]
fn a_refusal_reaches_a_client_that_still_sends() {
    let instance = Instance::start();
    let mut stream = raw::connect(&instance);
    let head = "POST /v1/documents HTTP/1.1\r\nhost: x\r\ncontent-length: 30000000\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    // Nothing of this is wanted. A server that just closes would reset the connection, and the answer would be lost.
    for _ in 0..300 {
        stream.write_all(&[7; 100_000]).unwrap();
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401") && answer.contains("connection: close"), "{answer}");

    // A small rest is read, and the connection goes on.
    let mut stream = raw::connect(&instance);
    let small = "POST /v1/documents HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabc";
    for _ in 0..3 {
        stream.write_all(small.as_bytes()).unwrap();
        let mut answer = [0; 4096];
        let length = stream.read(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer[..length]);
        assert!(answer.starts_with("HTTP/1.1 401") && !answer.contains("connection: close"), "{answer}");
    }
}

#[test]
fn a_long_wait_ends_with_the_process() {
    let mut instance = Instance::start();
    let session = instance.session(ANA);
    let document = session.upload(&crate::hsm_signatures::contract());
    // A signature that stays under way: the queue of the engine does not know it.
    let id = session.sign_by_token(&document, "pades");
    session.wait(&id);
    instance
        .database()
        .execute(
            "UPDATE signature SET state = 'signing', artefact_name = NULL, artefact_media_type = NULL, \
             artefact_size_bytes = NULL, artefact_sha256 = NULL, artefact_tail = NULL, released_at = NULL WHERE id = ?1",
            [&id],
        )
        .unwrap();
    let waits = instance.log().matches("a caller waits for the end").count();
    let waiting = std::thread::spawn(move || session.wait(&id));
    while instance.log().matches("a caller waits for the end").count() <= waits {
        std::thread::yield_now();
    }
    assert_eq!(instance.terminate(), Some(0));
    assert_eq!(waiting.join().unwrap()["state"], json!("signing"));
}

#[test]
fn the_log_holds_no_personal_data_and_no_secret() {
    let instance = Instance::start();
    let session = instance.session(ANA);
    let document = session.upload(&crate::hsm_signatures::contract());
    let id = session.sign_by_token(&document, "pades");
    session.wait(&id);
    session.content(&id);
    // The row says so a moment before the log does, and the sample of the start was released, too.
    let log = instance.log_with(&id);
    let pin = std::fs::read_to_string(instance.data().join("secrets/token-pin")).unwrap();
    let token = session.token.unwrap();
    for secret in [ANA.0, ANA.1, "ANA BEATRIZ", "982.247", "contrato", pin.trim(), &token] {
        assert!(!log.contains(secret), "the log holds {secret}");
    }
}
