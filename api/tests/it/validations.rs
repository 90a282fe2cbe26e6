//! `POST /v1/validations`.

use serde_json::json;

use crate::hsm_signatures::contract;
use crate::support::{ANA, BOUNDARY, Client, Instance};

#[test]
fn a_signed_pdf_is_validated_and_nothing_is_stored() {
    let instance = Instance::start();
    let (pages, backend) = signed(&instance, "pades");
    let answer =
        backend.send("POST", "/v1/validations", &[("content-type", "application/pdf")], Some(&pages));
    assert_eq!(answer.status, 200, "{answer:?}");
    let validation = answer.json();
    let signature = &validation["report"]["signatures"][0];
    assert_eq!((&signature["format"], &signature["covers_whole_file"]), (&json!("pades"), &json!(true)));
    assert_ne!(signature["indication"], "failed", "{validation}");
    assert_eq!(validation["file_sha256"].as_str().unwrap().len(), 64);
    let left = std::fs::read_dir(instance.data().join("objects/incoming")).unwrap().count();
    assert_eq!(left, 0);

    let mut changed = pages;
    changed[20] ^= 1;
    let answer =
        backend.send("POST", "/v1/validations", &[("content-type", "application/pdf")], Some(&changed));
    assert_eq!(answer.json()["report"]["signatures"][0]["indication"], "failed");
}

#[test]
fn a_detached_signature_comes_with_its_content_in_a_form() {
    let instance = Instance::start();
    let (cms, backend) = signed(&instance, "cades");
    let document = contract();
    let answer = backend.post_form(&[("content", &document), ("file", &cms)]);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_ne!(answer.json()["report"]["signatures"][0]["indication"], "failed");
    let answer = backend.post_form(&[("file", &cms), ("content", b"another document")]);
    assert_eq!(answer.json()["report"]["signatures"][0]["sub_indication"], "HASH_FAILURE");
    backend.post_form(&[("file", &cms)]).assert_problem(422, "content_required");
}

#[test]
fn what_cannot_be_validated_is_refused_with_its_code() {
    let instance = Instance::start();
    let backend = instance.backend();
    let send = |kind: &str, body: &[u8]| {
        backend.send("POST", "/v1/validations", &[("content-type", kind)], Some(body))
    };
    send("application/pdf", &contract()).assert_problem(422, "not_signed");
    send("application/pkcs7-signature", b"nonsense").assert_problem(422, "cms_malformed");
    send("application/pdf", b"").assert_problem(400, "invalid_request");
    send("text/html", b"x").assert_problem(415, "unsupported_media_type");
    send("multipart/form-data", b"x").assert_problem(415, "unsupported_media_type");
    backend.post_form(&[("content", b"x")]).assert_problem(400, "invalid_request");
    backend.post_form(&[("file", b"x"), ("file", b"y")]).assert_problem(400, "invalid_request");
    backend.post_form(&[("other", b"x")]).assert_problem(400, "invalid_request");
    let broken = format!("--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"file\"\r\n\r\nabc");
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    send(&kind, broken.as_bytes()).assert_problem(400, "invalid_request");
    backend
        .send(
            "POST",
            "/v1/validations?at=yesterday",
            &[("content-type", "application/pdf")],
            Some(&contract()),
        )
        .assert_problem(400, "invalid_request");
}

#[test]
fn a_page_may_not_validate() {
    let instance = Instance::start();
    let page = instance.session(ANA);
    page.send("POST", "/v1/validations", &[("content-type", "application/pdf")], Some(&contract()))
        .assert_problem(403, "forbidden");
}

/// A signed contract, or its detached signature, and the backend that may validate it.
fn signed(instance: &Instance, format: &str) -> (Vec<u8>, Client) {
    let session = instance.session(ANA);
    let document = session.upload(&contract());
    let id = session.sign_by_token(&document, format);
    assert_eq!(session.wait(&id)["state"], "released");
    (session.content(&id), instance.backend())
}
