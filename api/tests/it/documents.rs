use std::time::Duration;

use base64ct::{Base64, Encoding};
use rubrica_core::digest::Digest;

use crate::edge::raw::wait_until;
use crate::support::{ANA, BRUNO, Instance, Options};

const PDF: (&str, &str) = ("content-type", "application/pdf");

#[test]
fn a_document_is_kept_as_it_came() {
    let instance = Instance::start();
    let session = instance.session(ANA);
    for size in [1, 65_536, 65_537, 3_000_000] {
        let bytes: Vec<u8> = (0_u8..=255).cycle().take(size).collect();
        let digest = Digest::sha256(&bytes);
        let content_digest = format!("sha-256=:{}:", Base64::encode_string(digest.as_bytes()));
        let headers = [PDF, ("rubrica-file-name", "a%2Fcontrato.pdf"), ("content-digest", &*content_digest)];
        let answer = session.send("POST", "/v1/documents", &headers, Some(&bytes));
        assert_eq!(answer.status, 201, "{answer:?}");
        let document = answer.json();
        assert_eq!(document["name"], "contrato.pdf");
        assert_eq!(document["media_type"], "application/pdf");
        assert_eq!(document["size_bytes"], size);
        assert_eq!(document["sha256"], digest.to_hex());

        let path = format!("/v1/documents/{}", document["id"].as_str().unwrap());
        assert_eq!(session.get(&path).json(), document);
        let content = session.get(&format!("{path}/content"));
        assert!(content.body == bytes);
        assert_eq!(content.header("content-digest"), content_digest);
        assert_eq!(
            content.header("content-disposition"),
            "attachment; filename=\"contrato.pdf\"; filename*=UTF-8''contrato.pdf"
        );
        assert_eq!(content.header("x-content-type-options"), "nosniff");
    }
}

#[test]
fn a_document_exists_for_its_session_and_its_backend_only() {
    let instance = Instance::start();
    let path = format!("/v1/documents/{}", instance.session(ANA).upload(b"%PDF-"));
    assert_eq!(instance.backend().get(&path).status, 200);
    for stranger in [instance.session(BRUNO), instance.session(ANA)] {
        stranger.get(&path).assert_problem(404, "not_found");
        stranger.get(&format!("{path}/content")).assert_problem(404, "not_found");
    }
    instance.session(ANA).get("/v1/documents/doc_nonsense").assert_problem(404, "not_found");
}

#[test]
fn bytes_that_are_not_those_announced_are_refused() {
    let instance = Instance::start();
    let session = instance.session(ANA);
    let digest = format!("sha-256=:{}:", Base64::encode_string(Digest::sha256(b"a").as_bytes()));
    session
        .send("POST", "/v1/documents", &[PDF, ("content-digest", &digest)], Some(b"b"))
        .assert_problem(422, "digest_mismatch");
    session
        .send("POST", "/v1/documents", &[PDF, ("content-digest", "sha-256=abc")], Some(b"b"))
        .assert_problem(400, "invalid_request");
    let count: i64 =
        instance.database().query_row("SELECT count(*) FROM document", [], |row| row.get(0)).unwrap();
    // The demo's own sample is the only one.
    assert_eq!(count, 1);
}

#[test]
fn empty_large_and_foreign_bodies_are_refused() {
    let limit = Options { variables: &[("RUBRICA_LIMITS_DOCUMENT_BYTES", "100000")] };
    let instance = Instance::start_with(&limit);
    let session = instance.session(ANA);
    session.send("POST", "/v1/documents", &[PDF], Some(b"")).assert_problem(400, "invalid_request");
    session
        .send("POST", "/v1/documents", &[("content-type", "multipart/form-data; boundary=x")], Some(b"x"))
        .assert_problem(415, "unsupported_media_type");
    session
        .send("POST", "/v1/documents", &[PDF], Some(&vec![0; 100_001]))
        .assert_problem(413, "payload_too_large");
    // Without a length the limit holds as well.
    let chunked = [PDF, ("transfer-encoding", "chunked")];
    session
        .send("POST", "/v1/documents", &chunked, Some(&vec![0; 100_001]))
        .assert_problem(413, "payload_too_large");
    // The answer does not wait for the file to go.
    wait_until("files under way to be removed", Duration::from_secs(10), || {
        std::fs::read_dir(instance.data().join("objects/incoming")).unwrap().count() == 0
    });
}

#[test]
fn a_file_name_that_cannot_be_read_is_refused() {
    let instance = Instance::start();
    let session = instance.session(ANA);
    for name in ["%FF", "..", "%2F"] {
        session
            .send("POST", "/v1/documents", &[PDF, ("rubrica-file-name", name)], Some(b"x"))
            .assert_problem(400, "invalid_request");
    }
}
