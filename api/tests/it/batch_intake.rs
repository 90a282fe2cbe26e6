//! A large manifest on its way into the database: it holds nobody up, and half of it is nothing.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::batch_faults::{self, PATIENCE};
use crate::batches::{manifest, rsa_key};
use crate::support::{ANA, Answer, Client, Instance, Options, postgres};

/// Enough for many portions.
const ITEMS: usize = 30_000;
/// Soon takes an intake that stands still for dead.
const LEASE: (&str, &str) = ("RUBRICA_ENGINE_LEASE_MS", "2000");

/// Sends a manifest under one idempotency key; `None` when the server went away.
fn send(backend: &Client, manifest: &str) -> Option<Answer> {
    let headers = [("content-type", "application/x-ndjson"), ("idempotency-key", "TEST-1")];
    backend.try_send("POST", "/v1/batches", &headers, Some(manifest.as_bytes())).ok()
}

fn wait_until(what: &str, instance: &Instance, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "{what}: {}", instance.log());
        thread::sleep(Duration::from_millis(1));
    }
}

const UNDER_WAY: &str = "SELECT count(*) FROM batch WHERE intake > 0";
const ITEMS_KEPT: &str = "SELECT count(*) FROM signature WHERE batch_id IS NOT NULL";

#[test]
fn others_write_while_a_manifest_is_taken_in_and_see_nothing_of_it() {
    let instance = Instance::start();
    let backend = instance.backend();
    let manifest = manifest(&rsa_key(&instance), ITEMS);
    let database = instance.database();
    let under_way = || database.query_row(UNDER_WAY, [], |row| row.get::<_, i64>(0)).unwrap() == 1;
    let (mut meanwhile, mut answer) = (0, None);
    thread::scope(|scope| {
        let sending = scope.spawn(|| send(&backend, &manifest));
        wait_until("the intake begins", &instance, &under_way);
        while under_way() {
            let session = instance.session(ANA);
            let id = session.sign_by_token(&session.upload(b"TEST"), "cades");
            let shown = backend.get("/v1/batches").json();
            if under_way() {
                meanwhile += 1;
                assert_eq!((shown["items"].as_array().unwrap().len(), id.is_empty()), (0, false));
            }
        }
        answer = sending.join().unwrap();
    });
    assert!(meanwhile >= 2, "{meanwhile} callers came through");
    let answer = answer.unwrap();
    assert_eq!(answer.status, 201, "{answer:?}");
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(backend.get(&format!("/v1/batches/{id}")).json()["total"], ITEMS);
    // Sent again it is the same batch.
    assert_eq!(send(&backend, &manifest).unwrap().json()["id"], json!(id));
    assert_eq!(backend.get("/v1/batches").json()["items"].as_array().unwrap().len(), 1);
}

/// Kills the server in the middle of an intake and starts it again: nothing of it is there, and it can be sent again.
fn killed_in_the_middle(
    mut instance: Instance,
    options: &Options<'_>,
    key: &str,
    count: impl Fn(&str) -> i64,
) {
    let manifest = manifest(key, ITEMS);
    thread::scope(|scope| {
        let backend = instance.backend();
        let sending = scope.spawn({
            let manifest = &manifest;
            move || send(&backend, manifest)
        });
        wait_until("the intake goes on", &instance, || count(ITEMS_KEPT) > 0);
        instance.kill();
        assert!(sending.join().unwrap().is_none(), "the server answered before it was killed");
    });
    assert_eq!(count(UNDER_WAY), 1);
    assert!((1..30_000).contains(&count(ITEMS_KEPT)));
    instance.run(options);
    let backend = instance.backend();
    assert_eq!(backend.get("/v1/batches").json()["items"], json!([]));
    wait_until("the rest is removed", &instance, || count("SELECT count(*) FROM batch") == 0);
    assert_eq!((count(ITEMS_KEPT), count("SELECT count(*) FROM task")), (0, 0));
    assert_eq!(count("SELECT count(*) FROM outbox WHERE events LIKE '%batch.%'"), 0);
    assert_eq!(count("SELECT count(*) FROM idempotency"), 0);
    instance.log_with("a manifest that was not taken in to its end was removed");

    let answer = send(&backend, &manifest).unwrap();
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(count(ITEMS_KEPT), 30_000);
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    wait_until("it is worked on", &instance, || {
        backend.get(&format!("/v1/batches/{id}")).json()["counts"]["released"].as_u64().unwrap() > 0
    });
}

#[test]
fn half_a_manifest_is_removed_after_a_crash_and_the_whole_is_taken_when_it_comes_again() {
    let options = Options { variables: &[LEASE] };
    let instance = Instance::start_with(&options);
    let (database, key) = (instance.database(), rsa_key(&instance));
    killed_in_the_middle(instance, &options, &key, |sql| {
        database.query_row(sql, [], |row| row.get(0)).unwrap()
    });
}

#[test]
fn half_a_manifest_is_removed_from_postgresql_too() {
    let address = postgres::shared().database();
    let variables = [LEASE, ("RUBRICA_STORE_URL", address.as_str())];
    let options = Options { variables: &variables };
    let instance = Instance::start_moved_to(&address, &options);
    let key = batch_faults::rsa_key(&address);
    killed_in_the_middle(instance, &options, &key, |sql| postgres::psql(&address, sql).parse().unwrap());
}
