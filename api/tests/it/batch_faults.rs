//! Batches whose processes are killed: nothing is lost, nothing is signed twice, everything verifies.

use std::collections::HashSet;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::batches::{manifest, submit, text};
use crate::support::{Client, Instance, Options, memory_folder, postgres};

/// Longest time for the rest of a batch on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(240);

/// An RSA key of the demo.
pub(crate) fn rsa_key(address: &str) -> String {
    postgres::psql(address, "SELECT id FROM signing_key WHERE algorithm = 'rsa' ORDER BY id LIMIT 1")
}

/// Everything that must hold of a batch that has ended: one artefact and one released event for each item, in the public
/// log without gaps, and no task left behind. So many, spread over the batch, are verified by an independent program; the
/// value of each was verified before its release. Besides them so many `others` were released.
pub(crate) fn check(address: &str, backend: &Client, id: &str, total: usize, verified: usize, others: usize) {
    let ask = |sql: &str| postgres::psql(address, sql);
    let released = ask(&format!(
        "SELECT count(*), count(DISTINCT artefact_sha256), count(DISTINCT position) FROM signature \
         WHERE batch_id = '{id}' AND state = 'released'"
    ));
    assert_eq!(released, format!("{total}|{total}|{total}"));
    assert_eq!(ask("SELECT count(*) FROM task"), "0");
    let begun = Instant::now();
    while ask("SELECT count(*) FROM outbox") != "0" {
        assert!(begun.elapsed() < PATIENCE, "the relay does not move on");
        std::thread::sleep(Duration::from_millis(50));
    }
    let mut told = HashSet::new();
    let mut next = 1;
    for row in ask("SELECT sequence, count FROM event ORDER BY sequence").lines() {
        let (sequence, count) = row.split_once('|').unwrap();
        assert_eq!(sequence.parse::<i64>().unwrap(), next, "the log has a gap");
        next += count.parse::<i64>().unwrap();
    }
    for line in ask("SELECT events FROM event ORDER BY sequence").lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        if event["type"] == "signature.released" {
            assert!(
                told.insert(event["data"]["signature_id"].as_str().unwrap().to_owned()),
                "told twice: {event}"
            );
        }
    }
    assert_eq!(told.len(), total + others);
    let ids = ask(&format!("SELECT position, id FROM signature WHERE batch_id = '{id}' ORDER BY position"));
    for line in ids.lines().step_by(total.div_ceil(verified)) {
        let (position, signature) = line.split_once('|').unwrap();
        verify(&backend.content(signature), &text(position.parse().unwrap()));
    }
}

/// Has openssl judge a detached signature.
pub(crate) fn verify(cms: &[u8], document: &[u8]) {
    let folder = memory_folder();
    std::fs::write(folder.path().join("a.p7s"), cms).unwrap();
    std::fs::write(folder.path().join("a.txt"), document).unwrap();
    let root = crate::support::template().join("data/pki/root.pem");
    let judged = Command::new("openssl")
        .args(["cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", "a.p7s", "-content", "a.txt"])
        .args(["-purpose", "any", "-out", "/dev/null", "-CAfile"])
        .arg(root)
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(judged.status.success(), "{}", String::from_utf8_lossy(&judged.stderr));
}

pub(crate) fn released(address: &str, id: &str) -> u64 {
    postgres::psql(address, &format!("SELECT released FROM batch WHERE id = '{id}'")).parse().unwrap()
}

#[test]
fn two_instances_share_a_batch_and_the_death_of_one_costs_nothing() {
    let address = postgres::shared().database();
    let variables = [("RUBRICA_STORE_URL", address.as_str()), ("RUBRICA_ENGINE_LEASE_MS", "1000")];
    let options = Options { variables: &variables };
    let mut first = Instance::start_moved_to(&address, &options);
    let second = Instance::start_with(&options);
    let id = submit(&first.backend(), &manifest(&rsa_key(&address), 1500));
    let begun = Instant::now();
    // Both have a part in it.
    let workers = || {
        postgres::psql(
            &address,
            "SELECT count(DISTINCT lease_worker) FROM task WHERE lease_worker IS NOT NULL",
        )
    };
    while workers() != "2" {
        assert!(begun.elapsed() < PATIENCE, "only one instance works");
        std::thread::sleep(Duration::from_millis(2));
    }
    first.kill();
    assert!(released(&address, &id) < 1500, "the batch was over before the instance died");
    let backend = second.backend();
    while backend.get(&format!("/v1/batches/{id}")).json()["ended_at"].is_null() {
        assert!(begun.elapsed() < PATIENCE, "{}", second.log());
        std::thread::sleep(Duration::from_millis(50));
    }
    check(&address, &backend, &id, 1500, 3, 0);
}
