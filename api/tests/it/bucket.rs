//! Large documents in a bucket, against a server that speaks the S3 API and checks every signature (moto, a stand-in).

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};

use base64ct::{Base64, Encoding};
use rubrica_core::digest::Digest;
use serde_json::Value;

use crate::support::{ANA, Instance, Options, python};

const PDF: (&str, &str) = ("content-type", "application/pdf");
const LARGE: usize = 100_000_000;

/// A running bucket; ends with the value.
struct Bucket {
    process: Child,
    told: Value,
}

impl Bucket {
    fn start() -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/lib/bucket.py");
        let mut process = Command::new(python::for_buckets())
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let told = serde_json::from_str(&line).unwrap_or_else(|error| panic!("no bucket: {error}: {line}"));
        Self { process, told }
    }

    fn text(&self, name: &str) -> &str {
        self.told[name].as_str().unwrap()
    }

    fn instance(&self, secret: &str) -> Instance {
        Instance::start_with(&Options {
            variables: &[
                ("RUBRICA_OBJECTS_KIND", "s3"),
                ("RUBRICA_OBJECTS_BUCKET", self.text("bucket")),
                ("RUBRICA_OBJECTS_REGION", "us-east-1"),
                ("RUBRICA_OBJECTS_ENDPOINT", self.text("endpoint")),
                ("RUBRICA_OBJECTS_PREFIX", "documents"),
                ("RUBRICA_OBJECTS_ACCESS_KEY_ID", self.text("access_key_id")),
                ("RUBRICA_OBJECTS_SECRET_KEY", secret),
                ("RUBRICA_OBJECTS_TIMEOUT_MS", "5000"),
            ],
        })
    }

    fn stop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Bucket {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Bytes that differ from part to part.
fn document(size: usize) -> Vec<u8> {
    (0..size).map(|at| u8::try_from((at / 251 + at) % 256).unwrap()).collect()
}

fn content_digest(bytes: &[u8]) -> String {
    format!("sha-256=:{}:", Base64::encode_string(Digest::sha256(bytes).as_bytes()))
}

/// Files of the data folder's own object store.
fn local_objects(instance: &Instance) -> usize {
    std::fs::read_dir(instance.data().join("objects"))
        .unwrap()
        .map(Result::unwrap)
        .filter(|entry| entry.file_name() != "incoming")
        .count()
}

/// The most memory that the server held, in MiB.
fn peak_memory_mib(instance: &Instance) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", instance.process_id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<u64>().unwrap() / 1024
}

#[test]
fn a_large_document_goes_through_a_bucket_with_little_memory() {
    let mut bucket = Bucket::start();
    let instance = bucket.instance(bucket.text("secret_key"));
    assert_eq!(instance.anonymous().get("/health/ready").status, 200);
    let before_local = local_objects(&instance);
    let session = instance.session(ANA);
    let before = peak_memory_mib(&instance);

    for size in [65_536, 65_537, 5 << 20, (5 << 20) + 1, LARGE] {
        let bytes = document(size);
        let digest = content_digest(&bytes);
        for _ in 0..2 {
            // The second time it is there already.
            let headers = [PDF, ("content-digest", &*digest)];
            let answer = session.send("POST", "/v1/documents", &headers, Some(&bytes));
            assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
            let id = answer.json()["id"].as_str().unwrap().to_owned();
            let content = session.get(&format!("/v1/documents/{id}/content"));
            assert!(content.status == 200 && content.body == bytes, "{size} bytes came back as others");
            assert_eq!(content.header("content-digest"), digest);
        }
    }
    let grown = peak_memory_mib(&instance) - before;
    assert!(grown < 96, "{grown} MiB more for a document of {} MiB", LARGE >> 20);
    assert_eq!(local_objects(&instance), before_local, "a large object lies in the data folder");
    assert_eq!(std::fs::read_dir(instance.data().join("objects/incoming")).unwrap().count(), 0);

    // What is not what was announced never reaches the bucket.
    let wrong = document(1_000_000);
    let headers = [PDF, ("content-digest", &*content_digest(b"another"))];
    session.send("POST", "/v1/documents", &headers, Some(&wrong)).assert_problem(422, "digest_mismatch");
    assert_eq!(std::fs::read_dir(instance.data().join("objects/incoming")).unwrap().count(), 0);

    // A signature over a document of the bucket, with an artefact there too.
    let contract = session.upload(&crate::hsm_signatures::contract());
    let id = session.sign_by_token(&contract, "pades");
    assert_eq!(session.wait(&id)["state"], "released");
    assert!(session.content(&id).starts_with(b"%PDF-"));

    // Without the bucket: a clean refusal, and small documents still work.
    let known = session.upload(&document(200_000));
    bucket.stop();
    session
        .send("POST", "/v1/documents", &[PDF], Some(&document(300_000)))
        .assert_problem(503, "unavailable");
    session.upload(b"%PDF-small");
    assert_eq!(std::fs::read_dir(instance.data().join("objects/incoming")).unwrap().count(), 0);
    let mut stream = std::net::TcpStream::connect(instance.url().trim_start_matches("http://")).unwrap();
    let token = session.token.as_deref().unwrap();
    let request = format!(
        "GET /v1/documents/{known}/content HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("\"unavailable\""), "{answer}");
    assert!(!instance.log().contains("panicked"));
    assert!(!instance.log().contains(bucket.text("secret_key")), "the log holds the secret key");
}

#[test]
fn wrong_credentials_make_the_instance_unready() {
    let bucket = Bucket::start();
    let instance = bucket.instance("another-secret-TEST");
    let ready = instance.anonymous().get("/health/ready");
    assert_eq!(ready.status, 503);
    assert_eq!(ready.json()["checks"][1]["ok"], false);
    let session = instance.session(ANA);
    session
        .send("POST", "/v1/documents", &[PDF], Some(&document(100_000)))
        .assert_problem(503, "unavailable");
    assert!(!instance.log().contains("another-secret-TEST"), "the log holds the secret key");
}
