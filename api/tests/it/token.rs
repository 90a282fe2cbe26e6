use std::fs;

use serde_json::json;

use crate::hsm_signatures::contract;
use crate::support::{ANA, Instance, Options, rubrica};

#[test]
fn a_token_that_loses_its_store_recovers_when_it_is_back() {
    let patience = Options { variables: &[("RUBRICA_SIGNATURES_TOKEN_PATIENCE_MS", "300")] };
    let instance = Instance::start_with(&patience);
    let session = instance.session(ANA);
    let tokens = instance.data().join("softhsm/tokens");
    let away = instance.data().join("softhsm/away");
    fs::rename(&tokens, &away).unwrap();
    fs::create_dir(&tokens).unwrap();

    let id = session.sign_by_token(&session.upload(&contract()), "pades");
    let failed = session.wait(&id);
    assert_eq!(failed["state"], "failed");
    assert_eq!(failed["problem"]["code"], "token_unavailable", "{failed}");
    let ready = instance.anonymous().get("/health/ready");
    assert_eq!((ready.status, ready.json()["status"].clone()), (503, json!("failing")));

    fs::remove_dir(&tokens).unwrap();
    fs::rename(&away, &tokens).unwrap();
    // The back-off has to pass; each try fails fast until then.
    let recovered = (0..100).any(|_| {
        let id = session.sign_by_token(&session.upload(&contract()), "pades");
        session.wait(&id)["state"] == "released"
    });
    assert!(recovered, "{}", instance.log());
}

#[test]
fn a_key_deleted_from_the_token_is_told_as_missing() {
    let instance = Instance::start();
    let session = instance.session(ANA);
    instance
        .database()
        .execute("UPDATE signing_key SET cka_id = x'0102' WHERE algorithm = 'rsa'", [])
        .unwrap();
    let id = session.sign_by_token(&session.upload(&contract()), "cades");
    assert_eq!(session.wait(&id)["problem"]["code"], "key_not_found");
}

#[test]
fn a_key_of_another_kind_than_registered_is_told_as_unusable() {
    let instance = Instance::start();
    let session = instance.session(ANA);
    instance
        .database()
        .execute("UPDATE signing_key SET algorithm = 'ec' WHERE algorithm = 'rsa'", [])
        .unwrap();
    let id = session.sign_by_token(&session.upload(&contract()), "cades");
    let code = session.wait(&id)["problem"]["code"].clone();
    // SoftHSM says "general error" in C_Sign, other modules name the key's type in C_SignInit.
    assert!(code == "key_unsupported" || code == "token_unavailable", "{code}");
}

#[test]
fn a_wrong_pin_stops_the_start_and_is_tried_once() {
    let mut instance = Instance::start();
    instance.terminate();
    let config = instance.data().join("rubrica.toml");
    let variables = [
        ("RUBRICA_TOKEN_PIN", "wrong"),
        ("RUBRICA_SERVER_LISTEN", "127.0.0.1:0"),
        ("RUBRICA_LOG_LEVEL", "error"),
    ];
    rubrica(&["serve", "--config", config.to_str().unwrap()], &variables)
        .assert_error(1, "token_pin_rejected");
    instance.run(&Options::default());
    assert_eq!(instance.anonymous().get("/health/ready").status, 200);
}

#[test]
fn a_signature_waits_while_the_token_is_short_of_breath() {
    let instance = Instance::start();
    let session = instance.session(ANA);
    let tokens = instance.data().join("softhsm/tokens");
    let away = instance.data().join("softhsm/away");
    fs::rename(&tokens, &away).unwrap();
    fs::create_dir(&tokens).unwrap();
    let id = session.sign_by_token(&session.upload(&contract()), "pades");
    while !instance.log().contains("cannot connect to the token") {
        std::thread::yield_now();
    }
    fs::remove_dir(&tokens).unwrap();
    fs::rename(&away, &tokens).unwrap();
    assert_eq!(session.wait(&id)["state"], "released");
}

#[test]
fn a_full_queue_refuses_new_work_and_says_when_to_come_again() {
    let instance = Instance::start_with(&Options { variables: &[("RUBRICA_LIMITS_QUEUE_LENGTH", "0")] });
    let session = instance.session(ANA);
    let document = session.upload(&contract());
    let body = json!({ "document_id": document, "custody": "hsm", "format": "pades" });
    let answer = session.post("/v1/signatures", &body);
    answer.assert_problem(503, "unavailable");
    assert_eq!(answer.header("retry-after"), "2");
}
