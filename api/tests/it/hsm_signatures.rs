use rubrica_core::Timestamp;
use rubrica_core::validation::{Content, Context, Indication, validate_cms, validate_pdf};
use rubrica_core::x509::TrustAnchors;
use serde_json::json;

use crate::support::{ANA, BRUNO, Instance, PADARIA, template, testdata};

/// A small valid PDF.
pub(crate) fn contract() -> Vec<u8> {
    std::fs::read(testdata("contract.pdf")).unwrap()
}

/// Trusts the demo's root, now.
pub(crate) fn context() -> Context {
    let root = std::fs::read(template().join("data/pki/root.pem")).unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    let now = Timestamp::from_unix_ms(u64::try_from(now).unwrap()).unwrap();
    Context::new(TrustAnchors::from_bytes(&root).unwrap(), now).without_revocation()
}

#[test]
fn a_pdf_is_signed_by_the_token_and_stays_a_prefix_of_the_result() {
    let instance = Instance::start();
    for person in [ANA, PADARIA] {
        let session = instance.session(person);
        let document = session.upload(&contract());
        let id = session.sign_by_token(&document, "pades");
        let signature = session.wait(&id);
        assert_eq!(signature["state"], "released", "{signature}");
        assert_eq!(signature["to_sign"], json!(null));
        assert_eq!(signature["artefact"]["name"], "contrato nº 1-assinado.pdf");
        assert_eq!(signature["artefact"]["media_type"], "application/pdf");

        let signed = session.content(&id);
        assert_eq!(signature["artefact"]["size_bytes"], signed.len());
        assert_eq!(signature["artefact"]["sha256"], rubrica_core::digest::Digest::sha256(&signed).to_hex());
        assert!(signed.starts_with(&contract()));
        let report = validate_pdf(&signed, &context()).unwrap();
        assert_eq!(report.overall(), Indication::Passed, "{}", report);
        assert_eq!(report.signatures[0].signer.as_ref().unwrap().holder.name, person.1);
        // The backend of the bank fetches it as well.
        assert!(instance.backend().get(&format!("/v1/signatures/{id}/content")).body == signed);
    }
}

#[test]
fn any_file_is_signed_beside_it() {
    let instance = Instance::start();
    let session = instance.session(ANA);
    let bytes = vec![7; 200_000];
    let document = session.upload(&bytes);
    let id = session.sign_by_token(&document, "cades");
    let signature = session.wait(&id);
    assert_eq!(signature["artefact"]["name"], "contrato nº 1.pdf.p7s");
    assert_eq!(signature["artefact"]["media_type"], "application/pkcs7-signature");
    let report = validate_cms(&session.content(&id), Content::Bytes(&bytes), &context()).unwrap();
    assert_eq!(report.overall(), Indication::Passed, "{}", report);
}

#[test]
fn a_signed_pdf_is_signed_again_and_both_signatures_hold() {
    let instance = Instance::start();
    let sign = |person, bytes: &[u8]| {
        let session = instance.session(person);
        let id = session.sign_by_token(&session.upload(bytes), "pades");
        session.wait(&id);
        session.content(&id)
    };
    let twice = sign(PADARIA, &sign(ANA, &contract()));
    let report = validate_pdf(&twice, &context()).unwrap();
    assert_eq!(report.signatures.len(), 2);
    assert_eq!(report.overall(), Indication::Passed, "{}", report);
}

#[test]
fn a_document_that_cannot_be_signed_fails_with_its_reason() {
    let instance = Instance::start();
    let session = instance.session(ANA);
    for (bytes, code) in [
        (b"not a PDF at all".to_vec(), "not_a_pdf"),
        (std::fs::read(testdata("truncated.pdf")).unwrap(), "pdf_damaged"),
        (std::fs::read(testdata("encrypted.pdf")).unwrap(), "pdf_encrypted"),
        (std::fs::read(testdata("xfa.pdf")).unwrap(), "pdf_unsupported"),
        (std::fs::read(testdata("certified.pdf")).unwrap(), "pdf_signing_forbidden"),
    ] {
        let id = session.sign_by_token(&session.upload(&bytes), "pades");
        let signature = session.wait(&id);
        assert_eq!(signature["state"], "failed");
        assert_eq!(signature["problem"]["code"], code, "{signature}");
        assert_eq!(signature["artefact"], json!(null));
        session.get(&format!("/v1/signatures/{id}/content")).assert_problem(409, "signature_state_conflict");
        session
            .post(&format!("/v1/signatures/{id}/complete"), &json!({ "signature_value": "AA==" }))
            .assert_problem(409, "signature_state_conflict");
    }
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let instance = Instance::start();
    let ana = instance.session(ANA);
    let document = ana.upload(&contract());
    let body = |document: &str| json!({ "document_id": document, "custody": "hsm", "format": "pades" });

    let bruno = instance.session(BRUNO);
    bruno.post("/v1/signatures", &body(&document)).assert_problem(404, "not_found");
    let own = bruno.upload(&contract());
    bruno.post("/v1/signatures", &body(&own)).assert_problem(422, "key_not_found");

    let mut with_certificate = body(&document);
    with_certificate["certificate"] = json!("AA==");
    let problem = ana.post("/v1/signatures", &with_certificate).assert_problem(400, "invalid_request");
    assert_eq!(problem["errors"][0]["pointer"], "/certificate");
    let mut other_level = body(&document);
    other_level["level"] = json!("xl");
    let problem = ana.post("/v1/signatures", &other_level).assert_problem(400, "invalid_request");
    assert_eq!(problem["errors"][0]["pointer"], "/level");

    let id = ana.sign_by_token(&document, "pades");
    ana.wait(&id);
    bruno.get(&format!("/v1/signatures/{id}")).assert_problem(404, "not_found");
    bruno.get(&format!("/v1/signatures/{id}/content")).assert_problem(404, "not_found");
    ana.get(&format!("/v1/signatures/{id}?wait_ms=20001")).assert_problem(400, "invalid_request");
    ana.get("/v1/signatures/sig_nonsense").assert_problem(404, "not_found");
}

#[test]
fn a_key_whose_certificate_is_not_of_the_signer_is_never_used() {
    let instance = Instance::start();
    let ana = instance.session(ANA);
    let document = ana.upload(&contract());
    // Somebody registered the company's key as Ana's.
    instance
        .database()
        .execute_batch(
            "DELETE FROM signature; CREATE TEMP TABLE ana AS SELECT signer_hash FROM signing_key WHERE algorithm = 'rsa'; \
             UPDATE signing_key SET signer_hash = (SELECT signer_hash FROM ana), not_after = not_after + 1 \
             WHERE algorithm = 'ec'",
        )
        .unwrap();
    let body = json!({ "document_id": document, "custody": "hsm", "format": "pades" });
    ana.post("/v1/signatures", &body).assert_problem(422, "certificate_wrong_person");
}

#[test]
fn a_key_that_does_not_fit_its_certificate_releases_nothing() {
    let instance = Instance::start();
    let ana = instance.session(ANA);
    let padaria = instance.session(PADARIA);
    let document = padaria.upload(&contract());
    drop(ana);
    // The company's certificate with the canary's key: same kind, another key pair.
    let canary = canary_id(&instance);
    instance
        .database()
        .execute("UPDATE signing_key SET cka_id = ?1 WHERE algorithm = 'ec'", [canary])
        .unwrap();
    let id = padaria.sign_by_token(&document, "pades");
    let signature = padaria.wait(&id);
    assert_eq!(signature["state"], "failed");
    assert_eq!(signature["problem"]["code"], "signature_value_invalid", "{signature}");
}

/// `CKA_ID` of the key that belongs to no person, found by `pkcs11-tool`'s own means: the token's log lists three keys,
/// the database two.
fn canary_id(instance: &Instance) -> Vec<u8> {
    let conf = instance.data().join("softhsm/softhsm2.conf");
    let pin = std::fs::read_to_string(instance.data().join("secrets/token-pin")).unwrap();
    let module = std::env::var("RUBRICA_PKCS11_MODULE")
        .unwrap_or_else(|_| "/usr/lib/softhsm/libsofthsm2.so".to_owned());
    let output = std::process::Command::new("pkcs11-tool")
        .args(["--module", &module, "--login", "--list-objects", "--type", "privkey", "--pin", "env:PIN"])
        .env("SOFTHSM2_CONF", conf)
        .env("PIN", pin.trim())
        .output()
        .expect("pkcs11-tool comes with `apt-get install opensc`");
    let text = String::from_utf8(output.stdout).unwrap();
    let after_label = text.split("rubrica-canary").nth(1).unwrap_or_else(|| panic!("no canary key: {text}"));
    let id = after_label.lines().find_map(|line| line.trim().strip_prefix("ID:")).unwrap().trim().to_owned();
    (0..id.len()).step_by(2).map(|at| u8::from_str_radix(&id[at..at + 2], 16).unwrap()).collect()
}
