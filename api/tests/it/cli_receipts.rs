//! `rubrica receipt verify`. Log, tree and note are built here from RFC 6962 and C2SP signed-note alone, with another hash
//! function than the product's, so that what is written and what is read do not vouch for each other.

use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64ct::{Base64, Encoding as _};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Ran, memory_folder, rubrica};

const ORIGIN: &str = "log.test/rubrica";
const ARTEFACT: &[u8] = b"the artefact of this TEST";
const DOCUMENT: &[u8] = b"the document of this TEST";

/// A folder with a receipt, the key of its log, and what it is about.
struct Files(TempDir);

impl Files {
    /// The receipt of record 5 in a log of 11, after `change`.
    fn new(change: impl FnOnce(&mut Value)) -> Self {
        let folder = memory_folder();
        let mut receipt = receipt();
        change(&mut receipt);
        std::fs::write(folder.path().join("receipt.json"), receipt.to_string()).unwrap();
        std::fs::write(folder.path().join("log.key"), format!("{}\n", log_key(&key_pair()))).unwrap();
        std::fs::write(folder.path().join("artefact"), ARTEFACT).unwrap();
        std::fs::write(folder.path().join("document"), DOCUMENT).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn verify(&self, more: &[&str]) -> Ran {
        let receipt = self.path("receipt.json");
        rubrica(&[&["receipt", "verify", text(&receipt)], more].concat(), &[])
    }
}

#[test]
fn a_receipt_passes_with_all_that_belongs_to_it() {
    let files = Files::new(|_| ());
    let (key, artefact, document) = (files.path("log.key"), files.path("artefact"), files.path("document"));
    let more = ["--log-key", text(&key), "--artefact", text(&artefact), "--document", text(&document)];
    let ran = files.verify(&more);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.stdout.contains("Receipt: valid") && ran.stdout.contains("log.test/rubrica, 11 records"),
        "{ran:?}"
    );
    let ran = files.verify(&[&more[..], &["--language", "pt-BR"]].concat());
    assert!(
        ran.stdout.contains("Recibo: válido") && ran.stdout.contains("o registro consta do livro"),
        "{ran:?}"
    );

    // The key as a word, and JSON for scripts.
    let ran = files.verify(&["--log-key", &log_key(&key_pair()), "--json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let report = &ran.json()["report"];
    assert_eq!(report["indication"], "passed");
    assert_eq!(report["record"]["signature_id"], "sig_00112233445566778899aabbccddeeff");
    assert_eq!(report["findings"].as_array().unwrap().len(), 5);
}

#[test]
fn without_the_key_of_the_log_the_verdict_is_open() {
    let ran = Files::new(|_| ()).verify(&["--json"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert_eq!(ran.json()["report"]["indication"], "indeterminate");
}

#[test]
fn a_receipt_that_does_not_hold_fails_with_its_code() {
    let forge = |receipt: &mut Value| {
        let record = receipt["record"].as_str().unwrap().replace("banco-test", "banco-outro");
        receipt["record"] = json!(record);
    };
    let other_size = |receipt: &mut Value| {
        let checkpoint = receipt["checkpoint"].as_str().unwrap().replace("\n11\n", "\n12\n");
        receipt["checkpoint"] = json!(checkpoint);
    };
    let other_place = |receipt: &mut Value| receipt["leaf_index"] = json!(4);
    type Change<'a> = &'a dyn Fn(&mut Value);
    let cases: [(Change<'_>, usize, &str); 3] = [
        (&forge, 2, "proof_invalid"),
        (&other_size, 1, "signature_invalid"),
        (&other_place, 2, "proof_invalid"),
    ];
    for (change, at, reason) in cases {
        let files = Files::new(change);
        let key = files.path("log.key");
        let ran = files.verify(&["--log-key", text(&key), "--json"]);
        assert_eq!(ran.code, 1, "{ran:?}");
        let report = &ran.json()["report"];
        assert_eq!(report["code"], "receipt_invalid");
        assert_eq!(report["findings"][at]["reason"], reason, "{report}");
    }
}

#[test]
fn another_file_and_another_log_are_told() {
    let files = Files::new(|_| ());
    let (key, document) = (files.path("log.key"), files.path("document"));
    let ran = files.verify(&["--log-key", text(&key), "--artefact", text(&document)]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stdout.contains("the artefact given is not the one that was released"), "{ran:?}");
    let artefact = files.path("artefact");
    let ran = files.verify(&["--log-key", text(&key), "--document", text(&artefact)]);
    assert_eq!(ran.code, 1, "{ran:?}");
    let other = log_key(&Ed25519KeyPair::from_seed_unchecked(&[9; 32]).unwrap());
    let ran = files.verify(&["--log-key", &other]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stdout.contains("another key signed, or another log"), "{ran:?}");
}

#[test]
fn what_cannot_be_read_is_one_line_and_exit_code_3() {
    let files = Files::new(|_| ());
    let key = files.path("log.key");
    let not_json = rubrica(&["receipt", "verify", text(&key)], &[]);
    not_json.assert_error(3, "receipt_invalid");
    Files::new(|receipt| drop(receipt.as_object_mut().unwrap().remove("record")))
        .verify(&[])
        .assert_error(3, "receipt_invalid");
    let large = files.path("large");
    std::fs::write(&large, vec![b' '; 2 << 20]).unwrap();
    rubrica(&["receipt", "verify", text(&large)], &[]).assert_error(3, "receipt_invalid");
    rubrica(&["receipt", "verify", "/nowhere/receipt.json"], &[]).assert_error(3, "file_unreadable");
    files.verify(&["--log-key", "/nowhere/log.key"]).assert_error(3, "file_unreadable");
    files.verify(&["--log-key", text(&files.path("artefact"))]).assert_error(3, "usage");
    files.verify(&["--artefact", "/nowhere/artefact"]).assert_error(3, "file_unreadable");
    files.verify(&["--surprise"]).assert_error(3, "usage");
}

fn receipt() -> Value {
    let record = json!({
        "version": 1,
        "event_id": "evt_00112233445566778899aabbccddeeff",
        "tenant": "banco-test",
        "signature_id": "sig_00112233445566778899aabbccddeeff",
        "document_sha256": hex(&sha256(&[DOCUMENT])),
        "artefact_sha256": hex(&sha256(&[ARTEFACT])),
        "artefact_size_bytes": ARTEFACT.len(),
        "format": "cades",
        "level": "b",
        "policy": "none",
        "custody": "hsm",
        "certificate_sha256": hex(&[3; 32]),
        "signed_at": "2026-11-23T12:00:00Z",
        "released_at": "2026-11-23T12:00:01Z",
    })
    .to_string();
    let mut leaves: Vec<_> = (0..11_u8).map(|number| sha256(&[&[0], &[number]])).collect();
    leaves[5] = sha256(&[&[0], record.as_bytes()]);
    let root = Base64::encode_string(&tree(&leaves));
    let signed = format!("{ORIGIN}\n{}\n{root}\n", leaves.len());
    let key = key_pair();
    let value = [&key_id(&key)[..], key.sign(signed.as_bytes()).as_ref()].concat();
    let proof: Vec<_> = path(5, &leaves).iter().map(|hash| Base64::encode_string(hash)).collect();
    json!({
        "version": 1,
        "record": record,
        "leaf_index": 5,
        "inclusion_proof": proof,
        "checkpoint": format!("{signed}\n\u{2014} {ORIGIN} {}\n", Base64::encode_string(&value)),
    })
}

/// MTH of RFC 6962 §2.1.
fn tree(leaves: &[[u8; 32]]) -> [u8; 32] {
    if let [leaf] = leaves {
        return *leaf;
    }
    let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
    sha256(&[&[1], &tree(left), &tree(right)])
}

/// PATH of RFC 6962 §2.1.1.
fn path(index: usize, leaves: &[[u8; 32]]) -> Vec<[u8; 32]> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let middle = leaves.len().next_power_of_two() / 2;
    let (left, right) = leaves.split_at(middle);
    if index < middle {
        [path(index, left), vec![tree(right)]].concat()
    } else {
        [path(index - middle, right), vec![tree(left)]].concat()
    }
}

fn key_pair() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap()
}

fn key_id(key: &Ed25519KeyPair) -> [u8; 4] {
    let hash = sha256(&[ORIGIN.as_bytes(), b"\n\x01", key.public_key().as_ref()]);
    hash[..4].try_into().unwrap()
}

fn log_key(key: &Ed25519KeyPair) -> String {
    let public = [&[1], key.public_key().as_ref()].concat();
    format!("{ORIGIN}+{}+{}", hex(&key_id(key)), Base64::encode_string(&public))
}

fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    digest(&SHA256, &parts.concat()).as_ref().try_into().unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
