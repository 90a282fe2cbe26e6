use base64ct::{Base64, Encoding};
use rubrica_core::validation::{Content, Indication, validate_cms, validate_pdf};
use rubrica_core::wire::{Signature, SignatureFormat};
use serde_json::{Value, json};

use crate::hsm_signatures::{context, contract};
use crate::support::{ANA, BRUNO, Client, Instance, LocalKey, Options, SELO, testdata};

fn begin(session: &Client, document: &str, format: &str, certificate: &str) -> Value {
    let body = json!({
        "document_id": document, "custody": "local", "format": format, "certificate": certificate,
    });
    let answer = session.post("/v1/signatures", &body);
    assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
    answer.json()
}

fn complete_path(signature: &Value) -> String {
    format!("/v1/signatures/{}/complete", signature["id"].as_str().unwrap())
}

fn typed(signature: &Value) -> Signature {
    serde_json::from_value(signature.clone()).unwrap()
}

#[test]
fn a_person_signs_a_pdf_with_a_key_of_their_own() {
    let instance = Instance::start();
    let keys = LocalKey::all();
    for (person, key) in [(BRUNO, &keys[0]), (SELO, &keys[1])] {
        let session = instance.session(person);
        let document = session.upload(&contract());
        let signature = begin(&session, &document, "pades", &key.certificate);
        assert_eq!(signature["state"], "prepared");
        let value = key.sign(&typed(&signature), &contract(), SignatureFormat::Pades);
        let answer = session.post(&complete_path(&signature), &json!({ "signature_value": value }));
        assert_eq!(answer.status, 200, "{answer:?}");
        let released = answer.json();
        assert_eq!(released["state"], "released");
        assert_eq!(released["to_sign"], json!(null));
        let signed = session.content(signature["id"].as_str().unwrap());
        let report = validate_pdf(&signed, &context()).unwrap();
        assert_eq!(report.overall(), Indication::Passed, "{}", report);
    }
}

#[test]
fn a_person_signs_any_file_beside_it() {
    let instance = Instance::start();
    let session = instance.session(BRUNO);
    let key = &LocalKey::all()[0];
    let bytes = vec![3; 100_000];
    let signature = begin(&session, &session.upload(&bytes), "cades", &key.certificate);
    let value = key.sign(&typed(&signature), &bytes, SignatureFormat::Cades);
    let answer = session.post(&complete_path(&signature), &json!({ "signature_value": value }));
    assert_eq!(answer.json()["state"], "released");
    let cms = session.content(signature["id"].as_str().unwrap());
    let report = validate_cms(&cms, Content::Bytes(&bytes), &context()).unwrap();
    assert_eq!(report.overall(), Indication::Passed, "{}", report);
}

#[test]
fn a_wrong_value_changes_nothing_and_a_right_one_settles_it() {
    let instance = Instance::start();
    let session = instance.session(BRUNO);
    let keys = LocalKey::all();
    let signature = begin(&session, &session.upload(&contract()), "pades", &keys[0].certificate);
    let path = complete_path(&signature);
    let complete = |value: &str| session.post(&path, &json!({ "signature_value": value }));

    complete("not base64!").assert_problem(400, "invalid_request");
    complete(&Base64::encode_string(&[0; 256])).assert_problem(422, "signature_value_invalid");
    let show = session.get(path.trim_end_matches("/complete")).json();
    assert_eq!(show["state"], "prepared");
    assert_eq!(show["to_sign"], signature["to_sign"]);

    let value = keys[0].sign(&typed(&signature), &contract(), SignatureFormat::Pades);
    let first = complete(&value);
    assert_eq!(first.status, 200);
    let again = complete(&value);
    assert_eq!((again.status, again.json()), (200, first.json()));
    complete(&Base64::encode_string(&[0; 256])).assert_problem(409, "signature_state_conflict");
}

#[test]
fn two_calls_at_once_release_one_artefact() {
    let instance = Instance::start();
    let session = instance.session(BRUNO);
    let key = &LocalKey::all()[0];
    let signature = begin(&session, &session.upload(&contract()), "pades", &key.certificate);
    let value = key.sign(&typed(&signature), &contract(), SignatureFormat::Pades);
    let path = complete_path(&signature);
    let answers: Vec<_> = std::thread::scope(|scope| {
        let calls: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| session.post(&path, &json!({ "signature_value": value })).json()))
            .collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    assert!(
        answers.iter().all(|answer| *answer == answers[0] && answer["state"] == "released"),
        "{answers:?}"
    );
}

#[test]
fn a_certificate_that_may_not_sign_here_is_refused() {
    let instance = Instance::start();
    let session = instance.session(BRUNO);
    let keys = LocalKey::all();
    let document = session.upload(&contract());
    let check = |certificate: Option<&str>, status: u16, code: &str| {
        let mut body = json!({ "document_id": document, "custody": "local", "format": "pades" });
        if let Some(certificate) = certificate {
            body["certificate"] = json!(certificate);
        }
        session.post("/v1/signatures", &body).assert_problem(status, code)
    };
    check(None, 400, "invalid_request");
    check(Some("not base64!"), 400, "invalid_request");
    check(Some("MAA="), 422, "certificate_malformed");
    check(Some(&keys[1].certificate), 422, "certificate_wrong_person");
    check(Some(&keys[2].certificate), 422, "certificate_expired");
    check(Some(&keys[3].certificate), 422, "certificate_wrong_person");
    check(Some(&der_of("untrusted.crt")), 422, "certificate_untrusted");
    check(Some(&der_of("weak-key.crt")), 422, "key_unsupported");
    let root = std::fs::read_to_string(instance.data().join("pki/root.pem")).unwrap();
    check(Some(&base64_of(&root)), 422, "certificate_wrong_usage");
    // Nothing of the numbers in them is told.
    let problem = check(Some(&keys[3].certificate), 422, "certificate_wrong_person").to_string();
    assert!(!problem.contains("98765432100") && !problem.contains("DIEGO"), "{problem}");
}

#[test]
fn a_certificate_from_the_future_is_refused() {
    let instance = Instance::start();
    let session = instance.session(ANA);
    let document = session.upload(&contract());
    let body = json!({
        "document_id": document, "custody": "local", "format": "pades",
        "certificate": der_of("future.crt"),
    });
    session.post("/v1/signatures", &body).assert_problem(422, "certificate_not_yet_valid");
}

#[test]
fn a_document_that_cannot_be_signed_is_refused_at_once() {
    let instance = Instance::start();
    let session = instance.session(BRUNO);
    let certificate = &LocalKey::all()[0].certificate;
    for (bytes, code) in [
        (b"not a PDF at all".to_vec(), "not_a_pdf"),
        (std::fs::read(testdata("truncated.pdf")).unwrap(), "pdf_damaged"),
        (std::fs::read(testdata("encrypted.pdf")).unwrap(), "pdf_encrypted"),
        (std::fs::read(testdata("xfa.pdf")).unwrap(), "pdf_unsupported"),
        (std::fs::read(testdata("certified.pdf")).unwrap(), "pdf_signing_forbidden"),
    ] {
        let body = json!({
            "document_id": session.upload(&bytes), "custody": "local", "format": "pades", "certificate": certificate,
        });
        session.post("/v1/signatures", &body).assert_problem(422, code);
    }
}

#[test]
fn a_signature_that_nobody_completes_expires() {
    let instance =
        Instance::start_with(&Options { variables: &[("RUBRICA_SIGNATURES_COMPLETION_SECONDS", "1")] });
    let session = instance.session(BRUNO);
    let key = &LocalKey::all()[0];
    let signature = begin(&session, &session.upload(&contract()), "pades", &key.certificate);
    let value = key.sign(&typed(&signature), &contract(), SignatureFormat::Pades);
    let ended = session.wait(signature["id"].as_str().unwrap());
    assert_eq!(ended["state"], "expired");
    assert_eq!(ended["problem"]["code"], "signature_expired");
    session
        .post(&complete_path(&signature), &json!({ "signature_value": value }))
        .assert_problem(410, "signature_expired");
}

#[test]
fn a_document_that_was_changed_on_the_disk_is_not_signed() {
    let instance = Instance::start();
    let session = instance.session(BRUNO);
    let key = &LocalKey::all()[0];
    let bytes = vec![9; 100_000];
    let signature = begin(&session, &session.upload(&bytes), "cades", &key.certificate);
    let value = key.sign(&typed(&signature), &bytes, SignatureFormat::Cades);
    let digest = rubrica_core::digest::Digest::sha256(&bytes).to_hex();
    let file = instance.data().join("objects").join(&digest[..2]).join(&digest[2..]);
    std::fs::write(&file, vec![8; 100_000]).unwrap();
    session
        .post(&complete_path(&signature), &json!({ "signature_value": value }))
        .assert_problem(500, "internal");
    assert_eq!(
        session.get(complete_path(&signature).trim_end_matches("/complete")).json()["state"],
        "prepared"
    );
}

#[test]
fn a_slot_that_is_too_small_releases_nothing() {
    let instance = Instance::start();
    let session = instance.session(BRUNO);
    let key = &LocalKey::all()[0];
    let signature = begin(&session, &session.upload(&contract()), "pades", &key.certificate);
    let id = signature["id"].as_str().unwrap();
    let value = key.sign(&typed(&signature), &contract(), SignatureFormat::Pades);
    let database = instance.database();
    let plan: Vec<u8> =
        database.query_row("SELECT plan FROM signature WHERE id = ?1", [id], |row| row.get(0)).unwrap();
    let mut plan: Value = serde_json::from_slice(&plan).unwrap();
    plan["appended"] = json!(Base64::encode_string(b"<00>"));
    plan["slot"] = json!({ "start": 0, "end": 4 });
    let plan = plan.to_string().into_bytes();
    database.execute("UPDATE signature SET plan = ?2 WHERE id = ?1", rusqlite::params![id, plan]).unwrap();
    session
        .post(&complete_path(&signature), &json!({ "signature_value": value }))
        .assert_problem(500, "contents_slot_too_small");
    session.get(&format!("/v1/signatures/{id}/content")).assert_problem(409, "signature_state_conflict");
}

fn der_of(file: &str) -> String {
    base64_of(&std::fs::read_to_string(testdata(file)).unwrap())
}

/// The base64 of the first PEM block.
fn base64_of(pem: &str) -> String {
    let body = pem.split("-----BEGIN CERTIFICATE-----").nth(1).unwrap();
    body.split("-----END").next().unwrap().split_whitespace().collect()
}
