//! Ways to the end of a batch and to its results: progress as a stream, everything as one archive.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use rubrica_core::digest::Digest;
use serde_json::{Value, json};

use crate::batch_faults::verify;
use crate::batches::{items, manifest, rsa_key, submit, text, wait};
use crate::hsm_signatures::contract;
use crate::support::{Client, Instance, Options};

/// Longest time for something to happen on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A stream of progress as it comes over the wire.
struct Progress(BufReader<TcpStream>);

impl Progress {
    fn open(client: &Client, instance: &Instance, id: &str) -> Self {
        let address = instance.url().trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let token = client.token.as_ref().unwrap();
        write!(
            stream,
            "GET /v1/batches/{id}/progress HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
             authorization: Bearer {token}\r\n\r\n"
        )
        .unwrap();
        Self(BufReader::new(stream))
    }

    /// The next event; `None` when the stream has ended.
    fn next(&mut self) -> Option<Value> {
        let mut named = false;
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            named |= line.trim_end() == "event: progress";
            if let Some(json) = line.strip_prefix("data: ") {
                assert!(named, "an event without its name");
                return Some(serde_json::from_str(json).unwrap());
            }
        }
    }
}

#[test]
fn progress_is_told_as_it_happens_to_whoever_comes_whenever_and_ends_with_the_batch() {
    let instance = Instance::start();
    let backend = instance.backend();
    let id = submit(&backend, &manifest(&rsa_key(&instance), 3000));
    let begun = Instant::now();
    // One reader leaves in the middle and comes back; another one looks on from the beginning.
    let mut whole = Progress::open(&backend, &instance, &id);
    let mut early = Progress::open(&backend, &instance, &id);
    let first = early.next().unwrap();
    assert_eq!((&first["id"], &first["total"], &first["ended_at"]), (&json!(id), &json!(3000), &Value::Null));
    drop(early);
    let mut again = Progress::open(&backend, &instance, &id);
    assert!(again.next().unwrap()["counts"]["released"].as_u64() >= first["counts"]["released"].as_u64());

    let mut told = Vec::new();
    while let Some(batch) = whole.next() {
        let counts = batch["counts"].as_object().unwrap();
        assert_eq!(counts.values().map(|count| count.as_u64().unwrap()).sum::<u64>(), 3000, "{batch}");
        told.push(batch);
    }
    let took = begun.elapsed();
    let released: Vec<u64> = told.iter().map(|batch| batch["counts"]["released"].as_u64().unwrap()).collect();
    assert!(released.is_sorted(), "{released:?}");
    assert!(told.windows(2).all(|pair| pair[0] != pair[1]), "the same was told twice");
    assert!(told.len() >= 3, "only {} events in {took:?}", told.len());
    assert!(told.len() as u128 <= 2 + took.as_millis() / 200, "{} events in {took:?}", told.len());
    let last = told.last().unwrap();
    assert_eq!((&last["state"], released.last()), (&json!("completed"), Some(&3000)));
    assert!(last["ended_at"].is_string());
    // Whoever comes late gets the end at once.
    let mut late = Progress::open(&backend, &instance, &id);
    assert_eq!(late.next().as_ref(), Some(last));
    assert_eq!(late.next(), None);
}

#[test]
fn progress_of_a_batch_that_rests_is_a_stream_that_ends_when_the_service_stops() {
    let mut instance = Instance::start();
    let backend = instance.backend();
    let id = submit(&backend, &manifest(&rsa_key(&instance), 2000));
    backend.post(&format!("/v1/batches/{id}/pause"), &json!({}));
    let mut stream = Progress::open(&backend, &instance, &id);
    assert_eq!(stream.next().unwrap()["state"], "paused");
    backend.post(&format!("/v1/batches/{id}/cancel"), &json!({}));
    let states: Vec<Value> =
        std::iter::from_fn(|| stream.next()).map(|batch| batch["state"].clone()).collect();
    assert_eq!(states.last(), Some(&json!("cancelled")), "{states:?}");

    let rest = submit(&backend, &manifest(&rsa_key(&instance), 2000));
    backend.post(&format!("/v1/batches/{rest}/pause"), &json!({}));
    let mut stream = Progress::open(&backend, &instance, &rest);
    stream.next().unwrap();
    let begun = Instant::now();
    assert_eq!(instance.terminate(), Some(0));
    while stream.next().is_some() {}
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    instance.run(&Options::default());
    let mut stream = Progress::open(&instance.backend(), &instance, &rest);
    assert_eq!(stream.next().unwrap()["state"], "paused");
}

#[test]
fn the_progress_of_what_is_not_there_is_a_problem_and_no_stream() {
    let instance = Instance::start();
    instance
        .backend()
        .get("/v1/batches/bat_00112233445566778899aabbccddeeff/progress")
        .assert_problem(404, "not_found");
}

/// The files of an archive, after `unzip` found it right.
fn unpack(archive: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.zip");
    std::fs::write(&file, archive).unwrap();
    let out = folder.path().join("out");
    let done = Command::new("unzip").arg("-qq").arg(&file).arg("-d").arg(&out).output().unwrap();
    assert!(done.status.success(), "unzip comes with `apt-get install unzip`: {done:?}");
    let entries = std::fs::read_dir(&out).unwrap().map(Result::unwrap);
    entries
        .map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap()))
        .collect()
}

fn lines(listing: &[u8]) -> Vec<Value> {
    std::str::from_utf8(listing).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn an_archive_holds_every_signature_and_says_of_every_item_what_became_of_it() {
    let instance = Instance::start();
    let backend = instance.backend();
    let id = submit(&backend, &manifest(&rsa_key(&instance), 200));
    wait(&backend, &id);
    let answer = backend.get(&format!("/v1/batches/{id}/content"));
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/zip"));
    assert!(answer.header("content-disposition").contains(&format!("filename=\"{id}.zip\"")));
    let mut files = unpack(&answer.body);
    let listing = lines(&files.remove("results.ndjson").unwrap());
    assert_eq!((files.len(), listing.len()), (200, 200));
    for ((result, item), number) in listing.iter().zip(items(&backend, &id)).zip(1..) {
        let mut of_item = result.clone();
        let file = of_item.as_object_mut().unwrap().remove("file").unwrap();
        assert_eq!((&file, &of_item), (&json!(format!("item-{number}.p7s")), &item));
        let artefact = &files[file.as_str().unwrap()];
        assert_eq!(item["artefact"]["sha256"], Digest::sha256(artefact).to_hex());
    }
    for number in [1, 64, 65, 200] {
        verify(&files[&format!("item-{number}.p7s")], &text(number));
    }
}

#[test]
fn an_archive_of_pdfs_names_them_by_their_references_and_lists_what_failed() {
    let instance = Instance::start();
    let backend = instance.backend();
    let large = {
        // More than is held in memory for a moment, and more than one piece.
        let mut pdf = contract();
        let end = pdf.windows(9).rposition(|window| window == b"startxref").unwrap();
        let end = pdf[end..].to_vec();
        pdf.extend(format!("\n%{}\n", "TEST ".repeat(500_000)).into_bytes());
        pdf.extend(end);
        pdf
    };
    let documents = [contract(), b"TEST: not a PDF".to_vec(), large.clone(), contract()];
    let references = ["../../contrato.pdf", "no pdf", "large", "..\\..\\contrato.pdf"];
    let mut manifest = json!({ "key_id": rsa_key(&instance), "format": "pades" }).to_string();
    for (reference, document) in references.iter().zip(&documents) {
        let line = json!({ "reference": reference, "document_id": backend.upload(document) });
        manifest.push_str(&format!("\n{line}"));
    }
    let id = submit(&backend, &manifest);
    assert_eq!(wait(&backend, &id)["state"], "completed_with_errors");
    let files = unpack(&backend.get(&format!("/v1/batches/{id}/content")).body);
    let names: BTreeSet<&str> = files.keys().map(String::as_str).collect();
    let expected = ["_.._.._contrato.pdf", "_.._.._contrato-4.pdf", "large.pdf", "results.ndjson"];
    assert_eq!(names, BTreeSet::from(expected));
    let listing = lines(&files["results.ndjson"]);
    assert_eq!(listing[1]["file"], Value::Null);
    assert_eq!(
        (&listing[1]["state"], &listing[1]["problem"]["code"]),
        (&json!("failed"), &json!("not_a_pdf"))
    );
    for (position, document) in [(0, &documents[0]), (2, &large), (3, &documents[3])] {
        let signed = &files[listing[position]["file"].as_str().unwrap()];
        assert!(signed.starts_with(document));
        let report =
            rubrica_core::validation::validate_pdf(signed.as_slice(), &crate::hsm_signatures::context())
                .unwrap();
        assert_eq!(report.overall(), rubrica_core::validation::Indication::Passed, "{report}");
    }
}

#[test]
fn there_is_no_archive_before_the_end_and_one_of_what_was_done_after_a_cancellation() {
    let instance = Instance::start();
    let backend = instance.backend();
    let id = submit(&backend, &manifest(&rsa_key(&instance), 4000));
    let content = format!("/v1/batches/{id}/content");
    let problem = backend.get(&content).assert_problem(409, "batch_state_conflict");
    assert!(problem["detail"].as_str().unwrap().contains("has not ended"), "{problem}");
    let begun = Instant::now();
    while backend.get(&format!("/v1/batches/{id}")).json()["counts"]["released"] == 0 {
        assert!(begun.elapsed() < PATIENCE);
    }
    backend.post(&format!("/v1/batches/{id}/cancel"), &json!({}));
    let batch = wait(&backend, &id);
    let files = unpack(&backend.get(&content).body);
    let listing = lines(&files["results.ndjson"]);
    assert_eq!(listing.len(), 4000);
    assert_eq!(files.len() as u64 - 1, batch["counts"]["released"].as_u64().unwrap());
    assert!(listing.iter().all(|result| result["file"].is_null() == (result["state"] == "cancelled")));
    backend.get("/v1/batches/bat_00112233445566778899aabbccddeeff/content").assert_problem(404, "not_found");
}

#[test]
fn whoever_takes_an_archive_slowly_keeps_nobody_else_from_the_database() {
    let instance = Instance::start();
    let backend = instance.backend();
    let id = submit(&backend, &manifest(&rsa_key(&instance), 3000));
    wait(&backend, &id);
    let address = instance.url().trim_start_matches("http://");
    let slow: Vec<TcpStream> = (0..20)
        .map(|_| {
            let mut stream = TcpStream::connect(address).unwrap();
            let token = backend.token.as_ref().unwrap();
            write!(
                stream,
                "GET /v1/batches/{id}/content HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
                 authorization: Bearer {token}\r\n\r\n"
            )
            .unwrap();
            stream
        })
        .collect();
    let begun = Instant::now();
    // Work that writes and reads goes on beside twenty archives that nobody takes.
    assert_eq!(wait(&backend, &submit(&backend, &manifest(&rsa_key(&instance), 300)))["state"], "completed");
    assert!(begun.elapsed() < PATIENCE);
    // One of them is taken after all.
    let mut answer = Vec::new();
    slow.into_iter().next().unwrap().read_to_end(&mut answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200 OK") && answer.ends_with(b"0\r\n\r\n"));
}
