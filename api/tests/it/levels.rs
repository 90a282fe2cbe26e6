//! Levels and policies: signatures with time stamps and evidence from the demo's authorities.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use rubrica_core::wire::{Signature, SignatureFormat};
use serde_json::{Value, json};

use crate::hsm_signatures::contract;
use crate::support::{ANA, BRUNO, Client, Instance, LocalKey};

/// Begins a signature with a key of the token.
fn begin(session: &Client, request: &Value) -> String {
    let answer = session.post("/v1/signatures", request);
    assert_eq!(answer.status, 202, "{}", String::from_utf8_lossy(&answer.body));
    answer.json()["id"].as_str().unwrap().to_owned()
}

/// What `POST /v1/validations` says of the first signature.
fn validate(instance: &Instance, signed: &[u8], content: &[u8]) -> Value {
    let backend = instance.backend();
    let begun = Instant::now();
    loop {
        let answer = if signed.starts_with(b"%PDF") {
            backend.send(
                "POST",
                "/v1/validations?language=pt-BR",
                &[("content-type", "application/pdf")],
                Some(signed),
            )
        } else {
            backend.post_form(&[("file", signed), ("content", content)])
        };
        assert_eq!(answer.status, 200, "{answer:?}");
        let validation = answer.json();
        assert_eq!(validation["not_fetched"], json!([]), "{validation:#}");
        let report = validation["report"]["signatures"][0].clone();
        // The lists of the last seconds say nothing of a signature that is younger: the answer is to try later.
        if report["sub_indication"] != "TRY_LATER" || begun.elapsed() > Duration::from_secs(30) {
            return report;
        }
    }
}

#[test]
fn signatures_of_the_token_reach_every_level_and_validate_to_the_end() {
    let instance = Instance::start_demo(0);
    let session = instance.session(ANA);
    let document = session.upload(&contract());
    for (format, level, policy, expected) in [
        ("pades", json!(null), "none", "b"),
        ("pades", json!("t"), "none", "t"),
        ("pades", json!("lt"), "none", "lt"),
        ("pades", json!("lta"), "none", "lta"),
        ("cades", json!("t"), "none", "t"),
        ("cades", json!("lt"), "none", "lt"),
        ("cades", json!("lta"), "none", "lta"),
        ("cades", json!(null), "ad_rb", "b"),
        ("cades", json!(null), "ad_rt", "t"),
        ("cades", json!(null), "ad_rv", "lt"),
        ("cades", json!(null), "ad_rc", "lt"),
        ("cades", json!(null), "ad_ra", "lta"),
        ("pades", json!(null), "ad_rb", "b"),
        ("pades", json!(null), "ad_rt", "t"),
        ("pades", json!(null), "ad_rc", "lta"),
        ("pades", json!(null), "ad_ra", "lta"),
    ] {
        let mut request =
            json!({ "document_id": document, "custody": "hsm", "format": format, "policy": policy });
        if !level.is_null() {
            request["level"] = level;
        }
        let id = begin(&session, &request);
        let signature = session.wait(&id);
        assert_eq!(signature["state"], "released", "{format} {policy} {expected}: {signature:#}");
        assert_eq!(signature["level"], expected);
        let report = validate(&instance, &session.content(&id), &contract());
        assert_eq!(report["indication"], "passed", "{format} {policy} {expected}: {report:#}");
        let stamps = report["time_stamps"].as_array().map_or(0, Vec::len);
        assert_eq!(stamps > 0, expected != "b", "{format} {policy} {expected}: {report:#}");
        if policy == "none" {
            assert_eq!(report["level"], expected, "{format} {expected}: {report:#}");
        } else {
            assert!(report["policy"].is_object(), "{format} {policy}: {report:#}");
            // In a PDF, AD-RA asks for artefacts of the policy, which the service does not have.
            let profile = if (format, policy) == ("pades", "ad_ra") { "ad_rc" } else { policy };
            assert_eq!(report["icp_brasil_profile"], profile, "{format} {policy}: {report:#}");
        }
    }
}

#[test]
fn a_person_completes_a_signature_that_is_then_stamped() {
    let instance = Instance::start_demo(0);
    let session = instance.session(BRUNO);
    let document = session.upload(&contract());
    let key = &LocalKey::all()[0];
    let request = json!({
        "document_id": document, "custody": "local", "format": "pades", "level": "t", "certificate": key.certificate,
    });
    let answer = session.post("/v1/signatures", &request);
    assert_eq!(answer.status, 201, "{answer:?}");
    let signature: Signature = serde_json::from_slice(&answer.body).unwrap();
    let value = key.sign(&signature, &contract(), SignatureFormat::Pades);
    let path = format!("/v1/signatures/{}/complete", signature.id);
    let completed = session.post(&path, &json!({ "signature_value": value }));
    assert_eq!((completed.status, &completed.json()["state"]), (200, &json!("released")), "{completed:?}");
    // The same value again gives the same answer; another one is a conflict.
    assert_eq!(session.post(&path, &json!({ "signature_value": value })).json(), completed.json());
    let other = session.post(&path, &json!({ "signature_value": "AAAA" }));
    other.assert_problem(409, "signature_state_conflict");
    let report = validate(&instance, &session.content(&signature.id), &[]);
    assert_eq!((&report["indication"], &report["level"]), (&json!("passed"), &json!("t")), "{report:#}");
}

#[test]
fn an_authority_that_is_down_costs_time_and_neither_the_signature_nor_another_use_of_the_key() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}/act");
    let variables = [("RUBRICA_TSA_URL", url.as_str()), ("RUBRICA_TSA_RETRY_MS", "200")];
    let options = crate::support::Options { variables: &variables };
    let mut instance = Instance::start_with(&options);
    let session = instance.session(ANA);
    let document = session.upload(&contract());
    let id = begin(
        &session,
        &json!({ "document_id": document, "custody": "hsm", "format": "pades", "level": "t" }),
    );
    instance.log_with("signature waits for an authority");
    assert_eq!(session.get(&format!("/v1/signatures/{id}")).json()["state"], "signing");
    let value = kept_value(&instance, &id);

    // Also a crash does not lose it.
    instance.kill();
    instance.run(&options);
    let session = Client::new(instance.url(), session.token.as_deref());
    let waits = || instance.log().matches("signature waits for an authority").count();
    let before = waits();
    while waits() == before {
        std::thread::sleep(Duration::from_millis(10));
    }
    let _authority = Instance::start_demo(port);
    let begun = Instant::now();
    while session.wait(&id)["state"] != "released" {
        assert!(begun.elapsed() < Duration::from_secs(60), "{}", instance.log());
    }
    assert_eq!(kept_value(&instance, &id), value);
}

/// What the key made, as the row holds it.
fn kept_value(instance: &Instance, id: &str) -> Vec<u8> {
    instance
        .database()
        .query_row("SELECT value FROM signature WHERE id = ?1", [id], |row| row.get::<_, Option<Vec<u8>>>(0))
        .unwrap()
        .expect("the value is kept before an authority is asked")
}

#[test]
fn a_level_that_cannot_be_reached_is_refused_before_the_key_is_used() {
    let instance = Instance::start_with(&crate::support::Options {
        variables: &[("RUBRICA_TSA_URL", ""), ("RUBRICA_FETCH_ENABLED", "false")],
    });
    let session = instance.session(ANA);
    let document = session.upload(&contract());
    for (members, status, code, pointer) in [
        (json!({ "level": "t" }), 400, "invalid_request", "/level"),
        (json!({ "policy": "ad_rt" }), 400, "invalid_request", "/policy"),
        (json!({ "policy": "ad_rv" }), 422, "policy_not_applicable", "/policy"),
        (json!({ "policy": "ad_ra", "level": "b" }), 422, "policy_not_applicable", "/level"),
        (json!({ "level": "xl" }), 400, "invalid_request", "/level"),
        (json!({ "pdf": { "field": "a", "new_field": "b" } }), 400, "invalid_request", "/pdf/new_field"),
        (json!({ "format": "cades", "pdf": {} }), 400, "invalid_request", "/pdf"),
    ] {
        let mut request = json!({ "document_id": document, "custody": "hsm", "format": "pades" });
        for (name, value) in members.as_object().unwrap() {
            request[name] = value.clone();
        }
        let problem = session.post("/v1/signatures", &request).assert_problem(status, code);
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
}

#[test]
fn a_revoked_certificate_gets_no_evidence_and_its_signature_does_not_pass() {
    let instance = Instance::start_demo(0);
    let session = instance.session(ANA);
    let document = session.upload(&contract());
    let basic = begin(&session, &json!({ "document_id": document, "custody": "hsm", "format": "pades" }));
    let signature = session.wait(&basic);
    let_the_watch_ask(&instance);
    let serial = signature["certificate"]["serial"].as_str().unwrap();
    std::fs::write(instance.data().join("pki/revoked"), format!("{serial}\n")).unwrap();

    let id = begin(
        &session,
        &json!({ "document_id": document, "custody": "hsm", "format": "cades", "level": "lt" }),
    );
    let signature = session.wait(&id);
    assert_eq!(
        (&signature["state"], &signature["problem"]["code"]),
        (&json!("failed"), &json!("certificate_revoked")),
        "{signature:#}"
    );
    let report = validate(&instance, &session.content(&basic), &[]);
    assert_ne!(report["indication"], "passed", "{report:#}");
    assert!(report["sub_indication"].as_str().unwrap().starts_with("REVOKED"), "{report:#}");
}

/// Lets the watch ask about every key, and the second of its lists pass: it asks again in a day, and nothing of that second is
/// taken for the latest any more.
fn let_the_watch_ask(instance: &Instance) {
    let open = "SELECT count(*) FROM signing_key LEFT JOIN revocation_check ON key_id = signing_key.id
                WHERE state = 'active' AND (outcome IS NULL OR outcome <> 'good')";
    let begun = Instant::now();
    while instance.database().query_row(open, [], |row| row.get::<_, i64>(0)).unwrap() > 0 {
        assert!(begun.elapsed() < Duration::from_secs(30), "{}", instance.log());
        std::thread::sleep(Duration::from_millis(50));
    }
    std::thread::sleep(Duration::from_millis(1100));
}

#[test]
fn a_visible_signature_is_drawn_and_bad_places_are_refused() {
    let instance = Instance::start();
    let session = instance.session(ANA);
    let document = session.upload(&contract());
    let request = |page: u32| {
        json!({
            "document_id": document, "custody": "hsm", "format": "pades",
            "pdf": {
                "new_field": "Aprovador", "reason": "De acordo", "certification": "form_filling",
                "appearance": { "placement": { "page": page, "left": 10, "bottom": 10, "width": 180, "height": 60 } },
            },
        })
    };
    let signature = session.wait(&begin(&session, &request(1)));
    assert_eq!(signature["state"], "released", "{signature:#}");
    let signed = session.content(signature["id"].as_str().unwrap());
    let text = String::from_utf8_lossy(&signed);
    assert!(text.contains("/DocMDP") && text.contains("Aprovador") && text.contains("/Subtype /Form"));
    let signature = session.wait(&begin(&session, &request(9)));
    assert_eq!(signature["problem"]["code"], "appearance_invalid", "{signature:#}");
}
