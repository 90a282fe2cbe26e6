use serde_json::json;

use crate::support::{ANA, BRUNO, Instance, Options, PADARIA, SELO};

#[test]
fn a_signer_with_a_key_here_is_sent_to_the_token() {
    let instance = Instance::start();
    for (person, masked) in [(ANA, "***.982.247-**"), (PADARIA, "**.222.333/****-**")] {
        let answer = instance.session(person).get("/v1/custody").json();
        assert_eq!(answer["custody"], "hsm");
        assert_eq!(answer["options"], json!([]));
        assert_eq!(answer["sources"][0]["source"], "hsm");
        assert_eq!(answer["sources"][0]["outcome"], "yes");
        let holder = &answer["key"]["certificate"]["holder"];
        assert_eq!(*holder, json!({ "name": person.1, "identifier_masked": masked }));
        assert!(!answer.to_string().contains(person.0));
    }
}

#[test]
fn a_signer_without_one_may_use_the_device() {
    let instance = Instance::start();
    for person in [BRUNO, SELO] {
        let answer = instance.session(person).get("/v1/custody").json();
        assert_eq!(answer["custody"], json!(null));
        assert_eq!(answer["options"], json!(["local"]));
        assert_eq!(answer["sources"][0]["outcome"], "no");
    }
}

#[test]
fn a_key_that_is_suspended_or_ended_does_not_count() {
    let instance = Instance::start();
    let session = instance.session(ANA);
    for change in ["state = 'suspended'", "state = 'active', not_after = 1"] {
        instance.database().execute(&format!("UPDATE signing_key SET {change}"), []).unwrap();
        assert_eq!(session.get("/v1/custody").json()["sources"][0]["outcome"], "no");
    }
}

#[test]
fn a_source_that_cannot_tell_is_unknown() {
    let instance = Instance::start();
    let session = instance.session(ANA);
    instance.database().execute("UPDATE signing_key SET certificate = x'00'", []).unwrap();
    let answer = session.get("/v1/custody").json();
    assert_eq!(answer["sources"][0]["outcome"], "unknown");
    assert_eq!(answer["options"], json!(["local"]));
}

#[test]
fn without_a_token_there_is_only_the_device() {
    let instance = Instance::start_with(&Options { variables: &[("RUBRICA_TOKEN_LABEL", "")] });
    let session = instance.session(ANA);
    assert_eq!(session.get("/v1/custody").json()["sources"][0]["outcome"], "no");
    let document = session.upload(b"%PDF-");
    let body = json!({ "document_id": document, "custody": "hsm", "format": "cades" });
    session.post("/v1/signatures", &body).assert_problem(422, "key_not_found");
}
