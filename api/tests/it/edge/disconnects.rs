//! Clients that go away in the middle.

use std::collections::HashSet;
use std::io::{Read, Write};
use std::time::Duration;

use super::raw::{connect, wait_until};
use crate::support::{ANA, Instance};

const POSITIONS: u64 = 100;

/// Numbers that look random and are the same each time.
fn scattered(seed: u64) -> u64 {
    let mut x = seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x ^ (x >> 27)
}

fn position(seed: u64, length: usize) -> usize {
    usize::try_from(scattered(seed) % length as u64).unwrap()
}

#[test]
fn a_client_that_goes_away_leaves_nothing_behind() {
    let instance = Instance::start();
    let session = instance.session(ANA);
    let token = session.token.clone().unwrap();
    for seed in 0..POSITIONS {
        // Each one of its own, in rows and in files.
        let mut document = vec![0; if seed % 3 == 0 { 20_000 } else { 300_000 }];
        document[..8].copy_from_slice(&seed.to_le_bytes());
        let mut request = format!(
            "POST /v1/documents HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\ncontent-length: {}\r\n\r\n",
            document.len()
        )
        .into_bytes();
        request.extend_from_slice(&document);
        // Some go after the last byte, without waiting for the answer.
        let cut = if seed % 10 == 0 { request.len() } else { position(seed, request.len()) };
        go_away(&instance, &request[..cut], 0, seed % 2 == 0);
    }
    let large = session.upload(&vec![7; 1_000_000]);
    for seed in 0..POSITIONS {
        let request = format!(
            "GET /v1/documents/{large}/content HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\n\r\n"
        );
        go_away(&instance, request.as_bytes(), position(seed, 1_000_000), seed % 2 == 0);
    }

    let objects = instance.data().join("objects");
    wait_until("files under way to be removed", Duration::from_secs(20), || {
        std::fs::read_dir(objects.join("incoming")).unwrap().count() == 0
    });
    // What arrived whole has its row; nothing lies there without one.
    wait_until("files without a row", Duration::from_secs(20), || {
        let known: HashSet<Vec<u8>> = instance
            .database()
            .prepare("SELECT sha256 FROM document")
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        large_objects(&objects).iter().all(|name| known.contains(name))
    });
    assert_eq!(instance.anonymous().get("/health/ready").status, 200);
    let document = session.upload(&crate::hsm_signatures::contract());
    let id = session.sign_by_token(&document, "pades");
    assert_eq!(session.wait(&id)["state"], "released");
    assert!(!instance.log().contains("panicked"), "{}", instance.log());
}

#[test]
fn what_was_accepted_is_signed_although_its_client_did_not_wait_to_hear_it() {
    let instance = Instance::start();
    let session = instance.session(ANA);
    let document = session.upload(&crate::hsm_signatures::contract());
    let token = session.token.clone().unwrap();
    let body = format!(r#"{{"document_id":"{document}","custody":"hsm","format":"cades"}}"#);
    let request = format!(
        "POST /v1/signatures HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    for turn in 0..POSITIONS {
        let mut stream = connect(&instance);
        stream.write_all(request.as_bytes()).unwrap();
        std::thread::sleep(Duration::from_micros(scattered(turn) % 5000));
    }
    // The last one is waited for: then the others were looked at.
    let last = session.sign_by_token(&document, "cades");
    assert_eq!(session.wait(&last)["state"], "released");
    let database = instance.database();
    let count = |states: &str| {
        let sql = format!("SELECT count(*) FROM signature WHERE state {states}");
        database.query_row(&sql, [], |row| row.get::<_, i64>(0)).unwrap()
    };
    assert!(count("IS NOT NULL") > 10, "{}", count("IS NOT NULL"));
    wait_until("all to be released", Duration::from_secs(20), || count("<> 'released'") == 0);
}

/// Sends, takes this many bytes of the answer, and goes: with a goodbye, or with a reset.
fn go_away(instance: &Instance, sent: &[u8], take: usize, reset: bool) {
    let mut stream = connect(instance);
    stream.write_all(sent).unwrap();
    let mut taken = vec![0; take];
    stream.read_exact(&mut taken).unwrap();
    if reset {
        socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    }
}

/// Digests of the objects that are files, by their places.
fn large_objects(objects: &std::path::Path) -> Vec<Vec<u8>> {
    let mut digests = Vec::new();
    for folder in std::fs::read_dir(objects).unwrap().map(Result::unwrap) {
        let prefix = folder.file_name().into_string().unwrap();
        if prefix.len() != 2 {
            continue;
        }
        for file in std::fs::read_dir(folder.path()).unwrap().map(Result::unwrap) {
            let name = format!("{prefix}{}", file.file_name().into_string().unwrap());
            digests
                .push((0..32).map(|at| u8::from_str_radix(&name[2 * at..2 * at + 2], 16).unwrap()).collect());
        }
    }
    digests
}
